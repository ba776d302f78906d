//! The folder of kept results as somebody else may have filled it: links, other people's folders, results
//! with other signatures; what is used, what is said, and what stays untouched.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use duckdb::Connection;
use recscope::engine::lanes::EngineOptions;
use recscope::protocol::{Event, Outdated, RESTORED};

use crate::engine_bench::{Bench, done, plain};

const CTR: &str = "```sql ctr\nSELECT avg(grade) AS ctr FROM shown\n```\n";

fn cached() -> EngineOptions {
    EngineOptions { cache: true, ..plain() }
}

/// Another engine on the same folder.
fn again(bench: Bench, options: EngineOptions) -> Bench {
    let mut next = Bench::new(options);
    next.folder = bench.folder;
    next
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn sidecar(bench: &Bench) -> PathBuf {
    bench.folder.path().join(".nb.cells")
}

fn one(folder: &Path, ending: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|e| e == ending));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

fn notes(events: &[Event]) -> Vec<&str> {
    let mut found = Vec::new();
    for event in events {
        if let Event::Note { text } = event {
            found.push(text.as_str());
        }
    }
    found
}

fn made_elsewhere(events: &[Event]) -> bool {
    let said = |event: &Event| matches!(event, Event::Outdated { why: Outdated::Elsewhere, .. });
    events.iter().any(said)
}

#[test]
fn a_sidecar_that_is_a_link_is_not_used_and_that_is_said_once() {
    let mut bench = Bench::new(cached());
    let public = bench.folder.path().join("public");
    fs::create_dir(&public).unwrap();
    fs::set_permissions(&public, fs::Permissions::from_mode(0o755)).unwrap();
    symlink("public", sidecar(&bench)).unwrap();
    let text = Bench::notebook(&format!("{CTR}```sql more\nSELECT 1 AS a\n```\n"));
    bench.sync(&text);
    let events = bench.run(&["ctr", "more"]);
    assert!(!done(&events, "ctr").cached);
    let told = notes(&events);
    assert!(
        told.len() == 1 && told[0].contains(".nb.cells is not used") && told[0].contains("link"),
        "{told:?}"
    );
    assert_eq!((mode(&public), fs::read_dir(&public).unwrap().count()), (0o755, 0));

    // The next engine finds the results in the state folder.
    let mut second = again(bench, cached());
    second.sync(&text);
    assert!(done(&second.run(&["ctr"]), "ctr").cached);
    assert_eq!(fs::read_dir(&public).unwrap().count(), 0);
}

#[test]
fn a_sidecar_of_somebody_else_is_not_used() {
    let mut bench = Bench::new(cached());
    fs::create_dir(sidecar(&bench)).unwrap();
    if std::os::unix::fs::chown(sidecar(&bench), Some(1), Some(1)).is_err() {
        return println!("skipped: only root can give a folder away");
    }
    bench.sync(&Bench::notebook(CTR));
    let events = bench.run(&["ctr"]);
    done(&events, "ctr");
    assert!(notes(&events).iter().any(|note| note.contains("somebody else")), "{events:?}");
    assert_eq!(fs::read_dir(sidecar(&bench)).unwrap().count(), 0);
}

#[test]
fn no_link_in_a_sidecar_is_followed() {
    let mut bench = Bench::new(cached());
    let base = bench.folder.path().to_path_buf();
    let folder = sidecar(&bench);
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    symlink(base.join("made_elsewhere"), folder.join(".gitignore")).unwrap();
    let text = Bench::notebook(CTR);
    bench.sync(&text);
    bench.run(&["ctr"]);
    assert!(!base.join("made_elsewhere").exists(), "a dangling .gitignore made a file elsewhere");
    assert_eq!(fs::read_to_string(folder.join(".gitignore")).unwrap(), "*\n");
    assert!(fs::symlink_metadata(folder.join(".gitignore")).unwrap().is_file());
    assert_eq!(mode(&folder), 0o700);
    for ending in ["outcome", "parquet"] {
        assert_eq!(mode(&one(&folder, ending)), 0o600);
    }

    // The very results, but reached through links: neither read nor written through.
    for ending in ["outcome", "parquet"] {
        let (file, victim) = (one(&folder, ending), base.join(ending));
        fs::rename(&file, &victim).unwrap();
        symlink(&victim, &file).unwrap();
    }
    let before = ["outcome", "parquet"].map(|name| fs::read(base.join(name)).unwrap());
    let mut second = again(bench, cached());
    second.sync(&text);
    assert!(!done(&second.run(&["ctr"]), "ctr").cached);
    assert_eq!(["outcome", "parquet"].map(|name| fs::read(base.join(name)).unwrap()), before);
    let mut third = again(second, cached());
    third.sync(&text);
    assert!(done(&third.run(&["ctr"]), "ctr").cached, "what replaced the links is used");
}

