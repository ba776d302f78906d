//! Scores that are kept: found again to the bit, by the next job and the next process, whatever has
//! happened to the files in between; and never for another model, template or limit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use recscope::engine::model::cache::{
    CacheOptions, Entry, Key, Memo, Origin, ScoreCache, ShelfId, Wanted, clear, survey, verify,
};
use recscope::engine::model::{
    DeviceChoice, Dtype, LoadOptions, Model, ModelErrorKind, ScoreInputs, ScoreOptions, ScoreProgress,
    ScoreReport,
};
use recscope::util::cancel::Cancel;

use crate::tiny_model::{self, Tiny};

type Texts = Vec<Option<String>>;

/// A process's cache over a folder.
fn cache(folder: &Path) -> Arc<ScoreCache> {
    limited(folder, 1 << 30)
}

fn limited(folder: &Path, limit_bytes: u64) -> Arc<ScoreCache> {
    ScoreCache::new(CacheOptions { folder: Some(folder.to_path_buf()), limit_bytes })
}

fn remembering(cache: &Arc<ScoreCache>) -> ScoreOptions {
    ScoreOptions { memo: Some(Memo::new(cache)), ..ScoreOptions::default() }
}

fn model(dir: &Path, tiny: &Tiny, max_tokens: Option<usize>) -> Model {
    tiny_model::write(dir, tiny);
    Model::load(dir, &LoadOptions { device: DeviceChoice::Cpu, max_tokens, ..Default::default() }).unwrap()
}

/// Scores (by their bits) in row order.
fn score(model: &Model, inputs: &ScoreInputs, options: &ScoreOptions) -> (Vec<Option<u64>>, ScoreReport) {
    let rows = match inputs {
        ScoreInputs::Text(texts) | ScoreInputs::Pair(texts, _) | ScoreInputs::Embed(texts, _) => texts.len(),
    };
    let (mut bits, mut seen) = (vec![None; rows], vec![false; rows]);
    let report = model
        .score(inputs, options, &Cancel::new(), &ScoreProgress::default(), |chunk| {
            for (at, row) in chunk.rows.iter().enumerate() {
                assert!(!std::mem::replace(&mut seen[*row], true), "row {row} came twice");
                let classes =
                    chunk.classes.iter().map(|class| class[at].map(f32::to_bits)).collect::<Vec<_>>();
                bits[*row] = chunk.scores[at].map(|score| {
                    classes
                        .iter()
                        .flatten()
                        .fold(score.to_bits(), |all, bits| all.rotate_left(7) ^ u64::from(*bits))
                });
            }
            Ok(())
        })
        .unwrap();
    assert!(seen.iter().all(|seen| *seen));
    (bits, report)
}

/// Two jobs at once: the second finds a writer, begins with a share of its own, and gives the same.
#[test]
fn a_job_beside_another_computes_in_shares_and_gives_the_same() {
    let (dir, scores) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let model = model(dir.path(), &Tiny::default(), None);
    let (first, all) = (texts(400, 0), texts(4000, 0));
    let expected = score(&model, &ScoreInputs::Text(&all), &ScoreOptions::default());
    let (one, other) = (cache(scores.path()), cache(scores.path()));
    let beside = remembering(&one);
    score(&model, &ScoreInputs::Text(&first), &beside);
    let options = remembering(&other);
    let (bits, report) = score(&model, &ScoreInputs::Text(&all), &options);
    assert_eq!((bits, report.unique_inputs), (expected.0, expected.1.unique_inputs));
    assert_eq!(options.memo.unwrap().company(), (1, 2));
    drop(beside);
}

