//! Cells that ask a model: score, explain, train; and tables that fill up while one scores.

use recscope::engine::lanes::EngineOptions;
use recscope::protocol::{Body, CellState, Event, ProblemKind};

use crate::engine_bench::{Bench, done, failed, last, plain};
use crate::tiny_model::{self, Tiny};

const ROWS: &str = "```sql rows_in\nSELECT * FROM (VALUES\n\
    (1, 'red shoes', 'running boots'), (2, '跑鞋 男', '男 鞋 好'), (3, 'red shoes', 'running boots'),\n\
    (4, NULL, 'boots'), (5, 'cheap', '   '), (6, 'cheap', 'mouse')) t(id, a, b)\n```\n";

fn bench(options: EngineOptions, tiny: &Tiny) -> Bench {
    let bench = Bench::new(options);
    tiny_model::write(&bench.folder.path().join("m"), tiny);
    bench
}

fn score(rest: &str) -> String {
    format!("{ROWS}```score rel\nfrom = \"rows_in\"\nmodel = \"m\"\npair = [\"a\", \"b\"]\n{rest}```\n")
}

#[test]
fn rows_keep_their_order_equal_texts_their_score_and_blank_ones_have_none() {
    let mut bench = bench(plain(), &Tiny::default());
    bench.sync(&score("order = \"id DESC\"\n"));
    let events = bench.run(&["rows_in", "rel"]);
    let outcome = done(&events, "rel");
    let Body::Score(summary) = &outcome.body else { panic!("{outcome:?}") };
    assert_eq!((summary.rows, summary.unique_inputs, summary.empty, summary.nan), (6, 3, 2, 0));
    assert!(summary.tokens > 0 && summary.model == "m" && summary.device == "cpu");
    assert!(outcome.notes.iter().any(|note| note.contains("2 rows have no text")));
    let rows = bench.rows("rel");
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.split('|').collect()).collect();
    assert_eq!(cells.iter().map(|row| row[0]).collect::<Vec<_>>(), ["6", "5", "4", "3", "2", "1"]);
    assert_eq!(cells[3][3], cells[5][3]);
    assert_ne!(cells[3][3], cells[4][3]);
    assert_eq!((cells[1][3], cells[2][3]), ("", ""));
    // Nothing of the job is left behind.
    for table in ["__rel_rows", "__rel_scores"] {
        let spec = recscope::protocol::PageSpec { relation: table.into(), limit: 1, ..Default::default() };
        assert!(bench.page(spec).is_err());
    }
}

#[test]
fn several_classes_have_a_column_each() {
    let mut bench = bench(plain(), &Tiny { labels: 3, ..Tiny::default() });
    bench.sync(&score(""));
    let events = bench.run(&["rows_in", "rel"]);
    let columns = &done(&events, "rel").relation.as_ref().unwrap().columns;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let scores = ["rel_score", "rel_score_LABEL_0", "rel_score_LABEL_1", "rel_score_LABEL_2"];
    assert_eq!(names, [&["id", "a", "b"][..], &scores].concat());
}

#[test]
fn scores_that_are_no_numbers_are_kept_and_counted() {
    let mut bench = bench(plain(), &Tiny::default());
    let mut weights = tiny_model::weights(&Tiny::default());
    let bias = candle_core::Tensor::from_vec(vec![f32::NAN], 1, &candle_core::Device::Cpu).unwrap();
    weights.insert("classifier.bias".into(), bias);
    candle_core::safetensors::save(&weights, bench.folder.path().join("m/model.safetensors")).unwrap();
    bench.sync(&score(""));
    let events = bench.run(&["rows_in", "rel"]);
    let outcome = done(&events, "rel");
    assert!(matches!(&outcome.body, Body::Score(summary) if summary.nan == 4), "{outcome:?}");
    assert!(outcome.notes.iter().any(|note| note.contains("not finite")), "{:?}", outcome.notes);
}

