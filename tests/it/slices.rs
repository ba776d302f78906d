//! Slice discovery over the real store: planted slices are found, nothing is found where there is
//! nothing, and every row of the table is what its own predicate selects.

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int64Type};
use recscope::analysis::AnalysisError;
use recscope::analysis::metrics::{Roles, Rows};
use recscope::analysis::slices::{Adjustment, SliceStatus, SlicesRequest, SlicesTable, discover};
use recscope::util::cancel::Cancel;

use crate::metrics::names;
use crate::support_queries::Database;

fn run(database: &mut Database, request: &SlicesRequest) -> SlicesTable {
    discover(database, request, &Cancel::new(), &mut |_, _| {}).unwrap()
}

/// Uniform chance of some keys, in SQL. DuckDB's `hash` of small numbers is too even to stand in for it.
fn chance(seed: u64, salt: u64, keys: &str) -> String {
    let salt = seed * 100 + salt;
    format!("((md5_number_lower(concat_ws('/', {keys}, {salt})) >> 11)::DOUBLE / {}.0)", 1u64 << 53)
}

/// `searches` lists of three rows. Attributes of the search, of the row (`brand`), a text, an id, a
/// constant, NULLs. `shift` is added to the click rate where `inside`, an SQL condition, holds.
fn log(database: &Database, seed: u64, searches: u64, inside: &str, shift: f64) {
    let pick = |salt: u64, values: &str, keys: &str| {
        let count = values.matches(',').count() + 1;
        format!("[{values}][1 + floor({} * {count})::INT]", chance(seed, salt, keys))
    };
    let sql = format!(
        "SELECT *, {click} < 0.4 + CASE WHEN {inside} THEN {shift} ELSE 0 END AS clicked FROM (
            SELECT s AS search, p AS position, s * 3 + p AS item,
                {region} AS region, {device} AS device, {tier} AS tier,
                ({price} * 100)::DECIMAL(8,2) AS price,
                {brand} AS brand, 'one' AS constant, concat('id', s) AS session,
                DATE '2026-01-01' + ({day} * 90)::INT AS day,
                {words} AS query, [s] AS odd_type
            FROM range({searches}) AS a(s), range(1, 4) AS b(p))",
        click = chance(seed, 1, "search, position"),
        region = pick(2, "'north', 'south', '西', NULL", "s"),
        device = pick(3, "'phone', 'desktop', 'tab''let'", "s"),
        tier = pick(4, "1, 2, 3, 4", "s"),
        price = chance(seed, 5, "s"),
        brand = pick(6, "'nike', 'adidas', 'O''Neill'", "s, p"),
        day = chance(seed, 7, "s"),
        words = pick(8, "'red shoes', '跑鞋', 'iphone 手机壳', 'shoes size 42', 'boots', NULL", "s"),
    );
    database.make("log", &sql);
}

fn request(metric: &str) -> SlicesRequest {
    let column = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: column("search"),
        item: column("item"),
        position: column("position"),
        label: column("clicked"),
        ..Roles::default()
    };
    SlicesRequest {
        rows: Rows { from: "log".into(), roles, relevant_at: 1.0, ..Rows::default() },
        metric: metric.into(),
        text: names("query"),
        seed: 3,
        ..SlicesRequest::default()
    }
}

