//! Scoring on devices that fail, held against scoring on the CPU: smaller batches, lost devices, several
//! devices. The devices are the CPU in disguise; what they compute with is the real path.

use std::path::{Path as Folder, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::testing::{Fault, ILLEGAL, NO_MEMORY, devices_for};
use crate::engine::model::{
    DeviceChoice, Dtype, LoadOptions, Model, ModelErrorKind, ScoreInputs, ScoreOptions, ScoreProgress,
    ScoreReport,
};
use crate::util::cancel::Cancel;

/// A folder of its own, so that devices can be put there: the demo's classifier, or another fixture.
pub(crate) fn copy(fixture: &str, to: &Folder) {
    let from = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture);
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(&from).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => copy(
                &format!("{fixture}/{}", entry.file_name().to_string_lossy()),
                &to.join(entry.file_name()),
            ),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

fn load(dir: &Folder) -> Model {
    Model::load(dir, &LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() }).unwrap()
}

/// The fixture on the CPU, and on these devices.
fn both(fixture: &str, devices: &[(&str, Fault)]) -> (tempfile::TempDir, Model, Model) {
    let dir = tempfile::tempdir().unwrap();
    copy(fixture, dir.path());
    let cpu = load(dir.path());
    devices_for(dir.path(), devices);
    let model = load(dir.path());
    (dir, cpu, model)
}

/// Texts of many lengths, all different.
fn texts(n: usize) -> Vec<Option<String>> {
    let words = ["red", "running", "shoes", "for", "men", "wireless", "mouse", "boots", "跑鞋", "cheap"];
    let text = |i: usize| {
        let length = 1 + (i * 7) % 23;
        let words: Vec<&str> = (0..length).map(|j| words[(i * 3 + j * j) % words.len()]).collect();
        Some(format!("{} {i}", words.join(" ")))
    };
    (0..n).map(text).collect()
}

struct Ended {
    result: Result<ScoreReport, crate::engine::model::ModelError>,
    scores: Vec<Option<f64>>,
    notes: Vec<String>,
}

impl Ended {
    fn scored(&self) -> usize {
        self.scores.iter().flatten().count()
    }
}

fn score(model: &Model, queries: &[Option<String>], options: &ScoreOptions) -> Ended {
    let titles: Vec<_> = queries.iter().rev().cloned().collect();
    let mut scores = vec![None; queries.len()];
    let inputs = match model.info().labels.is_empty() {
        true => ScoreInputs::Embed(queries, &titles),
        false => ScoreInputs::Pair(queries, &titles),
    };
    let progress = ScoreProgress::default();
    let result = model.score(&inputs, options, &Cancel::new(), &progress, |chunk| {
        for (row, score) in chunk.rows.iter().zip(chunk.scores) {
            assert!(scores[*row].is_none(), "row {row} came twice");
            scores[*row] = score;
        }
        Ok(())
    });
    Ended { result, scores, notes: options.notes.lines() }
}

fn options(batch_tokens: usize) -> ScoreOptions {
    ScoreOptions { batch_tokens, ..ScoreOptions::default() }
}

/// Scores of two ways, all there and within `tolerance`.
fn same(a: &Ended, b: &Ended, tolerance: f64) {
    assert_eq!(a.scores.len(), b.scores.len());
    for (row, (a, b)) in a.scores.iter().zip(&b.scores).enumerate() {
        let apart = (a.unwrap() - b.unwrap()).abs();
        assert!(apart <= tolerance, "row {row}: {apart} of {b:?}");
    }
}

const CLASSIFIER: &str = "architectures/bert-classifier";

