//! Metrics against trec_eval, scikit-learn and the seed text's example, on the real database.

use recscope::analysis::AnalysisError;
use recscope::analysis::metrics::{
    Empty, METRICS, MetricsRequest, MetricsTable, Policy, Roles, Rows, Ties, evaluate,
};
use recscope::util::cancel::Cancel;

use crate::support::shared;
use crate::support_queries::Database;

pub fn names(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn try_run(database: &mut Database, request: &MetricsRequest) -> Result<MetricsTable, AnalysisError> {
    evaluate(database, request, &Cancel::new(), &mut |_, _| {})
}

pub fn run(database: &mut Database, request: &MetricsRequest) -> MetricsTable {
    try_run(database, request).unwrap()
}

pub fn chorus(score: &str) -> Rows {
    let column = |name: &str| Some(name.to_owned());
    Rows {
        from: "scored".into(),
        relevant_at: 1.0,
        roles: Roles {
            query: column("query"),
            item: column("docid"),
            score: column(score),
            gain: column("rating"),
            ..Roles::default()
        },
        ..Rows::default()
    }
}

pub fn golden(name: &str) -> Option<serde_json::Value> {
    let path = shared(&format!("goldens/{name}"))?;
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

pub fn scored() -> Option<Database> {
    let database = Database::new();
    database.file("scored", &shared("goldens/chorus_scored.parquet")?);
    Some(database)
}

const TREC: &[(&str, &str)] = &[
    ("map", "map"),
    ("Rprec", "rprec"),
    ("bpref", "bpref"),
    ("recip_rank", "mrr"),
    ("P_5", "precision@5"),
    ("P_10", "precision@10"),
    ("recall_10", "recall@10"),
    ("ndcg_cut_5", "ndcg@5"),
    ("ndcg_cut_10", "ndcg@10"),
    ("map_cut_10", "map@10"),
    ("success_1", "hit@1"),
    ("success_5", "hit@5"),
    // 1,000 times precision@1000 is the number of relevant items retrieved.
    ("num_rel_ret", "precision@1000"),
];

#[test]
fn metrics_equal_trec_eval_per_query_and_in_the_mean() {
    let (Some(mut database), Some(golden)) = (scored(), golden("trec_eval_chorus.json")) else { return };
    let (mut largest, mut compared) = (0.0_f64, 0);
    for (name, expected) in golden.as_object().unwrap() {
        let (score, level) = name.split_once(".rel").unwrap();
        let mut rows = chorus(score);
        rows.relevant_at = level.parse().unwrap();
        let request = MetricsRequest {
            rows,
            show: TREC.iter().map(|(_, ours)| (*ours).to_owned()).collect(),
            empty: Empty::Zero,
            per_list: true,
            ..MetricsRequest::default()
        };
        let table = run(&mut database, &request);
        let lists = table.lists.as_ref().unwrap();
        let measured: Vec<&String> = expected["mean"].as_object().unwrap().keys().collect();
        assert!(measured.iter().all(|name| TREC.iter().any(|(theirs, _)| theirs == name)), "{measured:?}");
        for (column, (theirs, ours)) in TREC.iter().enumerate() {
            let scale = if *theirs == "num_rel_ret" { 1000.0 } else { 1.0 };
            let mut check = |value: f64, expected: f64, place: &str| {
                let error = (value * scale - expected).abs();
                assert!(error < 1e-9, "{name} {ours} {place}: {value} is not {expected}");
                largest = largest.max(error);
                compared += 1;
            };
            check(table.figure(ours).unwrap(), expected["mean"][theirs].as_f64().unwrap(), "mean");
            for (index, query) in lists.queries.iter().enumerate() {
                let expected = expected["per_query"][query][theirs].as_f64().unwrap();
                check(lists.values[column][index], expected, query);
            }
        }
    }
    println!("{compared} figures, largest difference to trec_eval {largest:e}");
    assert!(compared > 6_000, "{compared}");
}

#[test]
fn without_relevant_items_is_not_available_rather_than_zero() {
    let mut database = Database::new();
    let rows = "SELECT * FROM (VALUES ('a', 'x', 2.0, 1), ('a', 'y', 1.0, 0), ('b', 'x', 1.0, 0)) AS t(query, docid, score, rating)";
    database.make("scored", rows);
    let show = names("ndcg@10 map mrr recall@5 precision@5 hit@1 bpref rprec f1@5 err");
    let request = MetricsRequest { rows: chorus("score"), show, resamples: 50, ..MetricsRequest::default() };
    let table = run(&mut database, &request);
    for (metric, n, n_na) in
        [("ndcg@10", 1, 1), ("map", 1, 1), ("recall@5", 1, 1), ("mrr", 2, 0), ("hit@1", 2, 0)]
    {
        let line = table.line(metric).unwrap();
        assert_eq!((line.n, line.n_na), (n, n_na), "{metric}");
    }
    assert_eq!(table.figure("ndcg@10"), Some(1.0));
    assert_eq!(table.figure("mrr"), Some(0.5));
    let zero = MetricsRequest { empty: Empty::Zero, ..request };
    assert_eq!(run(&mut database, &zero).figure("ndcg@10"), Some(0.5));
}

#[test]
fn classification_equals_scikit_learn() {
    let (Some(mut database), Some(golden)) = (scored(), golden("stats_chorus.json")) else { return };
    let show = names("accuracy precision recall f1 auc log_loss brier ece");
    let request = MetricsRequest { rows: chorus("ce_l12"), show, ..MetricsRequest::default() };
    let table = run(&mut database, &request);
    let expected = &golden["classification"];
    let theirs = |ours: &str| match ours {
        "auc" => "roc_auc".to_owned(),
        "ece" => "ece_15_equal_width_right_closed".to_owned(),
        other => other.to_owned(),
    };
    for line in &table.lines {
        let expected = expected[theirs(&line.metric)].as_f64().unwrap();
        let error = (line.value.unwrap() - expected).abs();
        println!("{} {error:e}", line.metric);
        // The golden's probabilities come from logits of another run of the model than the file's
        // (which no rounding of them explains), so what depends on more than their order agrees to
        // the noise of a run; the definitions themselves are held to 1e-12 on random data.
        let tolerance =
            if ["log_loss", "brier", "ece"].contains(&line.metric.as_str()) { 1e-6 } else { 1e-9 };
        assert!(error < tolerance, "{}: {:?} is not {expected}", line.metric, line.value);
    }
    assert_eq!(table.line("accuracy").unwrap().n, 1801);
    assert!(table.notes.iter().any(|note| note.contains("logits")), "{:?}", table.notes);
}

fn seed_example() -> (Database, Rows) {
    let database = Database::new();
    database.make(
        "shown",
        "SELECT * FROM (VALUES ('Q', 'p1', 1, true), ('Q', 'p2', 2, false), ('Q', 'p3', 3, false)) AS t(query, item, position, clicked)",
    );
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("query"),
        item: column("item"),
        position: column("position"),
        label: column("clicked"),
        ..Roles::default()
    };
    (database, Rows { from: "shown".into(), roles, relevant_at: 1.0, ..Rows::default() })
}

#[test]
fn the_seed_texts_example_gives_what_it_prints() {
    let (mut database, rows) = seed_example();
    let show = names(
        "accuracy.seed_list accuracy.seed_example diversity.seed_sum diversity.seed_mean relevance.seed_literal relevance.seed_example ctr mrr ndcg",
    );
    let table = run(&mut database, &MetricsRequest { rows: rows.clone(), show, ..MetricsRequest::default() });
    let third = 1.0 / 3.0;
    // Printed: accuracy 1, diversity 1/3, relevance 1/3.
    assert_eq!(table.figure("accuracy.seed_example"), Some(1.0));
    assert_eq!(table.figure("diversity.seed_sum"), Some(third));
    assert_eq!(table.figure("diversity.seed_mean"), Some(third));
    assert_eq!(table.figure("relevance.seed_example"), Some(third));
    // What its formulas say.
    assert_eq!(table.figure("accuracy.seed_list"), Some(third));
    assert_eq!(table.figure("relevance.seed_literal"), Some(1.0));
    assert_eq!(table.figure("mrr"), Some(1.0));
}

#[test]
fn click_and_purchase_rates_by_position_come_from_the_top_with_honest_intervals() {
    let mut database = Database::new();
    database.make(
        "log",
        "SELECT i // 12 AS query, i AS item, i % 12 + 1 AS position, i % 12 < 11 AND i % 7 = 0 AS clicked,
                i % 12 = 0 AS bought FROM range(1200) AS r(i)",
    );
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("query"),
        position: column("position"),
        label: column("clicked"),
        purchase: column("bought"),
        ..Roles::default()
    };
    let rows = Rows { from: "log".into(), roles, relevant_at: 1.0, ..Rows::default() };
    let show = names("ctr purchase_rate");
    let by = names("position");
    let table =
        run(&mut database, &MetricsRequest { rows, show, by, resamples: 200, ..MetricsRequest::default() });
    let positions: Vec<&str> =
        table.lines.iter().step_by(2).map(|line| line.group[0].as_deref().unwrap()).collect();
    assert_eq!(positions, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);
    let (top, last) = (&table.lines[0], &table.lines[22]);
    let expected = (0..100).filter(|query| query * 12 % 7 == 0).count() as f64 / 100.0;
    assert_eq!((top.metric.as_str(), top.value, top.n), ("ctr", Some(expected), 100));
    assert_eq!(table.lines[1].value, Some(1.0), "the first is always bought");
    // No click in 100 lists is no proof of none: Wilson's interval.
    assert_eq!((last.value, last.lower), (Some(0.0), Some(0.0)));
    assert!((last.upper.unwrap() - 0.036_995).abs() < 1e-5, "{last:?}");
}