/// Texts of many lengths: some repeated, one blank, one that is cut.
fn texts(n: usize, salt: usize) -> Texts {
    let words = ["red", "running", "shoes", "跑鞋", "男", "wireless", "mouse", "!", "cheap", "坏"];
    let mut texts: Texts = (0..n)
        .map(|i| {
            let i = i % (n * 3 / 4).max(1);
            let word = |k: usize| words[(i * 7 + k * k + salt) % words.len()];
            Some(format!("{} {}", (0..1 + i % 9).map(word).collect::<Vec<_>>().join(" "), i))
        })
        .collect();
    texts[0] = Some("shoes ".repeat(200));
    texts[n / 2] = Some("  ".into());
    texts
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let dirs = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = dirs
        .filter(|path| path.is_dir())
        .flat_map(|dir| {
            std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
        })
        .filter(|path| path.extension().is_some_and(|e| e == ending))
        .collect();
    found.sort();
    found
}

fn folder_bytes(folder: &Path) -> u64 {
    let all = [files(folder, "keys"), files(folder, "values")].concat();
    all.iter().map(|file| file.metadata().unwrap().len()).sum()
}

#[test]
fn a_second_run_computes_nothing_and_is_equal_to_the_bit() {
    for labels in [0, 1, 2, 3] {
        let dir = tempfile::tempdir().unwrap();
        let model = model(&dir.path().join("m"), &Tiny { labels, ..Tiny::default() }, None);
        let (queries, titles) = (texts(600, 1), texts(600, 5));
        let inputs = match labels {
            0 => ScoreInputs::Embed(&queries, &titles),
            3 => ScoreInputs::Text(&queries),
            _ => ScoreInputs::Pair(&queries, &titles),
        };
        let folder = dir.path().join("scores");
        let (without, plain) = score(&model, &inputs, &ScoreOptions::default());
        let (first, computed) = score(&model, &inputs, &remembering(&cache(&folder)));
        let (second, known) = score(&model, &inputs, &remembering(&cache(&folder)));
        assert!(without == first && first == second, "{labels} labels");
        assert_eq!((plain.cached_inputs, computed.cached_inputs, computed.cached_rows), (0, 0, 0));
        assert_eq!((plain.unique_inputs, plain.tokens), (computed.unique_inputs, computed.tokens));
        assert_eq!((known.tokens, known.cached_inputs), (0, computed.unique_inputs));
        assert_eq!(known.unique_inputs, computed.unique_inputs);
        assert_eq!(known.cached_rows, known.rows - known.empty);
        assert_eq!((known.truncated, known.empty), (computed.truncated, computed.empty));
        assert!(known.truncated > 0);
        let found = survey(&folder);
        assert_eq!((found.len(), found[0].entries), (1, known.unique_inputs));
        assert_eq!((found[0].about.model.as_str(), &found[0].about.model_hash), ("m", &model.info().hash));
    }
}

#[test]
fn a_stopped_job_goes_on_from_what_it_had() {
    let dir = tempfile::tempdir().unwrap();
    let model = model(&dir.path().join("m"), &Tiny { layers: 3, ..Tiny::default() }, None);
    let texts = texts(3000, 2);
    let inputs = ScoreInputs::Text(&texts);
    let (whole, all) = score(&model, &inputs, &ScoreOptions::default());
    let (cancel, mut rows) = (Cancel::new(), 0);
    let options = remembering(&cache(&dir.path().join("scores")));
    let error = model
        .score(&inputs, &options, &cancel, &ScoreProgress::default(), |chunk| {
            rows += chunk.rows.len();
            if rows > 300 {
                cancel.cancel();
            }
            Ok(())
        })
        .unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::Cancelled);
    let (again, rest) = score(&model, &inputs, &remembering(&cache(&dir.path().join("scores"))));
    // Every row handed over had been kept.
    assert!(rest.cached_rows as usize + 1 >= rows, "{} of {rows}", rest.cached_rows);
    assert!(rest.cached_inputs > 0 && rest.cached_inputs < all.unique_inputs);
    assert!(rest.tokens > 0 && rest.tokens < all.tokens, "{} of {}", rest.tokens, all.tokens);
    assert_eq!(rest.unique_inputs, all.unique_inputs);
    assert!(again == whole, "other batches gave other scores");
}

