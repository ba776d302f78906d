//! The score cache through the program: two processes at once, one killed in the middle, and
//! `recscope cache`.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::tiny_model::{self, Tiny};

/// A folder with a model `m`, and a cache of its own.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        tiny_model::write(&place.0.path().join("m"), &Tiny { layers: 3, ..Tiny::default() });
        std::fs::write(place.0.path().join("none.toml"), "").unwrap();
        place
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recscope"));
        command
            .args(args)
            .current_dir(self.0.path())
            .env("RECSCOPE_CONFIG", self.0.path().join("none.toml"))
            .env("RECSCOPE_SCORE_CACHE", self.0.path().join("scores"))
            .stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn json(&self, args: &[&str]) -> (i32, Value) {
        let output = self.run(&[args, &["--format", "json"]].concat());
        let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", err(&output)));
        (output.status.code().unwrap(), value)
    }

    /// Rows `range` of an endless log, each title different from all others.
    fn log(&self, name: &str, range: std::ops::Range<usize>) {
        let row = |n: usize| format!("red shoes,running boots {} {} {}\n", n % 10, n / 10 % 100, n / 1000);
        let rows: String = range.map(row).collect();
        std::fs::write(self.0.path().join(name), format!("q,t\n{rows}")).unwrap();
    }

    fn score(&self, input: &str, out: &str) -> Command {
        self.command(&["score", "--model", "m", "--input", input, "--pair", "q,t", "--out", out])
    }

    fn scored(&self, out: &str) -> String {
        std::fs::read_to_string(self.0.path().join(out)).unwrap()
    }

    /// Bytes that the cache holds.
    fn kept(&self) -> u64 {
        let shelves = std::fs::read_dir(self.0.path().join("scores")).into_iter().flatten().flatten();
        let files = shelves.flat_map(|shelf| std::fs::read_dir(shelf.path()).into_iter().flatten().flatten());
        files.filter_map(|file| file.metadata().ok()).map(|meta| meta.len()).sum()
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// `N from the cache` of a summary.
fn cached(output: &Output) -> u64 {
    let said = err(output);
    assert!(output.status.success(), "{said}");
    // `9,000 rows (9,000 different, 3,000 from the cache), ...`; nothing where none is.
    match said.split(" from the cache").next().filter(|part| part.len() < said.len()) {
        Some(part) => part.rsplit(' ').next().unwrap().replace(',', "").parse().unwrap(),
        None => 0,
    }
}

#[test]
fn two_processes_score_at_once_and_both_are_remembered() {
    let place = Place::new();
    place.log("a.csv", 0..6000);
    place.log("b.csv", 3000..9000);
    place.log("all.csv", 0..9000);
    let start =
        |input: &str, out: &str| -> Child { place.score(input, out).stderr(Stdio::null()).spawn().unwrap() };
    let mut running = [start("a.csv", "a.out.csv"), start("b.csv", "b.out.csv")];
    assert!(running.iter_mut().all(|child| child.wait().unwrap().success()));
    let (code, value) = place.json(&["cache", "verify"]);
    assert_eq!((code, value["ok"].as_bool()), (0, Some(true)));
    let output = place.score("all.csv", "all.out.csv").output().unwrap();
    assert_eq!(cached(&output), 9000, "{}", err(&output));
    let mut plain = place.score("all.csv", "plain.csv");
    let output = plain.arg("--no-cache").output().unwrap();
    assert_eq!(cached(&output), 0);
    assert_eq!(place.scored("all.out.csv"), place.scored("plain.csv"));
}

#[test]
fn a_killed_process_leaves_what_it_had() {
    let place = Place::new();
    place.log("all.csv", 0..60_000);
    let mut child = place.score("all.csv", "never.csv").stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    // Two flushes, so that one of them is whole.
    while place.kept() < 20_000 && child.try_wait().unwrap().is_none() {
        assert!(began.elapsed() < Duration::from_secs(100), "nothing was written");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.0.path().join("never.csv").exists(), "it was done before it could be killed");
    let output = place.score("all.csv", "rest.csv").output().unwrap();
    let had = cached(&output);
    assert!(had > 0 && had < 60_000, "{had}");
    let output = place.score("all.csv", "again.csv").output().unwrap();
    assert_eq!(cached(&output), 60_000);
    assert_eq!(place.scored("rest.csv"), place.scored("again.csv"));
    assert_eq!(place.scored("rest.csv").lines().count(), 60_001);
    assert_eq!(place.run(&["cache", "verify"]).status.code(), Some(0));
}

#[test]
fn the_cache_is_listed_checked_and_cleared() {
    let place = Place::new();
    let (code, value) = place.json(&["cache", "list"]);
    assert_eq!((code, value["entries"].as_u64()), (0, Some(0)));
    place.log("a.csv", 0..50);
    assert_eq!(cached(&place.score("a.csv", "a.out.csv").output().unwrap()), 0);
    let (_, value) = place.json(&["cache", "list"]);
    let shelf = &value["shelves"][0];
    assert_eq!((shelf["model"].as_str(), shelf["dtype"].as_str()), (Some("m"), Some("f32")));
    assert_eq!((shelf["entries"].as_u64(), shelf["template"].as_str()), (Some(50), Some("pair")));
    assert!(shelf["last_used_unix"].as_u64().unwrap() > 1_600_000_000);
    assert!(value["bytes"].as_u64().unwrap() >= 50 * 28);
    let text = String::from_utf8(place.run(&["cache", "list"]).stdout).unwrap();
    for word in ["50 entries", "f32 cpu", "pair", "last used today", "of 2.0 GB"] {
        assert!(text.contains(word), "{word}: {text}");
    }

    let keys = std::fs::read_dir(shelf["path"].as_str().unwrap()).unwrap();
    let values =
        keys.map(|entry| entry.unwrap().path()).find(|path| path.extension().is_some_and(|e| e == "values"));
    let values = values.unwrap();
    let mut bytes = std::fs::read(&values).unwrap();
    bytes[3] ^= 1;
    std::fs::write(&values, bytes).unwrap();
    let (code, value) = place.json(&["cache", "verify"]);
    assert_eq!((code, value["ok"].as_bool()), (1, Some(false)));
    assert_eq!(value["shelves"][0]["damaged"][0]["entries"], 1);
    let output = place.run(&["cache", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("1 damaged entry (the first is number 0)") && said.contains(".keys"), "{said}");

    assert_eq!(place.json(&["cache", "clear", "--older-than", "1"]).1["entries"], 0);
    assert_eq!(place.json(&["cache", "clear", "--model", "other"]).1["entries"], 0);
    let (code, value) = place.json(&["cache", "clear", "--model", "m"]);
    assert_eq!((code, value["entries"].as_u64()), (0, Some(50)));
    assert_eq!(place.json(&["cache", "list"]).1["entries"], 0);
    let off = place.command(&["cache", "list"]).env("RECSCOPE_SCORE_CACHE", "off").output().unwrap();
    assert_eq!(off.status.code(), Some(2));
    assert!(err(&off).contains("switched off"), "{}", err(&off));
}

#[test]
fn a_cache_that_cannot_be_written_is_a_note() {
    let place = Place::new();
    place.log("a.csv", 0..20);
    let mut command = place.score("a.csv", "a.out.csv");
    let output = command.env("RECSCOPE_SCORE_CACHE", Path::new("none.toml").join("scores")).output().unwrap();
    assert!(output.status.success());
    let notes = err(&output).lines().filter(|line| line.starts_with("note: scores are not kept")).count();
    assert_eq!(notes, 1, "{}", err(&output));
}
