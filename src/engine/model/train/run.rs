//! A whole training run: open, epochs, dev figures, keep the best, write. Called by lanes.

use std::path::Path;
use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::engine::model::new_folder::NewFolder;
use crate::engine::model::{BertConfig, DeviceChoice, ModelError, ModelErrorKind, Params, open_device};
use crate::util::cancel::Cancel;
use crate::util::heap::Kept;

use super::adamw::AdamWOptions;
use super::batches::shuffled;
use super::evaluation::{evaluate, padded};
use super::examples::{Encoded, Example, Objective, encode, usage};
use super::folder;
use super::options::TrainOptions;
use super::report::{Epoch, Stop, TrainEvent, TrainReport};
use super::schedule::Schedule;
use super::start::{Start, start_folder};
use super::trainer::Trainer;

/// All that a run needs.
#[derive(Debug, Clone)]
pub struct TrainJob<'a> {
    /// A model folder, or a folder with only `config.json` and a tokenizer (random weights).
    pub start: &'a Path,
    /// Folder to write.
    pub out: &'a Path,
    pub device: DeviceChoice,
    pub objective: Objective,
    pub train: &'a [Example],
    /// May be empty: then the last epoch is kept.
    pub dev: &'a [Example],
    pub options: TrainOptions,
}

/// Trains and writes the best epoch's model to `job.out`.
///
/// A cancel after the first epoch keeps the best so far ([`Stop::Cancelled`]); before that nothing
/// is written. The same job gives the same weights on the same machine.
///
/// # Errors
/// Usage (options, labels, rows, `out`), a start folder that cannot be used, disk, cancel.
pub fn train(
    job: &TrainJob<'_>,
    cancel: &Cancel,
    tell: &mut dyn FnMut(TrainEvent<'_>),
) -> Result<TrainReport, ModelError> {
    check(job)?;
    // Every step takes and frees the same large tensors.
    let _kept = Kept::begin();
    let device = open_device(job.device)?;
    let (options, outputs) = (&job.options, job.objective.outputs());
    let start = Start::open(job.start, &outputs, options.max_tokens, &device, options.seed)?;
    let train = encode(&start.tokens, job.train, cancel)?;
    let dev = encode(&start.tokens, job.dev, cancel)?;
    let steps = options.epochs * train.len().div_ceil(options.batch);
    tell(TrainEvent::Started { steps, epochs: options.epochs, train_rows: train.len(), dev_rows: dev.len() });

    let mut run = Run::new(job, &start, &train, steps)?;
    let mut stop = Stop::Finished;
    for epoch in 1..=options.epochs {
        match run.epoch(epoch, &dev, cancel, tell) {
            Ok(None) => {}
            Ok(Some(step)) => {
                stop = Stop::Diverged { step };
                break;
            }
            Err(error) if error.is_cancelled() && run.best.is_some() => {
                stop = Stop::Cancelled;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let Some((best_epoch, best)) = run.best else { return Err(diverged(stop, options)) };
    let report = TrainReport {
        out: job.out.to_path_buf(),
        epochs: run.epochs,
        best_epoch,
        labels: outputs,
        train_rows: train.len() as u64,
        dev_rows: dev.len() as u64,
        truncated: train.iter().chain(&dev).filter(|row| row.truncated).count() as u64,
        parameters: best.count() as u64,
        stop,
        notes: notes(job, &start, &train, &dev, stop),
    };
    folder::save(
        job.out,
        &start_folder(job.start),
        &start.config,
        &best,
        &report.to_json(options),
        options.overwrite,
    )?;
    Ok(report)
}

/// What can be wrong before any weight is read.
fn check(job: &TrainJob<'_>) -> Result<(), ModelError> {
    job.options.check()?;
    if job.train.is_empty() {
        return Err(usage("there are no rows to train on".into())
            .hint("check the cell's `from` and `where`, and that the label column is not NULL"));
    }
    job.objective.check("train", job.train)?;
    job.objective.check("dev", job.dev)?;
    let mut classes = job.train.iter().map(|row| job.objective.class_of_target(row.target));
    if let Some(Some(first)) = classes.next()
        && classes.all(|class| class == Some(first))
    {
        let label = job.objective.classes().get(first).cloned().unwrap_or_default();
        return Err(usage(format!("all {} training rows are labelled \"{label}\"", job.train.len()))
            .hint("a classifier needs rows of at least two classes: check the label column"));
    }
    NewFolder::check(job.out, job.start, job.options.overwrite)
}

fn diverged(stop: Stop, options: &TrainOptions) -> ModelError {
    let step = if let Stop::Diverged { step } = stop { step } else { 0 };
    ModelError::new(
        ModelErrorKind::Usage,
        format!("the loss was not a number at step {step}, in the first epoch; nothing was written"),
    )
    .hint(format!("lower learning_rate (it is {}), and clip gradients (clip = 1.0)", options.learning_rate))
}

/// The state of a run between epochs.
struct Run<'a> {
    job: &'a TrainJob<'a>,
    /// As it is saved and evaluated; the trainer's copy has this run's dropout.
    config: &'a BertConfig,
    pad_id: u32,
    train: &'a [Encoded],
    lengths: Vec<usize>,
    trainer: Trainer,
    schedule: Schedule,
    order: ChaCha8Rng,
    step: usize,
    rows: u64,
    epochs: Vec<Epoch>,
    best: Option<(usize, Params)>,
}

impl<'a> Run<'a> {
    fn new(
        job: &'a TrainJob<'a>,
        start: &'a Start,
        train: &'a [Encoded],
        steps: usize,
    ) -> Result<Self, ModelError> {
        let options = &job.options;
        let mut config = start.config.clone();
        config.hidden_dropout = options.dropout;
        config.attention_dropout = options.dropout;
        config.classifier_dropout = None;
        let adam = AdamWOptions {
            weight_decay: options.weight_decay,
            decay: options.decay,
            ..AdamWOptions::default()
        };
        // One stream per use, so that dropout does not change the order of rows.
        let masks = options.seed.wrapping_add(1);
        let trainer = Trainer::new(&config, &start.params, job.objective.loss(), adam, options.clip, masks)?;
        Ok(Self {
            job,
            config: &start.config,
            pad_id: start.tokens.pad_id(),
            train,
            lengths: train.iter().map(|row| row.ids.len()).collect(),
            trainer,
            schedule: Schedule::new(options.learning_rate, options.warmup, steps),
            order: ChaCha8Rng::seed_from_u64(options.seed.wrapping_add(2)),
            step: 0,
            rows: 0,
            epochs: Vec::new(),
            best: None,
        })
    }

    /// One pass and a look at the dev rows. `Some(step)`: the loss stopped being a number there.
    fn epoch(
        &mut self,
        epoch: usize,
        dev: &[Encoded],
        cancel: &Cancel,
        tell: &mut dyn FnMut(TrainEvent<'_>),
    ) -> Result<Option<usize>, ModelError> {
        let began = Instant::now();
        let mut sum = 0.0;
        for batch in shuffled(&self.lengths, self.job.options.batch, &mut self.order) {
            cancel.check()?;
            let device = self.trainer.device().clone();
            let (tensors, targets) = padded(self.train, &batch, self.pad_id, &device)?;
            let rate = self.schedule.rate(self.step);
            let seen = self.trainer.step(&tensors, &targets, rate, cancel)?;
            self.step += 1;
            self.rows += batch.len() as u64;
            if !seen.loss.is_finite() || !seen.grad_norm.is_finite() {
                return Ok(Some(self.step));
            }
            sum += seen.loss * batch.len() as f64;
            tell(TrainEvent::Stepped {
                epoch,
                step: self.step,
                steps: self.schedule.steps,
                rows: self.rows,
                loss: seen.loss,
                rate,
            });
        }
        let seconds = began.elapsed().as_secs_f64();
        let now = self.trainer.params().snapshot()?;
        let (dev_loss, figures) = evaluate(self.config, &now, &self.job.objective, dev, self.pad_id, cancel)?;
        let train_loss = sum / self.train.len().max(1) as f64;
        let done = Epoch { epoch, train_loss, dev_loss, figures, seconds };
        if self.is_best(&done) {
            self.best = Some((epoch, now));
        }
        tell(TrainEvent::Epoch(&done));
        self.epochs.push(done);
        Ok(None)
    }

    /// Lower dev loss than any epoch before; without dev rows the newest. A NaN is never better.
    fn is_best(&self, now: &Epoch) -> bool {
        let before = self.best.as_ref().and_then(|(best, _)| self.epochs.get(best - 1));
        match (before.and_then(|epoch| epoch.dev_loss), now.dev_loss) {
            (Some(before), Some(now)) => now < before || (before.is_nan() && !now.is_nan()),
            _ => true,
        }
    }
}

/// Sentences for the reader, most important first.
fn notes(job: &TrainJob<'_>, start: &Start, train: &[Encoded], dev: &[Encoded], stop: Stop) -> Vec<String> {
    let mut notes = Vec::new();
    match stop {
        Stop::Finished => {}
        Stop::Cancelled => notes.push("stopped early: the best epoch so far was kept".to_string()),
        Stop::Diverged { step } => notes.push(format!(
            "the loss was not a number at step {step}: training ended there and the best epoch before it \
             was kept; lower learning_rate"
        )),
    }
    notes.extend(imbalance(&job.objective, train));
    if dev.is_empty() {
        notes.push("there are no dev rows: nothing was measured and the last epoch was kept".into());
    }
    let cut = train.iter().chain(dev).filter(|row| row.truncated).count();
    if cut > 0 {
        let limit = start.tokens.max_tokens();
        notes.push(format!("{cut} of {} texts were cut to {limit} tokens", train.len() + dev.len()));
    }
    notes.extend(start.note.clone());
    notes
}

/// Classes without training rows, and a class so large that accuracy flatters.
fn imbalance(objective: &Objective, train: &[Encoded]) -> Vec<String> {
    let classes = objective.classes();
    let mut counts = vec![0usize; classes.len()];
    for row in train {
        if let Some(n) = objective.class_of_target(row.target).and_then(|c| counts.get_mut(c)) {
            *n += 1;
        }
    }
    let mut notes = Vec::new();
    for (label, count) in classes.iter().zip(&counts) {
        if *count == 0 {
            notes.push(format!("no training row is labelled \"{label}\": the model cannot learn it"));
        }
        let share = *count as f64 / train.len().max(1) as f64;
        if share >= 0.8 {
            notes.push(format!(
                "{count} of {} training rows ({:.0} %) are labelled \"{label}\": always answering that is \
                 {share:.2} accurate, so read F1",
                train.len(),
                share * 100.0,
            ));
        }
    }
    notes
}