#[test]
fn the_seed_texts_relevance_is_inverted() {
    let (mut database, rows) = seed_example();
    for (position, expected) in [(1, 1.0), (2, 3f64.log2()), (3, 2.0)] {
        let clicked = format!("SELECT query, item, position, position = {position} AS clicked FROM shown");
        database.make("clicks", &clicked);
        let rows = Rows { from: "clicks".into(), ..rows.clone() };
        let show = names("relevance.seed_literal");
        let table = run(&mut database, &MetricsRequest { rows, show, ..MetricsRequest::default() });
        assert!((table.figure("relevance.seed_literal").unwrap() - expected).abs() < 1e-12);
    }
    let rows = Rows { filter: Some("item = 'p3'".into()), ..rows };
    let show = names("relevance.seed_literal");
    let table = run(&mut database, &MetricsRequest { rows, show, ..MetricsRequest::default() });
    assert_eq!(table.figure("relevance.seed_literal"), None, "0/0 is n/a");
    assert_eq!(table.line("relevance.seed_literal").unwrap().n_na, 1);
}

#[test]
fn breakdowns_carry_their_groups_and_filters_their_parameters() {
    let mut database = Database::new();
    database.make(
        "log",
        "SELECT i // 5 AS query, i AS item, i % 5 + 1 AS position, i % 7 = 0 AS clicked, i % 11 = 0 AS bought,
                CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN '南方' ELSE 'it''s' END AS region, true AS flag
         FROM range(300) AS r(i)",
    );
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("query"),
        item: column("item"),
        position: column("position"),
        label: column("clicked"),
        purchase: column("bought"),
        ..Roles::default()
    };
    let rows = Rows {
        from: "log".into(),
        filter: Some("item < {{most}}".into()),
        params: vec![("most".into(), recscope::analysis::SqlValue::Int(200))],
        roles,
        relevant_at: 1.0,
        ..Rows::default()
    };
    let request = MetricsRequest {
        rows,
        show: names("ctr purchase_rate cvr ndcg@5 coverage"),
        by: names("region flag"),
        resamples: 200,
        ..MetricsRequest::default()
    };
    let table = run(&mut database, &request);
    assert_eq!(table.lines.len(), 15);
    let total: u64 = table.lines.iter().filter(|line| line.metric == "ctr").map(|line| line.n).sum();
    assert_eq!(total, 200);
    for line in table.lines.iter().filter(|line| line.metric == "ctr") {
        let sql = format!("SELECT avg(clicked::INT) AS ctr FROM log WHERE item < 200 AND {}", line.predicate);
        let batch = database.sql(&sql);
        let expected =
            arrow::array::AsArray::as_primitive::<arrow::datatypes::Float64Type>(batch.column(0)).value(0);
        assert!((line.value.unwrap() - expected).abs() < 1e-12, "{}", line.predicate);
        assert!(line.lower.unwrap() <= line.value.unwrap() && line.value.unwrap() <= line.upper.unwrap());
    }
    let batch = table.to_batch().unwrap();
    assert_eq!(
        batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>(),
        names("region flag metric value lower upper n n_na")
    );
    let worst = table.line("ctr").unwrap().value.unwrap();
    assert!(table.lines.iter().filter(|line| line.metric == "ctr").all(|line| line.value.unwrap() >= worst));
}