#[test]
fn the_folder_is_private_before_the_first_result() {
    let bench = Bench::new(cached());
    fs::create_dir(sidecar(&bench)).unwrap();
    fs::set_permissions(sidecar(&bench), fs::Permissions::from_mode(0o777)).unwrap();
    bench.sync(&Bench::notebook(CTR));
    // The page is answered by another lane: only the order of the restored cell would say when.
    bench.until(|event| matches!(event, Event::Source { .. }));
    let mut bench = bench;
    bench.run(&[]);
    assert_eq!(mode(&sidecar(&bench)), 0o700);
}

/// Rows changed behind a signed outcome, as in an archive that somebody ships.
#[test]
fn forged_rows_are_not_shown() {
    let mut bench = Bench::new(cached());
    let text = Bench::notebook(CTR);
    bench.sync(&text);
    bench.run(&["ctr"]);
    let rows = one(&sidecar(&bench), "parquet");
    let forge = format!("COPY (SELECT 0.99::DOUBLE AS ctr) TO '{}' (FORMAT parquet)", rows.display());
    Connection::open_in_memory().unwrap().execute_batch(&forge).unwrap();
    let mut second = again(bench, cached());
    second.sync(&text);
    let told = second.until(|event| matches!(event, Event::Outdated { .. } | Event::Cell { .. }));
    assert!(made_elsewhere(&told), "{told:?}");
    assert!(rows.exists(), "nothing is deleted");
    let events = second.run(&["ctr"]);
    let outcome = done(&events, "ctr");
    assert!(
        !outcome.cached && outcome.notes.iter().any(|note| note.contains("made elsewhere")),
        "{outcome:?}"
    );
    assert_eq!(second.rows("ctr"), ["1.2"]);
    let mut third = again(second, cached());
    third.sync(&text);
    let events = third.run(&["ctr"]);
    let outcome = done(&events, "ctr");
    assert!(outcome.cached && outcome.notes.is_empty(), "{outcome:?}");
}

/// A whole folder of results that somebody else's recscope has signed.
#[test]
fn results_of_another_key_are_made_elsewhere() {
    let others = tempfile::tempdir().unwrap();
    let theirs = EngineOptions { state: Some(others.path().join("state")), ..cached() };
    let mut bench = Bench::new(theirs);
    let text = Bench::notebook(CTR);
    bench.sync(&text);
    bench.run(&["ctr"]);
    let before = fs::read(one(&sidecar(&bench), "outcome")).unwrap();
    let mut ours = again(bench, cached());
    ours.sync(&text);
    let told = ours.until(|event| matches!(event, Event::Outdated { .. } | Event::Cell { .. }));
    assert!(made_elsewhere(&told));
    assert_eq!(fs::read(one(&sidecar(&ours), "outcome")).unwrap(), before);
    assert!(!done(&ours.run(&["ctr"]), "ctr").cached);
}

#[test]
fn ones_own_folder_may_be_moved() {
    let mut bench = Bench::new(cached());
    let text = Bench::notebook(CTR);
    bench.sync(&text);
    bench.run(&["ctr"]);
    let mut moved = Bench::new(cached());
    fs::rename(sidecar(&bench), sidecar(&moved)).unwrap();
    moved.sync(&text);
    assert!(done(&moved.run(&["ctr"]), "ctr").cached);
}

/// Without the key in the state folder nothing is kept, and the run goes on.
#[test]
fn a_key_that_others_may_read_is_refused() {
    let state = tempfile::tempdir().unwrap();
    fs::create_dir(state.path().join("results")).unwrap();
    fs::write(state.path().join("results/key"), [7; 32]).unwrap();
    fs::set_permissions(state.path().join("results/key"), fs::Permissions::from_mode(0o644)).unwrap();
    let mut bench = Bench::new(EngineOptions { state: Some(state.path().to_path_buf()), ..cached() });
    bench.sync(&Bench::notebook(CTR));
    let events = bench.run(&["ctr"]);
    done(&events, "ctr");
    assert!(notes(&events).iter().any(|note| note.contains("mode 0644")), "{events:?}");
    assert!(!sidecar(&bench).exists());
}

