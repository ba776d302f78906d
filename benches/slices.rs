//! Slice discovery over generated click logs: seconds, slices per second and peak memory for 100,000 and
//! 1,000,000 rows with 20 attributes (1,350 sets of up to three columns), and DuckDB's GROUPING SETS
//! counting a sample of the same sets on the same codes, multiplied up, which is said in its line.
//!
//! Arguments (after `--`): numbers of rows instead of those (10M and 100k are understood), and `--peer
//! PYTHON` for DivExplorer from that interpreter on the 100,000 rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Instant;

use recscope::analysis::metrics::{Roles, Rows};
use recscope::analysis::slices::{SlicesRequest, discover};
use recscope::analysis::{Bindings, Queries, SqlValue};
use recscope::util::cancel::Cancel;

#[allow(dead_code)] // Tests use more of it.
#[path = "../tests/it/support_queries.rs"]
mod support_queries;
use support_queries::Database;

const ATTRIBUTES: usize = 20;
/// Sets of one, two and three columns.
const SETS: usize = 20 + 190 + 1140;
/// Of them, counted in SQL.
const SAMPLE: usize = 27;
/// DuckDB's limit, in bytes.
const MEMORY: u64 = 2 << 30;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked: Vec<u64> = arguments.iter().filter_map(|argument| rows(argument)).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!(
        "slices: {ATTRIBUTES} attributes, depth 3, {SETS} sets of columns, {cores} cores (the search uses one)"
    );
    for rows in if asked.is_empty() { vec![100_000, 1_000_000] } else { asked } {
        let mut database = Database::with(MEMORY, cores);
        generate(&database, rows);
        let ours = search(&mut database, rows);
        let theirs = grouping_sets(&database);
        println!("  DuckDB with sums by query / ours, everything included: {:.1}x", theirs / ours);
    }
    if let Some(python) = arguments.iter().position(|a| a == "--peer").and_then(|at| arguments.get(at + 1)) {
        peer(python);
    }
}

/// `10M`, `100k`, `5000`.
fn rows(argument: &str) -> Option<u64> {
    let (digits, factor) = match argument.strip_suffix(['M', 'k']) {
        Some(digits) => (digits, if argument.ends_with('M') { 1_000_000 } else { 1_000 }),
        None => (argument, 1),
    };
    digits.parse::<u64>().ok().map(|number| number * factor)
}