#[test]
fn scores_of_one_thing_never_answer_for_another() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("scores");
    let (queries, mut titles) = (texts(60, 1), texts(60, 5));
    titles[0] = Some("boots".into());
    let pair = ScoreInputs::Pair(&queries, &titles);
    let swapped = ScoreInputs::Pair(&titles, &queries);
    let one = model(&dir.path().join("one"), &Tiny::default(), None);
    let cut = Model::load(
        &dir.path().join("one"),
        &LoadOptions { device: DeviceChoice::Cpu, max_tokens: Some(9), ..Default::default() },
    );
    let cut = cut.unwrap();
    let other = model(&dir.path().join("other"), &Tiny { seed: 8, ..Tiny::default() }, None);
    let differentiable = |options: ScoreOptions| ScoreOptions {
        path: recscope::engine::model::Path::Differentiable,
        ..options
    };
    let int8 = |options: ScoreOptions| ScoreOptions { dtype: Dtype::Int8, ..options };
    score(&one, &pair, &remembering(&cache(&folder)));
    let mut shelves = 1;
    for (what, model, inputs, options, new_shelf) in [
        ("the columns swapped", &one, &swapped, remembering(&cache(&folder)), false),
        ("one text", &one, &ScoreInputs::Text(&queries), remembering(&cache(&folder)), true),
        ("another limit", &cut, &pair, remembering(&cache(&folder)), true),
        ("another model", &other, &pair, remembering(&cache(&folder)), true),
        ("another number type", &one, &pair, int8(remembering(&cache(&folder))), true),
        ("other kernels", &one, &pair, differentiable(remembering(&cache(&folder))), true),
    ] {
        let (expected, _) = score(model, inputs, &ScoreOptions { memo: None, ..options.clone() });
        let (found, report) = score(model, inputs, &options);
        assert_eq!(report.cached_inputs, 0, "{what}");
        assert!(found == expected, "{what}");
        shelves += usize::from(new_shelf);
        assert_eq!(survey(&folder).len(), shelves, "{what}");
    }
    // A copy of the model under another name is the same model.
    let copy = model(&dir.path().join("copy"), &Tiny::default(), None);
    assert_eq!(score(&copy, &pair, &remembering(&cache(&folder))).1.tokens, 0);
}

#[test]
fn later_stretches_of_a_job_know_the_earlier_ones() {
    let dir = tempfile::tempdir().unwrap();
    let model = model(&dir.path().join("m"), &Tiny::default(), None);
    let texts = texts(400, 3);
    let inputs = ScoreInputs::Text(&texts);
    for cache in [ScoreCache::new(CacheOptions::default()), cache(&dir.path().join("scores"))] {
        let job = remembering(&cache);
        let (first, computed) = score(&model, &inputs, &job);
        let (second, known) = score(&model, &inputs, &job);
        assert!(first == second && computed.tokens > 0);
        // Neither computed nor counted again, and not called a hit: nothing was there before the job.
        assert_eq!((known.tokens, known.unique_inputs, known.cached_rows), (0, 0, 0));
        // The next job meets what was kept, once.
        let next = remembering(&cache);
        let kept = cache.folder().is_some();
        let (_, report) = score(&model, &inputs, &next);
        assert_eq!(report.cached_inputs, if kept { computed.unique_inputs } else { 0 });
        let (_, report) = score(&model, &inputs, &next);
        assert_eq!((report.tokens, report.unique_inputs, report.cached_inputs), (0, 0, 0));
        assert_eq!(report.cached_rows, if kept { report.rows - report.empty } else { 0 });
    }
}