/// Same size, same time of writing: what tar and zip keep.
#[test]
fn other_content_of_the_same_size_and_time_is_noticed() {
    let mut bench = Bench::new(cached());
    let text = Bench::notebook(CTR);
    let csv = bench.folder.path().join("shown.csv");
    bench.sync(&text);
    bench.run(&["ctr"]);
    let (before, then) = (fs::read_to_string(&csv).unwrap(), fs::metadata(&csv).unwrap());
    fs::write(&csv, before.replace("a,1,3", "a,1,0")).unwrap();
    fs::File::options().append(true).open(&csv).unwrap().set_modified(then.modified().unwrap()).unwrap();
    assert_eq!(fs::metadata(&csv).unwrap().len(), then.len());
    assert_eq!(fs::metadata(&csv).unwrap().mtime_nsec(), then.mtime_nsec());
    let mut second = again(bench, cached());
    second.sync(&text);
    let told = second.until(|event| matches!(event, Event::Outdated { .. } | Event::Cell { .. }));
    let changed =
        |event: &Event| matches!(event, Event::Outdated { why: Outdated::Source(s), .. } if s == "shown");
    assert!(told.iter().any(changed), "{told:?}");
    assert!(!done(&second.run(&["ctr"]), "ctr").cached);
    assert_eq!(second.rows("ctr"), ["0.6"]);
}

#[test]
fn a_source_that_changes_while_the_notebook_is_open_is_said() {
    let options = EngineOptions { watch_ms: Some(5), ..plain() };
    let mut bench = Bench::new(options);
    bench.sync(&Bench::notebook(&format!(
        "{CTR}```sql twice\nSELECT ctr * 2 AS c FROM ctr\n```\n```sql apart\nSELECT 1 AS x\n```\n"
    )));
    bench.run(&["ctr", "twice", "apart"]);
    let csv = bench.folder.path().join("shown.csv");
    let grown = fs::read_to_string(&csv).unwrap() + "跑鞋,f,1,2\n";
    fs::write(&csv, grown).unwrap();
    let mut outdated = Vec::new();
    bench.until(|event| {
        if let Event::Outdated { cell, why } = event {
            assert_eq!(*why, Outdated::Source("shown".into()));
            outdated.push(cell.clone());
        }
        outdated.len() == 2
    });
    outdated.sort();
    assert_eq!(outdated, ["ctr", "twice"]);
    let events = bench.run(&["ctr", "twice", "apart"]);
    assert!(!done(&events, "ctr").cached && !done(&events, "twice").cached && done(&events, "apart").cached);
    assert!(!events.iter().any(|event| matches!(event, Event::Outdated { .. })), "said once");
}

/// Also where nobody asked the engine to look: a run never serves what a source no longer says.
#[test]
fn a_run_looks_at_the_sources_first() {
    let mut bench = Bench::new(EngineOptions { watch_ms: None, ..plain() });
    bench.sync(&Bench::notebook(CTR));
    bench.run(&["ctr"]);
    fs::write(bench.folder.path().join("shown.csv"), "q,item,pos,grade\nshoes,a,1,5\n").unwrap();
    assert!(!done(&bench.run(&["ctr"]), "ctr").cached);
    assert_eq!(bench.rows("ctr"), ["5"]);
}

#[test]
fn what_a_killed_engine_left_in_the_sidecar_is_swept() {
    let mut bench = Bench::new(cached());
    let text = Bench::notebook(CTR);
    bench.sync(&text);
    bench.run(&["ctr"]);
    let put = |path: PathBuf| {
        fs::write(&path, "half").unwrap();
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        path
    };
    let folder = sidecar(&bench);
    let swept = [
        put(folder.join("ctr.12345678-0.parquet.part")),
        put(folder.join(".tmpAbCdEf")),
        put(folder.join(".saving-1-0")),
        put(bench.folder.path().join(".saving-AbCdEf")),
    ];
    let kept = [put(folder.join("mine.txt")), put(bench.folder.path().join(".saving-for-later.txt"))];
    let mut second = again(bench, cached());
    second.sync(&text);
    let events = second.run(&["ctr"]);
    assert!(done(&events, "ctr").cached);
    assert!(swept.iter().all(|path| !path.exists()) && kept.iter().all(|path| path.exists()));
}

/// Cells that read files by their own names are run each time: nobody knows whether those have changed.
#[test]
fn a_cell_that_names_a_file_itself_is_never_served_from_before() {
    let mut bench = Bench::new(cached());
    let csv = bench.folder.path().join("other.csv");
    fs::write(&csv, "a\n1\n").unwrap();
    bench.sync(&format!("```sql own\nSELECT a FROM '{}'\n```\n```sql above\nFROM own\n```\n", csv.display()));
    bench.run(&["own", "above"]);
    fs::write(&csv, "a\n2\n").unwrap();
    let events = bench.run(&["own", "above"]);
    assert!(!done(&events, "own").cached && !done(&events, "above").cached);
    assert_eq!(bench.rows("above"), ["2"]);
    let restored = |event: &Event| matches!(event, Event::Cell { job: RESTORED, .. });
    assert!(!events.iter().any(restored));
}
