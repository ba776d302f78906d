//! Audits: equal to fairlearn, silent on data without disparity, loud on a planted gap.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use recscope::analysis::fairness::{FairnessRequest, FairnessTable, Status, audit};
use recscope::analysis::metrics::{Roles, Rows};
use recscope::util::cancel::Cancel;

use crate::metrics::{chorus, golden, names, scored};
use crate::support::shared;
use crate::support_queries::Database;

fn run(database: &mut Database, request: &FairnessRequest) -> FairnessTable {
    audit(database, request, &Cancel::new(), &mut |_, _| {}).unwrap()
}

fn slices(text: &str) -> Vec<Vec<String>> {
    text.split_whitespace().map(|slice| slice.split('*').map(str::to_owned).collect()).collect()
}

#[test]
fn group_figures_equal_fairlearn() {
    let (Some(mut database), Some(golden)) = (scored(), golden("stats_chorus.json")) else { return };
    let Some(groups) = shared("goldens/groups.parquet") else { return };
    database.file("groups", &groups);
    database.make(
        "grouped",
        "SELECT s.*, g.\"group\" AS supplier FROM scored AS s JOIN groups AS g USING (query, docid)",
    );
    let expected = golden["fairness"]["by_group"].as_object().unwrap();
    let mut gaps = Vec::new();
    for (theirs, ours) in
        [("selection_rate", "selection_rate"), ("tpr", "recall"), ("fpr", "fpr"), ("accuracy", "accuracy")]
    {
        let request = FairnessRequest {
            rows: Rows { from: "grouped".into(), ..chorus("ce_l12") },
            slices: slices("supplier"),
            metric: ours.into(),
            permutations: 19,
            ..FairnessRequest::default()
        };
        let table = run(&mut database, &request);
        assert_eq!(table.lines.len(), expected.len());
        for line in &table.lines {
            let expected = expected[&line.group_name()][theirs].as_f64().unwrap();
            // The golden is printed with ten digits.
            assert!(
                (line.value.unwrap() - expected).abs() < 1e-9,
                "{theirs} {}: {:?}",
                line.group_name(),
                line.value
            );
        }
        gaps.push(table.figure("max_gap").unwrap());
        if theirs == "selection_rate" {
            let ratio = table.figure("min_ratio").unwrap();
            assert!((ratio - golden["fairness"]["dp_ratio"].as_f64().unwrap()).abs() < 1e-9);
        }
    }
    assert!((gaps[0] - golden["fairness"]["dp_diff"].as_f64().unwrap()).abs() < 1e-9);
    let equalized = gaps[1].max(gaps[2]);
    assert!((equalized - golden["fairness"]["eo_diff"].as_f64().unwrap()).abs() < 1e-9);
}

/// 240 searches of 80 users, five rows each; relevance is chance, with a share that `shift` raises
/// or lowers in the south. Pure SQL arithmetic: the same on every machine.
fn log(database: &Database, seed: u64, shift: f64) {
    // DuckDB's `hash` of small numbers is too even to stand in for chance: it makes tests look better
    // than they are.
    let chance = |salt: u64, keys: &str| {
        let salt = seed * 10 + salt;
        format!("((md5_number_lower(concat_ws('/', {keys}, {salt})) >> 11)::DOUBLE / {}.0)", 1u64 << 53)
    };
    let sql = format!(
        "SELECT s AS query, s % 80 AS \"user\", p AS position, md5_number_lower(concat_ws('/', s, p, {seed})) % 60 AS item,
                ['north', 'south', 'east', '西', NULL][1 + (s % 80 % 5)] AS region,
                ['phone', 'desktop'][1 + ({device} < 0.5)::INT] AS device,
                {noise} < 0.3 + 0.4 * {user} + CASE WHEN s % 80 % 5 = 1 THEN {shift} ELSE 0 END AS clicked
         FROM range(240) AS a(s), range(1, 6) AS b(p)",
        device = chance(1, "s"),
        noise = chance(2, "s, p"),
        user = chance(3, "s % 80"),
    );
    database.make("log", &sql);
}

fn log_request(metric: &str, by: &str) -> FairnessRequest {
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("query"),
        item: column("item"),
        user: column("user"),
        position: column("position"),
        label: column("clicked"),
        ..Roles::default()
    };
    FairnessRequest {
        rows: Rows { from: "log".into(), roles, relevant_at: 1.0, ..Rows::default() },
        slices: slices(by),
        metric: metric.into(),
        min_support: 5,
        permutations: 199,
        seed: 5,
        ..FairnessRequest::default()
    }
}

/// Users differ, so a test over rows would cry wolf; over users it must keep to its level.
#[test]
fn no_disparity_raises_no_alarm() {
    let mut database = Database::new();
    let studies = 120;
    let (mut alarms, mut single) = (0, 0);
    for seed in 0..studies {
        log(&database, seed, 0.0);
        let table = run(&mut database, &log_request("ctr", "region"));
        alarms += u32::from(table.figure("p_adjusted").unwrap() <= 0.05);
        single += table.lines.iter().filter(|line| line.p.unwrap() <= 0.05).count();
    }
    let (family, each) = (f64::from(alarms) / studies as f64, single as f64 / (5 * studies) as f64);
    println!("tables with an alarm {family:.3}, groups with p <= 0.05 {each:.3}");
    // Nominal 5 %; three standard errors of 120 studies are 6 %.
    assert!(family <= 0.10, "{family}");
    assert!((0.02..=0.08).contains(&each), "{each}");
}

