//! The SQL equals the plain Rust definitions on random data: ties, missing and infinite scores,
//! unjudged and repeated items, lists of one, nothing relevant, Chinese texts.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use recscope::analysis::metrics::reference::{Ranked, Row, classification, exposure, ranking, seed};
use recscope::analysis::metrics::{MetricsRequest, MetricsTable, Roles, Rows};

use crate::metrics::{names, run};
use crate::support_queries::Database;

#[derive(Debug, Clone)]
struct Line {
    query: u8,
    row: Row,
    label: Option<bool>,
    text: &'static str,
}

const ITEMS: &[&str] = &["a", "B", "b", "商品", "跑鞋", "z9", "z10", "é", "o'x", "long item"];
const TEXTS: &[&str] =
    &["running shoes", "跑鞋 男", "Running boots", "男 running 跑", "blue shirt", "", "boots"];

fn line() -> impl Strategy<Value = Line> {
    let score = prop_oneof![
        6 => (0..5i32).prop_map(|s| Some(f64::from(s) / 4.0)),
        1 => Just(None),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY)].prop_map(Some),
    ];
    let gain = prop_oneof![
        1 => Just(None),
        1 => Just(Some(f64::NAN)),
        5 => (-1..4i32).prop_map(|g| Some(f64::from(g))),
    ];
    let label = prop_oneof![1 => Just(None), 4 => any::<bool>().prop_map(Some)];
    (0..6u8, 0..ITEMS.len(), score, gain, label, 0..TEXTS.len()).prop_map(
        |(query, item, score, gain, label, text)| {
            let row = Row { item: ITEMS[item].into(), score, gain, clicked: label == Some(true) };
            Line { query, row, label, text: TEXTS[text] }
        },
    )
}

fn load(database: &Database, lines: &[Line]) {
    let number = |value: Option<f64>| match value {
        None => "NULL::DOUBLE".to_owned(),
        Some(value) => format!("'{value}'::DOUBLE"),
    };
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let row = |line: &Line| {
        let label = line.label.map_or("NULL::BOOLEAN".to_owned(), |label| label.to_string());
        let (score, gain) = (number(line.row.score), number(line.row.gain));
        format!(
            "('q{}', {}, {score}, {gain}, {label}, {})",
            line.query,
            text(&line.row.item),
            text(line.text)
        )
    };
    let rows: Vec<String> = lines.iter().map(row).collect();
    database.make(
        "random",
        &format!("SELECT * FROM (VALUES {}) AS t(query, item, score, gain, label, title)", rows.join(", ")),
    );
}

fn measure(database: &mut Database, show: &str, at: f64) -> MetricsTable {
    measure_by(database, show, at, false)
}

fn measure_by(database: &mut Database, show: &str, at: f64, by_statements: bool) -> MetricsTable {
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("query"),
        item: column("item"),
        score: column("score"),
        gain: column("gain"),
        label: column("label"),
        text: vec!["title".into()],
        ..Roles::default()
    };
    let rows = Rows { from: "random".into(), roles, relevant_at: at, ..Rows::default() };
    run(database, &MetricsRequest { rows, show: names(show), by_statements, ..MetricsRequest::default() })
}

/// The mean of what exists, and how many exist.
fn mean(values: &[f64]) -> (Option<f64>, u64) {
    let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let mean = known.iter().sum::<f64>() / known.len() as f64;
    ((!known.is_empty()).then_some(mean), known.len() as u64)
}

