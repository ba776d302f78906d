//! What is missing is missing everywhere: NaN in every role, positions that count from 0, infinite scores,
//! negative gains, lists that show none of a group; and every option with every metric alone.

use recscope::analysis::fairness::{FairnessRequest, audit};
use recscope::analysis::metrics::{
    CONVENTIONS, Empty, METRICS, MetricsRequest, MetricsTable, Ties, convention, evaluate, lens,
};
use recscope::terms::IntervalMethod;
use recscope::util::cancel::Cancel;

use crate::metrics::{names, run};
use crate::support_queries::Database;

fn ask(header: &str, show: &str) -> MetricsRequest {
    let header: Vec<&str> = header.split_whitespace().collect();
    MetricsRequest::by_header(&header, "log", names(show))
}

/// Group, metric, value, n, n_na.
type Value = (Vec<Option<String>>, String, Option<f64>, u64, u64);
/// A name, and a request as it is with the option.
type With = (String, Box<dyn Fn(&MetricsRequest) -> MetricsRequest>);

fn values(table: &MetricsTable) -> Vec<Value> {
    let line = |line: &recscope::analysis::metrics::MetricLine| {
        (line.group.clone(), line.metric.clone(), line.value, line.n, line.n_na)
    };
    table.lines.iter().map(line).collect()
}

const LOG: &str = "SELECT 'q' || n % 7 AS query, 'i' || n % 11 AS item, 'u' || n % 3 AS user,
    ['a', 'b', 'c'][1 + n % 3] AS g, (n * 37 % 101) / 101 AS score, n % 4 AS gain, (n % 3 = 0)::INT AS label,
    1 + n // 7 AS position, 0.2 + (n % 5) / 10 AS propensity, 0.3 + (n % 4) / 10 AS target,
    (n % 6)::DOUBLE AS reward, (n % 9)::DOUBLE AS other, n % 2 AS purchase, n * 2.5 AS revenue
    FROM range(70) AS t(n)";

/// In every role and every statement NaN is what NULL is.
#[test]
fn nan_is_null_in_every_role() {
    let header = "query item user score gain label position propensity target reward other purchase revenue";
    let show = "ndcg@5 mrr map recall@3 judged@3 bpref hits dcg infap precision ctr auc log_loss ece ips snips dr \
                exposure exposure_per_utility ctr_debiased kendall rbo@3 mae revenue purchase_rate novelty@3 coverage";
    let known: Vec<String> = names(show)
        .into_iter()
        .filter(|id| METRICS.iter().any(|m| Some(m.id) == id.split('@').next()))
        .collect();
    assert!(known.len() > 20, "{known:?}");
    for role in header.split_whitespace().skip(3) {
        let mut tables = Vec::new();
        for missing in ["NULL", "'nan'::DOUBLE"] {
            let mut database = Database::new();
            database.make(
                "log",
                &format!(
                    "SELECT * REPLACE (CASE WHEN hash({role}, item, query) % 3 = 0 THEN {missing} ELSE {role}::DOUBLE END AS {role})
                     FROM ({LOG})"
                ),
            );
            let mut found = Vec::new();
            for metric in &known {
                for by_statements in [false, true] {
                    let request =
                        MetricsRequest { by_statements, by: vec!["g".into()], ..ask(header, metric) };
                    match evaluate(&mut database, &request, &Cancel::new(), &mut |_, _| {}) {
                        Ok(table) => found.push(values(&table)),
                        Err(error) => found.push(vec![(Vec::new(), error.to_string(), None, 0, 0)]),
                    }
                }
            }
            tables.push(found);
        }
        assert_eq!(tables[0], tables[1], "{role}: NULL and NaN");
    }
}

