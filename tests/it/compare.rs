//! Comparisons: equal to their plain definitions, silent without a difference, loud with one; and what
//! becomes of runs that hardly overlap.

use recscope::analysis::AnalysisError;
use recscope::analysis::compare::{
    CompareLine, CompareRequest, CompareTable, Run, Verdict, compare, lists_batch, queries_batch,
};
use recscope::analysis::metrics::{Level, ListValues, METRICS, Metric, MetricsRequest, Need, Roles, Rows};
use recscope::analysis::stats::{IntervalMethod, power};
use recscope::util::cancel::Cancel;

use crate::metrics::{names, run as measure};
use crate::support_queries::Database;

fn try_run(database: &mut Database, request: &CompareRequest) -> Result<CompareTable, AnalysisError> {
    compare(database, request, &Cancel::new(), &mut |_, _| {})
}

fn run(database: &mut Database, request: &CompareRequest) -> CompareTable {
    try_run(database, request).unwrap()
}

fn rows(from: &str, score: &str) -> Rows {
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("query"),
        item: column("item"),
        score: column(score),
        gain: column("gain"),
        ..Roles::default()
    };
    Rows { from: from.into(), roles, relevant_at: 1.0, ..Rows::default() }
}

fn request(runs: &[(&str, &str)], show: &str) -> CompareRequest {
    CompareRequest {
        runs: runs
            .iter()
            .map(|(from, score)| Run { name: format!("{from}.{score}"), rows: rows(from, score) })
            .collect(),
        show: names(show),
        resamples: 200,
        permutations: 999,
        seed: 5,
        ..CompareRequest::default()
    }
}

/// `queries` lists of 8 items; `old` and `new` both follow the gain, `new` by `lift` more closely where
/// the region is south. Pure SQL arithmetic: the same on every machine.
fn log(database: &Database, seed: u64, queries: u32, lift: f64) {
    let chance = |salt: u64, keys: &str| {
        let salt = seed * 10 + salt;
        format!("((md5_number_lower(concat_ws('/', {keys}, {salt})) >> 11)::DOUBLE / {}.0)", 1u64 << 53)
    };
    let sql = format!(
        "SELECT 'q' || q AS query, 'i' || i AS item, ['south', 'north', NULL][1 + q % 3] AS region,
                floor(4 * pow({grade}, 2))::INT AS gain,
                0.3 * pow({grade}, 2) + {a} AS old,
                (0.3 + CASE WHEN q % 3 = 0 THEN {lift} ELSE 0 END) * pow({grade}, 2) + {b} AS new
         FROM range({queries}) AS a(q), range(8) AS b(i)",
        grade = chance(1, "q, i"),
        a = chance(2, "q, i"),
        b = chance(3, "q, i"),
    );
    database.make("log", &sql);
}

/// Are the roles that it needs in the log?
fn comparable(metric: &Metric) -> bool {
    let known = [
        Need::Query,
        Need::Item,
        Need::Order,
        Need::Score,
        Need::Gain,
        Need::Label,
        Need::Purchase,
        Need::Text,
    ];
    metric.needs.iter().all(|need| known.contains(need))
}

fn close(a: Option<f64>, b: f64) {
    assert!((a.unwrap() - b).abs() < 1e-12, "{a:?} is not {b}");
}

/// What the metrics themselves say, list by list.
fn per_list(database: &mut Database, score: &str, show: &str) -> ListValues {
    let request = MetricsRequest {
        rows: rows("log", score),
        show: names(show),
        per_list: true,
        ..MetricsRequest::default()
    };
    measure(database, &request).lists.unwrap()
}