#[test]
fn a_planted_gap_is_found_and_its_rows_too() {
    let mut database = Database::new();
    log(&database, 1, -0.35);
    for metric in ["ctr", "precision@5", "mrr"] {
        let request = FairnessRequest {
            resamples: 200,
            permutations: 999,
            ..log_request(metric, "region device region*device")
        };
        let table = run(&mut database, &request);
        let worst = &table.lines[0];
        assert!(worst.group[0].as_deref() == Some("south"), "{metric}: {worst:?}");
        assert_eq!(worst.status, Status::Worse);
        let region = table.lines.iter().find(|line| line.slice == ["region"]).unwrap();
        assert_eq!((region.group_name().as_str(), region.status), ("south", Status::Worse));
        assert!(
            region.lower.unwrap() < region.value.unwrap() && region.value.unwrap() < region.upper.unwrap()
        );
        let rows = database.sql(&format!("SELECT count(*) AS n FROM log WHERE {}", region.predicate));
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().value(0), 240);
        assert!(table.figure("max_gap").unwrap() > 0.1 && table.figure("p_adjusted").unwrap() < 0.05);
        let device = table.lines.iter().filter(|line| line.slice == ["device"]);
        assert!(
            device.clone().count() == 2 && device.clone().all(|line| line.status == Status::Level),
            "{metric}"
        );
        let null = table.lines.iter().find(|line| line.group == [None]).unwrap();
        assert_eq!(null.predicate, "\"region\" IS NULL");
        assert!(
            table.notes.iter().any(|note| note.contains("region: p from permuting groups over users")),
            "{:?}",
            table.notes
        );
        let batch = table.to_batch().unwrap();
        let columns: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(columns, names("slice value_of n value lower upper delta p p_adjusted status predicate"));
    }
}

#[test]
fn slices_of_items_and_of_rows_are_permuted_as_what_they_are() {
    let mut database = Database::new();
    log(&database, 2, 0.0);
    database.make("with_supplier", "SELECT *, item % 4 AS supplier, position % 2 AS odd FROM log");
    for (slice, metric, over) in [
        ("supplier", "ctr", "over items"),
        ("supplier", "ndcg@3", "over lists within each query"),
        ("odd", "ctr", "over lists within each query"),
        ("device", "ctr", "over queries"),
        ("region", "auc", "over users"),
        ("supplier", "auc", "over items"),
        ("region", "coverage", "over users"),
    ] {
        let mut request = log_request(metric, slice);
        request.rows.from = "with_supplier".into();
        request.permutations = 99;
        if metric == "auc" {
            request.rows.roles.score = Some("position".into());
        }
        let table = run(&mut database, &request);
        assert!(table.notes.iter().any(|note| note.ends_with(over)), "{slice} {metric}: {:?}", table.notes);
        assert!(table.lines.iter().all(|line| line.p.is_some()), "{slice} {metric}");
    }
}

#[test]
fn small_and_impossible_groups_are_listed_without_figures() {
    let mut database = Database::new();
    database.make(
        "scored",
        "SELECT i AS query, i AS docid, 0.9 - 0.001 * i AS score, CASE WHEN i < 40 THEN i % 2 ELSE 0 END AS rating,
                CASE WHEN i < 20 THEN 'a' WHEN i < 40 THEN 'b' WHEN i < 60 THEN 'no positives' ELSE 'tiny' END AS kind
         FROM range(62) AS r(i)",
    );
    let request = FairnessRequest {
        rows: chorus("score"),
        slices: slices("kind"),
        metric: "recall".into(),
        min_support: 0,
        permutations: 99,
        ..FairnessRequest::default()
    };
    let table = run(&mut database, &request);
    let line = table.lines.iter().find(|line| line.group_name() == "no positives").unwrap();
    assert_eq!(
        (line.status, line.value, line.n),
        (Status::NotAvailable, None, 0),
        "not 0.0, as fairlearn says"
    );
    let table =
        run(&mut database, &FairnessRequest { metric: "accuracy".into(), min_support: 10, ..request });
    let tiny = table.lines.last().unwrap();
    assert_eq!((tiny.status, tiny.value, tiny.p, tiny.n), (Status::BelowSupport, None, None, 2));
    assert!(table.notes.iter().any(|note| note.contains("below support")), "{:?}", table.notes);
    assert_eq!(table.figure("below_support"), Some(1.0));
    assert!(
        audit(
            &mut database,
            &FairnessRequest { slices: vec![], ..log_request("ctr", "x") },
            &Cancel::new(),
            &mut |_, _| {}
        )
        .is_err()
    );
}
