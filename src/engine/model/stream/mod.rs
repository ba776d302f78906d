//! Scoring rows as they come, in order, within bounded memory: windows of rows, repeated inputs
//! computed once, however many rows there are. `recscope-score` and `recscope score` both run on this;
//! reading and writing are theirs, on threads of their own, so that they overlap with the computing.
//!
//! ```text
//! chunks of rows --> window: new inputs --> Model::compute --> scores of the window's rows, in order
//!                      ^ memory of inputs seen before <--'
//! ```
//!
//! A window is computed when it holds about a second of work, or when nothing more is waiting behind
//! its last row: somebody may be waiting for that row's answer.

mod memory;
mod pace;
mod window;

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};

use super::error::ModelError;
use super::load::Model;
use super::progress::ScoreProgress;
use super::recall::Found;
use super::score::{ScoreInputs, ScoreOptions, ScoreReport};
use crate::util::cancel::Cancel;
use memory::Memory;
use pace::Pace;
use window::Window;

/// Most rows of a window: what a stream of nothing but known inputs is cut by.
const WINDOW_ROWS: usize = 65_536;
/// Most bytes that a window's rows hold, unless one chunk alone holds more.
const WINDOW_BYTES: usize = 8 << 20;
/// How often a wait for rows looks at its flags.
const LOOK: Duration = Duration::from_millis(50);

/// What the model reads of a row; see [`ScoreInputs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// One text, for a classifier.
    Text,
    /// Query and text read together, for a classifier.
    Pair,
    /// Query and text read apart, for an encoder: their cosine.
    Embed,
}

impl RowKind {
    /// No rows of this kind.
    fn none(self) -> ScoreInputs<'static> {
        match self {
            RowKind::Text => ScoreInputs::Text(&[]),
            RowKind::Pair => ScoreInputs::Pair(&[], &[]),
            RowKind::Embed => ScoreInputs::Embed(&[], &[]),
        }
    }
}

/// Rows that arrived together: some hundred, so that a window can be cut between chunks.
#[derive(Debug, Clone)]
pub struct Chunk<T> {
    /// Per row the text, or the query; `None` or blank: the row has no score.
    pub first: Vec<Option<String>>,
    /// Per row the other text; empty for [`RowKind::Text`].
    pub second: Vec<Option<String>>,
    /// What the owner needs to write the rows back.
    pub keep: T,
    /// Bytes of `keep`, about.
    pub bytes: usize,
    /// Nothing more was waiting behind these rows.
    pub pause: bool,
}

/// A chunk's rows with their scores, in the chunk's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored<T> {
    pub keep: T,
    /// Per row; `None` for rows without text.
    pub scores: Vec<Option<f64>>,
    /// Per class, per row: the logit. Empty for encoders and one-label models.
    pub classes: Vec<Vec<Option<f32>>>,
}

#[derive(Debug, Clone)]
pub struct StreamOptions {
    pub score: ScoreOptions,
    /// Bytes for what inputs gave, so that a repeated one is not computed again.
    pub memory: usize,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self { score: ScoreOptions::default(), memory: 128 << 20 }
    }
}

/// Names of the columns that scoring adds: `score`, and `score_<label>` per class where there are
/// several (equal labels get a `_` more).
pub fn score_columns(labels: &[String]) -> Vec<String> {
    let mut names = vec!["score".to_string()];
    for label in labels.iter().filter(|_| labels.len() >= 2) {
        let mut name = format!("score_{label}");
        while names.iter().any(|taken| taken.eq_ignore_ascii_case(&name)) {
            name.push('_');
        }
        names.push(name);
    }
    names
}

/// A scoring job over rows that come one after the other.
pub struct RowStream<'m> {
    model: &'m Model,
    kind: RowKind,
    options: StreamOptions,
    memory: Memory,
    pace: Pace,
    report: ScoreReport,
}

/// How a window came to be complete.
enum Filled<E> {
    More,
    End,
    Failed(E),
}

impl<'m> RowStream<'m> {
    /// Refuses at once what the model cannot do, e.g. a pair for an encoder.
    pub fn new(model: &'m Model, kind: RowKind, options: StreamOptions) -> Result<Self, ModelError> {
        model.check_inputs(&kind.none())?;
        let (memory, pace) = (Memory::new(options.memory), Pace::new());
        Ok(Self { model, kind, options, memory, pace, report: ScoreReport::default() })
    }

    /// What has been done so far, also after an error. `unique_inputs` counts inputs
    /// computed, and those that the score cache knew (`cached_inputs`) with them;
    /// `seconds` are those of computing, not of waiting for rows.
    pub fn report(&self) -> &ScoreReport {
        &self.report
    }

    /// No input was computed twice: `unique_inputs` is the number of different ones.
    pub fn remembers_all(&self) -> bool {
        self.memory.is_whole()
    }