fn agree(table: &MetricsTable, metric: &str, expected: Option<f64>, n: Option<u64>) {
    let line = table.line(metric).unwrap();
    match (line.value, expected) {
        (Some(value), Some(expected)) => {
            assert!(
                (value - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{metric}: {value} is not {expected}"
            );
        }
        (value, expected) => assert_eq!(value, expected, "{metric}"),
    }
    if let Some(n) = n {
        assert_eq!(line.n, n, "n of {metric}");
    }
}

fn not_nan(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

fn check_ranking(table: &MetricsTable, lists: &[Ranked], at: f64) {
    let whole = usize::MAX;
    let top = lists.iter().flat_map(Ranked::all).filter_map(|row| row.gain).fold(4.0, f64::max);
    let of = |metric: &str, value: &dyn Fn(&Ranked) -> f64| {
        let (mean, n) = mean(&lists.iter().map(value).collect::<Vec<_>>());
        agree(table, metric, mean, Some(n));
    };
    of("ndcg", &|list| ranking::ndcg(list, whole, false));
    of("ndcg@3", &|list| ranking::ndcg(list, 3, false));
    of("ndcg_exp@3", &|list| ranking::ndcg(list, 3, true));
    of("map", &|list| ranking::average_precision(list, at, whole));
    of("map@2", &|list| ranking::average_precision(list, at, 2));
    of("mrr", &|list| ranking::reciprocal_rank(list, at, whole));
    of("mrr@2", &|list| ranking::reciprocal_rank(list, at, 2));
    of("precision@3", &|list| ranking::precision(list, at, 3));
    of("recall@3", &|list| ranking::recall(list, at, 3));
    of("hit@1", &|list| ranking::hit(list, at, 1));
    of("f1@3", &|list| ranking::f1(list, at, 3));
    of("err@3", &|list| ranking::err(list, top, 3));
    of("rbp", &|list| ranking::rank_biased_precision(list, at, 0.8, whole));
    of("bpref", &|list| ranking::bpref(list, at));
    of("rprec", &|list| ranking::r_precision(list, at));
}

fn check_seed(table: &MetricsTable, lists: &[Ranked]) {
    let clicks = |list: &Ranked| -> Vec<bool> { list.shown.iter().map(|row| row.clicked).collect() };
    let elsewhere = |list: &Ranked| list.missed.iter().filter(|row| row.clicked).count();
    let of = |metric: &str, value: &dyn Fn(&Ranked) -> f64| {
        let (mean, n) = mean(&lists.iter().map(value).collect::<Vec<_>>());
        agree(table, metric, mean, Some(n));
    };
    of("accuracy.seed_list", &|list| seed::accuracy_list(&clicks(list)));
    of("accuracy.seed_example", &|list| seed::accuracy_example(&clicks(list), elsewhere(list)));
    of("relevance.seed_literal", &|list| seed::relevance_literal(&clicks(list)));
    of("relevance.seed_example", &|list| seed::relevance_example(&clicks(list)));
    let lengths: Vec<usize> =
        lists.iter().map(|list| list.shown.len()).filter(|&length| length > 0).collect();
    let known = !lengths.is_empty();
    agree(table, "diversity.seed_sum", known.then(|| seed::diversity_sum(&lengths)), None);
    agree(table, "diversity.seed_mean", known.then(|| seed::diversity_mean(&lengths)), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ranking_metrics_equal_their_definitions(lines in prop::collection::vec(line(), 1..40), at in 1..3i32) {
        let mut database = Database::new();
        load(&database, &lines);
        let at = f64::from(at);
        let show = "ndcg ndcg@3 ndcg_exp@3 map map@2 mrr mrr@2 precision@3 recall@3 hit@1 f1@3 err@3 rbp bpref rprec accuracy.seed_list accuracy.seed_example relevance.seed_literal relevance.seed_example diversity.seed_sum diversity.seed_mean";
        let table = measure(&mut database, show, at);
        let by_statements = measure_by(&mut database, show, at, true);
        let mut by_query: BTreeMap<u8, Vec<Row>> = BTreeMap::new();
        lines.iter().for_each(|line| by_query.entry(line.query).or_default().push(line.row.clone()));
        let lists: Vec<Ranked> = by_query.values().map(|rows| Ranked::new(rows)).collect();
        check_ranking(&table, &lists, at);
        check_ranking(&by_statements, &lists, at);
        prop_assert_eq!(&table.notes, &by_statements.notes);
        // Of repeated items which copy's clicks stay is a matter of order: only look without them.
        let repeated = by_query.values().any(|rows| rows.iter().map(|row| &row.item).collect::<BTreeSet<_>>().len() < rows.len());
        if !repeated {
            check_seed(&table, &lists);
        }
    }

    #[test]
    fn row_metrics_equal_their_definitions(lines in prop::collection::vec(line(), 1..40)) {
        let mut database = Database::new();
        load(&database, &lines);
        let table = measure(&mut database, "accuracy precision recall f1 fpr selection_rate log_loss brier auc ece ctr", 1.0);
        let usable = |line: &Line| Some((line.row.score.filter(|score| score.is_finite())?, line.label?));
        let rows: Vec<(f64, bool)> = lines.iter().filter_map(usable).collect();
        // An infinite score has a rank, but is no probability.
        let ordered = |line: &Line| Some((line.row.score.filter(|score| !score.is_nan())?, line.label?));
        let ordered: Vec<(f64, bool)> = lines.iter().filter_map(ordered).collect();
        for (metric, value) in [
            ("accuracy", classification::accuracy(&rows)),
            ("precision", classification::precision(&rows)),
            ("recall", classification::recall(&rows)),
            ("f1", classification::f1(&rows)),
            ("fpr", classification::false_positive_rate(&rows)),
            ("selection_rate", classification::selection_rate(&rows)),
            ("log_loss", classification::log_loss(&rows)),
            ("brier", classification::brier(&rows)),
            ("auc", classification::auc(&ordered)),
            ("ece", classification::calibration_error(&rows)),
        ] {
            agree(&table, metric, not_nan(value), None);
        }
        let line = table.line("accuracy").unwrap();
        prop_assert_eq!((line.n as usize, (line.n + line.n_na) as usize), (rows.len(), lines.len()));
        let labels: Vec<f64> = lines.iter().filter_map(|line| line.label).map(|label| f64::from(u8::from(label))).collect();
        let (ctr, n) = mean(&labels);
        agree(&table, "ctr", ctr, Some(n));
    }

    #[test]
    fn catalogue_metrics_equal_their_definitions(lines in prop::collection::vec(line(), 1..40)) {
        let mut database = Database::new();
        // One copy of each item per list, so that texts are those of the ranked items.
        let mut seen = BTreeSet::new();
        let lines: Vec<Line> = lines.into_iter().filter(|line| seen.insert((line.query, line.row.item.clone()))).collect();
        load(&database, &lines);
        let table = measure(&mut database, "coverage coverage@2 gini@2 entropy@2 novelty@2 ild@3 ild", 1.0);
        let mut by_query: BTreeMap<u8, Vec<&Line>> = BTreeMap::new();
        lines.iter().for_each(|line| by_query.entry(line.query).or_default().push(line));
        let mut lists = Vec::new();
        let mut texts: Vec<Vec<&str>> = Vec::new();
        for lines in by_query.values() {
            let ranked = Ranked::new(&lines.iter().map(|line| line.row.clone()).collect::<Vec<_>>());
            let text = |row: &Row| lines.iter().find(|line| line.row.item == row.item).unwrap().text;
            texts.push(ranked.shown.iter().map(text).collect());
            lists.push(ranked.shown.into_iter().map(|row| row.item).collect::<Vec<String>>());
        }
        let catalogue: BTreeSet<String> = lines.iter().map(|line| line.row.item.clone()).collect();
        let whole = exposure::exposures(&lists, &catalogue, usize::MAX);
        let top = exposure::exposures(&lists, &catalogue, 2);
        let shown = top.iter().any(|&times| times > 0.0);
        agree(&table, "coverage", Some(exposure::coverage(&whole)), None);
        agree(&table, "coverage@2", Some(exposure::coverage(&top)), None);
        agree(&table, "entropy@2", shown.then(|| exposure::entropy(&top)), None);
        agree(&table, "gini@2", not_nan(exposure::gini(&top)).filter(|_| shown && top.len() > 1), None);
        let (novelty, n) = mean(&exposure::novelty(&lists, 2));
        agree(&table, "novelty@2", novelty, Some(n));
        for (metric, k) in [("ild@3", 3), ("ild", 10)] {
            let values: Vec<f64> = texts.iter().map(|texts| exposure::intra_list_diversity(texts, k)).collect();
            let (ild, n) = mean(&values);
            agree(&table, metric, ild, Some(n));
        }
    }
}