#[test]
fn a_devices_pass_equals_the_cpus_for_every_family_of_ours() {
    for fixture in [
        "demo-model",
        CLASSIFIER,
        "architectures/bert-bge-zh",
        "architectures/bert-esci",
        "architectures/camembert-encoder",
        "architectures/distilbert-encoder",
        "architectures/distilbert-regression",
        "architectures/electra-classifier",
        "architectures/electra-encoder",
        "architectures/xlm-roberta-e5",
        "architectures/xlm-roberta-reranker",
        "architectures/modernbert-classifier",
        "architectures/deberta-v2-encoder",
    ] {
        let (_dir, cpu, model) = both(fixture, &[("cuda:100", Fault::never())]);
        let texts = texts(40);
        let (ours, theirs) = (score(&cpu, &texts, &options(0)), score(&model, &texts, &options(0)));
        assert_eq!(model.info().device, "cuda:100");
        same(&ours, &theirs, 2e-5);
        assert!(theirs.notes.is_empty());
        if model.bert().is_none() {
            assert_eq!(model.default_dtype(), Dtype::F32);
            continue;
        }
        assert_eq!((cpu.default_dtype(), model.default_dtype()), (Dtype::F32, Dtype::F16));
        // candle multiplies no bf16 on the CPU.
        let half = score(&model, &texts, &ScoreOptions { dtype: Dtype::F16, ..options(0) });
        let size = ours.scores.iter().flatten().fold(1.0, |most: f64, score| most.max(score.abs()));
        same(&half, &ours, 0.02 * size);
        assert!(half.scores != ours.scores, "{fixture}: f16 computed nothing of its own");
    }
}

#[test]
fn batches_that_do_not_fit_are_halved_and_told_once() {
    let (_dir, cpu, model) = both(CLASSIFIER, &[("cuda:101", Fault::memory_of(150))]);
    let texts = texts(300);
    let (wanted, found) = (score(&cpu, &texts, &options(0)), score(&model, &texts, &options(2048)));
    same(&wanted, &found, 2e-5);
    assert!(found.result.is_ok());
    let [note] = &found.notes[..] else { panic!("{:?}", found.notes) };
    assert!(
        note.starts_with("batches of ") && note.contains("did not fit into cuda:101; going on with "),
        "{note}"
    );
    // Remembered: the next job of the same model plans for what fits, and says nothing.
    let again = score(&model, &texts, &options(2048));
    same(&wanted, &again, 2e-5);
    assert!(again.notes.is_empty(), "{:?}", again.notes);
}

#[test]
fn memory_may_run_out_in_the_middle_and_again() {
    // Batches shrink from the 4th call on, and once more from the 12th.
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let fault = Fault::new(move |lengths| {
        let room = match counted.fetch_add(1, SeqCst) + 1 {
            ..4 => usize::MAX,
            4..12 => 300,
            _ => 140,
        };
        (lengths.len() * lengths.iter().max().unwrap() > room).then_some(NO_MEMORY)
    });
    let (_dir, cpu, model) = both(CLASSIFIER, &[("cuda:102", fault)]);
    let texts = texts(400);
    let (wanted, found) = (score(&cpu, &texts, &options(0)), score(&model, &texts, &options(512)));
    same(&wanted, &found, 2e-5);
    assert_eq!(found.notes.len(), 1);
    assert!(calls.load(SeqCst) > 12);
}

#[test]
fn one_input_that_does_not_fit_is_an_error_with_its_length() {
    let (_dir, _, model) = both(CLASSIFIER, &[("cuda:103", Fault::memory_of(8))]);
    let one = score(&model, &texts(24)[3..4], &options(0));
    let error = one.result.unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::DeviceMemory);
    assert!(error.message.contains("one input of ") && error.message.contains("cuda:103"), "{error}");
    assert!(error.hint.unwrap().contains("max_tokens") && one.notes.is_empty());
    // Nor is it lost: shorter ones are computed.
    assert!(score(&model, &[Some("a".into())], &options(0)).result.is_ok());
}