    /// Scores chunks until their channel closes, and hands each window to `emit`, in order.
    ///
    /// An `Err` in the channel ends the stream after the rows before it have been handed over. When
    /// `finish` is set, the window at hand is the last one. When `cancel` is set, the window is given
    /// up within a batch, and the error is of kind `Cancelled`.
    pub fn run<T, E: From<ModelError>>(
        &mut self,
        chunks: &Receiver<Result<Chunk<T>, E>>,
        finish: &Cancel,
        cancel: &Cancel,
        progress: &ScoreProgress,
        mut emit: impl FnMut(Vec<Scored<T>>, &ScoreReport) -> Result<(), E>,
    ) -> Result<(), E> {
        while !finish.is_cancelled() {
            let mut window = Window::new(self.kind);
            let filled = self.fill(&mut window, chunks, finish, cancel);
            if !window.is_empty() {
                let scored = self.compute(window, cancel, progress)?;
                emit(scored, &self.report)?;
            }
            match filled {
                Filled::More => {}
                Filled::End => break,
                Filled::Failed(error) => return Err(error),
            }
        }
        Ok(cancel.check().map_err(ModelError::from)?)
    }

    fn fill<T, E>(
        &mut self,
        window: &mut Window<T>,
        chunks: &Receiver<Result<Chunk<T>, E>>,
        finish: &Cancel,
        cancel: &Cancel,
    ) -> Filled<E> {
        let max_tokens = self.model.info().max_tokens;
        loop {
            let next = match window.pause {
                true => chunks.try_recv(),
                false => wait(chunks, || finish.is_cancelled() || cancel.is_cancelled()),
            };
            match next {
                Ok(Ok(chunk)) => window.push(self.prefixed(chunk), &mut self.memory, max_tokens),
                Ok(Err(error)) => return Filled::Failed(error),
                Err(TryRecvError::Empty) => return Filled::More,
                Err(TryRecvError::Disconnected) => return Filled::End,
            }
            let full = window.cost >= self.pace.budget()
                || window.rows() >= WINDOW_ROWS
                || window.bytes >= WINDOW_BYTES;
            if full {
                return Filled::More;
            }
        }
    }

    /// With the words before each side that a bi-encoder was trained to see.
    fn prefixed<T>(&self, mut chunk: Chunk<T>) -> Chunk<T> {
        let prefixes = &self.model.info().prefixes;
        if self.kind == RowKind::Embed && !prefixes.is_empty() {
            (chunk.first, chunk.second) = prefixes.before(&chunk.first, &chunk.second).into_columns();
        }
        chunk
    }

    fn compute<T>(
        &mut self,
        mut window: Window<T>,
        cancel: &Cancel,
        progress: &ScoreProgress,
    ) -> Result<Vec<Scored<T>>, ModelError> {
        let began = Instant::now();
        let inputs = window.new_inputs();
        let mut computed = Vec::with_capacity(inputs.len());
        let report = &mut self.report;
        let options = &self.options.score;
        let id = self.model.shelf_id(&self.kind.none(), options);
        let rows = window.rows() as u64;
        self.model.complete((&inputs, rows), &id, options, cancel, progress, |found| {
            match found {
                Found::Cached(known) | Found::Again(known) => {
                    report.cached_inputs += known.inputs;
                    ScoreProgress::add(&progress.inputs_cached, known.inputs);
                    report.truncated += known.truncated;
                    computed.extend(known.units.into_iter().zip(known.outputs));
                }
                Found::Computed(done, outputs) => {
                    report.tokens += done.iter().map(|done| u64::from(done.tokens)).sum::<u64>();
                    report.truncated += done.iter().filter(|done| done.truncated).count() as u64;
                    computed.extend(done.into_iter().map(|done| done.unit).zip(outputs));
                }
            }
            Ok(())
        })?;
        let seconds = began.elapsed().as_secs_f64();
        self.pace.learn(window.cost, seconds);
        report.rows += window.rows() as u64;
        report.empty += window.empty_rows();
        report.unique_inputs += computed.len() as u64;
        report.seconds += seconds;
        report.tokens_per_second = report.tokens as f64 / report.seconds.max(1e-9);
        ScoreProgress::add(&progress.rows_done, window.rows() as u64);
        window.learn(computed, &mut self.memory);
        let scored = window.scored(self.model.head());
        let nan = |scored: &Scored<T>| scored.scores.iter().flatten().filter(|s| s.is_nan()).count() as u64;
        self.report.nan += scored.iter().map(nan).sum::<u64>();
        Ok(scored)
    }
}

/// Waits for the next of a channel; a wait that is called off ends as if there were no more.
fn wait<T>(chunks: &Receiver<T>, called_off: impl Fn() -> bool) -> Result<T, TryRecvError> {
    while !called_off() {
        match chunks.recv_timeout(LOOK) {
            Ok(next) => return Ok(next),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(TryRecvError::Disconnected),
        }
    }
    Err(TryRecvError::Disconnected)
}