#[test]
fn bad_rows_are_counted_and_said() {
    let mut database = Database::new();
    database.make(
        "scored",
        "SELECT * FROM (VALUES
            ('a', 'x', 'nan'::DOUBLE, 3), ('a', 'y', 1.0, 0), ('a', 'z', 1.0, 1), ('a', 'y', 0.5, 2),
            ('a', 'm', NULL, 1), (NULL, 'x', 1.0, 1), ('a', 'u', '-infinity'::DOUBLE, NULL)
         ) AS t(query, docid, score, rating)",
    );
    let request = MetricsRequest {
        rows: chorus("score"),
        show: names("mrr recall@2 ndcg"),
        ..MetricsRequest::default()
    };
    let table = run(&mut database, &request);
    // z before y (ties by item, descending), then u; x, whose score is NaN, is missed like m.
    assert_eq!(table.figure("mrr"), Some(1.0));
    assert!((table.figure("recall@2").unwrap() - 1.0 / 3.0).abs() < 1e-12);
    let notes = table.notes.join("\n");
    for said in [
        "1 rows without a query",
        "1 scores are NaN",
        "2 rows without a score",
        "1 rows repeat",
        "share their score",
        "not judged",
    ] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    let logged = Rows { ties: Ties::Logged, ..chorus("score") };
    let table =
        run(&mut database, &MetricsRequest { rows: logged, show: names("mrr"), ..MetricsRequest::default() });
    assert_eq!(table.figure("mrr"), Some(0.5), "in order of appearance y comes first");
}

