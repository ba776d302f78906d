//! Values of another policy and clicks without position bias: by hand, against plain Rust on random
//! logs, on logs whose truth is planted, and on the Open Bandit logs of a real shop.

use proptest::prelude::*;
use recscope::analysis::metrics::{MetricsRequest, MetricsTable, Policy, Roles, Rows};
use recscope::analysis::stats::{Random, Ratio, Statistic, bootstrap};
use recscope::util::cancel::Cancel;

use crate::metrics::{names, run};
use crate::support::shared;
use crate::support_queries::Database;

fn column(name: &str) -> Option<String> {
    Some(name.to_owned())
}

/// A request over a relation `log` with the columns that these tests give it.
fn request(show: &str) -> MetricsRequest {
    let roles = Roles { query: column("query"), label: column("clicked"), ..Roles::default() };
    let policy = Policy {
        propensity: column("propensity"),
        target: column("target"),
        reward: column("reward"),
        q_logged: column("q_logged"),
        q_target: column("q_target"),
        ..Policy::default()
    };
    MetricsRequest {
        rows: Rows { from: "log".into(), roles, relevant_at: 1.0, policy, ..Rows::default() },
        show: names(show),
        ..MetricsRequest::default()
    }
}

const ALL: &str = "ips snips dr ess weight_mean weight_max";

fn close(table: &MetricsTable, name: &str, expected: f64) {
    let value = table.figure(name).unwrap_or_else(|| panic!("{name} is n/a: {:?}", table.notes));
    assert!((value - expected).abs() < 1e-12 * expected.abs().max(1.0), "{name} {value} is not {expected}");
}

#[test]
fn four_rows_by_hand() {
    let mut database = Database::new();
    database.make(
        "log",
        "SELECT * FROM (VALUES
            ('a', true, 0.5, 0.25, 2.0, 1.0, 1.5), ('a', false, 0.25, 0.5, 0.0, 0.5, 1.0),
            ('b', true, 0.1, 0.4, 1.0, 1.0, 0.0), ('b', false, 0.8, 0.0, 5.0, 2.0, 0.25)
         ) AS t(query, clicked, propensity, target, reward, q_logged, q_target)",
    );
    // Weights 0.5, 2, 4, 0.
    let table = run(&mut database, &request(ALL));
    close(&table, "ips", (0.5 * 2.0 + 0.0 + 4.0) / 4.0);
    close(&table, "snips", 5.0 / 6.5);
    close(&table, "dr", (1.5 + 0.5 + 1.0 - 1.0 + 0.0 + 0.25) / 4.0);
    close(&table, "ess", 6.5 * 6.5 / (0.25 + 4.0 + 16.0));
    close(&table, "weight_mean", 6.5 / 4.0);
    close(&table, "weight_max", 4.0);
    assert!(
        table.notes.iter().any(|note| note.contains("effective sample size 2 of 4 rows")),
        "{:?}",
        table.notes
    );
    let mut clipped = request("ips snips ess weight_mean");
    clipped.rows.policy.clip = Some(1.0);
    let table = run(&mut database, &clipped);
    close(&table, "ips", (1.0 + 1.0) / 4.0);
    close(&table, "snips", 2.0 / 2.5);
    close(&table, "ess", 2.5 * 2.5 / 2.25);
    close(&table, "weight_mean", 6.5 / 4.0);
    let said = table.notes.join("\n");
    assert!(said.contains("clipped at 1") && said.contains("2 of 4 rows (50.00 %)"), "{said}");
    // Without a reward column the label is the reward.
    let mut clicks = request("ips");
    clicks.rows.policy.reward = None;
    close(&run(&mut database, &clicks), "ips", 4.5 / 4.0);
}