/// So it is of what groups rows and of what names them.
#[test]
fn nan_names_no_group_and_no_item() {
    let mut tables = Vec::new();
    for missing in ["NULL", "'nan'::DOUBLE"] {
        let mut database = Database::new();
        database.make(
            "log",
            &format!(
                "SELECT * REPLACE (CASE WHEN g = 'a' THEN {missing} ELSE (ascii(g) - 90)::DOUBLE END AS g,
                    CASE WHEN item = 'i3' THEN {missing} ELSE item[2:]::DOUBLE END AS item,
                    CASE WHEN query = 'q2' THEN {missing} ELSE query[2:]::DOUBLE END AS query) FROM ({LOG})"
            ),
        );
        let request =
            MetricsRequest { by: vec!["g".into()], ..ask("query item score gain", "ndcg@5 hits coverage") };
        let table = run(&mut database, &request);
        assert!(
            table.notes.iter().any(|note| note.starts_with("10 rows without a query")),
            "{:?}",
            table.notes
        );
        let audit_of = FairnessRequest {
            rows: request.rows.clone(),
            slices: vec![vec!["g".into()]],
            metric: "ndcg@5".into(),
            permutations: 50,
            ..FairnessRequest::default()
        };
        let fair = audit(&mut database, &audit_of, &Cancel::new(), &mut |_, _| {}).unwrap();
        let fair: Vec<_> = fair.lines.iter().map(|l| (l.group.clone(), l.n, l.value, l.p)).collect();
        tables.push((values(&table), table.notes, fair));
    }
    assert_eq!(tables[0], tables[1]);
    assert!(tables[0].0.iter().any(|line| line.0 == [None]));
}

/// Positions of an off-by-one log give what those of a right one give, and are said; a 0 that may mean
/// something else is refused.
#[test]
fn positions_from_zero_are_noticed() {
    let header = "query item gain label position propensity target";
    let show = "exposure exposure_per_utility ctr_debiased clicks_per_utility";
    let show: Vec<String> =
        names(show).into_iter().filter(|id| METRICS.iter().any(|metric| metric.id == id)).collect();
    let mut tables = Vec::new();
    for first in [1, 0] {
        let mut database = Database::new();
        database
            .make("log", &format!("SELECT * REPLACE (position - {} AS position) FROM ({LOG})", 1 - first));
        tables.push(run(
            &mut database,
            &MetricsRequest { by: vec!["g".into()], ..ask(header, &show.join(" ")) },
        ));
    }
    assert_eq!(values(&tables[0]), values(&tables[1]));
    let said =
        |table: &MetricsTable| table.notes.iter().any(|note| note.contains("begin at 0: counted from 1"));
    assert!(!said(&tables[0]) && said(&tables[1]), "{:?}", tables[1].notes);
    let mut database = Database::new();
    database
        .make("log", &format!("SELECT * REPLACE (position - (query = 'q1')::INT AS position) FROM ({LOG})"));
    let request = ask(header, "exposure");
    let error = evaluate(&mut database, &request, &Cancel::new(), &mut |_, _| {}).unwrap_err();
    assert!(error.to_string().contains("begins at 0 in 1 lists and at 1 in 6"), "{error}");
    // Without a query the log is one list.
    database.make("log", &format!("SELECT * REPLACE (position - 1 AS position) FROM ({LOG})"));
    let table = run(&mut database, &ask("item gain label position", "ctr_debiased"));
    assert!(said(&table), "{:?}", table.notes);
}

