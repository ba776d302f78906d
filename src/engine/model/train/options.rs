//! The knobs of a training run, with their ranges checked.

use crate::engine::model::{ModelError, ModelErrorKind};

use super::adamw::Decay;

/// How to train. [`TrainOptions::check`] says what is out of range.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Passes over the training rows, at least 1.
    pub epochs: usize,
    /// Rows per step, at least 1.
    pub batch: usize,
    /// Peak learning rate, above 0.
    pub learning_rate: f64,
    /// Decoupled weight decay, at least 0.
    pub weight_decay: f64,
    /// What the decay applies to.
    pub decay: Decay,
    /// Share of all steps over which the learning rate rises from 0, in [0, 1].
    pub warmup: f64,
    /// Largest global norm of the gradients; 0 does not clip.
    pub clip: f64,
    /// Probability of every dropout in the model, in [0, 1).
    pub dropout: f64,
    /// Tokens per input, special ones included; the model's own limit if that is lower.
    pub max_tokens: usize,
    /// Decides initial weights, order of rows and dropout masks.
    pub seed: u64,
    /// Replace a model folder that is there already.
    pub overwrite: bool,
}

impl Default for TrainOptions {
    fn default() -> Self {
        Self {
            epochs: 3,
            batch: 32,
            learning_rate: 5e-5,
            weight_decay: 0.01,
            decay: Decay::default(),
            warmup: 0.1,
            clip: 1.0,
            dropout: 0.1,
            max_tokens: 128,
            seed: 0,
            overwrite: false,
        }
    }
}

impl TrainOptions {
    /// The first knob that is out of range, as a sentence.
    pub fn check(&self) -> Result<(), ModelError> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let not_negative = |x: f64| x.is_finite() && x >= 0.0;
        let checks = [
            (self.epochs >= 1, "epochs", self.epochs as f64, "at least 1"),
            (self.batch >= 1, "batch", self.batch as f64, "at least 1"),
            (
                positive(self.learning_rate),
                "learning_rate",
                self.learning_rate,
                "above 0, usually 1e-5 to 1e-3",
            ),
            (not_negative(self.weight_decay), "weight_decay", self.weight_decay, "at least 0"),
            (not_negative(self.warmup) && self.warmup <= 1.0, "warmup", self.warmup, "a share from 0 to 1"),
            (not_negative(self.clip), "clip", self.clip, "at least 0 (0 does not clip)"),
            (
                not_negative(self.dropout) && self.dropout < 1.0,
                "dropout",
                self.dropout,
                "at least 0 and below 1",
            ),
            (self.max_tokens >= 4, "max_tokens", self.max_tokens as f64, "at least 4"),
        ];
        match checks.into_iter().find(|(fine, ..)| !fine) {
            None => Ok(()),
            Some((_, name, value, range)) => {
                let message = format!("{name} is {value}; it must be {range}");
                Err(ModelError::new(ModelErrorKind::Usage, message).hint(format!("correct `{name}`")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_is_named() {
        assert!(TrainOptions::default().check().is_ok());
        let wrong = [
            (TrainOptions { epochs: 0, ..Default::default() }, "epochs"),
            (TrainOptions { learning_rate: f64::NAN, ..Default::default() }, "learning_rate"),
            (TrainOptions { warmup: 1.5, ..Default::default() }, "warmup"),
            (TrainOptions { dropout: 1.0, ..Default::default() }, "dropout"),
            (TrainOptions { clip: -1.0, ..Default::default() }, "clip"),
        ];
        for (options, name) in wrong {
            assert!(options.check().unwrap_err().message.contains(name));
        }
    }
}