#[test]
fn what_is_no_number_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut weights = tiny_model::weights(&Tiny::default());
    tiny_model::write(&dir.path().join("m"), &Tiny::default());
    let nan = candle_core::Tensor::full(f32::NAN, 1, &candle_core::Device::Cpu).unwrap();
    weights.insert("classifier.bias".into(), nan);
    candle_core::safetensors::save(&weights, dir.path().join("m/model.safetensors")).unwrap();
    let load = LoadOptions { device: DeviceChoice::Cpu, max_tokens: None, ..Default::default() };
    let model = Model::load(&dir.path().join("m"), &load).unwrap();
    let (texts, folder) = (texts(40, 1), dir.path().join("scores"));
    let options = remembering(&cache(&folder));
    let (_, first) = score(&model, &ScoreInputs::Text(&texts), &options);
    let (_, second) = score(&model, &ScoreInputs::Text(&texts), &options);
    assert!(first.nan > 0 && second.nan == first.nan);
    assert_eq!((second.tokens, second.cached_inputs), (first.tokens, 0));
    assert!(survey(&folder).is_empty());
}

#[test]
fn a_torn_tail_and_flipped_bytes_cost_only_what_they_hit() {
    let dir = tempfile::tempdir().unwrap();
    let model = model(&dir.path().join("m"), &Tiny::default(), None);
    let (texts, folder) = (texts(400, 4), dir.path().join("scores"));
    let inputs = ScoreInputs::Text(&texts);
    let (whole, all) = score(&model, &inputs, &remembering(&cache(&folder)));
    let (keys, values) = (files(&folder, "keys").remove(0), files(&folder, "values").remove(0));
    let shelf = keys.parent().unwrap().to_path_buf();
    assert_eq!(verify(&shelf), (all.unique_inputs, Vec::new()));

    // A writer killed in the middle of a record: the last keys and half a value are missing.
    let cut = |file: &Path, less: u64| {
        let file = std::fs::File::options().write(true).open(file).unwrap();
        file.set_len(file.metadata().unwrap().len() - less).unwrap();
    };
    cut(&keys, 16 * 10 + 7);
    cut(&values, 5);
    assert_eq!(verify(&shelf).1, []);
    let (again, report) = score(&model, &inputs, &remembering(&cache(&folder)));
    assert_eq!(all.unique_inputs - report.cached_inputs, 11);
    assert!(again == whole);
    assert_eq!(verify(&shelf), (all.unique_inputs, Vec::new()), "the tail was not cut off before appending");

    // Damage in the middle: of a value, and of a key.
    let flip = |file: &Path, at: usize| {
        let mut bytes = std::fs::read(file).unwrap();
        bytes[at] ^= 0x20;
        std::fs::write(file, bytes).unwrap();
    };
    flip(&values, 12 * 30 + 1);
    flip(&keys, 64 + 16 * 50 + 3);
    let (sound, damages) = verify(&shelf);
    assert_eq!(sound, all.unique_inputs - 2);
    assert_eq!((damages.len(), damages[0].entries, damages[0].first), (1, 2, Some(30)));
    assert_eq!(damages[0].file, keys);
    let (again, report) = score(&model, &inputs, &remembering(&cache(&folder)));
    assert_eq!(all.unique_inputs - report.cached_inputs, 2);
    assert!(again == whole);
    let (_, report) = score(&model, &inputs, &remembering(&cache(&folder)));
    assert_eq!(report.tokens, 0, "what was computed again was not kept");

    // A header that is not ours: the segment is passed over and left alone.
    flip(&keys, 20);
    assert!(verify(&shelf).1[0].why.as_ref().unwrap().contains("first bytes"));
    let (again, report) = score(&model, &inputs, &remembering(&cache(&folder)));
    assert!(again == whole && report.cached_inputs == 0);
}