#[test]
fn planted_slices_are_found_first_and_confirmed() {
    let mut database = Database::new();
    for (inside, expected) in [
        ("region = 'south' AND device = 'phone'", &["device = phone", "region = south"][..]),
        ("region IS NULL AND device = 'tab''let'", &["device = tab'let", "region is NULL"]),
        ("region = '西' AND tier = 2 AND device = 'phone'", &["device = phone", "region = 西", "tier = 2"]),
        ("contains(query, '跑鞋') AND tier = 1", &["\"跑鞋\" in query", "tier = 1"]),
        ("price >= 80 AND tier = 3", &["price >= 80", "tier = 3"]),
    ] {
        log(&database, 1, 3000, inside, -0.3);
        for metric in ["ctr", "mrr"] {
            let table = run(&mut database, &request(metric));
            let first = &table.lines[0];
            let mut got: Vec<&str> = first.predicates.iter().map(String::as_str).collect();
            got.sort_unstable();
            // A slice may have several names: the edge is a quantile, and Chinese is one query here.
            let same = |a: &str, b: &str| {
                a == b
                    || (b.starts_with("price") && a.starts_with("price >= "))
                    || (b.contains("跑鞋") && (a.contains("query")))
            };
            let known = got.len() == expected.len()
                && expected.iter().all(|wanted| got.iter().any(|word| same(word, wanted)));
            assert!(known, "{metric}: {got:?} for {inside}, {:?}", table.notes);
            assert_eq!(first.status, SliceStatus::Worse, "{metric} {first:?}");
            assert!(first.held_out.p.unwrap() < 0.05 && first.p_adjusted < 0.05 && first.divergence < -0.1);
            let share: f64 = first.contributions.iter().sum();
            assert!((share - first.divergence).abs() < 1e-12, "{first:?}");
            assert!(first.contributions.iter().all(|share| *share < 0.0), "{first:?}");
            assert!(table.figure("worst_gap").unwrap() > 0.1);
            assert_eq!(table.figure("found"), Some(table.lines.len() as f64));
            assert!(table.tested >= 740, "{}", table.tested);
        }
    }
}

/// Figures equal plain SQL over the rows that the predicate selects, for every line of a wide table.
#[test]
fn every_line_is_what_its_predicate_selects() {
    let mut database = Database::new();
    log(&database, 2, 400, "region = 'south' OR tier = 1 OR brand = 'nike'", 0.3);
    let request = SlicesRequest { alpha: 0.9, min_support: 10, top: 60, ..request("ctr") };
    let table = run(&mut database, &request);
    assert!(table.lines.len() >= 5, "{:?}", table.notes);
    let kinds = ["brand", "region", "tier"];
    assert!(kinds.iter().all(|kind| table.lines.iter().any(|line| line.name().contains(kind))));
    for line in &table.lines {
        let rows = database.sql(&format!(
            "SELECT count(*) FILTER ({p}) AS n, avg(clicked::DOUBLE) FILTER ({p}) AS inside,
                    avg(clicked::DOUBLE) FILTER (({p}) IS NOT TRUE) AS rest FROM log",
            p = line.predicate
        ));
        let float = |at: usize| rows.column(at).as_primitive::<Float64Type>().value(0);
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().value(0) as u64, line.n, "{line:?}");
        assert!((float(1) - line.value).abs() < 1e-9 && (float(2) - line.rest).abs() < 1e-9, "{line:?}");
        let share: f64 = line.contributions.iter().sum();
        assert!((share - line.divergence).abs() < 1e-9);
        assert!(line.held_out.n <= line.n);
    }
    let batch = table.to_batch().unwrap();
    let columns: Vec<String> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
    let expected = "slice n value rest divergence effect p p_adjusted searched_divergence held_n held_value held_divergence held_p status contributions predicate";
    assert_eq!(columns, names(expected));
}

/// Every predicate that can be made selects the rows that it codes: with no level at all, all single
/// predicates stand in the table.
#[test]
fn single_predicates_select_their_rows() {
    let mut database = Database::new();
    log(&database, 4, 300, "FALSE", 0.0);
    database.make(
        "log",
        "SELECT *, CASE WHEN item % 7 = 0 THEN 'nan'::DOUBLE WHEN item % 7 = 1 THEN NULL ELSE price::DOUBLE / 7 END AS ratio,
                CASE search % 4 WHEN 0 THEN 'O''Neill ; -- {{k}} $k' WHEN 1 THEN '' WHEN 2 THEN 'にほん' ELSE 'тест 한국' END AS title,
                TIMESTAMP '2026-01-01' + INTERVAL 5 HOUR * (search % 97) AS at
         FROM (FROM log)",
    );
    let request = SlicesRequest {
        depth: 1,
        min_support: 2,
        alpha: 1.0 - 1e-12,
        text: names("query title"),
        over: names("region device tier price brand session day ratio title at"),
        top: 10_000,
        ..request("ctr")
    };
    let table = run(&mut database, &request);
    let all: Vec<String> = table.lines.iter().map(|line| line.name()).collect();
    for line in &table.lines {
        let rows = database.sql(&format!("SELECT count(*) AS n FROM log WHERE {}", line.predicate));
        assert_eq!(rows.column(0).as_primitive::<Int64Type>().value(0) as u64, line.n, "{line:?} {all:?}");
    }
    assert!(!table.lines.is_empty());
    println!("{all:?}");
}

