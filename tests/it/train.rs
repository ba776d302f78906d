//! The trainer against torch (first-step logits and gradients, losses, norms, weights after 2 and 10
//! steps), against finite differences, and as a whole run from rows to a folder.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor};
use recscope::engine::model::train::vocabulary::{Sizes, Vocabulary, VocabularyOptions};
use recscope::engine::model::train::{
    AdamWOptions, Decay, Example, Loss, Objective, Stop, TrainEvent, TrainJob, TrainOptions, TrainReport,
    Trainer, random_params, train,
};
use recscope::engine::model::{
    Bert, BertConfig, DeviceChoice, LoadOptions, Model, ModelError, Padded, Params, Words,
};
use recscope::util::cancel::Cancel;
use serde_json::Value;

use crate::support::shared;

const GOLDEN: &str = "goldens/train_tiny_bert";

/// A tensor's name without the `bert.` of files.
fn ours(name: &str) -> String {
    name.strip_prefix("bert.").unwrap_or(name).to_string()
}

fn weights(file: &Path) -> BTreeMap<String, Vec<f32>> {
    let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let loaded = candle_core::safetensors::load(file, &Device::Cpu).unwrap();
    loaded.iter().map(|(name, t)| (ours(name), flat(t))).collect()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max)
}

struct Golden {
    config: BertConfig,
    params: Params,
    steps: Value,
    dir: std::path::PathBuf,
}

impl Golden {
    fn open() -> Option<Self> {
        let dir = shared(GOLDEN)?;
        let labels = ["0".to_string(), "1".to_string()];
        let config = BertConfig::read(&dir.join("config.json")).unwrap().with_labels(&labels);
        let loaded = candle_core::safetensors::load(dir.join("init.safetensors"), &Device::Cpu).unwrap();
        let tensors = loaded.into_iter().map(|(name, t)| (ours(&name), t)).collect();
        let text = std::fs::read_to_string(dir.join("steps.json")).unwrap();
        Some(Self {
            params: Params::new(tensors, config.family, true),
            config,
            steps: serde_json::from_str(&text).unwrap(),
            dir,
        })
    }

