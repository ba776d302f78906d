//! The engine in this process: what becomes of the cells of a job, and of requests beside it.

use recscope::protocol::{CellState, Event, PageSpec, ProblemKind, Request, RowCount};

use crate::engine_bench::{Bench, done, failed, last, lines, plain, story};

const SCRIPT: &str = "```sql few\nSELECT * FROM shown WHERE pos <= {{k}}\n```\n\
    ```sql broken\nSELECT 1,\n  nope FROM few\n```\n\
    ```sql below\nSELECT * FROM broken\n```\n\
    ```metrics quality\nfrom = \"shown\"\nrank = \"pos\"\nshow = [\"mrr\"]\nresamples = 0\n\
    check = [\"mrr >= 2\", \"mrr > 0.1\"]\n```\n\
    ```check gate\ncheck = [\"rows(few) == 4 and quality.mrr < 2\"]\n```\n";

pub const CELLS: [&str; 5] = ["few", "broken", "below", "quality", "gate"];

/// What any transport must carry of the script.
pub fn script() -> (String, Vec<String>) {
    let told = [
        "few queued",
        "broken queued",
        "below queued",
        "quality queued",
        "gate queued",
        "source shown true",
        "few done 4 rows []",
        "below skipped because of broken",
        "quality done 1 rows [Some(false), Some(true)]",
        "gate done 0 rows [Some(true)]",
        "ended false",
    ];
    (Bench::notebook(SCRIPT), told.map(String::from).to_vec())
}

/// The story of the script without the failure, whose words are DuckDB's; queued and source events may
/// come in either order.
pub fn told_as_expected(events: &[Event]) {
    let (_, mut expected) = script();
    let mut told = story(events);
    told.retain(|line| !line.starts_with("broken failed"));
    let settle = |lines: &mut Vec<String>| {
        let at = lines.iter().position(|line| line.starts_with("source")).unwrap();
        let source = lines.remove(at);
        lines.insert(0, source);
    };
    settle(&mut told);
    settle(&mut expected);
    assert_eq!(told, expected);
}

#[test]
fn a_job_tells_the_life_of_each_cell_and_ends_once() {
    let mut bench = Bench::new(plain());
    bench.sync(&script().0);
    let events = bench.run(&CELLS);
    told_as_expected(&events);

    let problem = failed(&events, "broken");
    assert_eq!((problem.line, problem.column), (Some(2), Some(3)), "{problem}");
    assert!(problem.message.contains("nope"), "{problem}");

    let check = &done(&events, "quality").checks[0];
    assert_eq!((check.ok, check.threshold), (Some(false), Some(2.0)));
    assert!((check.value.unwrap() - 0.75).abs() < 1e-12, "{check:?}");
    assert!(check.rows_sql.as_ref().unwrap().contains("\"shown\""));
    assert_eq!(bench.rows("few"), ["shoes|a|1|3", "shoes|b|2|0", "跑鞋|d|1|0", "跑鞋|e|2|2"]);
}

#[test]
fn parameters_are_bound_and_may_be_set_from_outside() {
    let mut bench = Bench::new(plain());
    let text = Bench::notebook("```sql few\nSELECT * FROM shown WHERE pos <= {{k}}\n```\n");
    bench.sync_params(&text, &[("k", "1")]);
    let events = bench.run(&["few"]);
    assert_eq!(done(&events, "few").relation.as_ref().unwrap().rows, RowCount::Exact(2));
}

#[test]
fn a_source_that_is_not_there_is_told_where_it_is_read() {
    let mut bench = Bench::new(plain());
    let text = Bench::notebook("```sql a\nSELECT * FROM shown\n```\n").replace("shown.csv", "shwn.csv");
    bench.sync(&text);
    let events = bench.run(&["a"]);
    let problem = failed(&events, "a");
    assert_eq!(problem.kind, ProblemKind::Data);
    assert!(problem.message.contains("shwn.csv"), "{problem}");
    // It appears later: found by the next Sync, without any change of the text.
    std::fs::copy(bench.folder.path().join("shown.csv"), bench.folder.path().join("shwn.csv")).unwrap();
    bench.sync(&text);
    let events = bench.run(&["a"]);
    assert_eq!(done(&events, "a").relation.as_ref().unwrap().rows, RowCount::Exact(5));
}

#[test]
fn an_ancestor_without_a_result_is_named() {
    let mut bench = Bench::new(plain());
    bench.sync("```sql a\nSELECT 1 AS x\n```\n```sql b\nFROM a\n```\n");
    let events = bench.run(&["b"]);
    assert!(failed(&events, "b").message.contains("it reads a"), "{:?}", failed(&events, "b"));
    let events = bench.run(&["a", "b"]);
    done(&events, "b");
}

#[test]
fn unknown_and_broken_cells_fail_in_their_place() {
    let mut bench = Bench::new(plain());
    bench.sync("```metrics m\nfrom = [\n```\n```drift d\n```\n");
    let events = bench.run(&["nowhere", "m", "d"]);
    assert_eq!(failed(&events, "nowhere").kind, ProblemKind::Usage);
    assert_eq!(failed(&events, "m").kind, ProblemKind::Usage);
    assert!(failed(&events, "d").message.contains("reserved"));
}