#[test]
fn files_of_any_content_are_survived() {
    let dir = tempfile::tempdir().unwrap();
    let model = model(&dir.path().join("m"), &Tiny::default(), None);
    let (texts, folder) = (texts(100, 4), dir.path().join("scores"));
    let inputs = ScoreInputs::Text(&texts);
    let (whole, _) = score(&model, &inputs, &remembering(&cache(&folder)));
    for garbage in [&b""[..], b"x", &[0; 5000], &[0xff; 64]] {
        for ending in ["keys", "values"] {
            for file in files(&folder, ending) {
                std::fs::write(&file, garbage).unwrap();
                let (again, _) = score(&model, &inputs, &remembering(&cache(&folder)));
                assert!(again == whole, "{ending} {garbage:?}");
                survey(&folder);
                verify(file.parent().unwrap());
            }
        }
    }
    // A folder that is not ours stays.
    std::fs::create_dir(folder.join("mine")).unwrap();
    std::fs::write(folder.join("mine/a.keys"), "x").unwrap();
    clear(&folder, &Wanted::default());
    assert!(folder.join("mine/a.keys").exists() && survey(&folder).is_empty());
}

fn id(width: usize) -> ShelfId {
    ShelfId {
        model_hash: "ab".repeat(32),
        model_name: "m".into(),
        arithmetic: "f32 cpu fused".into(),
        template: "text".into(),
        max_tokens: 64,
        width,
    }
}

fn entry(n: usize, width: usize) -> Entry {
    Entry {
        output: (0..width).map(|k| (n * 31 + k) as f32).collect(),
        tokens: n as u32,
        truncated: n.is_multiple_of(3),
    }
}

fn key(n: usize) -> Key {
    Key::of(&format!("text {n}"), None)
}

/// A job that keeps the entries of a range.
fn fill(cache: &Arc<ScoreCache>, range: std::ops::Range<usize>, width: usize) {
    let memo = Memo::new(cache);
    memo.begin(&id(width));
    range.for_each(|n| memo.put(key(n), &entry(n, width)));
    memo.rest();
}

/// How many of a range are there, each with its own value.
fn found(cache: &Arc<ScoreCache>, range: std::ops::Range<usize>, width: usize) -> usize {
    let memo = Memo::new(cache);
    memo.begin(&id(width));
    let keys: Vec<Key> = range.clone().map(key).collect();
    let hits = memo.find(&keys);
    for hit in &hits {
        assert_eq!(hit.entry, entry(range.start + hit.number, width));
        assert_eq!(hit.origin, Origin::Cache);
    }
    hits.len()
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for (round, width) in [(0, 1), (1, 200)] {
        let folder = dir.path().join(round.to_string());
        // Each with handles of its own, as processes have, and many short jobs; ranges overlap.
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let folder = &folder;
                scope.spawn(move || {
                    for job in 0..25 {
                        let from = writer * 900 + job * 40;
                        fill(&cache(folder), from..from + 40, width);
                    }
                });
            }
        });
        assert_eq!(found(&cache(&folder), 0..3700, width), 3700);
        let shelf = &survey(&folder)[0];
        assert_eq!(verify(&shelf.dir), (4000, Vec::new()));
        // Short jobs go on with each other's segments.
        assert!(shelf.segments < 40, "{}", shelf.segments);
    }
}

#[test]
fn an_open_cache_sees_what_another_process_adds_and_removes() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (cache(dir.path()), cache(dir.path()));
    fill(&ours, 0..100, 3);
    assert_eq!(found(&theirs, 0..100, 3), 100);
    fill(&ours, 100..200, 3);
    assert_eq!(found(&theirs, 0..300, 3), 200);
    fill(&theirs, 200..300, 3);
    assert_eq!(found(&ours, 0..300, 3), 300);
    let cleared = clear(dir.path(), &Wanted::default());
    assert_eq!((cleared.entries, cleared.busy), (300, 0));
    assert_eq!((found(&ours, 0..300, 3), found(&theirs, 0..300, 3)), (0, 0));
    fill(&ours, 0..10, 3);
    assert_eq!(found(&theirs, 0..300, 3), 10);
}