#[test]
fn wrong_models_and_columns_are_told_with_a_remedy() {
    let mut bench = bench(plain(), &Tiny::default());
    bench.sync(&format!(
        "{}```score lost\nfrom = \"rows_in\"\nmodel = \"nowhere\"\ntext = \"a\"\n```\n\
         ```score typo\nfrom = \"rows_in\"\nmodel = \"m\"\npair = [\"a\", \"bb\"]\n```\n\
         ```explain bare\nfrom = \"rows_in\"\n```\n",
        score("")
    ));
    let events = bench.run(&["rows_in", "lost", "typo", "bare"]);
    assert_eq!(failed(&events, "lost").kind, ProblemKind::Model);
    assert!(failed(&events, "typo").hint.as_ref().unwrap().contains("did you mean b?"));
    assert!(failed(&events, "bare").message.contains("no score cell is above it"));
    let events = bench.run(&["rel"]);
    done(&events, "rel");
}

#[test]
fn tables_fill_up_while_rows_are_scored_and_settle() {
    let mut bench = bench(EngineOptions { live_ms: Some(1), ..plain() }, &Tiny::default());
    bench.sync(&Bench::notebook(
        "```sql many\nSELECT 'q' || (i // 10) AS q, i AS item, i % 3 AS grade, i % 2 AS side, \
         'red shoes ' || i AS a, 'running boots ' || (i * 7) AS b FROM range(12000) t(i)\n```\n\
         ```score rel\nfrom = \"many\"\nmodel = \"m\"\npair = [\"a\", \"b\"]\n```\n\
         ```sql passed\nSELECT * FROM rel WHERE item >= 0\n```\n\
         ```metrics quality\nfrom = \"passed\"\nshow = [\"mrr\"]\nresamples = 0\n```\n\
         ```fairness sides\nfrom = \"rel\"\nslices = [\"side\"]\nmetric = \"ctr\"\nlabel = \"grade\"\n\
         resamples = 10\npermutations = 10\n```\n",
    ));
    let events = bench.run(&["many", "rel", "passed", "quality", "sides"]);
    for cell in ["rel", "passed", "quality", "sides"] {
        let states: Vec<&CellState> = events
            .iter()
            .filter_map(|event| match event {
                Event::Cell { cell: name, state, .. } if name == cell => Some(state),
                _ => None,
            })
            .collect();
        let partial = states.iter().position(|state| matches!(state, CellState::Partial(_)));
        let partial = partial.unwrap_or_else(|| panic!("{cell} was never partial"));
        let CellState::Partial(outcome) = states[partial] else { unreachable!() };
        assert!(outcome.partial);
        assert!(matches!(states.last(), Some(CellState::Done(outcome)) if !outcome.partial), "{cell}");
    }
    assert_eq!(done(&events, "rel").relation.as_ref().unwrap().rows.known(), 12_000);
    assert_eq!(done(&events, "passed").relation.as_ref().unwrap().rows.known(), 12_000);
    let notes = &done(&events, "quality").notes;
    assert!(notes.iter().any(|note| note.contains("ordered by rel_score")), "{notes:?}");
}

#[test]
fn a_table_that_is_run_while_the_model_scores_fills_up_as_well() {
    let mut bench = bench(EngineOptions { live_ms: Some(1), ..plain() }, &Tiny::default());
    let cells = Bench::notebook(
        "```sql many\nSELECT 'q' || (i // 10) AS q, i AS item, i % 3 AS grade, \
         'red shoes ' || i AS a, 'running boots ' || (i * 7) AS b FROM range(12000) t(i)\n```\n\
         ```score rel\nfrom = \"many\"\nmodel = \"m\"\npair = [\"a\", \"b\"]\n```\n",
    );
    bench.sync(&cells);
    let scoring = bench.start(&["many", "rel"]);
    // Written and run only now.
    bench.sync(&format!("{cells}```metrics late\nfrom = \"rel\"\nshow = [\"mrr\"]\nresamples = 0\n```\n"));
    let measuring = bench.start(&["late"]);
    let events = bench.until_ended(scoring);
    let partial = |event: &Event| matches!(event, Event::Cell { cell, state: CellState::Partial(_), .. } if cell == "late");
    assert!(events.iter().any(partial), "late was never partial");
    let events = bench.until_ended(measuring);
    assert!(!done(&events, "late").partial);
    assert_eq!(bench.rows("late")[0].split('|').nth(4), Some("1200"), "{:?}", bench.rows("late"));
}