#[test]
fn a_lost_device_ends_the_job_with_what_was_scored() {
    let (dir, _, model) = both(CLASSIFIER, &[("cuda:104", Fault::lost_at(3))]);
    let found = score(&model, &texts(300), &options(256));
    let error = found.result.as_ref().unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::DeviceLost);
    assert_eq!(error.message, "cuda:104 was lost while computing: CUDA_ERROR_ILLEGAL_ADDRESS");
    assert!(error.hint.as_ref().unwrap().contains("restart the engine"));
    assert!(found.scored() > 0 && found.scored() < 300);
    // Neither this model nor one that is loaded now is sent there again.
    for model in [model, load(dir.path())] {
        let later = score(&model, &texts(3), &options(0));
        let error = later.result.as_ref().unwrap_err();
        assert!(error.message.contains("until the engine restarts"), "{error}");
        assert_eq!((error.kind, later.scored()), (ModelErrorKind::DeviceLost, 0));
        let encoded = model.encode("red shoes", Some("boots")).unwrap();
        let point = model.embeddings(&encoded.ids).unwrap();
        let gradients = model.gradients(&encoded, &[point], None, &Cancel::new());
        assert_eq!(gradients.unwrap_err().kind, ModelErrorKind::DeviceLost);
        assert!(model.score_encoded(&[encoded], None, &Cancel::new()).is_err());
    }
}

#[test]
fn several_devices_share_the_batches_and_agree_with_one() {
    let used = [0; 3].map(|_| Arc::new(AtomicUsize::new(0)));
    let count = |at: usize| {
        let used = Arc::clone(&used[at]);
        Fault::new(move |_| {
            used.fetch_add(1, SeqCst);
            // Long enough for the others to get a turn.
            std::thread::sleep(std::time::Duration::from_millis(1));
            None
        })
    };
    let devices = [("cuda:105", count(0)), ("cuda:106", count(1)), ("cuda:107", count(2))];
    for fixture in [CLASSIFIER, "architectures/bert-bge-zh"] {
        let (_dir, cpu, model) = both(fixture, &devices);
        assert_eq!(model.info().device, "cuda:105,106,107");
        let texts = texts(500);
        same(&score(&cpu, &texts, &options(0)), &score(&model, &texts, &options(256)), 2e-5);
    }
    assert!(used.iter().all(|used| used.load(SeqCst) > 0), "{used:?}");
}

#[test]
fn a_device_that_is_lost_leaves_its_batches_to_the_others() {
    let devices = [("cuda:108", Fault::lost_at(2)), ("cuda:109", Fault::memory_of(200).slow())];
    let (_dir, cpu, model) = both(CLASSIFIER, &devices);
    let texts = texts(400);
    let (wanted, found) = (score(&cpu, &texts, &options(0)), score(&model, &texts, &options(512)));
    same(&wanted, &found, 2e-5);
    let told = found.notes.join("\n");
    assert!(told.contains("cuda:108 was lost (CUDA_ERROR_ILLEGAL_ADDRESS); the other"), "{told}");
    assert!(told.contains("did not fit into cuda:109"), "{told}");
    // Later jobs go on without it, and say so.
    let later = score(&model, &texts, &options(512));
    same(&wanted, &later, 2e-5);
    assert!(later.notes.join("\n").contains("cuda:108 was lost"), "{:?}", later.notes);
    // The last one to go ends the job.
    let (_dir, _, model) =
        both(CLASSIFIER, &[("cuda:110", Fault::lost_at(2)), ("cuda:111", Fault::lost_at(3))]);
    let found = score(&model, &texts, &options(150));
    assert_eq!(found.result.as_ref().unwrap_err().kind, ModelErrorKind::DeviceLost);
    assert!(found.scored() > 0);
}

#[test]
fn other_errors_and_a_stop_are_not_taken_for_the_devices() {
    let (_dir, _, model) = both(CLASSIFIER, &[("cuda:112", Fault::new(|_| Some("missing kernel 'x'")))]);
    let found = score(&model, &texts(5), &options(0));
    assert_eq!(found.result.unwrap_err().kind, ModelErrorKind::Internal);
    let stop = Cancel::new();
    let (asked, texts) = (stop.clone(), texts(200));
    let (_dir, _, model) = both(
        CLASSIFIER,
        &[(
            "cuda:113",
            Fault::new(move |_| {
                asked.cancel();
                None
            }),
        )],
    );
    let ended = model.score(
        &ScoreInputs::Pair(&texts, &texts),
        &options(64),
        &stop,
        &ScoreProgress::default(),
        |_| Ok(()),
    );
    assert_eq!(ended.unwrap_err().kind, ModelErrorKind::Cancelled);
    assert!(score(&model, &texts, &options(64)).result.is_ok(), "{ILLEGAL} was never said");
}