#[test]
fn missing_support_is_no_value_and_says_why() {
    let mut database = Database::new();
    database.make(
        "log",
        "SELECT * FROM (VALUES
            ('a', 'x', true, 0.5, 0.5, 1.0), ('b', 'x', true, 0.0, 0.5, 1.0), ('c', 'x', true, NULL, 0.5, 1.0),
            ('d', 'x', true, 0.5, NULL, 1.0), ('e', 'x', true, 1.5, 0.5, 1.0), ('f', 'x', true, 'nan'::DOUBLE, 0.1, 1.0),
            ('g', 'y', true, NULL, 0.0, 1.0), ('h', 'y', true, 0.5, 0.5, NULL), ('i', 'y', false, 0.5, 1.0, 1.0)
         ) AS t(query, kind, clicked, propensity, target, reward)",
    );
    let mut asked = request("ips snips ess weight_mean weight_max");
    asked.by = vec!["kind".into()];
    asked.resamples = 50;
    (asked.rows.policy.q_logged, asked.rows.policy.q_target) = (None, None);
    let table = run(&mut database, &asked);
    for line in &table.lines {
        let supported = line.group[0].as_deref() == Some("y");
        assert_eq!(line.value.is_some(), supported, "{line:?}");
        assert!(supported || (line.lower.is_none() && line.upper.is_none()));
    }
    let ips = table.lines.iter().find(|line| line.metric == "ips" && line.value.is_some()).unwrap();
    assert_eq!((ips.value, ips.n, ips.n_na), (Some(1.0), 2, 1), "the row without a reward is left out");
    let said = table.notes.join("\n");
    for part in
        ["3 rows have target > 0 but no propensity", "1 rows have no target", "1 rows have a target or a"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[derive(Debug, Clone)]
struct Logged {
    query: u8,
    propensity: f64,
    target: f64,
    reward: Option<f64>,
    q: Option<(f64, f64)>,
}

fn logged() -> impl Strategy<Value = Logged> {
    let reward = prop_oneof![1 => Just(None), 6 => (0..5i32).prop_map(|r| Some(f64::from(r) / 2.0))];
    let q = prop_oneof![1 => Just(None), 6 => (0..9i32, 0..9i32).prop_map(|(a, b)| Some((f64::from(a) / 8.0, f64::from(b) / 8.0)))];
    (0..5u8, 1..=20i32, 0..=20i32, reward, q).prop_map(|(query, p, t, reward, q)| Logged {
        query,
        propensity: f64::from(p) / 20.0,
        target: f64::from(t) / 20.0,
        reward,
        q,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn sql_equals_the_definitions(rows in prop::collection::vec(logged(), 1..40), clip in prop::option::of(1..30i32)) {
        let mut database = Database::new();
        let or_null = |value: Option<f64>| value.map_or("NULL::DOUBLE".to_owned(), |v| format!("{v}::DOUBLE"));
        let lines: Vec<String> = rows.iter().map(|row| format!(
            "({}, {}::DOUBLE, {}::DOUBLE, {}, {}, {})", row.query, row.propensity, row.target,
            or_null(row.reward), or_null(row.q.map(|q| q.0)), or_null(row.q.map(|q| q.1))
        )).collect();
        database.make("log", &format!(
            "SELECT *, true AS clicked FROM (VALUES {}) AS t(query, propensity, target, reward, q_logged, q_target)",
            lines.join(", ")
        ));
        let mut asked = request(ALL);
        let clip = clip.map(|c| f64::from(c) / 4.0);
        asked.rows.policy.clip = clip;
        let table = run(&mut database, &asked);
        let raw = |row: &Logged| row.target / row.propensity;
        let weight = |row: &Logged| raw(row).min(clip.unwrap_or(f64::INFINITY));
        let sum = |of: &dyn Fn(&Logged) -> Option<f64>| -> (f64, f64) {
            rows.iter().filter_map(of).fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0))
        };
        let share = |(s, n): (f64, f64)| (n > 0.0).then(|| s / n);
        let ips = sum(&|row| Some(weight(row) * row.reward?));
        let kept = sum(&|row| row.reward.map(|_| weight(row)));
        let dr = sum(&|row| Some(row.q?.1 + weight(row) * (row.reward? - row.q?.0)));
        let all = sum(&|row| Some(weight(row)));
        let squares = sum(&|row| Some(weight(row) * weight(row)));
        let expected = [
            ("ips", share(ips)),
            ("snips", (kept.0 > 0.0).then(|| ips.0 / kept.0)),
            ("dr", share(dr)),
            ("ess", (squares.0 > 0.0).then(|| all.0 * all.0 / squares.0)),
            ("weight_mean", share(sum(&|row| Some(raw(row))))),
            ("weight_max", rows.iter().map(raw).reduce(f64::max)),
        ];
        for (name, expected) in expected {
            let found = table.figure(name);
            let equal = match (found, expected) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9 * b.abs().max(1.0),
                (a, b) => a == b,
            };
            prop_assert!(equal, "{} {:?} is not {:?}", name, found, expected);
        }
    }
}

