//! The catalogue's further metrics equal their plain Rust definitions on random data: ties, missing
//! and infinite scores, unjudged and repeated items, negative gains, items without a category.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use recscope::analysis::metrics::reference::{Ranked, Row, classification, judgments, orders, ranking};
use recscope::analysis::metrics::{MetricsRequest, MetricsTable};

use crate::metrics::{names, run};
use crate::support_queries::Database;

#[derive(Debug, Clone)]
struct Line {
    query: u8,
    row: Row,
    other: Option<f64>,
    category: usize,
}

const ITEMS: &[&str] = &["a", "B", "商品", "z9", "z10", "o'x", "f", "g"];
/// As stored, and the subtopics it stands for.
const CATEGORIES: &[(&str, &[&str])] = &[
    ("", &[]),
    ("red", &["red"]),
    ("[red, blue]", &["red", "blue"]),
    ("绿", &["绿"]),
    ("[blue]", &["blue"]),
];

fn line() -> impl Strategy<Value = Line> {
    let score = || {
        prop_oneof![
            6 => (0..5i32).prop_map(|s| Some(f64::from(s))),
            1 => Just(None),
            1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY)].prop_map(Some),
        ]
    };
    let gain = prop_oneof![1 => Just(None), 6 => (-1..4i32).prop_map(|g| Some(f64::from(g)))];
    (0..5u8, 0..ITEMS.len(), score(), score(), gain, 0..CATEGORIES.len()).prop_map(
        |(query, item, score, other, gain, category)| {
            let clicked = gain.is_some_and(|gain| gain >= 1.0);
            Line { query, row: Row { item: ITEMS[item].into(), score, gain, clicked }, other, category }
        },
    )
}

fn load(lines: &[Line]) -> Database {
    let number =
        |value: Option<f64>| value.map_or("NULL::DOUBLE".to_owned(), |value| format!("'{value}'::DOUBLE"));
    let text = |text: &str| {
        if text.is_empty() { "NULL".to_owned() } else { format!("'{}'", text.replace('\'', "''")) }
    };
    let row = |line: &Line| {
        let (score, other, gain) = (number(line.row.score), number(line.other), number(line.row.gain));
        let category = text(CATEGORIES[line.category].0);
        format!("('q{}', {}, {score}, {other}, {gain}, {category})", line.query, text(&line.row.item))
    };
    let rows: Vec<String> = lines.iter().map(row).collect();
    let database = Database::new();
    database.make(
        "random",
        &format!(
            "SELECT * FROM (VALUES {}) AS t(query, item, score, other, gain, category)",
            rows.join(", ")
        ),
    );
    database
}

fn measure(database: &mut Database, show: &str) -> MetricsTable {
    let header = ["query", "item", "score", "other", "gain", "category"];
    run(database, &MetricsRequest::by_header(&header, "random", names(show)))
}