    fn numbers(&self, key: &str) -> Vec<f64> {
        self.steps[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    }

    /// The step's batch and targets.
    fn batch(&self, step: usize) -> (Padded, Vec<f32>) {
        let batch = &self.steps["batches"][step];
        let tensor = |key: &str| {
            let rows: Vec<Vec<u32>> = serde_json::from_value(batch[key].clone()).unwrap();
            let (n, length) = (rows.len(), rows[0].len());
            Tensor::from_vec(rows.concat(), (n, length), &Device::Cpu).unwrap()
        };
        let mask = tensor("attention_mask").to_dtype(candle_core::DType::F32).unwrap();
        let targets: Vec<f32> = serde_json::from_value(batch["labels"].clone()).unwrap();
        (Padded { ids: tensor("input_ids"), type_ids: tensor("token_type_ids"), mask }, targets)
    }

    fn trainer(&self) -> Trainer {
        assert_eq!(self.steps["decay_applies_to"], "every parameter");
        let adam = AdamWOptions {
            beta1: self.numbers("betas")[0],
            beta2: self.numbers("betas")[1],
            eps: self.steps["eps"].as_f64().unwrap(),
            weight_decay: self.steps["weight_decay"].as_f64().unwrap(),
            decay: Decay::Everything,
        };
        let clip = self.steps["clip_norm"].as_f64().unwrap();
        Trainer::new(&self.config, &self.params, Loss::CrossEntropy, adam, clip, 0).unwrap()
    }
}

#[test]
fn train_first_step_logits_and_gradients_equal_torch() {
    let Some(golden) = Golden::open() else { return };
    let (batch, targets) = golden.batch(0);
    let bert = Bert::new(&golden.config, &golden.params).unwrap();
    let hidden = bert.hidden_states(&Words::Ids(&batch.ids), &batch, None, &Cancel::new()).unwrap();
    let logits = bert.logits(&hidden, None).unwrap().to_vec2::<f32>().unwrap();
    let text = std::fs::read_to_string(golden.dir.join("logits_step0.json")).unwrap();
    let expected: Vec<Vec<f32>> = serde_json::from_str(&text).unwrap();
    let apart = largest_difference(&logits.concat(), &expected.concat());
    println!("logits: {apart:e}");
    assert!(apart < 1e-5, "logits differ by {apart:e}");

    let mut trainer = golden.trainer();
    let (_, grads) = trainer.gradients(&batch, &targets, &Cancel::new()).unwrap();
    let expected = weights(&golden.dir.join("grad_step0.safetensors"));
    assert_eq!(trainer.vars().len(), expected.len());
    let mut worst = 0f64;
    for (name, var) in trainer.vars() {
        let grad = grads.get(var.as_tensor()).unwrap_or_else(|| panic!("{name} has no gradient"));
        let grad = grad.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let apart = largest_difference(&grad, &expected[name]);
        assert!(apart < 1e-5, "gradient of {name} differs by {apart:e}");
        worst = worst.max(apart);
    }
    println!("gradients: {worst:e}");
}

/// A key's bias shifts all scores of a query alike, and softmax does not see that: its gradient is
/// zero on paper and rounding noise (1e-10 to 1e-9) in any program. AdamW divides noise by noise, so
/// torch's own key biases after 10 steps are noise too. They must stay as small as torch's.
fn is_noise(name: &str) -> bool {
    name.ends_with("attention.self.key.bias")
}

#[test]
fn train_losses_norms_and_weights_equal_torch() {
    let Some(golden) = Golden::open() else { return };
    let mut trainer = golden.trainer();
    let (losses, norms) = (golden.numbers("losses"), golden.numbers("grad_norms_before_clip"));
    for (step, rate) in golden.numbers("lrs").into_iter().enumerate() {
        let (batch, targets) = golden.batch(step);
        let seen = trainer.step(&batch, &targets, rate, &Cancel::new()).unwrap();
        assert!(
            (seen.loss - losses[step]).abs() < 1e-5,
            "loss of step {step}: {} {}",
            seen.loss,
            losses[step]
        );
        assert!((seen.grad_norm - norms[step]).abs() < 1e-5, "norm of step {step}: {}", seen.grad_norm);
        if step == 1 || step == 9 {
            compare(&trainer, &golden.dir.join(format!("after_{}.safetensors", step + 1)));
        }
    }
}

fn compare(trainer: &Trainer, file: &Path) {
    let expected = weights(file);
    let mut worst = 0f64;
    for (name, tensor) in trainer.params().iter() {
        let found = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let apart = largest_difference(&found, &expected[name]);
        if is_noise(name) {
            assert!(apart < 2e-4, "{name}: {apart:e}");
            continue;
        }
        assert!(apart < 1e-5, "{name} differs by {apart:e} from {}", file.display());
        worst = worst.max(apart);
    }
    println!("{}: {worst:e}", file.display());
}

/// A small random model of our own, for what needs no golden.
fn tiny(dropout: f64) -> (BertConfig, Params) {
    let raw = serde_json::json!({
        "model_type": "bert", "vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 8,
        "hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout, "initializer_range": 0.3,
    });
    let Value::Object(raw) = raw else { unreachable!() };
    let labels = ["a", "b", "c"].map(String::from);
    let config = BertConfig::parse(raw).unwrap().with_labels(&labels);
    let params = random_params(&config, 7, &Device::Cpu).unwrap();
    (config, params)
}

/// Rows that use every word but [PAD], every position and both token types.
fn tiny_batch() -> (Padded, Vec<f32>) {
    let rows: Vec<(Vec<u32>, Vec<u32>)> = (0..6)
        .map(|r| {
            let length = if r == 0 { 8 } else { 5 + r % 3 };
            (
                (0..length).map(|i| 1 + (r * 5 + i) as u32 % 29).collect(),
                (0..length).map(|i| u32::from(i > 3)).collect(),
            )
        })
        .collect();
    let borrowed: Vec<(&[u32], &[u32])> = rows.iter().map(|(a, b)| (&a[..], &b[..])).collect();
    (Padded::new(&borrowed, 0, &Device::Cpu).unwrap(), vec![0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
}

#[test]
fn train_every_variable_has_a_gradient_and_moves() {
    let (config, params) = tiny(0.0);
    let (batch, targets) = tiny_batch();
    let mut trainer =
        Trainer::new(&config, &params, Loss::CrossEntropy, AdamWOptions::default(), 1.0, 0).unwrap();
    let (_, grads) = trainer.gradients(&batch, &targets, &Cancel::new()).unwrap();
    let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let before: HashMap<String, Vec<f32>> =
        trainer.vars().iter().map(|(n, v)| (n.clone(), values(v.as_tensor()))).collect();
    for (name, var) in trainer.vars() {
        let grad = values(grads.get(var.as_tensor()).unwrap_or_else(|| panic!("{name} has no gradient")));
        assert!(grad.iter().any(|g| *g != 0.0), "{name}: the gradient is zero");
        if name == "embeddings.word_embeddings.weight" {
            assert!(grad[..8].iter().all(|g| *g == 0.0), "padding must get no gradient");
            assert!(
                grad[8..].chunks(8).all(|word| word.iter().any(|g| *g != 0.0)),
                "a word without gradient"
            );
        }
    }
    trainer.step(&batch, &targets, 1e-3, &Cancel::new()).unwrap();
    for (name, var) in trainer.vars() {
        assert_ne!(values(var.as_tensor()), before[name], "{name} did not move");
    }
    // The weights given are a copy's, and stay.
    for (name, tensor) in params.iter() {
        assert_eq!(values(tensor), before[name], "{name} of the source moved");
    }
}

#[test]
fn train_gradients_equal_finite_differences() {
    let (config, params) = tiny(0.0);
    let (batch, targets) = tiny_batch();
    let mut trainer =
        Trainer::new(&config, &params, Loss::CrossEntropy, AdamWOptions::default(), 0.0, 0).unwrap();
    let cancel = Cancel::new();
    let (_, grads) = trainer.gradients(&batch, &targets, &cancel).unwrap();
    let values = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let vars = trainer.vars().to_vec();
    for (name, var) in vars {
        let grad = values(grads.get(var.as_tensor()).unwrap());
        let now = values(var.as_tensor());
        // The entry with the largest slope says most over rounding.
        let at = (0..grad.len()).max_by(|a, b| grad[*a].abs().total_cmp(&grad[*b].abs())).unwrap();
        let mut loss_at = |by: f32| {
            let mut moved = now.clone();
            moved[at] += by;
            var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap()).unwrap();
            trainer.gradients(&batch, &targets, &cancel).unwrap().0
        };
        let h = 5e-3;
        let slope = (loss_at(h) - loss_at(-h)) / (2.0 * f64::from(h));
        loss_at(0.0);
        let expected = f64::from(grad[at]);
        assert!((slope - expected).abs() < 2e-4 + 0.02 * expected.abs(), "{name}[{at}]: {slope} {expected}");
    }
}

#[test]
fn train_same_seed_same_weights_even_with_dropout() {
    let (config, params) = tiny(0.2);
    let (batch, targets) = tiny_batch();
    let run = |seed: u64| {
        let mut trainer =
            Trainer::new(&config, &params, Loss::CrossEntropy, AdamWOptions::default(), 1.0, seed).unwrap();
        let steps: Vec<_> =
            (0..3).map(|_| trainer.step(&batch, &targets, 1e-2, &Cancel::new()).unwrap()).collect();
        let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        (steps, trainer.params().iter().flat_map(|(_, t)| flat(t)).collect::<Vec<f32>>())
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
}

/// Pairs whose query word occurs in the title are relevant; Chinese and English.
fn shop() -> (Vec<Example>, Vec<Example>) {
    let words = ["跑鞋", "靴", "shoes", "boots", "手机", "phone"];
    let mut rows = Vec::new();
    for round in 0..20 {
        for (i, query) in words.iter().enumerate() {
            let same = (round + i) % 2 == 0;
            let title = if same { query } else { words[(i + 1 + round % 4) % words.len()] };
            let text = Some(format!("{title} {}", ["新款", "sale", "红"][round % 3]));
            rows.push(Example { query: query.to_string(), text, target: f64::from(u8::from(same)) });
        }
    }
    let dev = rows.split_off(90);
    (rows, dev)
}

fn start_folder(dir: &Path) {
    let (rows, _) = shop();
    let texts = rows.iter().flat_map(|r| [r.query.as_str(), r.text.as_deref().unwrap()]);
    let vocabulary = Vocabulary::build(texts, &VocabularyOptions::default()).unwrap();
    let sizes = Sizes {
        hidden: 32,
        layers: 2,
        heads: 4,
        intermediate: 64,
        max_positions: 32,
        initializer_range: 0.1,
    };
    vocabulary.write_start(dir, &sizes).unwrap();
}

fn options() -> TrainOptions {
    TrainOptions { epochs: 16, batch: 16, learning_rate: 4e-3, dropout: 0.05, seed: 3, ..Default::default() }
}

fn run(
    dir: &Path,
    objective: Objective,
    options: TrainOptions,
    cancel: &Cancel,
    tell: &mut dyn FnMut(TrainEvent<'_>),
) -> Result<TrainReport, ModelError> {
    let (start, out) = (dir.join("start"), dir.join("模型"));
    start_folder(&start);
    let (rows, dev) = shop();
    let job = TrainJob {
        start: &start,
        out: &out,
        device: DeviceChoice::Cpu,
        objective,
        train: &rows,
        dev: &dev,
        options,
    };
    train(&job, cancel, tell)
}

fn two_classes() -> Objective {
    Objective::Classes(vec!["不相关".into(), "相关".into()])
}

#[test]
fn train_from_nothing_learns_and_writes_a_folder_that_loads() {
    let dir = tempfile::tempdir().unwrap();
    let mut steps = 0;
    let mut epochs = 0;
    let report = run(dir.path(), two_classes(), options(), &Cancel::new(), &mut |event| match event {
        TrainEvent::Started { steps: n, .. } => steps = n,
        TrainEvent::Stepped { step, .. } => assert!(step <= steps),
        TrainEvent::Epoch(_) => epochs += 1,
    })
    .unwrap();
    assert_eq!((epochs, report.stop), (16, Stop::Finished));
    let best = &report.epochs[report.best_epoch - 1];
    println!("{best:?}");
    assert!(best.dev_loss.unwrap() < 0.5, "{best:?}");
    assert!(best.figures.accuracy.unwrap() > 0.8 && best.figures.f1.unwrap() > 0.8, "{best:?}");
    assert!(report.epochs.iter().all(|e| e.dev_loss.unwrap() >= best.dev_loss.unwrap()));

    let out = dir.path().join("模型");
    let model = Model::load(&out, &LoadOptions { device: DeviceChoice::Cpu, ..Default::default() }).unwrap();
    assert_eq!(model.info().labels, ["不相关", "相关"]);
    let config: Value = serde_json::from_slice(&std::fs::read(out.join("config.json")).unwrap()).unwrap();
    assert_eq!(config["id2label"]["1"], "相关");
    assert_eq!(config["architectures"][0], "BertForSequenceClassification");
    let names: Vec<String> = candle_core::safetensors::load(out.join("model.safetensors"), &Device::Cpu)
        .unwrap()
        .into_keys()
        .collect();
    assert!(names.contains(&"bert.encoder.layer.1.output.LayerNorm.weight".to_string()));
    assert!(names.contains(&"classifier.weight".to_string()));
    // Nothing else was left beside it.
    let beside = std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(beside, 2);
}

#[test]
fn train_same_job_same_file_and_a_second_run_goes_on_from_it() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let short = TrainOptions { epochs: 2, ..options() };
    let bytes = |dir: &Path| {
        run(dir, two_classes(), short.clone(), &Cancel::new(), &mut |_| {}).unwrap();
        std::fs::read(dir.join("模型/model.safetensors")).unwrap()
    };
    assert!(bytes(a.path()) == bytes(b.path()), "the same job gave different weights");

    // From the trained folder, under other labels: its classifier is kept, its loss begins lower.
    let (rows, dev) = shop();
    let (start, out) = (a.path().join("模型"), a.path().join("again"));
    let objective = Objective::Classes(vec!["no".into(), "yes".into()]);
    let job = TrainJob {
        start: &start,
        out: &out,
        device: DeviceChoice::Cpu,
        objective,
        train: &rows,
        dev: &dev,
        options: TrainOptions { epochs: 3, learning_rate: 1e-3, ..short.clone() },
    };
    let again = train(&job, &Cancel::new(), &mut |_| {}).unwrap();
    assert!(again.notes.iter().any(|n| n.contains("不相关, 相关")), "{:?}", again.notes);
    let options = TrainOptions { overwrite: true, ..job.options.clone() };
    let fresh = TrainJob { objective: Objective::Value("grade".into()), options, ..job };
    let value = train(&fresh, &Cancel::new(), &mut |_| {}).unwrap();
    assert_eq!(value.labels, ["grade"]);
    assert_eq!(value.epochs[0].figures.accuracy, None);
}

#[test]
fn train_one_logit_ranks_and_counts_both_sides() {
    let dir = tempfile::tempdir().unwrap();
    let report =
        run(dir.path(), Objective::Binary("clicked".into()), options(), &Cancel::new(), &mut |_| {}).unwrap();
    let best = &report.epochs[report.best_epoch - 1];
    assert_eq!(report.labels, ["clicked"]);
    assert_eq!(best.figures.classes.len(), 2);
    assert!(best.figures.accuracy.unwrap() > 0.8, "{best:?}");
}

#[test]
fn train_cancel_keeps_the_best_so_far_or_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let cancel = Cancel::new();
    let report = run(dir.path(), two_classes(), options(), &cancel, &mut |event| {
        if matches!(event, TrainEvent::Stepped { epoch: 2, .. }) {
            cancel.cancel();
        }
    })
    .unwrap();
    assert_eq!((report.stop, report.best_epoch, report.epochs.len()), (Stop::Cancelled, 1, 1));
    assert!(dir.path().join("模型/model.safetensors").is_file());

    let dir = tempfile::tempdir().unwrap();
    let cancel = Cancel::new();
    let stopped = run(dir.path(), two_classes(), options(), &cancel, &mut |event| {
        if matches!(event, TrainEvent::Stepped { .. }) {
            cancel.cancel();
        }
    });
    assert!(stopped.unwrap_err().is_cancelled());
    assert!(!dir.path().join("模型").exists());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn train_refuses_what_cannot_be_learnt() {
    let dir = tempfile::tempdir().unwrap();
    let start = dir.path().join("start");
    start_folder(&start);
    let out = dir.path().join("out");
    let (rows, _) = shop();
    let same: Vec<Example> = rows.iter().cloned().map(|r| Example { target: 1.0, ..r }).collect();
    let attempt = |train_rows: &[Example], options: TrainOptions, start: &Path, out: &Path| {
        let job = TrainJob {
            start,
            out,
            device: DeviceChoice::Cpu,
            objective: two_classes(),
            train: train_rows,
            dev: &[],
            options,
        };
        train(&job, &Cancel::new(), &mut |_| {}).unwrap_err().message
    };
    assert!(attempt(&[], options(), &start, &out).contains("no rows"));
    assert!(attempt(&same, options(), &start, &out).contains("\"相关\""));
    assert!(attempt(&rows, TrainOptions { batch: 0, ..options() }, &start, &out).contains("batch"));
    assert!(attempt(&rows, options(), &start, &start).contains("starts from"));
    assert!(attempt(&rows, options(), &dir.path().join("nowhere"), &out).contains("nowhere"));
    let wild = TrainOptions { learning_rate: 1e30, clip: 0.0, warmup: 0.0, ..options() };
    assert!(attempt(&rows, wild, &start, &out).contains("not a number"));
    assert!(!out.exists());
}