#[test]
fn the_limit_is_kept_and_the_longest_unused_go_first() {
    let dir = tempfile::tempdir().unwrap();
    let limit = 1 << 20;
    let width = 100;
    // About 42 kB a job: segments of 32 kB.
    for job in 0..40 {
        fill(&limited(dir.path(), limit), job * 100..(job + 1) * 100, width);
        assert!(folder_bytes(dir.path()) <= limit, "{}", folder_bytes(dir.path()));
        // The first job's entries stay in use.
        found(&limited(dir.path(), limit), 0..100, width);
        let memo = Memo::new(&limited(dir.path(), limit));
        memo.begin(&id(width));
        memo.find(&(0..100).map(key).collect::<Vec<_>>());
        memo.rest();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let cache = limited(dir.path(), limit);
    assert_eq!(found(&cache, 3900..4000, width), 100, "the newest are there");
    assert!(found(&cache, 0..100, width) > 50, "what is used stays");
    assert!(found(&cache, 200..1000, width) < 100, "the longest unused are gone");
    assert_eq!(verify(&survey(dir.path())[0].dir).1, []);
}

#[test]
fn clearing_takes_what_was_asked_and_leaves_a_running_writer_its_segment() {
    let dir = tempfile::tempdir().unwrap();
    fill(&cache(dir.path()), 0..10, 2);
    let other = ShelfId { model_hash: "cd".repeat(32), model_name: "other".into(), ..id(2) };
    let memo = Memo::new(&cache(dir.path()));
    memo.begin(&other);
    memo.put(key(1), &entry(1, 2));
    drop(memo);
    let by = |model: &str| Wanted { model: Some(model.into()), before: None };
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    assert_eq!(clear(dir.path(), &Wanted { model: None, before: Some(before) }).entries, 0);
    assert_eq!(clear(dir.path(), &by("nobody")).entries, 0);
    assert_eq!(clear(dir.path(), &by("other")).entries, 1);
    assert_eq!(survey(dir.path()).len(), 1);

    // A writer in the middle of its job: enough for a first flush.
    let cache = cache(dir.path());
    let memo = Memo::new(&cache);
    memo.begin(&id(2));
    (10..100_000).for_each(|n| memo.put(key(n), &entry(n, 2)));
    let cleared = clear(dir.path(), &by(&"ab".repeat(32)));
    assert_eq!((cleared.busy, cleared.entries), (1, 0));
    memo.rest();
    assert_eq!(found(&cache, 0..100_000, 2), 100_000);
    assert_eq!(clear(dir.path(), &Wanted::default()).entries, 100_000);
    assert!(survey(dir.path()).is_empty());
}

#[test]
fn a_folder_that_cannot_be_used_is_told_once_and_scoring_goes_on() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let model = model(&dir.path().join("m"), &Tiny::default(), None);
    let texts = texts(100, 4);
    let inputs = ScoreInputs::Text(&texts);
    let (whole, _) = score(&model, &inputs, &ScoreOptions::default());
    std::fs::write(dir.path().join("file"), "x").unwrap();
    let options = remembering(&cache(&dir.path().join("file/scores")));
    let (first, report) = score(&model, &inputs, &options);
    assert!(first == whole && report.tokens > 0);
    let trouble = options.memo.as_ref().unwrap().trouble().unwrap();
    assert!(trouble.contains("file/scores") && trouble.contains("cannot be written"), "{trouble}");
    // What the job has computed it still knows.
    let (second, report) = score(&model, &inputs, &options);
    assert!(second == whole && report.tokens == 0);

    let folder = dir.path().join("good");
    let options = remembering(&cache(&folder));
    score(&model, &inputs, &options);
    assert_eq!(options.memo.unwrap().trouble(), None);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert!(files(&folder, "keys").iter().chain(&files(&folder, "values")).all(|file| mode(file) == 0o600));
    assert!(folder.join("CACHEDIR.TAG").is_file());
}