/// The mean of what exists, and how many exist.
fn agree(table: &MetricsTable, metric: &str, values: &[f64]) {
    let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let line = table.line(metric).unwrap();
    assert_eq!(line.n as usize, known.len(), "n of {metric}");
    let expected = known.iter().sum::<f64>() / known.len() as f64;
    match line.value {
        None => assert!(known.is_empty(), "{metric} is n/a, not {expected}"),
        Some(value) => {
            assert!(
                (value - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{metric}: {value} is not {expected}"
            );
        }
    }
}

/// One copy of each item of a query.
fn without_repeats(lines: Vec<Line>) -> Vec<Line> {
    let mut seen = BTreeSet::new();
    lines.into_iter().filter(|line| seen.insert((line.query, line.row.item.clone()))).collect()
}

fn by_query(lines: &[Line]) -> Vec<Vec<Line>> {
    let mut queries: BTreeMap<u8, Vec<Line>> = BTreeMap::new();
    lines.iter().for_each(|line| queries.entry(line.query).or_default().push(line.clone()));
    queries.into_values().collect()
}

/// Items by a score, best first, ties by item descending.
fn order(lines: &[Line], score: &dyn Fn(&Line) -> Option<f64>) -> Vec<String> {
    let mut items: Vec<(f64, &str)> = lines
        .iter()
        .filter_map(|line| Some((score(line).filter(|score| !score.is_nan())?, line.row.item.as_str())))
        .collect();
    items.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.as_bytes().cmp(a.1.as_bytes())));
    items.into_iter().map(|(_, item)| item.to_owned()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn further_ranking_metrics_equal_their_definitions(lines in prop::collection::vec(line(), 1..40)) {
        let table = measure(&mut load(&lines), "dcg dcg_exp@3 hits@3 judged@3 rbp.residual rbp.residual@2 iprec11");
        let lists: Vec<Ranked> = by_query(&lines)
            .iter()
            .map(|lines| Ranked::new(&lines.iter().map(|line| line.row.clone()).collect::<Vec<_>>()))
            .collect();
        let of = |metric: &str, value: &dyn Fn(&Ranked) -> f64| {
            agree(&table, metric, &lists.iter().map(value).collect::<Vec<_>>());
        };
        let whole = usize::MAX;
        of("dcg", &|list| judgments::dcg(list, whole, false));
        of("dcg_exp@3", &|list| judgments::dcg(list, 3, true));
        of("hits@3", &|list| 3.0 * ranking::precision(list, 1.0, 3));
        of("judged@3", &|list| judgments::judged(list, 3));
        of("rbp.residual", &|list| judgments::residual(list, 0.8, whole));
        of("rbp.residual@2", &|list| judgments::residual(list, 0.8, 2));
        of("iprec11", &|list| judgments::interpolated(list, 1.0));
    }

    #[test]
    fn metrics_that_look_items_up_equal_their_definitions(lines in prop::collection::vec(line(), 1..40)) {
        let lines = without_repeats(lines);
        let table = measure(
            &mut load(&lines),
            "infap alpha_ndcg alpha_ndcg@2 subtopic_recall@2 ild.category@3 arp@3 longtail@3 serendipity@3 coverage.users@2",
        );
        let queries = by_query(&lines);
        let ranked = |lines: &Vec<Line>| Ranked::new(&lines.iter().map(|line| line.row.clone()).collect::<Vec<_>>());
        let of = |metric: &str, value: &dyn Fn(&Vec<Line>, &Ranked) -> f64| {
            agree(&table, metric, &queries.iter().map(|lines| value(lines, &ranked(lines))).collect::<Vec<_>>());
        };
        let category = |lines: &[Line], item: &str| {
            lines.iter().find(|line| line.row.item == item).map_or(0, |line| line.category)
        };
        let subtopics = |lines: &[Line], item: &str| -> BTreeSet<String> {
            CATEGORIES[category(lines, item)].1.iter().map(|name| (*name).to_owned()).collect()
        };
        of("infap", &|_, list| judgments::inferred(list, 1.0));
        of("alpha_ndcg", &|lines, list| judgments::alpha_ndcg(list, 1.0, usize::MAX, &|item| subtopics(lines, item)));
        of("alpha_ndcg@2", &|lines, list| judgments::alpha_ndcg(list, 1.0, 2, &|item| subtopics(lines, item)));
        of("subtopic_recall@2", &|lines, list| {
            let covered = |rows: &mut dyn Iterator<Item = &Row>| -> BTreeSet<String> {
                rows.filter(|row| row.gain.is_some_and(|gain| gain >= 1.0)).flat_map(|row| subtopics(lines, &row.item)).collect()
            };
            covered(&mut list.shown.iter().take(2)).len() as f64 / covered(&mut list.all()).len() as f64
        });
        of("ild.category@3", &|lines, list| {
            let categories: Vec<usize> =
                list.shown.iter().take(3).map(|row| category(lines, &row.item)).filter(|&c| c > 0).collect();
            let pairs: Vec<f64> = (0..categories.len())
                .flat_map(|i| (i + 1..categories.len()).map(move |j| (i, j)))
                .map(|(i, j)| f64::from(u8::from(categories[i] != categories[j])))
                .collect();
            pairs.iter().sum::<f64>() / pairs.len() as f64
        });
        let mut clicks: BTreeMap<&str, i64> = BTreeMap::new();
        lines.iter().for_each(|line| *clicks.entry(&line.row.item).or_default() += i64::from(line.row.clicked));
        let mut popular: Vec<(i64, &str)> = clicks.iter().map(|(item, n)| (-n, *item)).collect();
        popular.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.as_bytes().cmp(b.1.as_bytes())));
        let place = |item: &str| 1 + popular.iter().position(|(_, name)| *name == item).unwrap();
        let head = popular.len().div_ceil(5);
        let mean = |list: &Ranked, value: &dyn Fn(&Row, usize) -> f64| {
            let top: Vec<&Row> = list.shown.iter().take(3).collect();
            top.iter().map(|row| value(row, top.len())).sum::<f64>() / top.len() as f64
        };
        of("arp@3", &|_, list| mean(list, &|row, _| clicks[row.item.as_str()] as f64));
        of("longtail@3", &|_, list| mean(list, &|row, _| f64::from(u8::from(place(&row.item) > head))));
        of("serendipity@3", &|_, list| {
            mean(list, &|row, length| f64::from(u8::from(row.clicked && place(&row.item) > length)))
        });
        of("coverage.users@2", &|_, list| f64::from(u8::from(list.shown.len() >= 2)));
    }

    #[test]
    fn agreement_of_two_orders_equals_its_definitions(lines in prop::collection::vec(line(), 1..40)) {
        let lines = without_repeats(lines);
        let table = measure(&mut load(&lines), "rbo rbo@3 kendall jaccard@2");
        let known = |value: Option<f64>| value.filter(|value| !value.is_nan());
        // Items in both orders, and the pairs of scores.
        type Both = (Vec<String>, Vec<String>, Vec<(f64, f64)>);
        let both: Vec<Both> = by_query(&lines)
            .iter()
            .map(|lines| {
                let pairs = lines.iter().filter_map(|line| Some((known(line.row.score)?, known(line.other)?)));
                (order(lines, &|line| line.row.score), order(lines, &|line| line.other), pairs.collect())
            })
            .collect();
        let cut = |list: &[String], k: usize| list[..list.len().min(k)].to_vec();
        let of = |metric: &str, value: &dyn Fn(&Both) -> f64| {
            agree(&table, metric, &both.iter().map(value).collect::<Vec<_>>());
        };
        of("rbo", &|(a, b, _)| orders::overlap(a, b, 0.9));
        of("rbo@3", &|(a, b, _)| orders::overlap(&cut(a, 3), &cut(b, 3), 0.9));
        of("kendall", &|(_, _, pairs)| orders::kendall(pairs));
        of("jaccard@2", &|(a, b, _)| orders::jaccard(a, b, 2));
    }

    #[test]
    fn scores_and_classes_by_list_equal_their_definitions(lines in prop::collection::vec(line(), 1..40)) {
        let table = measure(&mut load(&lines), "gauc ap mae rmse");
        let usable = |line: &Line| Some((line.row.score.filter(|s| !s.is_nan())?, line.row.gain? >= 1.0));
        let (mut sum, mut rows) = (0.0, 0.0);
        for query in by_query(&lines) {
            let scored: Vec<(f64, bool)> = query.iter().filter_map(usable).collect();
            let auc = classification::auc(&scored);
            if !auc.is_nan() {
                sum += auc * scored.len() as f64;
                rows += scored.len() as f64;
            }
        }
        let line = table.line("gauc").unwrap();
        prop_assert_eq!(line.n as f64, rows);
        prop_assert!(line.value.map_or(rows == 0.0, |value| (value - sum / rows).abs() < 1e-12));
        let scored: Vec<(f64, bool)> = lines.iter().filter_map(usable).collect();
        // Precision at every distinct score, weighted by the recall that it adds.
        let mut levels: Vec<f64> = scored.iter().map(|row| row.0).collect();
        levels.sort_by(|a, b| b.total_cmp(a));
        levels.dedup();
        let positives = scored.iter().filter(|row| row.1).count() as f64;
        let (mut before, mut ap) = (0.0, 0.0);
        for level in levels {
            let taken: Vec<_> = scored.iter().filter(|row| row.0 >= level).collect();
            let found = taken.iter().filter(|row| row.1).count() as f64;
            ap += (found - before) / positives * found / taken.len() as f64;
            before = found;
        }
        let value = table.figure("ap");
        prop_assert!(value.map_or(positives == 0.0, |value| (value - ap).abs() < 1e-12));
        let gaps: Vec<f64> = lines
            .iter()
            .filter_map(|line| Some(line.row.score.filter(|s| s.is_finite())? - line.row.gain?))
            .collect();
        let mean = |of: &dyn Fn(f64) -> f64| gaps.iter().map(|gap| of(*gap)).sum::<f64>() / gaps.len() as f64;
        for (metric, expected) in [("mae", mean(&f64::abs)), ("rmse", mean(&|gap| gap * gap).sqrt())] {
            let value = table.figure(metric);
            prop_assert!(value.map_or(gaps.is_empty(), |value| (value - expected).abs() < 1e-12), "{}", metric);
        }
    }
}