/// Ten rows to a query; half of the attributes belong to the query, half to the row; 2 to 12 values each,
/// the first ones more frequent. Clicks are rarer in one slice of three predicates.
fn generate(database: &Database, rows: u64) {
    let attribute = |number: usize| {
        let values = 2 + number * 10 / (ATTRIBUTES - 1);
        let owner = if number.is_multiple_of(2) { "r // 10" } else { "r" };
        let chance = chance(&format!("{owner}, {number}"));
        format!("concat('v', floor(pow({chance}, 1.5) * {values})::INT) AS c{number}")
    };
    let columns: Vec<String> = (0..ATTRIBUTES).map(attribute).collect();
    let sql = format!(
        "SELECT *, {} < CASE WHEN c4 = 'v0' AND c7 = 'v1' AND c10 = 'v2' THEN 0.1 ELSE 0.25 END AS clicked
         FROM (SELECT r // 10 AS query, r, {} FROM range({rows}) AS a(r))",
        chance("r, 'click'"),
        columns.join(", ")
    );
    database.make("log", &sql);
}

fn chance(keys: &str) -> String {
    format!("((md5_number_lower(concat_ws('/', {keys})) >> 11)::DOUBLE / {}.0)", 1u64 << 53)
}

fn search(database: &mut Database, rows: u64) -> f64 {
    let roles = Roles { query: Some("query".into()), label: Some("clicked".into()), ..Roles::default() };
    let request = SlicesRequest {
        rows: Rows { from: "log".into(), roles, relevant_at: 1.0, ..Rows::default() },
        metric: "ctr".into(),
        over: (0..ATTRIBUTES).map(|number| format!("c{number}")).collect(),
        ..SlicesRequest::default()
    };
    let before = forget_peak();
    let began = Instant::now();
    // When each thousandth of the work was done.
    let mut marks = vec![(0, 0.0)];
    let table = discover(database, &request, &Cancel::new(), &mut |done, _| {
        marks.push((done, began.elapsed().as_secs_f64()));
    })
    .unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let at = |step: u64| marks.iter().find(|(done, _)| *done >= step).map_or(0.0, |(_, at)| *at);
    println!(
        "{rows} rows: {seconds:.2} s ({:.2} reading, coding, measuring; {:.2} searching; {:.2} pruning, confirming)",
        at(250),
        at(900) - at(250),
        seconds - at(900)
    );
    println!(
        "  {} slices tested, {:.0} slices/s; peak {} MB ({} MB before, DuckDB's limit is {} MB)",
        table.tested,
        table.tested as f64 / seconds,
        peak() >> 20,
        before >> 20,
        MEMORY >> 20
    );
    let first = table.lines.first().map_or("nothing".to_owned(), |line| line.name());
    println!(
        "  first: {first}; {} shown, {} significant, {} pruned",
        table.lines.len(),
        table.significant,
        table.pruned
    );
    let mut expected = ["c10 = v2", "c4 = v0", "c7 = v1"].map(str::to_owned).to_vec();
    let mut got = table.lines.first().map(|line| line.predicates.clone()).unwrap_or_default();
    got.sort();
    expected.sort();
    assert_eq!(got, expected, "the planted slice comes first");
    seconds
}

/// The same counts in SQL for a sample of the sets of three; seconds for all sets with sums by query, which
/// the test needs.
fn grouping_sets(database: &Database) -> f64 {
    let codes: Vec<String> = (0..ATTRIBUTES).map(|n| format!("substr(c{n}, 2)::UTINYINT AS c{n}")).collect();
    let coded = format!(
        "SELECT query, {}, clicked::DOUBLE - 0.25 AS e FROM log WHERE query % 2 = 0",
        codes.join(", ")
    );
    database.make("coded", &coded);
    let mut sets = Vec::new();
    for a in 0..ATTRIBUTES {
        for b in a + 1..ATTRIBUTES {
            sets.extend((b + 1..ATTRIBUTES).map(|c| format!("c{a}, c{b}, c{c}")));
        }
    }
    let sample = |count: usize| -> Vec<String> { sets.iter().step_by(sets.len() / count).cloned().collect() };
    let plain = sample(SAMPLE);
    let sql = format!(
        "SELECT count(*) AS slices, sum(n)::BIGINT AS n FROM (
            SELECT count(*) AS n, sum(e) AS e, sum(e * e) AS ee FROM coded
            GROUP BY GROUPING SETS ({}) HAVING count(*) >= 25)",
        plain.iter().map(|set| format!("({set})")).collect::<Vec<_>>().join(", ")
    );
    timed(database, "GROUPING SETS, sums over rows only", plain.len(), &[sql]);
    let by_query: Vec<String> = sample(SAMPLE / 3)
        .into_iter()
        .map(|set| {
            format!(
                "SELECT count(*) AS slices FROM (
                    SELECT sum(n) AS n, sum(e) AS e, sum(e * e) AS ee
                    FROM (SELECT {set}, count(*) AS n, sum(e) AS e FROM coded GROUP BY {set}, query)
                    GROUP BY {set} HAVING sum(n) >= 25)"
            )
        })
        .collect();
    timed(database, "one statement per set, sums by query as the test needs", by_query.len(), &by_query)
}

fn timed(database: &Database, what: &str, sets: usize, statements: &[String]) -> f64 {
    let before = forget_peak();
    let began = Instant::now();
    statements.iter().for_each(|sql| drop(database.sql(sql)));
    let seconds = began.elapsed().as_secs_f64();
    let all = seconds * SETS as f64 / sets as f64;
    println!(
        "  DuckDB, {what}: {seconds:.2} s for {sets} of the {SETS} sets, {all:.1} s multiplied up; peak {} MB ({} before)",
        peak() >> 20,
        before >> 20
    );
    all
}

/// DivExplorer (pip install divexplorer) on the same kind of data, at the support of one in a hundred that
/// it can bear; ours at the same support beside it.
fn peer(python: &str) {
    let rows = 100_000;
    let folder = std::env::temp_dir().join(format!("recscope-slices-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("log.parquet");
    let mut database = Database::with(MEMORY, 2);
    generate(&database, rows);
    let path = SqlValue::Text(file.to_string_lossy().into_owned());
    database.run("demo/write", &Bindings::new().ident("rel", "log").value("path", path)).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/divergence.py");
    let out = std::process::Command::new(python).arg(script).arg(&file).output().unwrap();
    let _ = std::fs::remove_dir_all(&folder);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    let theirs: f64 = said.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(f64::NAN);
    let ours = search(&mut database, rows);
    println!(
        "  DivExplorer {rows} rows: {}{}",
        said.trim(),
        String::from_utf8_lossy(&out.stderr).lines().last().unwrap_or("")
    );
    println!("  DivExplorer / ours: {:.1}x", theirs / ours);
}

fn status(key: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) << 10
}

/// The largest resident memory since [`forget_peak`], in bytes.
fn peak() -> u64 {
    status("VmHWM:")
}

/// Starts the peak anew; the resident memory now.
fn forget_peak() -> u64 {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    status("VmRSS:")
}
