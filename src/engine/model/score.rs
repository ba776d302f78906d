//! The scoring job: equal inputs once, known ones not at all, similar lengths together, results handed
//! over as they come, stopped within a batch.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::bert::Path;
use super::cache::Memo;
use super::compute::tokens_of;
use super::device::DeviceNotes;
use super::dtype::Dtype;
use super::error::{ModelError, ModelErrorKind};
use super::heads::Head;
use super::load::Model;
use super::progress::ScoreProgress;
use super::recall::Found;
use super::units::{Table, Unit, distinct};
use crate::util::cancel::Cancel;

/// What to score: columns of equal length, one entry per row. A row with a missing or blank text has
/// no score.
#[derive(Debug, Clone, Copy)]
pub enum ScoreInputs<'a> {
    /// One text per row, for a classifier.
    Text(&'a [Option<String>]),
    /// Query and text read together, for a classifier (cross-encoder).
    Pair(&'a [Option<String>], &'a [Option<String>]),
    /// Query and text read apart; the score is the cosine, for an encoder (bi-encoder).
    Embed(&'a [Option<String>], &'a [Option<String>]),
}

#[derive(Debug, Clone)]
pub struct ScoreOptions {
    /// Batches computed side by side; 0: one per core.
    pub threads: usize,
    /// Most tokens in one batch; 0: chosen for the device. Bounds memory and the time to a cancel.
    pub batch_tokens: usize,
    pub path: Path,
    /// Must be one that the model's device has ([`Model::check_dtype`]).
    pub dtype: Dtype,
    /// What is known from before, shared by the calls of one job; `None`: every input is computed.
    pub memo: Option<Arc<Memo>>,
    /// What the devices went through, for the user; shared by the calls of one job.
    pub notes: Arc<DeviceNotes>,
}

impl Default for ScoreOptions {
    fn default() -> Self {
        let (memo, notes) = (None, Arc::default());
        Self { threads: 0, batch_tokens: 0, path: Path::Fused, dtype: Dtype::F32, memo, notes }
    }
}

/// Rows that have just been scored. Chunks come in no particular row order; every row comes once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreChunk {
    /// Row numbers in the input, counted from 0.
    pub rows: Vec<usize>,
    /// Per row of `rows`: [`Head::score`] of the logits, or the cosine; `None` for a blank text.
    pub scores: Vec<Option<f64>>,
    /// Per class, per row of `rows`: the logit. Empty for encoders and one-label models.
    pub classes: Vec<Vec<Option<f32>>>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreReport {
    pub rows: u64,
    /// Distinct pairs, or distinct texts for cosines, that the job had not met in an earlier call.
    pub unique_inputs: u64,
    /// Of these, inputs that were in the cache. The others were computed.
    pub cached_inputs: u64,
    /// Rows whose score came from the cache.
    pub cached_rows: u64,
    /// Tokens computed, special ones included.
    pub tokens: u64,
    /// Of the distinct inputs, those that were longer than the model reads.
    pub truncated: u64,
    pub empty: u64,
    pub nan: u64,
    pub seconds: f64,
    pub tokens_per_second: f64,
}

