//! nDCG@10, MRR, MAP, P@10 and R@10 with every query's values, from files to numbers: `recscope eval` beside
//! ranx and pytrec_eval on one Parquet file of judged rows, and beside pytrec_eval and trec_eval (where that
//! is on the PATH) on a run and its judgments as TREC's text, in turns; two Parquet files beside the one. Prints seconds, rows
//! a second, peak memory, the ratio, and the largest difference of any query's value.
//!
//! Ours is timed as a whole process, started anew each time; the peers inside of theirs, after their
//! imports and, for ranx, after numba has compiled.
//!
//! Arguments (after `--`): `--rows 1M,10M,100M` (default 1M), `--rounds N` (default 3), `--no-peers`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod apart;
mod peers;
mod two;
mod values;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use recscope::util::figures;

const MEASURES: &str = "ndcg@10,mrr,map,precision@10,recall@10";
/// Peers beyond this many rows take minutes and more memory than there is.
const MOST_FOR_PEERS: u64 = 10_000_000;
/// What DuckDB may hold in memory; the rest spills.
const SETTINGS: &str = "[engine]\nmemory = \"2GB\"\n";

/// One contestant's best round.
pub struct Timed {
    pub name: String,
    pub seconds: f64,
    pub rss: u64,
    pub notes: String,
    pub values: PathBuf,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == apart::FLAG) {
        return apart::main(&arguments[1..]);
    }
    let after =
        |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).cloned();
    let sizes = after("--rows").unwrap_or("1M".into());
    let rounds = after("--rounds").and_then(|n| n.parse().ok()).unwrap_or(3);
    let python = if arguments.iter().any(|a| a == "--no-peers") { None } else { peers::install() };
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("warm-up.parquet");
    make(&small, 1_000);
    for rows in sizes.split(',').map(count) {
        let file = folder.path().join("judged.parquet");
        make(&file, rows);
        println!(
            "\n{} judged rows, {} queries",
            figures::thousands(rows as i128),
            figures::thousands(rows as i128 / 100)
        );
        let python = python.as_deref().filter(|_| rows <= MOST_FOR_PEERS);
        table(&contest(&file, &small, python, rounds), rows);
        two::contest(&file, &small, python, rounds, rows);
        std::fs::remove_file(&file).unwrap();
    }
    ExitCode::SUCCESS
}

fn count(text: &str) -> u64 {
    let text = text.trim().to_lowercase();
    let (digits, factor) = match text.strip_suffix('m') {
        Some(digits) => (digits, 1_000_000),
        None => text.strip_suffix('k').map_or((text.as_str(), 1), |digits| (digits, 1_000)),
    };
    digits.parse::<u64>().expect("--rows 1M,10M") * factor
}

fn make(file: &Path, rows: u64) {
    let statement = include_str!("judged.sql")
        .replace("$rows", &rows.to_string())
        .replace("$file", &format!("'{}'", file.display()));
    duckdb::Connection::open_in_memory().unwrap().execute_batch(&statement).unwrap();
}

/// Every contestant in turns; the best round of each.
fn contest(file: &Path, small: &Path, python: Option<&Path>, rounds: u32) -> Vec<Timed> {
    in_turns(rounds, || {
        let mut round = vec![ours(file)];
        round.extend(
            ["ranx", "pytrec_eval"].into_iter().filter_map(|peer| peer_of(python, peer, file, small)),
        );
        round
    })
}

/// A peer's round; says why there is none.
fn peer_of(python: Option<&Path>, peer: &str, file: &Path, small: &Path) -> Option<Timed> {
    let timed = peers::run(python?, peer, file, small);
    timed.inspect_err(|why| println!("{peer}: {why}")).ok()
}

/// The best round of each.
fn in_turns(rounds: u32, mut round: impl FnMut() -> Vec<Timed>) -> Vec<Timed> {
    let mut best: Vec<Timed> = Vec::new();
    for _ in 0..rounds {
        for timed in round() {
            match best.iter_mut().find(|known| known.name == timed.name) {
                Some(known) if known.seconds <= timed.seconds => {}
                Some(known) => *known = timed,
                None => best.push(timed),
            }
        }
    }
    best
}

/// `recscope eval`, exec to exit.
fn ours(file: &Path) -> Timed {
    run_ours("recscope eval", file, &["--run".as_ref(), file.as_os_str()])
}

fn run_ours(name: &str, file: &Path, inputs: &[&OsStr]) -> Timed {
    let (values, settings) = (file.with_extension("recscope.json"), file.with_extension("toml"));
    let report = file.with_extension("report");
    std::fs::write(&settings, SETTINGS).unwrap();
    let mut command = apart::command(&report, env!("CARGO_BIN_EXE_recscope").as_ref());
    command
        .args(["eval", "--convention", "trec", "--resamples", "0", "--per-query", "--format", "json"])
        .args(["--measures", MEASURES])
        .args(inputs)
        .env("RECSCOPE_CONFIG", settings)
        .stdout(std::fs::File::create(&values).unwrap())
        .stderr(Stdio::null());
    assert!(command.status().unwrap().success(), "recscope eval failed");
    let (seconds, rss) = apart::read(&report);
    Timed { name: name.into(), seconds, rss, notes: String::new(), values }
}

fn table(timed: &[Timed], rows: u64) {
    println!(
        "{:24} {:>9} {:>13} {:>9} {:>9}  {:>10}",
        "", "seconds", "rows/s", "memory", "ratio", "difference"
    );
    let Some(ours) = timed.first() else { return };
    for one in timed {
        let ratio =
            if one.name == ours.name { String::new() } else { format!("{:.1}x", one.seconds / ours.seconds) };
        let difference = if one.name == ours.name {
            String::new()
        } else {
            values::largest_difference(&ours.values, &one.values)
                .map_or_else(|why| why, |d| format!("{d:.1e}"))
        };
        println!(
            "{:24} {:>9.2} {:>13} {:>9} {ratio:>9}  {difference:>10}  {}",
            one.name,
            one.seconds,
            figures::thousands((rows as f64 / one.seconds) as i128),
            figures::bytes(one.rss),
            one.notes
        );
    }
}
