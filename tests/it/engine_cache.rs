//! What is served from before: by this engine, and by the next one from the sidecar.

use std::os::unix::fs::PermissionsExt;

use recscope::engine::lanes::EngineOptions;
use recscope::protocol::{Event, RESTORED};

use crate::engine_bench::{Bench, done, plain};

fn cached() -> EngineOptions {
    EngineOptions { cache: true, ..plain() }
}

const CELLS: &str = "```sql few\nSELECT *, sum(pos) OVER ()::HUGEINT AS all_pos FROM shown WHERE pos <= {{k}}\n```\n\
    ```metrics quality\nfrom = \"few\"\nrank = \"pos\"\nshow = [\"mrr\"]\nresamples = 0\ncheck = [\"mrr > 0.1\"]\n```\n\
    ```check gate\ncheck = [\"quality.mrr > 0.1\"]\n```\n";
const ALL: [&str; 3] = ["few", "quality", "gate"];

#[test]
fn unchanged_cells_are_served_from_before() {
    let mut bench = Bench::new(plain());
    bench.sync(&Bench::notebook(CELLS));
    let events = bench.run(&ALL);
    assert!(!done(&events, "few").cached);
    let events = bench.run(&ALL);
    assert!(done(&events, "few").cached && done(&events, "quality").cached);
    // Another value of a parameter that only one cell names; the other reads it.
    bench.sync_params(&Bench::notebook(CELLS), &[("k", "1")]);
    let events = bench.run(&ALL);
    assert!(!done(&events, "few").cached && !done(&events, "quality").cached);
}

#[test]
fn a_cell_over_stale_rows_says_so_and_is_not_kept() {
    let mut bench = Bench::new(plain());
    bench.sync("```sql a\nSELECT 1 AS x\n```\n```sql b\nFROM a\n```\n");
    bench.run(&["a", "b"]);
    bench.sync("```sql a\nSELECT 2 AS x\n```\n```sql b\nFROM a\n```\n");
    let events = bench.run(&["b"]);
    let outcome = done(&events, "b");
    assert!(!outcome.cached && outcome.notes.iter().any(|note| note.contains("out of date")), "{outcome:?}");
    let events = bench.run(&["a", "b"]);
    assert!(!done(&events, "b").cached);
    assert_eq!(bench.rows("b"), ["2"]);
}

#[test]
fn volatile_queries_are_run_each_time() {
    let mut bench = Bench::new(plain());
    bench.sync("```sql a\nSELECT random() AS x\n```\n```sql b\nFROM a\n```\n");
    bench.run(&["a", "b"]);
    let events = bench.run(&["a", "b"]);
    assert!(!done(&events, "a").cached && !done(&events, "b").cached);
}

#[test]
fn the_next_engine_finds_results_in_the_sidecar() {
    let mut first = Bench::new(cached());
    let text = Bench::notebook(CELLS);
    first.sync(&text);
    let ran = first.run(&ALL);
    let sidecar = first.folder.path().join(".nb.cells");
    assert_eq!(std::fs::metadata(&sidecar).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::read_to_string(sidecar.join(".gitignore")).unwrap(), "*\n");

    let mut second = Bench::new(cached());
    second.folder = first.folder;
    second.sync(&text);
    let mut restored = Vec::new();
    second.until(|event| {
        if let Event::Cell { job: RESTORED, cell, .. } = event {
            restored.push(cell.clone());
        }
        restored.len() == 2
    });
    assert_eq!(restored, ["few", "quality"]);
    assert_eq!(second.rows("few").len(), 4);
    let events = second.run(&ALL);
    let (before, now) = (done(&ran, "few"), done(&events, "few"));
    assert!(now.cached);
    // HUGEINT, which Parquet does not have, is HUGEINT again.
    assert_eq!(before.relation, now.relation);
    assert_eq!(done(&events, "quality").checks, done(&ran, "quality").checks);
    assert_eq!(done(&events, "gate").checks[0].ok, Some(true));

    // New data: nothing kept is right any more.
    let csv = second.folder.path().join("shown.csv");
    let grown = std::fs::read_to_string(&csv).unwrap() + "跑鞋,f,1,2\n";
    std::fs::write(&csv, grown).unwrap();
    second.sync(&text);
    let events = second.run(&ALL);
    assert!(!done(&events, "few").cached && !done(&events, "quality").cached);
    assert_eq!(second.rows("few").len(), 5);
}

#[test]
fn damaged_and_forbidden_sidecars_cost_nothing_but_the_cache() {
    let mut bench = Bench::new(cached());
    let text = Bench::notebook(CELLS);
    // A file where the folder should be: writing fails whoever we are.
    let sidecar = bench.folder.path().join(".nb.cells");
    std::fs::write(&sidecar, "in the way").unwrap();
    bench.sync(&text);
    let events = bench.run(&ALL);
    let said = |event: &Event| matches!(event, Event::Note { text } if text.contains("not a folder"));
    assert!(events.iter().any(said), "{events:?}");

    std::fs::remove_file(&sidecar).unwrap();
    let mut second = Bench::new(cached());
    second.folder = bench.folder;
    second.sync(&text);
    second.run(&ALL);
    for entry in std::fs::read_dir(&sidecar).unwrap() {
        std::fs::write(entry.unwrap().path(), b"\x00garbage").unwrap();
    }
    let mut third = Bench::new(cached());
    third.folder = second.folder;
    third.sync(&text);
    let events = third.run(&ALL);
    assert!(!done(&events, "few").cached);
    assert_eq!(third.rows("few").len(), 4);
}
