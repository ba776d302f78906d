//! The scoring job: equal inputs once, known ones not at all, similar lengths together, results handed
//! over as they come, stopped within a batch.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::batch::plan;
use super::bert::Path;
use super::cache::Memo;
use super::dtype::Dtype;
use super::error::{ModelError, ModelErrorKind};
use super::fused::Scratch;
use super::heads::Head;
use super::load::Model;
use super::progress::ScoreProgress;
use super::recall::Recall;
use super::tokens::Ids;
use super::units::{Table, Unit, cost, distinct};
use super::workers;
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
}

impl Default for ScoreOptions {
    fn default() -> Self {
        Self { threads: 0, batch_tokens: 0, path: Path::Fused, dtype: Dtype::F32, memo: None }
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

/// How many inputs are tokenised and sorted together: few at first, so that the first results come
/// at once and in about the input's order; more later, so that little is padded.
const WINDOW_FIRST: usize = 256;
const WINDOW_MOST: usize = 4096;

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
        let memo = options.memo.as_deref();
        let recall = memo.map(|memo| Recall::begin(memo, &self.shelf_id(inputs, options), &units.units));
        let unknown = match &recall {
            None => (0..units.units.len() as u32).collect(),
            Some(recall) => recall.known(cancel, |known, cached| {
                report.unique_inputs += known.inputs;
                report.cached_inputs += known.inputs;
                ScoreProgress::add(&progress.inputs_cached, known.inputs);
                ScoreProgress::add(&progress.truncated, known.truncated);
                report.truncated += known.truncated;
                let chunk = table.finish(&known.units, known.outputs);
                if cached {
                    report.cached_rows += chunk.rows.len() as u64;
                    progress.rows_cached.fetch_add(chunk.rows.len() as u64, Relaxed);
                }
                hand_over(chunk, &mut report)
            })?,
        };
        report.unique_inputs += unknown.len() as u64;
        ScoreProgress::add(&progress.rows_seen, rows as u64);
        self.compute(&units.units, &unknown, options, cancel, progress, |done, outputs| {
            report.tokens += tokens_of(&done);
            report.truncated += done.iter().filter(|done| done.truncated).count() as u64;
            if let Some(recall) = &recall {
                recall.keep(&done, &outputs);
            }
            let numbers: Vec<usize> = done.iter().map(|done| done.unit).collect();
            hand_over(table.finish(&numbers, outputs), &mut report)
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

    /// Tokenises, sorts, batches and computes the units that `which` numbers; `done` gets them as they
    /// come.
    pub(super) fn compute(
        &self,
        units: &[Unit],
        which: &[u32],
        options: &ScoreOptions,
        cancel: &Cancel,
        progress: &ScoreProgress,
        mut done: impl FnMut(Vec<Computed>, Vec<Vec<f32>>) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        let bytes = |numbers: &[u32]| {
            let units = numbers.iter().filter_map(|number| units.get(*number as usize));
            units.map(|unit| cost(*unit, self.tokens.max_tokens()) as u64).sum()
        };
        ScoreProgress::add(&progress.inputs_open, which.len() as u64);
        ScoreProgress::add(&progress.bytes, bytes(which));
        let fused = options.path == Path::Fused && self.has_fused_path();
        let on_cpu = self.encoder.device().is_cpu();
        self.check_dtype(options.dtype)?;
        let threads = if on_cpu { workers::worker_count(options.threads) } else { 1 };
        let budget = match (options.batch_tokens, fused, on_cpu) {
            (0, true, _) => 384,
            (0, false, true) => 1024,
            (0, false, false) => 16_384,
            (asked, ..) => asked,
        };
        let mut window = WINDOW_FIRST;
        let mut start = 0;
        let mut waiting: Vec<Vec<(usize, Ids)>> = Vec::new();
        let next = || {
            while waiting.is_empty() && start < which.len() {
                let end = which.len().min(start + window);
                let numbers = which.get(start..end).unwrap_or_default();
                waiting = self.tokenise_window(units, numbers, budget, cancel)?;
                waiting.reverse();
                let tokens = waiting.iter().flatten().map(|(_, ids)| ids.ids.len() as u64).sum();
                ScoreProgress::add(&progress.tokens_sized, tokens);
                ScoreProgress::add(&progress.bytes_sized, bytes(numbers));
                (start, window) = (end, WINDOW_MOST.min(window * 4));
            }
            cancel.check()?;
            Ok(waiting.pop())
        };
        let work = |scratch: &mut Scratch, batch: Vec<(usize, Ids)>| {
            let rows: Vec<_> = batch.iter().map(|(_, ids)| (&ids.ids[..], &ids.type_ids[..])).collect();
            let outputs = self.forward(&rows, (options.path, options.dtype), scratch, cancel)?;
            let done = batch.iter().map(|(unit, ids)| Computed {
                unit: *unit,
                tokens: ids.ids.len() as u32,
                truncated: ids.truncated,
            });
            Ok((done.collect::<Vec<_>>(), outputs))
        };
        progress.computing.store(!which.is_empty(), Relaxed);
        let ended = workers::run(threads, next, Scratch::default, work, |(units, outputs)| {
            ScoreProgress::add(&progress.tokens_done, tokens_of(&units));
            ScoreProgress::add(&progress.inputs_done, units.len() as u64);
            let truncated = units.iter().filter(|unit| unit.truncated).count();
            ScoreProgress::add(&progress.truncated, truncated as u64);
            done(units, outputs)
        });
        progress.computing.store(false, Relaxed);
        ended
    }

    fn tokenise_window(
        &self,
        units: &[Unit],
        numbers: &[u32],
        budget: usize,
        cancel: &Cancel,
    ) -> Result<Vec<Vec<(usize, Ids)>>, ModelError> {
        let mut window = Vec::with_capacity(numbers.len());
        for number in numbers.iter().map(|number| *number as usize) {
            cancel.check()?;
            if let Some((query, text)) = units.get(number) {
                window.push(Some((number, self.tokens.ids(query, *text)?)));
            }
        }
        let lengths: Vec<usize> = window.iter().flatten().map(|(_, ids)| ids.ids.len()).collect();
        let batches = plan(&lengths, budget);
        Ok(batches
            .into_iter()
            .map(|batch| batch.into_iter().filter_map(|i| window.get_mut(i)?.take()).collect())
            .collect())
    }
}

fn tokens_of(done: &[Computed]) -> u64 {
    done.iter().map(|done| u64::from(done.tokens)).sum()
}

/// A unit that has been computed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Computed {
    /// Its number among the job's units.
    pub unit: usize,
    pub tokens: u32,
    pub truncated: bool,
}
