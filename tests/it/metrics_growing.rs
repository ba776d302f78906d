//! Metrics that follow a growing table say at every round what a computation of the whole table says.

use recscope::analysis::metrics::{Growing, MetricsRequest, MetricsTable, Roles, Rows, evaluate};
use recscope::analysis::stats::IntervalMethod;
use recscope::util::cancel::Cancel;

use crate::support_queries::Database;

const SHOWN: &[&str] =
    &["ndcg@5", "mrr", "map", "precision@3", "recall@10", "bpref", "rbp", "auc", "ap", "gauc", "ctr"];

/// Rows of 40 queries and two users in a mixed order: ties, repeated items, unjudged items, rows without
/// a score, without a query, a group that is a number, a text or nothing.
fn log(database: &Database) {
    database.make(
        "whole",
        "SELECT n, CASE WHEN n % 97 = 5 THEN NULL ELSE 'q跑' || (hash(n) % 40)::VARCHAR END AS query, \
         'u' || (hash(n + 7) % 2)::VARCHAR AS person, 'i' || (hash(n + 1) % 9)::VARCHAR AS item, \
         CASE WHEN hash(n + 2) % 11 = 0 THEN NULL ELSE (hash(n + 2) % 17) / 4.0 END AS score, \
         CASE WHEN hash(n + 3) % 5 = 0 THEN NULL ELSE (hash(n + 3) % 4)::DOUBLE END AS grade, \
         CASE hash(n + 4) % 5 WHEN 0 THEN '10' WHEN 1 THEN '2' WHEN 2 THEN 'shoes' WHEN 3 THEN '男' END AS side \
         FROM range(1200) AS t(n) ORDER BY n",
    );
}

fn request(by: &[&str], user: bool) -> MetricsRequest {
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("query"),
        user: column("person").filter(|_| user),
        item: column("item"),
        score: column("score"),
        gain: column("grade"),
        ..Roles::default()
    };
    MetricsRequest {
        rows: Rows {
            from: "grows".into(),
            filter: Some("n % 13 <> 4".into()),
            roles,
            relevant_at: 1.0,
            ..Rows::default()
        },
        show: SHOWN.iter().map(|&name| name.to_owned()).collect(),
        by: by.iter().map(|&name| name.to_owned()).collect(),
        interval: IntervalMethod::Percentile,
        ..MetricsRequest::default()
    }
}

fn same(found: &MetricsTable, whole: &MetricsTable, rows: u64) {
    assert_eq!(found.lines.len(), whole.lines.len(), "{rows} rows");
    for (found, line) in found.lines.iter().zip(&whole.lines) {
        let name = |line: &recscope::analysis::metrics::MetricLine| {
            (line.group.clone(), line.metric.clone(), line.n, line.n_na, line.predicate.clone())
        };
        assert_eq!(name(found), name(line), "{rows} rows");
        match (found.value, line.value) {
            (Some(found), Some(value)) => {
                assert!((found - value).abs() < 1e-12, "{}: {found}, {value}", line.metric)
            }
            (found, value) => assert_eq!(found, value, "{} of {:?} at {rows} rows", line.metric, line.group),
        }
    }
}

#[test]
fn every_round_equals_the_whole() {
    let mut database = Database::new();
    log(&database);
    for (by, user) in [(&[][..], false), (&["side"][..], false), (&["side", "person"][..], true)] {
        let request = request(by, user);
        assert!(Growing::can(&request));
        let mut growing = Growing::default();
        for rows in [0, 3, 3, 4, 60, 61, 700, 1200] {
            database.make("grows", &format!("SELECT * FROM whole WHERE n < {rows} ORDER BY n"));
            let found = growing.measure(&mut database, &request, rows, &Cancel::new()).unwrap();
            let whole = evaluate(&mut database, &request, &Cancel::new(), &mut |_, _| {}).unwrap();
            same(&found, &whole, rows);
        }
    }
}

/// A cell edited between two rounds asks for other lists: what was kept of the old ones is not mixed in.
#[test]
fn another_request_begins_anew() {
    let mut database = Database::new();
    log(&database);
    let mut growing = Growing::default();
    for (rows, by) in [(400, &[][..]), (800, &["side"][..]), (1200, &[][..])] {
        database.make("grows", &format!("SELECT * FROM whole WHERE n < {rows} ORDER BY n"));
        let request = request(by, false);
        let found = growing.measure(&mut database, &request, rows, &Cancel::new()).unwrap();
        same(&found, &evaluate(&mut database, &request, &Cancel::new(), &mut |_, _| {}).unwrap(), rows);
    }
}

/// A round that finds a text where a number should be leaves what is known; the next one goes on.
#[test]
fn a_round_that_fails_is_made_up_for() {
    let mut database = Database::new();
    log(&database);
    let request = request(&[], false);
    let mut growing = Growing::default();
    let make = |database: &Database, rows: u64| {
        database.make("grows", &format!("SELECT * FROM whole WHERE n < {rows} ORDER BY n"));
    };
    make(&database, 300);
    growing.measure(&mut database, &request, 300, &Cancel::new()).unwrap();
    let stopped = Cancel::new();
    stopped.cancel();
    make(&database, 600);
    growing.measure(&mut database, &request, 600, &stopped).unwrap_err();
    make(&database, 900);
    let found = growing.measure(&mut database, &request, 900, &Cancel::new()).unwrap();
    same(&found, &evaluate(&mut database, &request, &Cancel::new(), &mut |_, _| {}).unwrap(), 900);
}

#[test]
fn what_needs_the_whole_relation_is_told_apart() {
    let with = |show: &str| MetricsRequest { show: vec![show.into()], ..request(&[], false) };
    for show in ["err@10", "gini@10", "coverage@10", "log_loss", "ece", "novelty@10", "no such metric"] {
        assert!(!Growing::can(&with(show)), "{show}");
    }
    let mut without = with("ndcg@10");
    assert!(Growing::can(&without));
    without.rows.roles.query = None;
    assert!(!Growing::can(&without), "rows without a query have no name");
    assert!(!Growing::can(&MetricsRequest { bounds: true, ..with("ndcg@10") }));
}
