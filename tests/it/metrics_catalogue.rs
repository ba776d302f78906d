//! The catalogue: every worked example, the conventions, bounds, expected ties and bad input, on the
//! real database.

use recscope::analysis::metrics::{
    CONVENTIONS, Duplicates, Gains, METRICS, MetricsRequest, MetricsTable, Missing, Roles, Rows, Rules, Ties,
    Unjudged, convention, evaluate, lens,
};
use recscope::util::cancel::Cancel;

use crate::metrics::{names, run};
use crate::support_queries::Database;

fn close(value: Option<f64>, expected: f64, what: &str) {
    let value = value.unwrap_or_else(|| panic!("{what} is n/a"));
    assert!((value - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{what}: {value} is not {expected}");
}

#[test]
fn every_metric_has_an_example_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    let mut database = Database::new();
    for (number, metric) in METRICS.iter().enumerate() {
        let file = folder.path().join(format!("{number}.csv"));
        std::fs::write(&file, metric.example.csv()).unwrap();
        let name = format!("rows{number}");
        database.file(&name, &file);
        assert!(metric.example.ask.split('@').next() == Some(metric.id), "{}: no example", metric.spelling());
        let table = evaluate(&mut database, &metric.example.request(&name), &Cancel::new(), &mut |_, _| {});
        let value = table.as_ref().map(|table| table.lines[0].value);
        let (low, high) = metric.range;
        let holds = value
            .as_ref()
            .is_ok_and(|value| value.is_some_and(|value| (value - metric.example.value).abs() < 1e-9));
        if !holds || !(low..=high).contains(&metric.example.value) {
            wrong.push(format!("{}: {value:?} is not {}", metric.example.ask, metric.example.value));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn rows() -> Rows {
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("query"),
        item: column("item"),
        score: column("score"),
        gain: column("gain"),
        ..Roles::default()
    };
    Rows { from: "judged".into(), roles, relevant_at: 1.0, ..Rows::default() }
}

/// `values`: rows of query, item, score, gain.
fn judged(values: &str) -> Database {
    let database = Database::new();
    judge(&database, values);
    database
}

fn judge(database: &Database, values: &str) {
    database.make("judged", &format!("SELECT * FROM (VALUES {values}) AS t(query, item, score, gain)"));
}

fn ask(show: &str) -> MetricsRequest {
    MetricsRequest { rows: rows(), show: names(show), ..MetricsRequest::default() }
}

fn under(database: &mut Database, id: &str, show: &str) -> MetricsTable {
    run(database, &convention(id).unwrap().apply(&ask(show)))
}

const DISPUTED: &str = "
    ('plain', 'a', 2.0, 1.0), ('plain', 'b', 1.0, 0.0),
    ('tied', 'a', 1.0, 1.0), ('tied', 'b', 1.0, 0.0),
    ('nothing', 'a', 1.0, 0.0),
    ('missing', 'a', NULL, 1.0),
    ('unjudged', 'a', 2.0, NULL), ('unjudged', 'b', 1.0, 1.0),
    ('broken', 'a', 2.0, 1.0), ('broken', 'b', 1.0, 1.9),
    ('many', 'a', 3.0, 1.0), ('many', 'b', 2.0, 1.0), ('many', 'c', 1.0, 1.0)";

#[test]
fn the_lens_names_the_queries_and_the_rules_that_make_presets_differ() {
    let mut database = judged(DISPUTED);
    let lens = lens(&mut database, &ask("ndcg@2 mrr map@2"), &Cancel::new(), &mut |_, _| {}).unwrap();
    assert_eq!(lens.tables.len(), CONVENTIONS.len());
    let why = |convention: &str, metric: &str, query: &str| {
        let found = lens
            .differences
            .iter()
            .find(|d| (d.convention, d.metric.as_str(), d.query.as_str()) == (convention, metric, query));
        found.map(|d| (d.own, d.theirs, d.why.clone()))
    };
    assert_eq!(why("ranx", "mrr", "tied"), Some((Some(0.5), Some(1.0), "ties".into())));
    assert_eq!(why("trec", "ndcg@2", "nothing"), Some((None, Some(0.0), "nothing relevant".into())));
    assert_eq!(why("trec", "mrr", "missing"), Some((Some(0.0), None, "nothing retrieved: left out".into())));
    let unjudged = why("esci-script", "mrr", "unjudged").unwrap();
    assert_eq!((unjudged.0, unjudged.1), (Some(0.5), Some(1.0)));
    assert!(unjudged.2.contains("unjudged"), "{}", unjudged.2);
    assert!(why("trec", "ndcg@2", "broken").unwrap().2.contains("whole numbers"));
    let divided = why("recbole", "map@2", "many").unwrap();
    assert_eq!((divided.1, divided.2.as_str()), (Some(1.0), "divided by min(R, k)"));
    close(divided.0, 2.0 / 3.0, "map@2 over R");
    assert!(lens.differences.iter().all(|d| d.query != "plain"), "no rule touches it");
    let table = lens.into_table();
    assert_eq!(table.by, ["convention"]);
    assert_eq!(table.lines.len(), 3 * CONVENTIONS.len());
    assert!(
        table.notes.iter().any(|note| note.starts_with("mrr under ranx differs on 1 queries: tied")),
        "{:?}",
        table.notes
    );
}

#[test]
fn presets_do_what_their_table_says() {
    let mut database = judged(DISPUTED);
    let table = under(&mut database, "recscope", "ndcg@2");
    assert_eq!((table.lines[0].n, table.lines[0].n_na), (6, 1));
    assert_eq!(under(&mut database, "trec", "ndcg@2").lines[0].n, 6, "the query without results is dropped");
    assert_eq!(under(&mut database, "ir_measures", "ndcg@2").lines[0].n, 7);
    let seed = under(&mut database, "seed", "ndcg@2");
    assert_eq!((seed.lines[0].n, seed.lines[0].n_na), (5, 1));
    for preset in CONVENTIONS {
        assert!(!preset.source.is_empty() && preset.rules().iter().all(|(_, text)| !text.is_empty()));
    }
}

#[test]
fn duplicates_stay_as_the_convention_says() {
    let mut database = judged("('q', 'a', 3.0, 0.0), ('q', 'b', 2.0, 1.0), ('q', 'a', 1.0, 0.0)");
    assert_eq!(under(&mut database, "recscope", "mrr").figure("mrr"), Some(0.5));
    assert_eq!(under(&mut database, "ranx", "mrr").figure("mrr"), Some(1.0), "the last copy of a is below b");
    let refused = convention("trec").unwrap().apply(&ask("mrr"));
    let error = evaluate(&mut database, &refused, &Cancel::new(), &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("repeat") && error.hint().is_some(), "{error}");
}

#[test]
fn esci_grades_are_read_in_both_ways_and_refused_elsewhere() {
    let mut database = judged(
        "('q', 'a', 4.0, 'S'), ('q', 'b', 3.0, 'E'), ('q', 'c', 2.0, 'irrelevant'), ('q', 'd', 1.0, 'Complement')",
    );
    let discounted = |gains: [f64; 4]| -> f64 {
        gains.iter().zip(2..).map(|(gain, place)| gain / f64::from(place).log2()).sum()
    };
    let paper = discounted([0.1, 1.0, 0.0, 0.01]) / discounted([1.0, 0.1, 0.01, 0.0]);
    let script = discounted([0.01, 1.0, 0.0, 0.1]) / discounted([1.0, 0.1, 0.01, 0.0]);
    close(under(&mut database, "esci-paper", "ndcg").figure("ndcg"), paper, "paper");
    close(under(&mut database, "esci-script", "ndcg").figure("ndcg"), script, "script");
    let error = evaluate(&mut database, &ask("ndcg"), &Cancel::new(), &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("`S` is not a number"), "{error}");
    assert!(error.hint().unwrap().contains("esci-paper"));
    let lens = lens(&mut database, &ask("ndcg"), &Cancel::new(), &mut |_, _| {}).unwrap();
    let table = lens.into_table();
    assert_eq!(table.lines.len(), CONVENTIONS.len());
    assert_eq!(table.lines.iter().filter(|line| line.value.is_some()).count(), 2);
}

#[test]
fn tied_items_have_expected_values() {
    let mut database = judged(
        "('q', 'a', 1.0, 1.0), ('q', 'b', 1.0, 0.0), ('q', 'c', 1.0, 0.0), ('q', 'd', 0.5, 2.0), ('q', 'e', NULL, 1.0)",
    );
    let mut request = ask("precision@2 recall@2 hit@2 hits@2 mrr mrr@2 ndcg@3 map f1@2 err");
    request.rows.ties = Ties::Expected;
    let table = run(&mut database, &request);
    let third = 1.0 / 3.0;
    close(table.figure("precision@2"), third, "precision");
    close(table.figure("recall@2"), 2.0 * third * third, "recall");
    close(table.figure("hit@2"), 2.0 * third, "hit");
    close(table.figure("hits@2"), 2.0 * third, "hits");
    close(table.figure("mrr"), (1.0 + 0.5 + third) / 3.0, "mrr");
    close(table.figure("mrr@2"), (1.0 + 0.5) / 3.0, "mrr@2");
    close(table.figure("f1@2"), 2.0 * 2.0 * third / 5.0, "f1");
    let discount = |rank: f64| 1.0 / (rank + 1.0).log2();
    let dcg = third * (discount(1.0) + discount(2.0) + discount(3.0));
    close(table.figure("ndcg@3"), dcg / (2.0 + discount(2.0) + discount(3.0)), "ndcg");
    // d is at rank 4 whatever the order above it, with one relevant item above.
    close(table.figure("map"), ((1.0 + 0.5 + third) / 3.0 + 0.5) / 3.0, "map");
    let notes = table.notes.join("\n");
    assert!(notes.contains("expected values") && notes.contains("err: no closed form"), "{notes}");
}

#[test]
fn bounds_hold_whatever_the_unjudged_items_are() {
    // Every combination of gains 0..=3 for three unjudged items, two of them in the top 3.
    let with = |gains: [&str; 3]| {
        format!(
            "('q', 'a', 6.0, {}), ('q', 'b', 5.0, 2.0), ('q', 'c', 4.0, {}), ('q', 'd', 3.0, 0.0), ('q', 'e', 2.0, {}), ('q', 'f', 1.0, 3.0), ('p', 'a', 1.0, 1.0)",
            gains[0], gains[1], gains[2]
        )
    };
    let show =
        "precision@3 recall@3 hit@1 mrr err@3 rbp@3 f1@3 ndcg@3 ndcg_exp@3 map map@3 dcg@3 hits@3 bpref";
    let null = "NULL::DOUBLE";
    let table = run(&mut judged(&with([null; 3])), &MetricsRequest { bounds: true, ..ask(show) });
    let (mut lowest, mut highest) = (vec![f64::INFINITY; 14], vec![f64::NEG_INFINITY; 14]);
    let mut database = Database::new();
    for number in 0..64 {
        let gain = |place: u32| ["0.0", "1.0", "2.0", "3.0"][(number / 4usize.pow(place)) % 4];
        judge(&database, &with([gain(0), gain(1), gain(2)]));
        let found = run(&mut database, &ask(show));
        for (index, line) in found.lines.iter().enumerate() {
            let value = line.value.unwrap();
            lowest[index] = lowest[index].min(value);
            highest[index] = highest[index].max(value);
        }
    }
    for (index, line) in table.lines.iter().enumerate() {
        if line.metric == "bpref" {
            assert_eq!((line.worst, line.best), (None, None), "no bounds are claimed");
            continue;
        }
        let (worst, best) = (line.worst.unwrap(), line.best.unwrap());
        let (low, high) = (lowest[index], highest[index]);
        assert!(
            worst <= low + 1e-12 && high <= best + 1e-12,
            "{}: {low} to {high} is not in {worst} to {best}",
            line.metric
        );
        let exact = !["ndcg", "map"].iter().any(|name| line.metric.starts_with(name));
        assert!(
            !exact || ((worst - low).abs() < 1e-12 && (high - best).abs() < 1e-12),
            "{}: {low} to {high}, said {worst} to {best}",
            line.metric
        );
        assert!(worst <= line.value.unwrap() + 1e-12 && line.value.unwrap() <= best + 1e-12);
    }
    assert!(table.notes.iter().any(|note| note.contains("worth 3")), "{:?}", table.notes);
    let names: Vec<String> =
        table.to_batch().unwrap().schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(&names[names.len() - 2..], ["worst", "best"]);
    assert_eq!(table.figure("best(precision@3)"), table.line("precision@3").unwrap().best);
}

#[test]
fn condensed_lists_count_ranks_without_what_is_not_judged() {
    let mut database = judged("('q', 'a', 3.0, NULL), ('q', 'b', 2.0, 1.0), ('q', 'c', 1.0, 0.0)");
    let mut request = ask("mrr judged@1");
    assert_eq!(run(&mut database, &request).figure("mrr"), Some(0.5));
    assert_eq!(run(&mut database, &request).figure("judged@1"), Some(0.0));
    request.rows.rules = Rules { unjudged: Unjudged::Condensed, ..Rules::default() };
    assert_eq!(run(&mut database, &request).figure("mrr"), Some(1.0));
    request.rows.rules = Rules {
        missing: Missing::Dropped,
        gains: Gains::Binary,
        duplicates: Duplicates::Last,
        ..Rules::default()
    };
    request.rows.filter = Some("item <> {{most}}".into());
    request.rows.params = vec![("most".into(), recscope::analysis::SqlValue::Text("a".into()))];
    assert_eq!(run(&mut database, &request).figure("mrr"), Some(1.0), "filters keep their parameters");
}

/// Everything that ranks or counts must answer these, and say what it did.
#[test]
fn bad_input_is_answered() {
    let all: String = METRICS
        .iter()
        .filter(|m| {
            m.needs.iter().all(|need| {
                use recscope::analysis::metrics::Need;
                [Need::Query, Need::Item, Need::Order, Need::Score, Need::Gain, Need::Label].contains(need)
            })
        })
        .map(|m| m.spelling().replace("[@K]", "@3").replace("@K", "@3") + " ")
        .collect();
    for (what, values) in [
        ("negative and huge grades", "('q', 'a', 2.0, -5.0), ('q', 'b', 1.0, 1e6), ('q', 'c', 0.5, 1e300)"),
        ("NaN scores and grades", "('q', 'a', 'nan'::DOUBLE, 'nan'::DOUBLE), ('q', 'b', 'inf'::DOUBLE, 1.0)"),
        ("no judged item", "('q', 'a', 1.0, NULL::DOUBLE), ('q', 'b', 0.5, NULL)"),
        ("nothing retrieved", "('q', 'a', NULL::DOUBLE, 1.0), ('q', 'b', NULL, 0.0)"),
        ("all ties", "('q', 'a', 1.0, 1.0), ('q', 'b', 1.0, 0.0), ('q', 'c', 1.0, 2.0)"),
        ("one row", "('q', 'a', 1.0, 1.0)"),
        ("no item", "('q', NULL::VARCHAR, 1.0, 1.0)"),
    ] {
        let mut database = judged(values);
        for ties in [Ties::Docid, Ties::Logged, Ties::Expected] {
            let mut request = MetricsRequest { bounds: true, resamples: 20, ..ask(&all) };
            request.rows.ties = ties;
            let table = run(&mut database, &request);
            for line in &table.lines {
                let metric = METRICS.iter().find(|m| line.metric.split('@').next() == Some(m.id)).unwrap();
                let within =
                    |v: Option<f64>| v.is_none_or(|v| (metric.range.0..=metric.range.1).contains(&v));
                assert!(
                    within(line.value) && within(line.worst) && within(line.best),
                    "{what} {ties:?}: {line:?}"
                );
            }
        }
        let empty = "('q', 'a', 1.0, 1.0)";
        let mut none = ask(&all);
        none.rows.filter = Some("FALSE".into());
        let nothing = run(&mut judged(empty), &none);
        assert!(nothing.lines.iter().all(|line| line.n == 0), "{:?}", nothing.lines);
        // The catalogue is the unfiltered relation: of its one item, none is shown.
        let known = nothing.lines.iter().filter(|line| line.value.is_some()).map(|line| line.metric.as_str());
        assert_eq!(known.collect::<Vec<_>>(), ["coverage@3"]);
    }
    let table = run(&mut judged("('q', 'a', NULL::DOUBLE, 1.0)"), &ask("mrr"));
    assert!(table.notes.iter().any(|note| note.contains("no judged query is answered")), "{:?}", table.notes);
}

#[test]
fn a_query_of_a_million_items_is_answered() {
    let mut database = Database::new();
    database.make(
        "judged",
        "SELECT 'q' AS query, i AS item, (i * 7919 % 1000003)::DOUBLE AS score, (i % 1009 = 0)::INT AS gain,
                (i * 104729 % 1000003)::DOUBLE AS other, 'c' || (i % 50) AS category FROM range(1000000) AS r(i)",
    );
    let header = ["query", "item", "score", "other", "gain", "category"];
    let show = names(
        "ndcg ndcg@10 map mrr bpref rprec err rbp infap iprec11 judged auc ap rbo kendall jaccard@10 alpha_ndcg@10 ild.category longtail gini",
    );
    let mut request = MetricsRequest::by_header(&header, "judged", show);
    let table = run(&mut database, &request);
    assert!(table.lines.iter().all(|line| line.value.is_some()), "{:?}", table.lines);
    assert!((table.figure("ild.category").unwrap() - 0.98).abs() < 1e-4);
    // One tie of a million: the expectation is the share of the relevant.
    database.make("tied", "SELECT query, item, 1.0 AS score, gain FROM judged");
    request = MetricsRequest::by_header(
        &["query", "item", "score", "gain"],
        "tied",
        names("precision@10 mrr map ndcg@10 hit@10"),
    );
    request.rows.ties = Ties::Expected;
    let table = run(&mut database, &request);
    close(table.figure("precision@10"), 992.0 / 1e6, "precision");
    assert!(
        table.lines.iter().all(|line| line.value.is_some_and(|value| value > 0.0 && value < 0.1)),
        "{:?}",
        table.lines
    );
}
