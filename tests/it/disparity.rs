//! Disparities: equal to fairlearn and to Singh & Joachims' example, silent where there is none, and
//! found where one is planted, on the side of users and on the side of suppliers.

use recscope::analysis::fairness::{Disparity, FairnessRequest, FairnessTable, Side, audit};
use recscope::analysis::metrics::{MetricsRequest, Roles, Rows};
use recscope::util::cancel::Cancel;

use crate::metrics::{chorus, golden, names, run, scored};
use crate::support::shared;
use crate::support_queries::Database;

fn audited(database: &mut Database, request: &FairnessRequest) -> FairnessTable {
    audit(database, request, &Cancel::new(), &mut |_, _| {}).unwrap()
}

fn slices(text: &str) -> Vec<Vec<String>> {
    text.split_whitespace().map(|slice| slice.split('*').map(str::to_owned).collect()).collect()
}

fn of<'t>(table: &'t FairnessTable, name: &str) -> &'t Disparity {
    table.disparities.iter().find(|disparity| disparity.name == name).unwrap()
}

#[test]
fn classification_disparities_equal_fairlearn() {
    let (Some(mut database), Some(golden)) = (scored(), golden("stats_chorus.json")) else { return };
    let Some(groups) = shared("goldens/groups.parquet") else { return };
    database.file("groups", &groups);
    database.make(
        "grouped",
        "SELECT s.*, g.\"group\" AS supplier FROM scored AS s JOIN groups AS g USING (query, docid)",
    );
    let request = FairnessRequest {
        rows: Rows { from: "grouped".into(), ..chorus("ce_l12") },
        slices: slices("supplier"),
        metric: "accuracy".into(),
        permutations: 99,
        resamples: 99,
        ..FairnessRequest::default()
    };
    let table = audited(&mut database, &request);
    for (ours, theirs) in [
        ("demographic_parity_difference", "dp_diff"),
        ("demographic_parity_ratio", "dp_ratio"),
        ("equalized_odds_difference", "eo_diff"),
        ("equalized_odds_ratio", "eo_ratio"),
    ] {
        let (value, expected) = (table.figure(ours).unwrap(), golden["fairness"][theirs].as_f64().unwrap());
        assert!((value - expected).abs() < 1e-9, "{ours} {value} is not {expected}");
    }
    let tpr: Vec<f64> = golden["fairness"]["by_group"]
        .as_object()
        .unwrap()
        .values()
        .map(|group| group["tpr"].as_f64().unwrap())
        .collect();
    let gap = tpr.iter().copied().fold(0.0, f64::max) - tpr.iter().copied().fold(1.0, f64::min);
    assert!((table.figure("equal_opportunity_difference").unwrap() - gap).abs() < 1e-9);
    for disparity in &table.disparities {
        let interval = disparity.interval.unwrap();
        let difference = disparity.difference.unwrap();
        assert!(interval.lower <= difference && difference <= interval.upper, "{disparity:?}");
        assert!(disparity.p.unwrap() <= disparity.p_adjusted.unwrap() && disparity.groups == 9);
    }
    assert_eq!(table.interval("equalized_odds_difference"), of(&table, "equalized_odds").interval);
    assert!(table.interval("max_gap").is_some() && table.interval("worst").is_none());
    table.notes.iter().for_each(|note| println!("{note}"));
    // Support counts what the rate divides by: Samsung has 65 rows, 43 positives, 22 negatives.
    let table = audited(&mut database, &FairnessRequest { min_support: 40, ..request });
    let odds = of(&table, "equalized_odds").excluded.join("\n");
    assert!(odds.contains("Samsung (fpr: 22 of the 40 negatives needed)"), "{odds}");
    assert!(!odds.contains("Samsung (recall"), "{odds}");
    assert!(of(&table, "demographic_parity").excluded.is_empty());
}