#[test]
fn null_data_give_nothing() {
    let mut database = Database::new();
    let (mut alarms, mut confirmed) = (0, 0);
    for seed in 0..12 {
        log(&database, 100 + seed, 1000, "FALSE", 0.0);
        let table = run(&mut database, &SlicesRequest { seed, min_support: 16, ..request("mrr") });
        assert!(table.tested >= 740, "{} {:?}", table.tested, table.notes);
        alarms += u32::from(!table.lines.is_empty());
        confirmed += table.figure("confirmed").unwrap() as u32;
        assert_eq!(table.figure("worst_gap"), Some(0.0), "nothing confirmed: no gap was found");
    }
    // Nominal 5 %; the level itself is simulated in `analysis::slices::simulation`.
    assert!(alarms <= 2 && confirmed == 0, "{alarms} {confirmed}");
}

#[test]
fn what_cannot_be_sliced_by_is_said() {
    let mut database = Database::new();
    log(&database, 5, 400, "FALSE", 0.0);
    let table = run(&mut database, &request("mrr"));
    let notes = table.notes.join("\n");
    for wanted in [
        "not sliced by brand: changes within a list",
        "constant: the same everywhere",
        "odd_type: of type BIGINT[]",
        "session: no value in 50 rows",
        "clicked: an outcome",
        "position: what lists are ordered by",
        "search, item: names single queries, items or users",
        "queries as witnesses: 200 searched, 200 held out",
        "(Benjamini-Hochberg over all of them)",
    ] {
        assert!(notes.contains(wanted), "{wanted} is not in\n{notes}");
    }
    let error = |request: SlicesRequest| {
        let error = discover(&mut Database::new(), &request, &Cancel::new(), &mut |_, _| {});
        error.unwrap_err().to_string()
    };
    assert!(error(SlicesRequest { depth: 4, ..request("mrr") }).contains("1 to 3 predicates"));
    assert!(error(SlicesRequest { alpha: 0.0, ..request("mrr") }).contains("alpha is 0"));
    let mut error = |request: SlicesRequest| {
        let error = discover(&mut database, &request, &Cancel::new(), &mut |_, _| {}).unwrap_err();
        (error.to_string(), error.hint().unwrap_or_default().to_owned())
    };
    let (what, hint) = error(SlicesRequest { over: names("regoin"), ..request("mrr") });
    assert!(what.contains("no column regoin") && hint.contains("region"), "{what} {hint}");
    let (what, _) = error(SlicesRequest { over: names("clicked"), ..request("ctr") });
    assert!(what.contains("ctr is made of clicked"), "{what}");
    let (what, _) = error(SlicesRequest { text: names("tier"), ..request("ctr") });
    assert!(what.contains("tier is no text"), "{what}");
    for metric in ["coverage", "diversity.seed_sum"] {
        assert!(error(request(metric)).0.contains("no value per list or row"), "{metric}");
    }
    let cancel = Cancel::new();
    cancel.cancel();
    let cancelled = discover(&mut database, &request("ctr"), &cancel, &mut |_, _| {});
    assert_eq!(cancelled.unwrap_err(), AnalysisError::Cancelled);
}