impl Model {
    /// Scores every row, handing chunks to `emit` on this thread. When `cancel` is set, the job stops
    /// within the batch and the error is of kind `Cancelled`; chunks already emitted stand.
    pub fn score(
        &self,
        inputs: &ScoreInputs,
        options: &ScoreOptions,
        cancel: &Cancel,
        progress: &ScoreProgress,
        mut emit: impl FnMut(ScoreChunk) -> Result<(), ModelError>,
    ) -> Result<ScoreReport, ModelError> {
        let started = Instant::now();
        self.check_inputs(inputs)?;
        let prefixed = match inputs {
            ScoreInputs::Embed(a, b) if !self.info.prefixes.is_empty() => {
                Some(self.info.prefixes.before(a, b))
            }
            _ => None,
        };
        let units = distinct(&prefixed.as_ref().map_or(*inputs, |columns| columns.inputs()))?;
        let rows = units.of_row.len();
        progress.rows_total.store(rows as u64, Relaxed);
        let mut report = ScoreReport { rows: rows as u64, ..Default::default() };
        let mut table = Table::new(&units, &self.head);
        let blank = table.blank_rows();
        report.empty = blank.rows.len() as u64;
        let mut hand_over = |chunk: ScoreChunk, report: &mut ScoreReport| {
            if chunk.rows.is_empty() {
                return Ok(());
            }
            report.nan += chunk.scores.iter().flatten().filter(|s| s.is_nan()).count() as u64;
            progress.rows_done.fetch_add(chunk.rows.len() as u64, Relaxed);
            emit(chunk)
        };
        ScoreProgress::add(&progress.empty, report.empty);
        hand_over(blank, &mut report)?;
        let id = self.shelf_id(inputs, options);
        self.complete((&units.units, rows as u64), &id, options, cancel, progress, |found| {
            let cached = matches!(found, Found::Cached(_));
            let chunk = match found {
                Found::Cached(known) | Found::Again(known) => {
                    report.unique_inputs += known.inputs;
                    report.cached_inputs += known.inputs;
                    report.truncated += known.truncated;
                    ScoreProgress::add(&progress.inputs_cached, known.inputs);
                    ScoreProgress::add(&progress.truncated, known.truncated);
                    table.finish(&known.units, known.outputs)
                }
                Found::Computed(done, outputs) => {
                    report.unique_inputs += done.len() as u64;
                    report.tokens += tokens_of(&done);
                    report.truncated += done.iter().filter(|done| done.truncated).count() as u64;
                    let numbers: Vec<usize> = done.iter().map(|done| done.unit).collect();
                    table.finish(&numbers, outputs)
                }
            };
            if cached {
                report.cached_rows += chunk.rows.len() as u64;
                progress.rows_cached.fetch_add(chunk.rows.len() as u64, Relaxed);
            }
            hand_over(chunk, &mut report)
        })?;
        report.seconds = started.elapsed().as_secs_f64();
        report.tokens_per_second = report.tokens as f64 / report.seconds.max(1e-9);
        Ok(report)
    }

    /// One vector per text (class logits, or the embedding), in order; for callers that need them all.
    /// Prefixes are the caller's business.
    pub fn outputs(
        &self,
        units: &[Unit],
        options: &ScoreOptions,
        cancel: &Cancel,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut all = vec![Vec::new(); units.len()];
        let each: Vec<u32> = (0..units.len() as u32).collect();
        self.compute(units, &each, options, cancel, &ScoreProgress::default(), |done, outputs| {
            for (done, output) in done.into_iter().zip(outputs) {
                if let Some(slot) = all.get_mut(done.unit) {
                    *slot = output;
                }
            }
            Ok(())
        })?;
        Ok(all)
    }

    pub(super) fn check_inputs(&self, inputs: &ScoreInputs) -> Result<(), ModelError> {
        let usage = |what: String, hint: &str| {
            Err(ModelError::new(ModelErrorKind::Usage, what).hint(hint.to_string()))
        };
        let name = &self.info.name;
        match (inputs, &self.head) {
            (ScoreInputs::Embed(..), Head::Classifier { .. }) => usage(
                format!("{name} is a classifier and gives no embeddings"),
                "use pair = [..] or text = ..",
            ),
            (ScoreInputs::Text(_) | ScoreInputs::Pair(..), Head::Embedding(_)) => usage(
                format!("{name} gives embeddings, not a score of a text or pair"),
                "use embed = [\"query\", \"title\"] for the cosine of two columns",
            ),
            (ScoreInputs::Pair(a, b) | ScoreInputs::Embed(a, b), _) if a.len() != b.len() => {
                let what = format!("the two columns have {} and {} rows", a.len(), b.len());
                Err(ModelError::new(ModelErrorKind::Internal, what))
            }
            _ => Ok(()),
        }
    }
}