#[test]
fn a_group_without_positives_is_left_out_and_said() {
    let mut database = Database::new();
    database.make(
        "scored",
        "SELECT i AS query, i AS docid, 0.9 - 0.01 * i AS score, CASE WHEN i < 40 THEN i % 2 ELSE 0 END AS rating,
                ['a', 'b', 'none'][1 + i // 20] AS kind
         FROM range(60) AS r(i)",
    );
    let request = FairnessRequest {
        rows: chorus("score"),
        slices: slices("kind"),
        metric: "recall".into(),
        permutations: 99,
        ..FairnessRequest::default()
    };
    let table = audited(&mut database, &request);
    let opportunity = of(&table, "equal_opportunity");
    assert_eq!(opportunity.groups, 2);
    assert_eq!(opportunity.excluded, ["none (recall: no positive row, n 0)"]);
    assert!(of(&table, "demographic_parity").excluded.is_empty());
    let said = table.notes.join("\n");
    assert!(said.contains("equal opportunity") && said.contains("left out: none"), "{said}");
}

fn ranking(from: &str, gain: Option<&str>, label: Option<&str>) -> Rows {
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("query"),
        item: column("item"),
        position: column("position"),
        gain: gain.map(str::to_owned),
        label: label.map(str::to_owned),
        ..Roles::default()
    };
    Rows { from: from.into(), roles, relevant_at: 1.0, ..Rows::default() }
}

/// Singh & Joachims' measures on A, A, B, B: by hand and by position or score alike.
#[test]
fn exposure_of_two_and_two() {
    let mut database = Database::new();
    database.make(
        "log",
        "SELECT * FROM (VALUES ('q', 'w', 1, 'A', 1.0, true, 9.0), ('q', 'x', 2, 'A', 1.0, false, 8.0),
                               ('q', 'y', 3, 'B', 0.5, true, 7.0), ('q', 'z', 4, 'B', 0.5, true, 6.0)
         ) AS t(query, item, position, side, grade, clicked, score)",
    );
    let first = (1.0 + 1.0 / 3f64.log2()) / 2.0;
    let second = (0.5 + 1.0 / 5f64.log2()) / 2.0;
    assert!((first - 0.81546).abs() < 1e-5 && (second - 0.46534).abs() < 1e-5);
    let mut rows = ranking("log", Some("grade"), Some("clicked"));
    for by_score in [false, true] {
        rows.roles.score = by_score.then(|| "score".to_owned());
        let expected = [
            ("exposure", first, second),
            ("exposure_geometric", 0.75, 0.1875),
            ("exposure@3", first, 0.25),
            ("exposure_per_utility", first, second / 0.5),
            ("clicks_per_utility", 0.5, 2.0),
        ];
        for (metric, a, b) in expected {
            let request = FairnessRequest {
                rows: rows.clone(),
                slices: slices("side"),
                metric: metric.into(),
                permutations: 99,
                ..FairnessRequest::default()
            };
            let table = audited(&mut database, &request);
            for (name, expected) in [("A", a), ("B", b)] {
                let line = table.lines.iter().find(|line| line.group_name() == name).unwrap();
                assert!((line.value.unwrap() - expected).abs() < 1e-12, "{metric} {name} {line:?}");
                assert_eq!(line.n, 2);
            }
            if metric == "exposure" {
                assert!((table.figure("max_ratio").unwrap() - 1.75241).abs() < 1e-5);
                // Every item belongs to one query: there they trade places, 4 over 2 ways, 2 of them as wide.
                assert!(
                    table.notes.iter().any(|note| note.ends_with("over items within each query")),
                    "{:?}",
                    table.notes
                );
                assert!((table.figure("gap_p").unwrap() - 1.0 / 3.0).abs() < 0.15, "{:?}", table.disparities);
            }
        }
    }
    // In a metrics cell, broken down by the supplier, the same figures.
    let request = MetricsRequest {
        rows,
        show: names("exposure fair_prefix@4"),
        by: names("side"),
        ..MetricsRequest::default()
    };
    let table = run(&mut database, &request);
    assert!((table.lines[0].value.unwrap() - first).abs() < 1e-12);
    assert_eq!(table.lines.iter().filter(|line| line.metric == "fair_prefix@4").count(), 2);
}