#[test]
fn figures_are_those_of_the_plain_definition() {
    let mut database = Database::new();
    log(&database, 3, 10, 0.8);
    // One query without anything relevant: n/a in both runs for nDCG.
    database.make("log", "SELECT * REPLACE (CASE WHEN query = 'q4' THEN 0 ELSE gain END AS gain) FROM log");
    let show = "ndcg@5 mrr precision@3";
    let (old, new) = (per_list(&mut database, "old", show), per_list(&mut database, "new", show));
    let table = run(&mut database, &request(&[("log", "old"), ("log", "new")], show));
    assert_eq!(table.runs, ["log.old", "log.new"]);
    for (metric, (a, b)) in old.values.iter().zip(&new.values).enumerate() {
        let line = &table.lines[metric];
        let pairs: Vec<(f64, f64)> =
            a.iter().copied().zip(b.iter().copied()).filter(|(a, b)| !a.is_nan() && !b.is_nan()).collect();
        let n = pairs.len() as f64;
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n;
        let d: Vec<f64> = pairs.iter().map(|(a, b)| b - a).collect();
        let delta = mean(&mut d.iter().copied());
        let sd = (d.iter().map(|d| (d - delta).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        close(line.baseline, mean(&mut pairs.iter().map(|pair| pair.0)));
        close(line.value, mean(&mut pairs.iter().map(|pair| pair.1)));
        close(line.delta, delta);
        close(line.effect, delta / sd);
        // Whose own power is held against statsmodels in `stats.rs`.
        assert!((power(line.mde.unwrap(), sd, n, 0.05).unwrap() - 0.8).abs() < 1e-8);
        assert!((line.power.unwrap() - power(delta, sd, n, 0.05).unwrap()).abs() < 1e-8);
        let count = |test: &dyn Fn(f64) -> bool| Some(d.iter().filter(|d| test(**d)).count() as u64);
        assert_eq!(line.wins, count(&|d| d > 1e-12));
        assert_eq!(line.ties, count(&|d| d.abs() <= 1e-12));
        assert_eq!(line.losses, count(&|d| d < -1e-12));
        assert_eq!((line.n, line.n_na), (pairs.len() as u64, u64::from(metric == 0)));
        // All sign patterns, counted plainly.
        let extreme = (0..1u32 << d.len())
            .filter(|signs| {
                let flipped = |(i, d): (usize, &f64)| if signs >> i & 1 == 1 { -d } else { *d };
                let sum: f64 = d.iter().enumerate().map(flipped).sum();
                sum.abs() >= (delta * n).abs() - 1e-9
            })
            .count();
        let nonzero = d.iter().filter(|d| **d != 0.0).count();
        if nonzero <= 9 {
            close(line.p, extreme as f64 / f64::from(1u32 << d.len()));
        } else {
            assert!((line.p.unwrap() - extreme as f64 / f64::from(1u32 << d.len())).abs() < 0.06);
        }
        assert!(line.lower.unwrap() <= delta && delta <= line.upper.unwrap());
        assert!(line.bounds.windows(2).all(|pair| pair[0].1 >= pair[1].1 && pair[0].2 <= pair[1].2));
    }
}

#[test]
fn swapped_runs_give_the_opposite() {
    let mut database = Database::new();
    log(&database, 8, 40, 0.5);
    let show = METRICS
        .iter()
        .filter(|metric| comparable(metric) && !["cvr", "purchase_rate", "ild"].contains(&metric.id))
        .map(|metric| metric.spelling().replace("[@K]", "@5").replace("@K", "@5"))
        .collect::<Vec<_>>();
    for interval in [IntervalMethod::Percentile, IntervalMethod::Bca] {
        let ask = |runs: &[(&str, &str)]| CompareRequest {
            show: show.clone(),
            by: vec!["region".into()],
            interval,
            resamples: 100,
            permutations: 99,
            ..request(runs, "")
        };
        let forth = run(&mut database, &ask(&[("log", "old"), ("log", "new")]));
        let back = run(&mut database, &ask(&[("log", "new"), ("log", "old")]));
        assert_eq!(forth.lines.len(), show.len() * 4);
        for (a, b) in forth.lines.iter().zip(&back.lines) {
            let near = |a: Option<f64>, b: Option<f64>, sign: f64| match (a, b) {
                (Some(a), Some(b)) => {
                    assert!((a - sign * b).abs() < 1e-9, "{}: {a} {b}", forth.lines[0].metric)
                }
                (a, b) => assert_eq!(a, b),
            };
            assert_eq!((&a.metric, &a.group, a.n, a.n_na), (&b.metric, &b.group, b.n, b.n_na));
            near(a.baseline, b.value, 1.0);
            near(a.delta, b.delta, -1.0);
            near(a.lower, b.upper, -1.0);
            near(a.upper, b.lower, -1.0);
            near(a.p, b.p, 1.0);
            near(a.p_adjusted, b.p_adjusted, 1.0);
            near(a.effect, b.effect, -1.0);
            near(a.mde, b.mde, 1.0);
            near(a.power, b.power, 1.0);
            assert_eq!((a.wins, a.ties, a.losses), (b.losses, b.ties, b.wins));
        }
    }
}

#[test]
fn a_planted_improvement_is_found_where_it_is() {
    let mut database = Database::new();
    log(&database, 1, 240, 1.5);
    let mut asked = request(&[("log", "old"), ("log", "new")], "ndcg@5 mrr");
    asked.by = vec!["region".into()];
    asked.permutations = 1999;
    asked.levels = vec![0.97];
    let table = run(&mut database, &asked);
    let line = |group: &str, metric: &str| -> &CompareLine {
        table.lines.iter().find(|line| line.group_name() == group && line.metric == metric).unwrap()
    };
    for metric in ["ndcg@5", "mrr"] {
        assert_eq!(line("south", metric).status, Verdict::Better, "{:?}", line("south", metric));
        assert_eq!(line("all", metric).status, Verdict::Better, "{:?}", line("all", metric));
        for level in ["north", "NULL"] {
            assert_eq!(line(level, metric).status, Verdict::Level, "{:?}", line(level, metric));
        }
    }
    let south = line("south", "ndcg@5");
    assert!(south.lower.unwrap() > 0.0 && south.wins > south.losses && south.power.unwrap() > 0.9);
    assert!(south.bounds.iter().any(|bound| bound.0 == 0.97));
    assert_eq!(line("NULL", "mrr").predicate, "\"region\" IS NULL");
    assert_eq!((line("all", "mrr").n, south.n), (240, 80));
    let notes = table.notes.join("\n");
    for said in ["Holm over the 8 tests", "200 resamples of queries, seed 5", "power 0.8", "1,999 times"] {
        assert!(notes.contains(said), "{said}: {notes}");
    }
    // Any line's p times the tests still to be passed, at most 1: Holm by hand.
    let mut p: Vec<(f64, f64)> =
        table.lines.iter().map(|line| (line.p.unwrap(), line.p_adjusted.unwrap())).collect();
    p.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut largest = 0.0_f64;
    for (rank, (p, adjusted)) in p.iter().enumerate() {
        largest = largest.max(p * (8 - rank) as f64).min(1.0);
        assert!((adjusted - largest).abs() < 1e-12);
    }
    assert_eq!(table.figure("better"), Some(4.0));
    assert!(table.figure("delta").unwrap() > 0.0 && table.figure("max_loss").unwrap() < 0.05);
    assert_eq!(table.overall("LOG.NEW", Some("NDCG@5")), Some(line("all", "ndcg@5")));
}

/// Families of twelve tests on runs that differ by chance only.
#[test]
fn runs_that_are_alike_raise_no_alarm() {
    let mut database = Database::new();
    let (studies, mut alarms) = (20, 0);
    // Tests with p <= 0.05, by metric.
    let mut single = [0; 3];
    for seed in 0..studies {
        log(&database, 100 + seed, 36, 0.0);
        let mut asked = request(&[("log", "old"), ("log", "new")], "ndcg@5 mrr precision@2");
        asked.by = vec!["region".into()];
        (asked.resamples, asked.permutations) = (0, 199);
        let table = run(&mut database, &asked);
        alarms += u32::from(table.lines.iter().any(|line| line.status != Verdict::Level));
        for (line, metric) in table.lines.iter().zip((0..3).cycle()) {
            single[metric] += u32::from(line.p.unwrap() <= 0.05);
        }
    }
    let family = f64::from(alarms) / studies as f64;
    let each = single.map(|alarms| f64::from(alarms) / (4 * studies) as f64);
    println!("tables with an alarm {family:.3}, tests with p <= 0.05 by metric {each:?}");
    // Nominal 5 %; three standard errors of 20 studies are 14.6 %. Where few of twelve queries differ, and
    // by equal steps, p cannot come near 5 % from below: mrr and precision stay under it.
    assert!(family <= 0.2, "{family}");
    assert!((0.0..=0.123).contains(&each[0]) && each[1].max(each[2]) <= 0.123, "{each:?}");
}

/// Rates, AUC and calibration are no means of lists: they are compared as ratios, or by trading rows.
#[test]
fn row_metrics_are_compared_as_what_they_are() {
    let mut database = Database::new();
    log(&database, 4, 450, 4.0);
    database.make(
        "log",
        "SELECT * REPLACE (least(old / 1.3, 1.0) AS old, least(new / 5.0, 1.0) AS new) FROM log",
    );
    let show = "auc brier precision log_loss ece recall ctr coverage";
    let table = run(&mut database, &request(&[("log", "old"), ("log", "new")], show));
    for (line, score) in table.lines.iter().zip(show.split(' ')) {
        assert_eq!(line.metric, score);
        for (side, value) in [("old", line.baseline), ("new", line.value)] {
            let alone =
                MetricsRequest { rows: rows("log", side), show: names(score), ..MetricsRequest::default() };
            close(value, measure(&mut database, &alone).lines[0].value.unwrap());
        }
        let catalogue = score == "coverage";
        assert_eq!(line.p.is_some(), !catalogue, "{score}");
        assert_eq!(line.lower.is_some(), !catalogue, "{score}");
        assert!(catalogue || score == "ctr" || line.mde.unwrap() > 0.0, "{line:?}");
    }
    let of = |metric: &str| table.lines.iter().find(|line| line.metric == metric).unwrap();
    assert_eq!(of("auc").status, Verdict::Better, "{:?}", of("auc"));
    assert_eq!((of("ctr").delta, of("ctr").p), (Some(0.0), Some(1.0)));
    assert_eq!((of("auc").wins, of("brier").wins.is_some()), (None, true));
    let brier = of("brier");
    assert_eq!(brier.gain().unwrap(), -brier.delta.unwrap());
}

/// One model may give logits and the other cosines: AUC and its p know orders only.
#[test]
fn the_scale_of_scores_does_not_matter_to_auc() {
    let mut database = Database::new();
    log(&database, 14, 60, 2.0);
    database.make("log", "SELECT *, exp(3 * new) - 40 AS stretched FROM log");
    let show = "auc ap";
    let plain = run(&mut database, &request(&[("log", "old"), ("log", "new")], show));
    let other = run(&mut database, &request(&[("log", "old"), ("log", "stretched")], show));
    for (a, b) in plain.lines.iter().zip(&other.lines) {
        close(a.value, b.value.unwrap());
        close(a.p, b.p.unwrap());
        close(a.lower, b.lower.unwrap());
    }
}

#[test]
fn relations_are_matched_by_query_and_what_is_missing_is_said() {
    let mut database = Database::new();
    log(&database, 6, 30, 0.6);
    database.make("a", "SELECT query, item, region, gain, old AS score FROM log ORDER BY hash(item)");
    database.make("b", "SELECT query, item, region, gain, new AS score FROM log ORDER BY query DESC");
    let show = "ndcg@5 mrr auc";
    let two = run(&mut database, &request(&[("a", "score"), ("b", "score")], show));
    let one = run(&mut database, &request(&[("log", "old"), ("log", "new")], show));
    for (a, b) in two.lines.iter().zip(&one.lines) {
        close(a.delta, b.delta.unwrap());
        close(a.lower, b.lower.unwrap());
        close(a.p, b.p.unwrap());
    }
    database.make(
        "b",
        "SELECT * FROM b WHERE query NOT IN ('q1', 'q2') UNION ALL SELECT 'other', 'i1', NULL, 1, 0.5",
    );
    let mut asked = request(&[("a", "score"), ("b", "score")], show);
    asked.by = vec!["region".into()];
    let table = run(&mut database, &asked);
    let notes = table.notes.join("\n");
    assert!(notes.contains("2 lists of a.score are not in b.score: left out"), "{notes}");
    assert!(notes.contains("1 lists of b.score are not in a.score"), "{notes}");
    assert_eq!((table.lines[0].n, table.lines[0].n_na), (28, 3));
    let groups: Vec<(String, u64, u64)> = table
        .lines
        .iter()
        .filter(|line| line.metric == "mrr")
        .map(|line| (line.group_name(), line.n, line.n_na))
        .collect();
    let expected = [("all", 28, 3), ("north", 9, 1), ("south", 10, 0), ("NULL", 9, 2)];
    let expected = expected.map(|(name, n, n_na)| (name.to_owned(), n, n_na));
    assert!(expected.iter().all(|group| groups.contains(group)) && groups.len() == 4, "{groups:?}");
}

#[test]
fn queries_that_moved_most_come_with_both_lists() {
    let mut database = Database::new();
    log(&database, 2, 30, 1.0);
    let mut asked = request(&[("log", "old"), ("log", "new")], "ndcg@3 precision@3 auc");
    asked.runs[0].rows.filter = Some("$least < 5 or query <> 'x'".into());
    asked.runs[0].rows.params = vec![("least".into(), recscope::analysis::SqlValue::Int(3))];
    asked.top_queries = 4;
    let table = run(&mut database, &asked);
    assert_eq!(table.moved.len(), 8, "two metrics with lists");
    let (old, new) = (per_list(&mut database, "old", "ndcg@3"), per_list(&mut database, "new", "ndcg@3"));
    let mut changes: Vec<(f64, &String)> = old
        .queries
        .iter()
        .enumerate()
        .map(|(at, query)| (new.values[0][at] - old.values[0][at], query))
        .filter(|change| !change.0.is_nan())
        .collect();
    changes.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()));
    for (moved, change) in table.moved.iter().zip(&changes).take(4) {
        assert!((moved.delta() - change.0).abs() < 1e-12 && &moved.query == change.1, "{moved:?} {change:?}");
        assert_eq!((moved.top.len(), moved.baseline_top.len()), (3, 3));
        for (score, top) in [("old", &moved.baseline_top), ("new", &moved.top)] {
            let sql = format!(
                "SELECT item, gain::DOUBLE AS gain FROM log WHERE {} ORDER BY {score} DESC LIMIT 3",
                moved.predicate
            );
            let batch = database.sql(&sql);
            let items = arrow::array::AsArray::as_string::<i32>(batch.column(0));
            let gains = arrow::array::AsArray::as_primitive::<arrow::datatypes::Float64Type>(batch.column(1));
            for (rank, place) in top.iter().enumerate() {
                assert_eq!(place.item.as_deref(), Some(items.value(rank)));
                assert_eq!(place.gain, Some(gains.value(rank)));
            }
        }
    }
    let batch = queries_batch(&table).unwrap();
    let columns = |batch: &arrow::record_batch::RecordBatch| -> Vec<String> {
        batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    };
    assert_eq!(columns(&batch), names("query run metric baseline value delta baseline_top top predicate"));
    assert_eq!(batch.num_rows(), 8);
    let batch = lists_batch(&table).unwrap();
    assert_eq!(
        columns(&batch),
        names("query run metric delta rank baseline_item baseline_gain item gain was predicate")
    );
    assert_eq!(batch.num_rows(), 24);
    let batch = table.to_batch().unwrap();
    assert_eq!(
        columns(&batch),
        names(
            "run metric slice baseline value delta lower upper p p_adjusted effect mde power wins ties losses \
             n n_na status predicate"
        )
    );
}

