//! The soak: everything that may happen to the program at a bad moment, seeded and bounded. A few rounds of
//! each row are tests; `make soak ARGS="--rounds 500 --seed 7 --only kill-screen"` runs as many as wanted
//! and prints a table. A round's seed is `seed + number of the round`, so a failure is repeated with
//! `--rounds 1 --seed THAT`.

mod disk;
mod events;
mod files;
mod kills;
mod reports;
mod signals;
pub mod stage;
mod statements;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use recscope::util::supervised::said;

/// What is tried, and once more with every seed.
struct Row {
    name: &'static str,
    /// One round; `Err` is what went wrong, `Ok(false)` where it cannot be tried on this machine.
    round: fn(u64) -> Result<bool, String>,
    what: &'static str,
}

const ROWS: &[Row] = &[
    Row { name: "events", round: events::round, what: "5,000 random events to update and view" },
    Row { name: "reports", round: reports::round, what: "hostile bytes from the terminal" },
    Row { name: "kill-screen", round: kills::screen, what: "kill -9 of the screen while typing" },
    Row { name: "kill-engine", round: kills::engine, what: "kill -9 of the engine while it runs" },
    Row { name: "orphan", round: kills::orphan, what: "an engine whose screen was killed" },
    Row { name: "drop", round: signals::dropped, what: "a dropped line" },
    Row { name: "signal", round: signals::ending, what: "TERM, HUP, INT, QUIT, ABRT" },
    Row { name: "stop", round: signals::stopped, what: "TSTP and CONT, XFSZ" },
    Row { name: "headless", round: signals::headless, what: "signals to `run`" },
    Row { name: "disk", round: disk::limited, what: "a limit of file sizes (SIGXFSZ)" },
    Row { name: "tmpfs", round: disk::full, what: "a disk that is full" },
    Row { name: "files", round: files::round, what: "a mutated file of every kind" },
    Row { name: "sql", round: statements::round, what: "hostile statements" },
];

/// What one row came to.
struct Tally {
    tried: u32,
    skipped: u32,
    failed: Vec<(u64, String)>,
}

fn run(row: &Row, seed: u64, rounds: u32) -> Tally {
    let mut tally = Tally { tried: 0, skipped: 0, failed: Vec::new() };
    for seed in (seed..).take(rounds as usize) {
        let result = catch_unwind(AssertUnwindSafe(|| (row.round)(seed)));
        match result.unwrap_or_else(|panic| Err(said(&*panic))) {
            Ok(true) => tally.tried += 1,
            Ok(false) => tally.skipped += 1,
            Err(why) => {
                tally.tried += 1;
                println!("{} --seed {seed}: {why}", row.name);
                tally.failed.push((seed, why));
            }
        }
    }
    tally
}

fn few(name: &str, rounds: u32) {
    let row = ROWS.iter().find(|row| row.name == name).unwrap();
    let tally = run(row, 1, rounds);
    assert!(tally.failed.is_empty(), "{:?}", tally.failed);
}

#[test]
fn soak_events() {
    few("events", 4);
}

#[test]
fn soak_pty_reports() {
    few("reports", 1);
}

#[test]
fn soak_pty_kills() {
    few("kill-screen", 2);
    few("kill-engine", 1);
    few("orphan", 1);
}

#[test]
fn soak_pty_signals() {
    few("drop", 1);
    few("signal", 5);
    few("stop", 1);
    few("headless", 4);
}

#[test]
fn soak_pty_disk() {
    few("disk", 2);
    few("tmpfs", 1);
}

#[test]
fn soak_files() {
    few("files", 8);
}

#[test]
fn soak_sql() {
    few("sql", 3);
}

/// The long one: `make soak`.
#[test]
#[ignore = "as long as it is told to be: make soak"]
fn soak_long() {
    let args: Vec<String> =
        std::env::var("RECSCOPE_SOAK").unwrap_or_default().split_whitespace().map(String::from).collect();
    let value = |name: &str| args.iter().skip_while(|arg| *arg != name).nth(1).cloned();
    let number = |name: &str, default: u64| {
        value(name)
            .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} {text}: no number")))
    };
    for arg in args.iter().filter(|arg| arg.starts_with("--")) {
        assert!(["--rounds", "--seed", "--only"].contains(&arg.as_str()), "there is no {arg}");
    }
    let (rounds, seed) = (u32::try_from(number("--rounds", 20)).unwrap(), number("--seed", 1));
    let only = value("--only");
    let known = ROWS.iter().map(|row| row.name).collect::<Vec<_>>().join(", ");
    let rows: Vec<&Row> =
        ROWS.iter().filter(|row| only.as_deref().is_none_or(|only| only == row.name)).collect();
    assert!(!rows.is_empty(), "there is no row {only:?}; rows: {known}");
    println!("\nsoak: {rounds} rounds each from --seed {seed}");
    let mut lines = Vec::new();
    let mut failed = 0;
    for row in rows {
        let began = Instant::now();
        let tally = run(row, seed, rounds);
        failed += tally.failed.len();
        let seeds: Vec<String> = tally.failed.iter().map(|(seed, _)| seed.to_string()).collect();
        let line = format!(
            "{:<12} {:>6} {:>6} {:>7} {:>7.0}  {:<42} {}",
            row.name,
            tally.tried,
            tally.failed.len(),
            tally.skipped,
            began.elapsed().as_secs_f64(),
            row.what,
            seeds.join(" "),
        );
        println!("{line}");
        lines.push(line);
    }
    println!(
        "\nrow           tried failed skipped seconds  what                                       failing seeds"
    );
    println!("{}", lines.join("\n"));
    if failed > 0 {
        std::process::exit(1);
    }
}