/// Two suppliers of 20 items each per list; with `buried`, those of one stand below the others.
fn lists(database: &Database, seed: u64, buried: f64) {
    let chance = |salt: u64, keys: &str| {
        format!(
            "((md5_number_lower(concat_ws('/', {keys}, {})) >> 11)::DOUBLE / {}.0)",
            seed * 10 + salt,
            1u64 << 53
        )
    };
    let sql = format!(
        "SELECT q AS query, q % 40 AS \"user\", q * 100 + i AS item, ['big', 'small'][1 + i % 2] AS supplier, ['north', 'south'][1 + q % 2] AS region,
                1 + {grade} AS grade, {click} < 0.4 AS clicked,
                row_number() OVER (PARTITION BY q ORDER BY {order} - {buried} * (i % 2)) AS position
         FROM range(60) AS a(q), range(20) AS b(i)",
        grade = chance(1, "q, i"),
        click = chance(2, "q, i"),
        order = chance(3, "q, i"),
        buried = -buried,
    );
    database.make("log", &sql);
}

fn supplier(metric: &str) -> FairnessRequest {
    FairnessRequest {
        rows: ranking("log", Some("grade"), Some("clicked")),
        slices: slices("supplier"),
        metric: metric.into(),
        min_support: 5,
        permutations: 199,
        seed: 3,
        ..FairnessRequest::default()
    }
}

#[test]
fn a_buried_supplier_is_found_and_chance_is_not() {
    let mut database = Database::new();
    lists(&database, 1, 0.3);
    for metric in ["exposure", "exposure_geometric", "exposure_per_utility", "fair_prefix@10"] {
        let table = audited(&mut database, &FairnessRequest { resamples: 199, ..supplier(metric) });
        let worst = &table.lines[0];
        assert_eq!(
            (worst.group_name().as_str(), worst.status.as_str()),
            ("small", "worse"),
            "{metric} {worst:?}"
        );
        let gap = of(&table, "gap");
        assert!(gap.p_adjusted.unwrap() <= 0.05 && gap.interval.unwrap().lower > 0.0, "{metric} {gap:?}");
    }
    let clicks = audited(&mut database, &supplier("clicks_per_utility"));
    assert!(clicks.figure("gap_p").unwrap() > 0.05, "clicks were not touched: {:?}", clicks.disparities);
    let mut alarms = 0;
    let studies = 60;
    for seed in 10..10 + studies {
        lists(&database, seed, 0.0);
        let table = audited(&mut database, &FairnessRequest { permutations: 99, ..supplier("exposure") });
        alarms += u32::from(table.figure("gap_p_adjusted").unwrap() <= 0.05);
    }
    println!("alarms on {studies} logs without disparity: {alarms}");
    // Nominal 5 %: more than 8 of 60 would happen once in 100 times.
    assert!(alarms <= 8, "{alarms}");
}