/// A policy over 8 items logs; another one, that favours other items, is to be valued. The truth is known.
/// `honest` is whether the logged propensities are those that were used; `model` whether the reward
/// model is right.
fn planted(seed: u64, rows: usize, honest: bool, model: bool) -> (Vec<[f64; 5]>, f64) {
    let mut random = Random::new(seed);
    let logging = [0.30, 0.20, 0.15, 0.10, 0.10, 0.05, 0.05, 0.05];
    let target = [0.05, 0.05, 0.05, 0.10, 0.10, 0.15, 0.20, 0.30];
    let reward: Vec<f64> = (0..8).map(|item| 0.05 + 0.08 * f64::from(item)).collect();
    let truth = target.iter().zip(&reward).map(|(p, r)| p * r).sum::<f64>();
    let believed = |item: usize| if model { reward[item] } else { 0.9 - reward[item] };
    let q_target: f64 = target.iter().enumerate().map(|(item, p)| p * believed(item)).sum();
    let log = (0..rows).map(|_| {
        let mut left = random.uniform();
        let item = logging
            .iter()
            .position(|p| {
                left -= p;
                left < 0.0
            })
            .unwrap_or(7);
        let won = f64::from(u8::from(random.uniform() < reward[item]));
        let propensity = if honest { logging[item] } else { 0.125 };
        [target[item] / propensity, won, believed(item), q_target, propensity]
    });
    (log.collect(), truth)
}

/// Figures and their intervals of many planted logs: mean error, and share of intervals that hold the truth.
fn study(honest: bool, model: bool) -> [(f64, f64); 3] {
    let studies = 250;
    let mut found = [(0.0, 0.0); 3];
    for seed in 0..studies {
        let (log, truth) = planted(seed, 400, honest, model);
        let of = |value: &dyn Fn(&[f64; 5]) -> f64| log.iter().map(value).collect::<Vec<f64>>();
        let ones = vec![1.0; log.len()];
        let ips = Ratio { numerator: of(&|r| r[0] * r[1]), denominator: ones.clone() };
        let snips = Ratio { numerator: ips.numerator.clone(), denominator: of(&|r| r[0]) };
        let dr = Ratio { numerator: of(&|r| r[3] + r[0] * (r[1] - r[2])), denominator: ones.clone() };
        let statistics: [&dyn Statistic; 3] = [&ips, &snips, &dr];
        let intervals = bootstrap(&statistics, log.len(), 199, Random::new(seed), &Cancel::new()).unwrap();
        for ((statistic, interval), (error, held)) in statistics.iter().zip(intervals).zip(&mut found) {
            *error += (statistic.value(&ones).unwrap() - truth) / studies as f64;
            let interval = interval.unwrap();
            let inside = interval.lower <= truth && truth <= interval.upper;
            *held += f64::from(u8::from(inside)) / studies as f64;
        }
    }
    found
}