#[test]
fn infinite_scores_rank_and_32_bits_tie() {
    let mut database = Database::new();
    database.make(
        "log",
        "SELECT * FROM (VALUES ('q', 'a', 'inf'::DOUBLE, 1), ('q', 'b', 1e300, 0), ('q', 'c', '-inf'::DOUBLE, 1),
            ('q', 'd', 'nan'::DOUBLE, 1)) AS t(query, item, score, gain)",
    );
    for by_statements in [false, true] {
        let table = run(
            &mut database,
            &MetricsRequest { by_statements, ..ask("query item score gain", "mrr recall@2 recall@3 map") },
        );
        let found: Vec<f64> = table.lines.iter().map(|line| line.value.unwrap()).collect();
        let expected = [1.0, 1.0 / 3.0, 2.0 / 3.0, (1.0 + 2.0 / 3.0) / 3.0];
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
        assert!(table.notes.iter().any(|note| note.starts_with("1 scores are NaN")), "{:?}", table.notes);
    }
    database.make(
        "log",
        "SELECT * FROM (VALUES ('q', 'a', 1.00000001::DOUBLE, 1), ('q', 'b', 1.0::DOUBLE, 0), ('q', 'c', -1e300, 0))
         AS t(query, item, score, gain)",
    );
    let request = ask("query item score gain", "mrr");
    let under = |id: &str, database: &mut Database| {
        run(database, &convention(id).unwrap().apply(&request)).figure("mrr")
    };
    assert_eq!(under("recscope", &mut database), Some(1.0));
    // b before a: tied as float32, by item id descending (trec_eval 9, pytrec_eval).
    assert_eq!(under("trec", &mut database), Some(0.5));
    assert_eq!(under("ir_measures", &mut database), Some(0.5));
    assert_eq!(under("ranx", &mut database), Some(1.0));
    let found = lens(&mut database, &request, &Cancel::new(), &mut |_, _| {}).unwrap();
    let trec = found.differences.iter().find(|difference| difference.convention == "trec").unwrap();
    assert_eq!(trec.why, "ties of scores in 32 bits");
}

/// trec_eval 9 and 10 on the same file: a negative grade is no judgment.
#[test]
fn negative_gains_are_not_judged() {
    let mut database = Database::new();
    database.make(
        "log",
        "SELECT * FROM (VALUES ('1', 'a', 3, -1), ('1', 'b', 2, 1), ('2', 'a', 3, -1), ('2', 'b', 2, 2),
            ('3', 'a', 3, -1), ('3', 'b', 2, 1), ('3', 'c', 1, 0)) AS t(query, item, score, gain)",
    );
    for by_statements in [false, true] {
        let request =
            MetricsRequest { by_statements, ..ask("query item score gain", "bpref judged@2 rbp.residual@1") };
        let table = run(&mut database, &request);
        assert_eq!(table.figure("bpref"), Some(1.0));
        assert_eq!(table.figure("judged@2"), Some(0.5));
        assert!(
            (table.figure("rbp.residual@1").unwrap() - 1.0).abs() < 1e-12,
            "nothing of the first is known"
        );
    }
}

/// ndeval's figure: among equals the greedy order takes the last by id.
#[test]
fn the_greedy_order_is_ndevals() {
    let mut database = Database::new();
    database.make(
        "log",
        "SELECT * FROM (VALUES ('q', 'a', 10, 1, ['2', '4']), ('q', 'b', 9, 1, ['1', '3']), ('q', 'c', 8, 0, NULL),
            ('q', 'd', 7, 1, ['2', '3'])) AS t(query, item, score, gain, category)",
    );
    let table = run(&mut database, &ask("query item score gain category", "alpha_ndcg@5"));
    assert!(
        (table.figure("alpha_ndcg@5").unwrap() - 0.99896).abs() < 5e-6,
        "{:?}",
        table.figure("alpha_ndcg@5")
    );
}

/// Half of the lists show none of either group, and fail it; other metrics beside it do not see empty lists.
#[test]
fn lists_that_show_none_of_a_group_fail_it() {
    let mut database = Database::new();
    database.make(
        "log",
        "SELECT 'q' || n // 10 AS query, 'i' || n AS item, 100 - n % 10 AS score, n % 2 AS gain,
            CASE WHEN n < 50 THEN 'n' ELSE 'p' END AS g FROM range(100) AS t(n)",
    );
    let request = MetricsRequest {
        by: vec!["g".into()],
        per_list: true,
        ..ask("query item score gain", "fair_prefix@10 ndcg@5 hits")
    };
    let table = run(&mut database, &request);
    let alone = run(&mut database, &MetricsRequest { show: names("ndcg@5 hits"), ..request });
    for line in &table.lines {
        match line.metric.as_str() {
            "fair_prefix@10" => assert_eq!((line.value, line.n, line.n_na), (Some(0.5), 10, 0)),
            metric => {
                let same =
                    alone.lines.iter().find(|it| it.metric == metric && it.group == line.group).unwrap();
                assert_eq!((line.value, line.n, line.n_na), (same.value, same.n, same.n_na), "{metric}");
            }
        }
    }
}