#[test]
fn three_runs_and_the_rank_that_was_shown() {
    let mut database = Database::new();
    log(&database, 9, 40, 0.9);
    database.make(
        "log",
        "SELECT *, row_number() OVER (PARTITION BY query ORDER BY old DESC) AS position FROM log",
    );
    let mut asked = request(&[("log", "old"), ("log", "new"), ("log", "old")], "ndcg@5");
    asked.runs[0].rows.roles.score = None;
    asked.runs[0].rows.roles.position = Some("position".into());
    let table = run(&mut database, &asked);
    assert_eq!(table.lines.len(), 2);
    let same = &table.lines[1];
    assert_eq!((same.delta, same.p, same.ties), (Some(0.0), Some(1.0), Some(same.n)));
    assert_eq!((same.effect, same.mde), (None, None), "no spread: no effect size");
    assert!(table.lines[0].delta.unwrap() != 0.0);
    assert_eq!(table.figure("delta"), Some(table.lines.iter().map(|l| l.delta.unwrap()).fold(1.0, f64::min)));
}

#[test]
fn strange_input_is_defined() {
    let mut database = Database::new();
    let both =
        |database: &mut Database| run(database, &request(&[("log", "old"), ("log", "new")], "ndcg@5 auc"));
    // No query in common.
    log(&database, 1, 6, 0.0);
    database.make("a", "SELECT * FROM log WHERE query < 'q3'");
    database.make("b", "SELECT * FROM log WHERE query >= 'q3'");
    let table = run(&mut database, &request(&[("a", "old"), ("b", "new")], "ndcg@5 auc"));
    assert!(table.lines.iter().all(|line| {
        (line.delta, line.p, line.lower, line.status) == (None, None, None, Verdict::NotAvailable)
    }));
    assert!(table.notes.iter().any(|note| note.contains("no query in common")), "{:?}", table.notes);
    assert_eq!((table.lines[0].n, table.lines[0].n_na), (0, 6));
    // One query: a difference, but no chance to judge it.
    database.make("log", "SELECT * FROM a WHERE query = 'q1'");
    let line = both(&mut database).lines.remove(0);
    assert_eq!((line.n, line.p, line.lower, line.mde), (1, Some(1.0), None, None));
    assert!(line.delta.is_some());
    // Scores that are no numbers are none, and told by run.
    log(&database, 1, 6, 0.0);
    database.make(
        "log",
        "SELECT * REPLACE (CASE WHEN item < 'i4' THEN 'nan'::DOUBLE ELSE new END AS new) FROM log",
    );
    let table = both(&mut database);
    assert!(
        table.notes.iter().any(|note| note.starts_with("log.new: 24 scores are NaN")),
        "{:?}",
        table.notes
    );
    // A query without any score, all ties, and an empty relation.
    database.make(
        "log",
        "SELECT * REPLACE (CASE WHEN query = 'q2' THEN NULL ELSE 1.0 END AS new, 1.0 AS old) FROM log",
    );
    let table = both(&mut database);
    assert!(
        table.notes.iter().any(|note| note.contains("log.new: nothing is retrieved for 1 lists")),
        "{:?}",
        table.notes
    );
    assert!(table.notes.iter().any(|note| note.contains("share their score")));
    database.make("log", "SELECT * FROM log WHERE false");
    let table = both(&mut database);
    assert!(table.lines.len() == 2 && table.lines.iter().all(|line| line.value.is_none() && line.n == 0));
    // Requests that cannot be met.
    let error = |request: &CompareRequest, database: &mut Database| try_run(database, request).unwrap_err();
    let asked = request(&[("log", "old")], "mrr");
    assert!(error(&asked, &mut database).to_string().contains("two runs"));
    let mut asked = request(&[("log", "old"), ("log", "new")], "mrr");
    asked.show = names("mmr");
    assert!(error(&asked, &mut database).hint().unwrap().contains("mrr"));
    asked.show = names("mrr");
    asked.runs[1].rows.roles.query = None;
    assert!(error(&asked, &mut database).to_string().contains("query column"));
    let stop = Cancel::new();
    stop.cancel();
    let asked = request(&[("log", "old"), ("log", "new")], "mrr");
    assert_eq!(compare(&mut database, &asked, &stop, &mut |_, _| {}).unwrap_err(), AnalysisError::Cancelled);
}