#[test]
fn planted_values_are_found_and_held_by_their_intervals() {
    let [ips, snips, dr] = study(true, true);
    println!("error and coverage: ips {ips:?} snips {snips:?} dr {dr:?}");
    for (error, held) in [ips, snips, dr] {
        assert!(error.abs() < 0.01, "{error}");
        // Nominal 95 %, 199 resamples; three standard errors of 250 studies are 4 %.
        assert!((0.90..=0.99).contains(&held), "{held}");
    }
}

#[test]
fn doubly_robust_needs_only_one_of_the_two_to_be_right() {
    let [ips, _, dr] = study(true, false);
    assert!(ips.0.abs() < 0.01 && dr.0.abs() < 0.015, "a wrong model does not matter: {ips:?} {dr:?}");
    let [ips, _, dr] = study(false, true);
    assert!(ips.0.abs() > 0.05, "propensities that were not used mislead ips: {ips:?}");
    assert!(dr.0.abs() < 0.01 && dr.1 > 0.9, "a right model repairs it: {dr:?}");
}

#[test]
fn propensities_of_another_log_are_noticed() {
    let mut database = Database::new();
    let table = |database: &mut Database, honest| {
        let (log, _) = planted(5, 4_000, honest, true);
        let rows: Vec<String> =
            log.iter().map(|r| format!("({}, {}, {})", r[1], r[0] * r[4], r[4])).collect();
        database.make(
            "log",
            &format!(
                "SELECT row_number() OVER () AS query, * FROM (VALUES {}) AS t(clicked, target, propensity)",
                rows.join(", ")
            ),
        );
        let mut asked = request("ips weight_mean");
        asked.rows.policy =
            Policy { propensity: column("propensity"), target: column("target"), ..Policy::default() };
        asked.resamples = 99;
        run(database, &asked)
    };
    let doubt = |table: &MetricsTable| table.notes.iter().any(|note| note.contains("belong together"));
    let honest = table(&mut database, true);
    assert!(!doubt(&honest), "{:?}", honest.notes);
    let line = honest.line("weight_mean").unwrap();
    assert!(line.lower.unwrap() < 1.0 && 1.0 < line.upper.unwrap());
    let other = table(&mut database, false);
    assert!(doubt(&other), "{:?}", other.notes);
}

/// Chance in SQL, the same on every machine.
fn chance(salt: u32, keys: &str) -> String {
    format!("((md5_number_lower(concat_ws('/', {keys}, {salt})) >> 11)::DOUBLE / {}.0)", 1u64 << 53)
}

/// 40 queries of 8 items; relevance of each pair is chance; a search shows 5 in an order of chance that
/// `sorted` makes depend on relevance; examination falls with the position.
fn click_log(database: &Database, searches: u32, sorted: f64) {
    database.make(
        "log",
        &format!(
            "WITH shown AS (
                SELECT s % 40 AS query, s AS search, i AS item, 0.05 + 0.5 * {relevance} AS relevance,
                       row_number() OVER (PARTITION BY s ORDER BY {order} + {sorted} * {relevance} DESC) AS position
                FROM range({searches}) AS a(s), range(8) AS b(i)
             )
             SELECT *, [1.0, 0.6, 0.4, 0.25, 0.15][position] AS look,
                    {noise} < relevance * [1.0, 0.6, 0.4, 0.25, 0.15][position] AS clicked
             FROM shown WHERE position <= 5",
            relevance = chance(1, "s % 40, i"),
            order = chance(2, "s, i"),
            noise = chance(3, "search, item"),
        ),
    );
}

fn clicks(examination: Option<&str>) -> MetricsRequest {
    let mut asked = request("ctr ctr_debiased");
    asked.rows.policy = Policy { examination: examination.map(str::to_owned), ..Policy::default() };
    asked.rows.roles.item = column("item");
    asked.rows.roles.user = column("search");
    asked.rows.roles.position = column("position");
    asked
}

