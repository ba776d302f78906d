//! Models score the same rows in turns, so that whatever else the machine does hits all alike.

use std::path::Path;
use std::time::Instant;

use super::super::Failure;
use super::super::output::Ticker;
use super::sample::Sample;
use crate::engine::model::{
    Dtype, LoadOptions, Model, ModelError, Path as Route, ScoreOptions, ScoreProgress, weights_bytes,
};
use crate::util::cancel::Cancel;

/// Tokens of a batch that keeps every intermediate result of a layer.
const UNPACKED_TOKENS: usize = 1024;

/// A model in a number type.
pub struct Contestant<'a> {
    pub model: &'a Model,
    pub dtype: Dtype,
}

/// A model and what loading it took.
pub struct Loaded {
    pub model: Model,
    pub seconds: f64,
    /// Of its weights on disk.
    pub bytes: u64,
}

/// What came of a contestant.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub scores: Vec<Option<f64>>,
    /// Computed in a round, special ones included.
    pub tokens: u64,
    /// The median of the rounds.
    pub seconds: f64,
}

impl Outcome {
    pub fn tokens_per_second(&self) -> f64 {
        self.tokens as f64 / self.seconds.max(1e-9)
    }

    pub fn rows_per_second(&self) -> f64 {
        self.scores.len() as f64 / self.seconds.max(1e-9)
    }
}

pub fn load(folder: &Path) -> Result<Loaded, Failure> {
    let began = Instant::now();
    let model = Model::load(folder, &LoadOptions::default())?;
    Ok(Loaded { seconds: began.elapsed().as_secs_f64(), bytes: weights_bytes(folder)?, model })
}

/// Every contestant scores every row so many times, after once on a few to have its weights packed.
pub fn contest(
    contestants: &[Contestant],
    sample: &Sample,
    rounds: u8,
    cancel: &Cancel,
) -> Result<Vec<Outcome>, Failure> {
    let mut ticker = Ticker::new();
    let few = sample.thinned(8);
    for one in contestants {
        scores(one, &few, cancel)?;
    }
    let mut outcomes = vec![Outcome::default(); contestants.len()];
    let mut seconds = vec![Vec::new(); contestants.len()];
    for round in 1..=rounds {
        for ((one, outcome), seconds) in contestants.iter().zip(&mut outcomes).zip(&mut seconds) {
            let (name, dtype) = (&one.model.info().name, one.dtype);
            ticker.show(&format!("round {round} of {rounds}: {name} in {dtype}"));
            let began = Instant::now();
            (outcome.scores, outcome.tokens) = scores(one, sample, cancel)?;
            seconds.push(began.elapsed().as_secs_f64());
        }
    }
    for (outcome, seconds) in outcomes.iter_mut().zip(seconds) {
        outcome.seconds = median(seconds);
    }
    Ok(outcomes)
}

/// The score of every row and the tokens it took; never from a cache.
pub fn scores(
    one: &Contestant,
    sample: &Sample,
    cancel: &Cancel,
) -> Result<(Vec<Option<f64>>, u64), ModelError> {
    scores_by(one, sample, ScoreOptions { dtype: one.dtype, ..ScoreOptions::default() }, cancel)
}

/// The same in f32 without another packed copy of the weights, for a model that has one in smaller numbers.
pub fn scores_unpacked(
    model: &Model,
    sample: &Sample,
    cancel: &Cancel,
) -> Result<Vec<Option<f64>>, ModelError> {
    let one = Contestant { model, dtype: Dtype::F32 };
    let slow = ScoreOptions {
        path: Route::Differentiable,
        batch_tokens: UNPACKED_TOKENS,
        ..ScoreOptions::default()
    };
    scores_by(&one, sample, slow, cancel).map(|(scores, _)| scores)
}

fn scores_by(
    one: &Contestant,
    sample: &Sample,
    options: ScoreOptions,
    cancel: &Cancel,
) -> Result<(Vec<Option<f64>>, u64), ModelError> {
    let mut scores = vec![None; sample.rows()];
    let inputs = sample.inputs(one.model);
    let report = one.model.score(&inputs, &options, cancel, &ScoreProgress::default(), |chunk| {
        for (row, score) in chunk.rows.iter().zip(&chunk.scores) {
            if let Some(slot) = scores.get_mut(*row) {
                *slot = *score;
            }
        }
        Ok(())
    })?;
    Ok((scores, report.tokens))
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    crate::analysis::stats::quantile(&seconds, 0.5).unwrap_or(f64::NAN)
}