#[test]
fn explanations_take_model_and_texts_from_the_score_cell_above() {
    let mut bench = bench(plain(), &Tiny::default());
    bench.sync(&format!(
        "{}```sql best\nSELECT * FROM rel WHERE rel_score IS NOT NULL\n```\n\
         ```explain why\nfrom = \"best\"\norder = \"id\"\nlimit = 2\nmethod = \"leave_one_out\"\n```\n",
        score("")
    ));
    let events = bench.run(&["rows_in", "rel", "best", "why"]);
    let outcome = done(&events, "why");
    let Body::Explain(found) = &outcome.body else { panic!("{outcome:?}") };
    assert_eq!(found.len(), 2);
    assert_eq!((found[1].query.as_str(), found[1].text.as_str()), ("跑鞋 男", "男 鞋 好"));
    let words: Vec<&str> = found[1].words.iter().map(|word| word.text.as_str()).collect();
    assert_eq!(words, ["跑", "鞋", "男", "男", "鞋", "好"]);
    assert_eq!(found[0].record[0], ("id".to_owned(), Some("1".to_owned())));
    let score: f64 = found[0].record.last().unwrap().1.as_ref().unwrap().parse().unwrap();
    assert!((score - found[0].score).abs() < 1e-4, "{score} and {}", found[0].score);
    let rows = bench.rows("why");
    assert_eq!(rows.len(), found.iter().map(|one| one.words.len()).sum::<usize>());
    assert!(rows[0].starts_with("0|query|1|red|"), "{rows:?}");
    let partial = |event: &Event| matches!(event, Event::Cell { cell, state: CellState::Partial(_), .. } if cell == "why");
    assert!(events.iter().any(partial), "the first row was not shown before the second was done");
}

#[test]
fn a_model_is_trained_scored_with_and_not_trained_twice() {
    let mut bench = bench(EngineOptions { cache: true, ..plain() }, &Tiny { labels: 2, ..Tiny::default() });
    bench.sync(&Bench::notebook(
        "```sql labelled\nSELECT i AS q, CASE WHEN i % 2 = 0 THEN 'good' ELSE 'bad' END AS label, \
         CASE WHEN i % 2 = 0 THEN 'red shoes' ELSE 'cheap mouse' END AS b FROM range(40) t(i)\n```\n\
         ```train fit\nfrom = \"labelled\"\nmodel = \"m\"\ntext = \"b\"\nlabel = \"label\"\nout = \"fitted\"\n\
         dev = 0.25\nepochs = 2\nbatch = 8\nmax_tokens = 16\nlearning_rate = 1e-3\n\
         check = [\"accuracy >= 0\"]\n```\n\
         ```score after\nfrom = \"labelled\"\nmodel = \"fitted\"\ntext = \"b\"\n```\n",
    ));
    let all = ["labelled", "fit", "after"];
    let events = bench.run(&all);
    let outcome = done(&events, "fit");
    let Body::Train(report) = &outcome.body else { panic!("{outcome:?}") };
    assert_eq!((report.epochs.len(), report.labels.as_slice()), (2, &["bad".to_owned(), "good".into()][..]));
    assert_eq!(report.train_rows + report.dev_rows, 40);
    assert!(report.dev_rows > 0 && outcome.checks[0].ok == Some(true), "{outcome:?}");
    assert_eq!(bench.rows("fit").len(), 2);
    done(&events, "after");
    let events = bench.run(&all);
    assert!(done(&events, "fit").cached && done(&events, "after").cached);
    // The folder is gone: its result alone would be a lie.
    std::fs::remove_dir_all(bench.folder.path().join("fitted")).unwrap();
    let events = bench.run(&["fit"]);
    assert!(!done(&events, "fit").cached);
    assert!(matches!(last(&events, "fit"), CellState::Done(_)));
}