#[test]
fn a_planted_position_bias_is_taken_out() {
    let mut database = Database::new();
    click_log(&database, 6_000, 1.5);
    let truth = number(&database, "SELECT avg(relevance) FROM log");
    for examination in [None, Some("look")] {
        let table = run(&mut database, &MetricsRequest { resamples: 99, ..clicks(examination) });
        let (ctr, debiased) = (table.figure("ctr").unwrap(), table.line("ctr_debiased").unwrap());
        println!("relevance {truth:.4}, ctr {ctr:.4}, debiased {debiased:?}\n{:?}", table.notes);
        assert!((debiased.value.unwrap() / truth - 1.0).abs() < 0.05, "{debiased:?} is not {truth}");
        assert!(ctr < 0.65 * truth, "the log is biased: {ctr} {truth}");
        assert_eq!((debiased.n, debiased.n_na), (30_000, 0));
        let said = table.notes.join("\n");
        assert!(said.contains("effective sample size"), "{said}");
        assert_eq!(said.contains("examination by position, fitted to"), examination.is_none(), "{said}");
    }
}

#[test]
fn positions_that_nothing_ties_together_are_told_and_left_out() {
    let mut database = Database::new();
    click_log(&database, 800, 0.0);
    // Position 5 only ever shows items of its own.
    database.make(
        "tied",
        "SELECT * REPLACE (CASE WHEN position = 5 THEN item + 100 ELSE item END AS item) FROM log",
    );
    let mut asked = clicks(None);
    asked.rows.from = "tied".into();
    let table = run(&mut database, &asked);
    let line = table.line("ctr_debiased").unwrap();
    assert_eq!((line.n, line.n_na), (3_200, 800));
    assert!(
        table.notes.iter().any(|note| note.contains("not identifiable at the positions 5: ")),
        "{:?}",
        table.notes
    );
    // Every item has one position: nothing can be said.
    database.make("fixed", "SELECT * REPLACE (position AS item) FROM log");
    asked.rows.from = "fixed".into();
    let table = run(&mut database, &asked);
    let line = table.line("ctr_debiased").unwrap();
    assert_eq!((line.value, line.n, line.n_na), (None, 0, 4_000));
    assert!(
        table.notes.iter().any(|note| note.contains("n/a: examination is not identifiable")),
        "{:?}",
        table.notes
    );
    // Examinations that are none.
    database.make("odd", "SELECT *, CASE position WHEN 1 THEN 1.0 WHEN 2 THEN 0 WHEN 3 THEN NULL WHEN 4 THEN 1.5 ELSE 'nan'::DOUBLE END AS odd FROM log");
    let mut asked = clicks(Some("odd"));
    asked.rows.from = "odd".into();
    let table = run(&mut database, &asked);
    assert_eq!(table.line("ctr_debiased").map(|line| (line.n, line.n_na)), Some((800, 3_200)));
    assert!(
        table.notes.iter().any(|note| note.contains("3200 labelled rows are left out")),
        "{:?}",
        table.notes
    );
}

#[test]
fn what_is_missing_is_named() {
    let mut database = Database::new();
    click_log(&database, 40, 0.0);
    for (metric, word) in [("ips", "propensity"), ("dr", "propensity"), ("ess", "propensity")] {
        let mut asked = clicks(None);
        asked.show = names(metric);
        let error = refused(&mut database, &asked);
        assert!(error.hint().unwrap_or_default().contains(word), "{metric}: {error} {:?}", error.hint());
    }
    let mut asked = clicks(None);
    asked.rows.roles.position = None;
    assert!(refused(&mut database, &asked).to_string().contains("examination column"));
}

fn refused(database: &mut Database, asked: &MetricsRequest) -> recscope::analysis::AnalysisError {
    recscope::analysis::metrics::evaluate(database, asked, &Cancel::new(), &mut |_, _| {}).unwrap_err()
}

