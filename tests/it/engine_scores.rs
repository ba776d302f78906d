//! Score cells and the score cache: found by the next engine, left alone where it is not wanted, and
//! no input computed twice over a job of many stretches.

use recscope::engine::lanes::EngineOptions;
use recscope::engine::model::cache::{CacheOptions, survey};
use recscope::protocol::{Body, Outcome, ScoreSummary};

use crate::engine_bench::{Bench, done, plain};
use crate::tiny_model::{self, Tiny};

/// A notebook's sidecar would serve the whole cell; these engines have no notebook file's folder in
/// common, only the score cache.
fn keeping(folder: &std::path::Path, cache: bool) -> EngineOptions {
    let score_cache = CacheOptions { folder: Some(folder.to_path_buf()), ..CacheOptions::default() };
    EngineOptions { cache, score_cache, ..plain() }
}

/// More rows than one stretch has, few different ones.
const MANY: &str =
    "SELECT i, 'red shoes ' || (i % 7) AS a, 'boots ' || (i % 11) AS b FROM range(230000) t(i)";

fn run(options: EngineOptions, sql: &str) -> (Outcome, Vec<String>) {
    let mut bench = Bench::new(options);
    tiny_model::write(&bench.folder.path().join("m"), &Tiny::default());
    bench.sync(&format!(
        "```sql many\n{sql}\n```\n```score rel\nfrom = \"many\"\nmodel = \"m\"\npair = [\"a\", \"b\"]\n```\n\
         ```sql top\nSELECT a, b, rel_score FROM rel ORDER BY i LIMIT 100\n```\n"
    ));
    let events = bench.run(&["many", "rel", "top"]);
    (done(&events, "rel").clone(), bench.rows("top"))
}

fn summary(outcome: &Outcome) -> &ScoreSummary {
    match &outcome.body {
        Body::Score(summary) => summary,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_job_of_many_stretches_computes_each_input_once() {
    let (outcome, rows) = run(plain(), MANY);
    let found = summary(&outcome);
    assert_eq!((found.rows, found.unique_inputs, found.cached_inputs), (230_000, 77, 0));
    assert_eq!(rows.len(), 100);
    assert_eq!(rows[0].rsplit('|').next(), rows[77].rsplit('|').next());

    let dir = tempfile::tempdir().unwrap();
    let (outcome, kept) = run(keeping(dir.path(), true), MANY);
    assert_eq!((summary(&outcome).unique_inputs, summary(&outcome).cached_rows), (77, 0));
    let (outcome, again) = run(keeping(dir.path(), true), MANY);
    let found = summary(&outcome);
    assert_eq!((found.unique_inputs, found.cached_inputs, found.cached_rows), (77, 77, 230_000));
    assert_eq!((found.tokens, found.rows), (0, 230_000));
    assert!(rows == kept && kept == again);
}

#[test]
fn without_a_cache_nothing_is_read_or_written() {
    let dir = tempfile::tempdir().unwrap();
    let few = "SELECT i, 'red ' || i AS a, 'boots' AS b FROM range(50) t(i)";
    run(keeping(dir.path(), false), few);
    assert!(survey(dir.path()).is_empty() && std::fs::read_dir(dir.path()).unwrap().next().is_none());
    run(keeping(dir.path(), true), few);
    assert_eq!(survey(dir.path())[0].entries, 50);
    let (outcome, _) = run(keeping(dir.path(), false), few);
    assert_eq!(summary(&outcome).cached_inputs, 0);
}

#[test]
fn trouble_with_the_folder_is_a_note_of_the_cell() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let (outcome, _) = run(keeping(&dir.path().join("file/scores"), true), MANY);
    let notes = outcome.notes.iter().filter(|note| note.contains("scores are not kept")).count();
    assert_eq!(notes, 1, "{:?}", outcome.notes);
    assert_eq!(summary(&outcome).unique_inputs, 77);
}
