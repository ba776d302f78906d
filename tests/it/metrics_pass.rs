//! The pass over rows against the statements, on what random lists of a few rows do not reach: rows in any
//! order, ties by logged position, text under a collation, queries without an answer.

use recscope::analysis::metrics::{MetricsRequest, MetricsTable, Missing, Roles, Rows, Rules, Ties};

use crate::metrics::{names, run};
use crate::support_queries::Database;

const METRICS: &str = "ndcg@10 ndcg_exp map mrr@3 precision@5 recall@10 hit@2 f1@5 err@10 rbp@20 bpref rprec";

fn rows(from: &str) -> Rows {
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("q"),
        item: column("item"),
        score: column("s"),
        gain: column("g"),
        label: column("clicked"),
        position: column("place"),
        ..Roles::default()
    };
    Rows { from: from.into(), roles, relevant_at: 1.0, ..Rows::default() }
}

/// By the pass and by the statements; both must say the same.
fn both(database: &mut Database, rows: Rows, by: &[&str]) -> MetricsTable {
    let by = by.iter().map(ToString::to_string).collect();
    let request =
        MetricsRequest { rows, by, show: names(METRICS), per_list: true, ..MetricsRequest::default() };
    let passed = run(database, &request);
    let stated = run(database, &MetricsRequest { by_statements: true, ..request });
    assert_eq!(passed.notes, stated.notes);
    assert_eq!(passed.lines.len(), stated.lines.len());
    for (a, b) in passed.lines.iter().zip(&stated.lines) {
        assert_eq!((&a.group, &a.metric, a.n, a.n_na), (&b.group, &b.metric, b.n, b.n_na));
        let near = a.value.zip(b.value).is_none_or(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near && a.value.is_some() == b.value.is_some(), "{a:?} {b:?}");
    }
    let (passed_lists, stated_lists) = (passed.lists.as_ref().unwrap(), stated.lists.as_ref().unwrap());
    assert_eq!(passed_lists.queries, stated_lists.queries);
    passed
}

/// 300,000 rows of 3,000 queries in no order: more than wait in memory before lists are put together.
const LOG: &str = "SELECT 'q' || hash(n) % 3000 AS q, '商品' || hash(n + 1) % $items AS item,
        CASE WHEN hash(n + 2) % 9 = 0 THEN NULL WHEN hash(n + 2) % 501 = 1 THEN 'nan'::DOUBLE ELSE (hash(n + 3) % $scores)::DOUBLE END AS s,
        CASE WHEN hash(n + 4) % 6 = 0 THEN NULL ELSE (hash(n + 5) % 4)::INTEGER END AS g,
        CASE hash(n + 6) % 3 WHEN 0 THEN NULL WHEN 1 THEN TRUE ELSE FALSE END AS clicked,
        CASE WHEN hash(n + 7) % 8 = 0 THEN NULL ELSE hash(n + 8) % 30 END AS place,
        ['north', '南', NULL][(1 + hash(n + 9) % 3)::BIGINT] AS region
    FROM range(300000) AS t(n)";

fn log(items: u32, scores: u32) -> Database {
    let database = Database::new();
    let statement = LOG.replace("$items", &items.to_string()).replace("$scores", &scores.to_string());
    database.make("log", &statement);
    database
}

#[test]
fn rows_in_no_order_give_what_the_statements_give() {
    let mut plain = log(2_000_000_000, 2_000_000_000);
    let table = both(&mut plain, rows("log"), &[]);
    assert!(table.notes.iter().all(|note| !note.contains("repeat")), "{:?}", table.notes);
    both(&mut plain, rows("log"), &["region"]);
    let mut crowded = log(150, 40);
    for ties in [Ties::Docid, Ties::Logged] {
        let table = both(&mut crowded, Rows { ties, ..rows("log") }, &[]);
        assert!(table.notes.iter().any(|note| note.contains("repeat an item")), "{:?}", table.notes);
        assert!(table.notes.iter().any(|note| note.contains("share their score")), "{:?}", table.notes);
    }
    let nameless = Rows { roles: Roles { item: None, ..rows("log").roles }, ..rows("log") };
    both(&mut crowded, nameless, &[]);
}

#[test]
fn queries_that_a_collation_calls_equal_are_lists_of_their_own() {
    let mut database = Database::new();
    database.make(
        "mixed",
        "SELECT CASE WHEN n % 2 = 0 THEN 'Shoe' ELSE 'shoe' END COLLATE NOCASE AS q, 'i' || n AS item, \
         n::DOUBLE AS s, n % 3 AS g, TRUE AS clicked, n AS place FROM range(9) AS t(n)",
    );
    let table = both(&mut database, rows("mixed"), &[]);
    assert_eq!(table.lines[0].n, 2);
}

#[test]
fn queries_without_an_answer_are_left_out_where_the_rules_say_so() {
    let mut database = log(2_000_000_000, 2_000_000_000);
    database.make(
        "more",
        "SELECT * FROM log \
         UNION ALL SELECT 'silent ' || n, 'i', NULL, 3, TRUE, NULL, NULL FROM range(5) AS t(n) \
         UNION ALL SELECT NULL, 'i', NULL, 3, TRUE, NULL, NULL FROM range(7)",
    );
    let dropped = Rules { missing: Missing::Dropped, ..Rules::default() };
    let of = |table: &MetricsTable| table.lists.as_ref().unwrap().queries.len();
    assert_eq!(of(&both(&mut database, rows("more"), &[])), 3005);
    let left = both(&mut database, Rows { rules: dropped, ..rows("more") }, &[]);
    assert_eq!(of(&left), 3000);
    let answered = Rows { rules: dropped, filter: Some("s IS NOT NULL -- all".into()), ..rows("more") };
    assert_eq!(of(&both(&mut database, answered, &[])), 3000);
}