#[test]
fn ten_thousand_groups_are_one_family() {
    let mut database = Database::new();
    log(&database, 1, 10_000, 0.2);
    let mut asked = request(&[("log", "old"), ("log", "new")], "ndcg@5");
    asked.by = vec!["query".into()];
    (asked.resamples, asked.permutations) = (20, 99);
    let table = run(&mut database, &asked);
    assert_eq!(table.lines.len(), 10_001);
    assert!(table.lines.iter().skip(1).all(|line| line.p.is_none() || line.p == Some(1.0)));
    assert!(table.notes.iter().any(|note| note.contains("take at least")), "{:?}", table.notes);
}

#[test]
fn every_metric_of_the_catalogue_can_be_compared() {
    let mut database = Database::new();
    log(&database, 12, 30, 0.4);
    database.make("log", "SELECT *, gain > 2 AS bought, item AS title FROM log");
    let mut asked = request(&[("log", "old"), ("log", "new")], "");
    let shown: Vec<_> = METRICS.iter().filter(|metric| comparable(metric)).collect();
    asked.show =
        shown.iter().map(|metric| metric.spelling().replace("[@K]", "@5").replace("@K", "@5")).collect();
    for run in &mut asked.runs {
        run.rows.roles.purchase = Some("bought".into());
        run.rows.roles.text = vec!["title".into()];
    }
    (asked.resamples, asked.permutations) = (50, 50);
    let table = run(&mut database, &asked);
    for (line, metric) in table.lines.iter().zip(shown) {
        let alone = line.baseline.zip(line.value).map(|(a, b)| b - a);
        assert_eq!(line.delta, alone, "{}", line.metric);
        let tested = metric.level != Level::Catalogue;
        assert_eq!(line.p.is_some(), tested && line.delta.is_some(), "{line:?}");
    }
}