/// A classifier that is as good everywhere: four disparities in each table, adjusted as one family.
#[test]
fn classification_without_disparity_raises_no_alarm() {
    let mut database = Database::new();
    let studies = 60;
    let mut alarms = 0u32;
    for seed in 0..studies {
        let chance = |salt: u64, keys: &str| {
            format!(
                "((md5_number_lower(concat_ws('/', {keys}, {})) >> 11)::DOUBLE / {}.0)",
                seed * 10 + salt,
                1u64 << 53
            )
        };
        // Users differ in how often they are right; a group is a matter of the user.
        database.make(
            "scored",
            &format!(
                "SELECT s AS query, s AS docid, s % 90 AS visitor, (s % 90) % 3 AS kind, {score} * 0.6 + 0.4 * ({truth})::INT * {user} AS score, ({truth})::INT AS rating
                 FROM range(540) AS a(s)",
                score = chance(1, "s"), truth = format_args!("{} < 0.4", chance(2, "s")), user = chance(3, "s % 90"),
            ),
        );
        let mut rows = chorus("score");
        rows.roles.user = Some("visitor".into());
        let request = FairnessRequest {
            rows,
            slices: slices("kind"),
            metric: "accuracy".into(),
            min_support: 10,
            permutations: 99,
            seed,
            ..FairnessRequest::default()
        };
        let table = audited(&mut database, &request);
        assert_eq!(table.disparities.len(), 4);
        let least = table.disparities.iter().filter_map(|disparity| disparity.p_adjusted).fold(1.0, f64::min);
        alarms += u32::from(least <= 0.05);
    }
    println!("alarms on {studies} classifiers without disparity: {alarms}");
    assert!(alarms <= 8, "{alarms}");
}

/// Users and suppliers side by side: a gap of the users' metric, and one of the suppliers' exposure.
#[test]
fn both_sides_of_one_log() {
    let mut database = Database::new();
    lists(&database, 2, 0.3);
    let users = audited(&mut database, &FairnessRequest { slices: slices("region"), ..supplier("ctr") });
    assert!(users.figure("gap_p").unwrap() > 0.05, "regions do not differ");
    let suppliers = audited(&mut database, &supplier("exposure"));
    assert!(suppliers.figure("gap_p").unwrap() < 0.05);
    // In one table, each side by its own metric, adjusted as one family.
    let request = FairnessRequest {
        slices: slices("region"),
        suppliers: slices("supplier supplier*region"),
        supplier_metric: "exposure".into(),
        resamples: 99,
        ..supplier("ctr")
    };
    let both = audited(&mut database, &request);
    let side = |side: Side| both.lines.iter().filter(move |line| line.side == side);
    assert_eq!((side(Side::Users).count(), side(Side::Suppliers).count()), (2, 6));
    assert_eq!(both.lines[0].side, Side::Users, "users come first");
    assert!(side(Side::Users).all(|line| line.status.as_str() == "level"));
    assert_eq!(side(Side::Suppliers).next().unwrap().group_name(), "small", "the worst supplier first");
    for name in ["max_gap", "gap_p", "p", "worst", "overall", "groups"] {
        assert_eq!(both.figure(name), users.figure(name), "{name} is the users'");
    }
    for (name, alone) in [("supplier_overall", "overall"), ("exposure", "overall")] {
        assert_eq!(both.figure(name), suppliers.figure(alone));
    }
    let alone = |slice: &str, table: &FairnessTable| {
        let found = table.disparities.iter().find(|it| it.slice == [slice]).unwrap();
        found.difference.unwrap()
    };
    assert_eq!(alone("supplier", &both), alone("supplier", &suppliers));
    assert!(both.figure("supplier_gap_p_adjusted").unwrap() < 0.05);
    assert!(both.figure("gap_p_adjusted").unwrap() >= both.figure("gap_p").unwrap());
    assert!(both.interval("supplier_max_gap").is_some());
    assert_eq!(both.line_of("supplier_worst").unwrap().group_name(), "small");
    let batch = both.to_batch().unwrap();
    let names: Vec<&str> =
        batch.schema_ref().fields().iter().take(4).map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["side", "metric", "slice", "value_of"]);
    assert!(users.to_batch().unwrap().column_by_name("side").is_none(), "one side is as it was");
    assert!(users.figure("supplier_overall").is_none());
    assert!(both.notes.iter().any(|note| note.starts_with("supplier: gap of exposure ")), "{:?}", both.notes);
    let nobody = FairnessRequest { slices: Vec::new(), ..request };
    let refused = audit(&mut database, &nobody, &Cancel::new(), &mut |_, _| {}).unwrap_err();
    assert!(refused.to_string().contains("no slice is asked for"));
}