#[test]
fn a_deleted_cell_takes_its_rows_along() {
    let mut bench = Bench::new(plain());
    bench.sync("```sql a\nSELECT 1 AS x\n```\n");
    bench.run(&["a"]);
    assert_eq!(bench.rows("a"), ["1"]);
    bench.sync("```sql b\nSELECT 2 AS x\n```\n");
    bench.run(&["b"]);
    let spec = PageSpec { relation: "a".into(), limit: 1, ..PageSpec::default() };
    assert!(bench.page(spec).unwrap_err().message.contains("named a"));
}

#[test]
fn peeks_are_answered_while_a_cell_runs_and_the_newest_wins() {
    let mut bench = Bench::new(plain());
    let endless =
        "SELECT count(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range + b.range < 0";
    bench.sync(&Bench::notebook(&format!("```sql endless\n{endless}\n```\n")));
    let job = bench.start(&["endless"]);
    bench.until(|event| matches!(event, Event::Cell { state: CellState::Running(_), .. }));

    for seq in 1..=50 {
        let spec = PageSpec {
            relation: "shown".into(),
            offset: seq % 3,
            limit: 1,
            order: Some("item".into()),
            ..PageSpec::default()
        };
        bench.engine.send(Request::Page { slot: 1, seq, spec }).unwrap();
    }
    let pages = bench.until(|event| matches!(event, Event::Page { seq: 50, .. }));
    assert!(pages.len() < 50, "every page was made, although newer ones had been asked for");
    let Some(Event::Page { result: Ok(page), .. }) = pages.last() else { panic!("{pages:?}") };
    assert_eq!(lines(page), ["shoes|c|3|1"]);
    assert_eq!(page.columns[1].role.as_deref(), Some("item"));

    bench.engine.send(Request::Describe { relation: "shown".into() }).unwrap();
    let seen = bench.until(|event| matches!(event, Event::Described { .. }));
    let Some(Event::Described { result: Ok(columns), .. }) = seen.last() else { panic!("{seen:?}") };
    assert_eq!(columns.len(), 4);

    let sql = "SELECT * FROM sho".to_owned();
    bench.engine.send(Request::Complete { seq: 7, cursor: sql.len(), sql }).unwrap();
    let seen = bench.until(|event| matches!(event, Event::Completions { .. }));
    let Some(Event::Completions { seq: 7, items, .. }) = seen.last() else { panic!("{seen:?}") };
    assert!(items.iter().any(|item| item == "shown"), "{items:?}");

    bench.engine.send(Request::Pulse).unwrap();
    let seen = bench.until(|event| matches!(event, Event::Pulse { .. }));
    assert!(matches!(seen.last(), Some(Event::Pulse { rss_bytes: 1.., cpu_busy: 1.. })), "{seen:?}");

    bench.engine.send(Request::Cancel { job }).unwrap();
    let events = bench.until_ended(job);
    assert_eq!(last(&events, "endless"), &CellState::Cancelled(None));
}

#[test]
fn an_engine_that_ends_leaves_no_spill_folder() {
    let scratch = tempfile::tempdir().unwrap();
    let root = scratch.path().to_path_buf();
    let mut bench = Bench::new(recscope::engine::lanes::EngineOptions { scratch: Some(root), ..plain() });
    bench.sync("```sql a\nSELECT 1 AS x\n```\n");
    bench.run(&["a"]);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 1);
    drop(bench);
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[test]
fn no_rows_and_many_columns_are_results_too() {
    let mut bench = Bench::new(plain());
    let many: Vec<String> = (0..1000).map(|i| format!("{i} AS c{i}")).collect();
    bench.sync(&Bench::notebook(&format!(
        "```sql none\nSELECT * FROM shown WHERE false\n```\n```sql wide\nSELECT {}\n```\n\
         ```metrics m\nfrom = \"none\"\nrank = \"pos\"\nshow = [\"mrr\"]\nresamples = 0\ncheck = [\"mrr > 0\"]\n```\n",
        many.join(", ")
    )));
    let events = bench.run(&["none", "wide", "m"]);
    assert!(done(&events, "none").notes.iter().any(|note| note == "no rows"));
    assert_eq!(done(&events, "wide").relation.as_ref().unwrap().columns.len(), 1000);
    // n/a is no number, and so no pass.
    let check = &done(&events, "m").checks[0];
    assert_eq!((check.ok, check.value), (None, None), "{check:?}");
    assert!(check.reason.is_some());
}

#[test]
fn parameters_choose_the_files_of_a_source() {
    let mut bench = Bench::new(plain());
    std::fs::write(bench.folder.path().join("other.csv"), "q,item,pos,grade\nx,z,1,1\n").unwrap();
    let text = "---\nparams: { file: shown }\nsources: { shown: \"{{file}}.csv\" }\n---\n\
                ```sql a\nSELECT item FROM shown\n```\n";
    bench.sync(text);
    let events = bench.run(&["a"]);
    assert_eq!(done(&events, "a").relation.as_ref().unwrap().rows, RowCount::Exact(5));
    bench.sync_params(text, &[("file", "other")]);
    let events = bench.run(&["a"]);
    assert!(!done(&events, "a").cached);
    assert_eq!(bench.rows("a"), ["z"]);
}