/// One query, no value at all, no rows, ten thousand values, nothing to slice by: defined, and said.
#[test]
fn odd_data_are_answered() {
    let mut database = Database::new();
    log(&database, 6, 1, "FALSE", 0.0);
    for metric in ["ctr", "mrr", "ndcg@3"] {
        let table = run(&mut database, &SlicesRequest { min_support: 1, ..request(metric) });
        assert!(table.lines.is_empty() && table.tested == 0, "{metric}");
        assert_eq!(table.figure("found"), None, "nothing was tested: n/a, not 0");
        assert!(table.notes.iter().any(|note| note.contains("too few to compare")), "{:?}", table.notes);
    }
    let nothing = SlicesRequest {
        rows: Rows { filter: Some("FALSE".into()), ..request("ctr").rows },
        ..request("ctr")
    };
    let table = run(&mut database, &nothing);
    assert_eq!((table.overall, table.lines.len()), (None, 0));
    assert!(table.notes.iter().any(|note| note.contains("no value in any")), "{:?}", table.notes);
}

#[test]
fn ten_thousand_values_keep_the_frequent_ones() {
    let mut database = Database::new();
    let clicks = chance(1, 1, "r");
    database.make(
        "log",
        &format!(
            "SELECT r AS search, 1 AS position, r AS item,
                    CASE WHEN r % 10 = 0 THEN 'big' ELSE concat('b', r % 10000) END AS brand,
                    {clicks} < CASE WHEN r % 10 = 0 THEN 0.7 ELSE 0.4 END AS clicked
             FROM range(20000) AS a(r)"
        ),
    );
    let table = run(&mut database, &SlicesRequest { text: vec![], ..request("ctr") });
    assert_eq!(table.lines[0].predicates, ["brand = big"]);
    assert_eq!(table.lines[0].status, SliceStatus::Better);
    let table = run(&mut database, &SlicesRequest { min_support: 2, text: vec![], ..request("ctr") });
    assert!(table.notes.iter().any(|note| note.contains("100 most frequent values")), "{:?}", table.notes);
}

/// Rows of one user resemble each other: users are the witnesses where queries are their sessions.
#[test]
fn witnesses_are_users_queries_or_rows() {
    let mut database = Database::new();
    log(&database, 8, 600, "FALSE", 0.0);
    database.make("log", "SELECT *, search // 3 AS \"user\" FROM (FROM log)");
    let witnesses = |request: &SlicesRequest, database: &mut Database| {
        let table = run(database, request);
        table.notes.iter().find(|note| note.contains("as witnesses")).unwrap().clone()
    };
    for metric in ["ctr", "mrr"] {
        let mut request = request(metric);
        assert!(witnesses(&request, &mut database).contains("queries as witnesses: 300 searched"));
        request.rows.roles.user = Some("user".into());
        assert!(witnesses(&request, &mut database).contains("users as witnesses: 100 searched"));
    }
    let mut request = request("ctr");
    request.rows.roles.query = None;
    assert!(witnesses(&request, &mut database).contains("rows as witnesses: 900 searched"));
}

/// Where tests may depend in any way: stricter, never looser.
#[test]
fn yekutieli_is_stricter() {
    let mut database = Database::new();
    log(&database, 9, 1500, "region = 'south' AND tier = 2", -0.3);
    let loose = run(&mut database, &request("ctr"));
    let strict = run(&mut database, &SlicesRequest { adjustment: Adjustment::Yekutieli, ..request("ctr") });
    assert_eq!(loose.tested, strict.tested);
    assert!(strict.significant < loose.significant && strict.significant > 0);
    assert!(strict.lines[0].p_adjusted > loose.lines[0].p_adjusted);
    assert!(strict.notes[0].contains("Benjamini-Yekutieli"));
}

/// The same data and seed give the same table, whatever order the rows come in.
#[test]
fn the_order_of_rows_does_not_matter() {
    let mut database = Database::new();
    log(&database, 10, 800, "region = 'south'", -0.2);
    let first = run(&mut database, &request("mrr"));
    database.make("log", "SELECT * FROM (FROM log) ORDER BY md5(concat(search, position))");
    let second = run(&mut database, &request("mrr"));
    assert_eq!(first.lines.len(), second.lines.len());
    assert!(!first.lines.is_empty());
    for (a, b) in first.lines.iter().zip(&second.lines) {
        assert_eq!((a.name(), a.n, a.held_out.n), (b.name(), b.n, b.held_out.n));
        assert!((a.p - b.p).abs() < 1e-12);
    }
}