#[test]
fn an_empty_relation_gives_lines_that_are_not_available() {
    let mut database = Database::new();
    database.make("scored", "SELECT 'a' AS query, 'x' AS docid, 1.0 AS score, 1 AS rating WHERE false");
    let show = names("ndcg@10 auc accuracy coverage diversity.seed_sum ece gini");
    let table = run(
        &mut database,
        &MetricsRequest { rows: chorus("score"), show, resamples: 10, ..MetricsRequest::default() },
    );
    assert_eq!(table.lines.len(), 7);
    assert!(table.lines.iter().all(|line| line.value.is_none() && line.lower.is_none() && line.n == 0));
}

#[test]
fn requests_that_cannot_be_met_say_what_is_missing() {
    let mut database = Database::new();
    let ask =
        |rows: Rows, show: &str| MetricsRequest { rows, show: names(show), ..MetricsRequest::default() };
    let mut without = chorus("score");
    without.roles.gain = None;
    let error = try_run(&mut database, &ask(without, "ndcg@10")).unwrap_err();
    assert!(error.to_string().contains("gain") && error.hint().unwrap().contains("grade"), "{error}");
    let error = try_run(&mut database, &ask(chorus("score"), "ndcgg@10")).unwrap_err();
    assert!(error.hint().unwrap().contains("ndcg"), "{error}");
    let error = try_run(&mut database, &ask(chorus("score"), "ndcg@10")).unwrap_err();
    assert!(matches!(error, AnalysisError::Query(_)), "no such relation: {error}");
    let stop = Cancel::new();
    stop.cancel();
    database.make("scored", "SELECT 'a' AS query, 'x' AS docid, 1.0 AS score, 1 AS rating");
    let stopped = evaluate(&mut database, &ask(chorus("score"), "ndcg@10"), &stop, &mut |_, _| {});
    assert_eq!(stopped.unwrap_err(), AnalysisError::Cancelled);
}