fn number(database: &Database, sql: &str) -> f64 {
    use arrow::array::AsArray;
    database.sql(sql).column(0).as_primitive::<arrow::datatypes::Float64Type>().value(0)
}

/// The relation `log`: rows of one policy with what the other one would have done, and a simple reward
/// model (click rate per item and position, pulled towards the mean by 100 rows).
fn open_bandit(database: &Database, logged: &str, other: &str) {
    // Thompson sampling changes over time: the mean of its logged propensities is no distribution (they sum
    // to about 2), its average policy is how often it showed what. The uniform policy's are known.
    let target = match other {
        "random" => "any_value(propensity_score)",
        _ => "count(*) / sum(count(*)) OVER (PARTITION BY position)",
    };
    database.make(
        "log",
        &format!(
            "WITH logged AS (
                SELECT item_id, position, click, propensity_score AS propensity FROM obd WHERE behavior_policy = '{logged}'
             ),
             policy AS (
                SELECT item_id, position, {target} AS target FROM obd WHERE behavior_policy = '{other}' GROUP BY item_id, position
             ),
             mean AS (SELECT avg(click) AS rate FROM logged),
             model AS (
                SELECT item_id, position, (sum(click) + 100 * any_value(rate)) / (count(*) + 100) AS q
                FROM logged, mean GROUP BY ALL
             ),
             expected AS (
                SELECT position, sum(target * coalesce(q, rate)) AS q_target
                FROM policy LEFT JOIN model USING (item_id, position), mean GROUP BY ALL
             )
             SELECT row_number() OVER () AS query, click AS clicked, propensity, coalesce(target, 0) AS target,
                    q AS q_logged, q_target, position, item_id
             FROM logged LEFT JOIN policy USING (item_id, position) LEFT JOIN model USING (item_id, position)
             LEFT JOIN expected USING (position)"
        ),
    );
}

/// 10,000 rows per policy hold some 50 clicks: the intervals are wide, and that is what they say.
#[test]
fn one_shop_policy_is_valued_from_the_log_of_the_other() {
    let golden = include_str!("goldens/open_bandit.json");
    let golden: serde_json::Value = serde_json::from_str(golden).unwrap();
    let mut database = Database::new();
    for campaign in ["men", "women"] {
        let Some(file) = shared(&format!("data/open-bandit/obd_{campaign}.parquet")) else { return };
        database.file("obd", &file);
        for (logged, other) in [("random", "bts"), ("bts", "random")] {
            open_bandit(&database, logged, other);
            let mut asked = request(ALL);
            asked.rows.policy.reward = None;
            asked.resamples = 500;
            let table = run(&mut database, &asked);
            let expected = &golden[campaign][format!("{other}_from_{logged}")];
            for name in names(ALL) {
                close(&table, &name, expected[&name].as_f64().unwrap());
            }
            asked.rows.policy.clip = Some(5.0);
            close(&run(&mut database, &asked), "ips", expected["ips_clip_5"].as_f64().unwrap());
            let truth =
                number(&database, &format!("SELECT avg(click) FROM obd WHERE behavior_policy = '{other}'"));
            println!("{campaign}: {other} from the log of {logged}, on-policy {truth:.5}");
            for name in ["ips", "snips", "dr"] {
                let line = table.line(name).unwrap();
                let (value, lower, upper) = (line.value.unwrap(), line.lower.unwrap(), line.upper.unwrap());
                println!(
                    "  {name:5} {value:.5} [{lower:.5}, {upper:.5}], off by {:+.1} %",
                    100.0 * (value / truth - 1.0)
                );
                // The truth has an interval of its own, about +-30 %.
                assert!(lower < 1.3 * truth && upper > 0.7 * truth, "{campaign} {name}");
            }
            table.notes.iter().for_each(|note| println!("  {note}"));
        }
    }
}