/// A disparity of two rates is not known where one of them is not.
#[test]
fn equalized_odds_need_both_rates() {
    let mut database = Database::new();
    database.make(
        "log",
        "SELECT * FROM (VALUES (1, 1.0, 'a'), (1, 1.0, 'a'), (0, 1.0, 'a'), (0, 0.0, 'a'), (0, 1.0, 'b'), (0, 1.0, 'b'),
            (0, 0.0, 'b'), (0, 0.0, 'b')) AS t(label, score, g)",
    );
    let request = FairnessRequest {
        rows: ask("score label", "accuracy").rows,
        slices: vec![vec!["g".into()]],
        metric: "accuracy".into(),
        resamples: 200,
        permutations: 50,
        ..FairnessRequest::default()
    };
    let table = audit(&mut database, &request, &Cancel::new(), &mut |_, _| {}).unwrap();
    for found in &table.disparities {
        let known = !["equal_opportunity", "equalized_odds"].contains(&found.name);
        let (p, interval) = (found.p, found.interval);
        assert_eq!(
            (found.difference.is_some(), p.is_some(), interval.is_some()),
            (known, known, known),
            "{found:?}"
        );
        assert!(interval.is_none_or(|it| it.lower >= 0.0 && it.upper <= 1.0), "{interval:?}");
        assert!(known || found.ratio.is_none());
    }
}

/// `--bounds` with nDCG alone was an internal error: no metric may depend on what another one made.
#[test]
fn every_option_works_with_every_metric_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut database = Database::new();
    let mut options: Vec<With> = vec![
        ("bounds".into(), Box::new(|r| MetricsRequest { bounds: true, ..r.clone() })),
        (
            "by".into(),
            Box::new(|r| MetricsRequest { by: r.rows.roles.query.iter().cloned().collect(), ..r.clone() }),
        ),
        (
            "by statements".into(),
            Box::new(|r| MetricsRequest { by_statements: true, bounds: true, ..r.clone() }),
        ),
        ("per list".into(), Box::new(|r| MetricsRequest { per_list: true, ..r.clone() })),
        ("empty".into(), Box::new(|r| MetricsRequest { empty: Empty::Zero, bounds: true, ..r.clone() })),
        (
            "none".into(),
            Box::new(|r| {
                let mut request = MetricsRequest { bounds: true, per_list: true, resamples: 20, ..r.clone() };
                request.rows.filter = Some("FALSE".into());
                request
            }),
        ),
    ];
    for interval in [IntervalMethod::Percentile, IntervalMethod::Bca] {
        options.push((
            format!("{interval:?}"),
            Box::new(move |r| MetricsRequest { interval, resamples: 20, ..r.clone() }),
        ));
    }
    for ties in [Ties::Docid, Ties::Logged, Ties::Expected] {
        options.push((
            format!("{ties:?}"),
            Box::new(move |r| {
                let mut request = MetricsRequest { bounds: true, ..r.clone() };
                request.rows.ties = ties;
                request
            }),
        ));
    }
    for convention in CONVENTIONS {
        options.push((
            convention.id.into(),
            Box::new(|r| MetricsRequest { bounds: true, per_list: true, ..convention.apply(r) }),
        ));
    }
    let mut wrong = Vec::new();
    for (number, metric) in METRICS.iter().enumerate() {
        let file = folder.path().join(format!("{number}.csv"));
        std::fs::write(&file, metric.example.csv()).unwrap();
        let name = format!("rows{number}");
        database.file(&name, &file);
        let request = metric.example.request(&name);
        for (option, with) in &options {
            let found = evaluate(&mut database, &with(&request), &Cancel::new(), &mut |_, _| {});
            // What a convention refuses, it refuses in words.
            let refused = |text: &str| text.contains("refuses") || text.contains("is not a number");
            match found {
                Ok(table) if table.lines.is_empty() && option != "by" => {
                    wrong.push(format!("{}, {option}: no line", metric.id))
                }
                Err(error) if !refused(&error.to_string()) => {
                    wrong.push(format!("{}, {option}: {error}", metric.id))
                }
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