#[test]
fn every_metric_of_the_catalogue_computes_and_keeps_to_its_range() {
    let Some(mut database) = scored() else { return };
    database.make(
        "bought",
        "SELECT *, rating >= 3 AS purchase, row_number() OVER (PARTITION BY query ORDER BY ce_l12 DESC) AS position,
                 0.5 AS propensity, 0.25 AS target, 0.3 AS q, 0.2 AS q_new, 0.5 AS look, rating >= 1 AS relevant,
                 rating * 10 AS revenue, rating - 1 AS margin, 'c' || length(title) % 5 AS category,
                 [length(title), length(query), rating] AS embedding, TIMESTAMP '2026-01-01' AS published,
                 TIMESTAMP '2026-01-01' + INTERVAL (length(title)) DAY AS shown
          FROM scored",
    );
    let mut rows = chorus("ce_l12");
    rows.from = "bought".into();
    rows.roles.purchase = Some("purchase".into());
    rows.roles.position = Some("position".into());
    rows.roles.label = Some("relevant".into());
    let column = |name: &str| Some(name.to_owned());
    rows.policy = Policy {
        propensity: column("propensity"),
        target: column("target"),
        q_logged: column("q"),
        q_target: column("q_new"),
        examination: column("look"),
        ..Policy::default()
    };
    rows.roles.text = vec!["query".into(), "title".into()];
    let named = |name: &str| Some(name.to_owned());
    rows.roles.revenue = named("revenue");
    rows.roles.margin = named("margin");
    rows.roles.category = named("category");
    rows.roles.embedding = named("embedding");
    rows.roles.published = named("published");
    rows.roles.time = named("shown");
    rows.roles.other = named("minilm_l6");
    let show =
        METRICS.iter().map(|metric| metric.spelling().replace("[@K]", "@5").replace("@K", "@5")).collect();
    let request = MetricsRequest { rows, show, resamples: 100, seed: 3, ..MetricsRequest::default() };
    let table = run(&mut database, &request);
    for (line, metric) in table.lines.iter().zip(METRICS) {
        let value = line.value.unwrap_or_else(|| panic!("{} has no value", line.metric));
        assert!((metric.range.0..=metric.range.1).contains(&value), "{} {value}", line.metric);
        assert!(line.n > 0, "{}", line.metric);
        let interval = metric.level != recscope::analysis::metrics::Level::Catalogue;
        assert_eq!(line.lower.is_some(), interval, "{}", line.metric);
        println!(
            "{:24} {value:.4} [{:?}, {:?}] n {} n/a {}",
            line.metric, line.lower, line.upper, line.n, line.n_na
        );
    }
    assert_eq!(run(&mut database, &request), table, "the same seed gives the same table");
}
