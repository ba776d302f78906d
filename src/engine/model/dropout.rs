//! Dropout with explicit seeded masks, for training only.

use candle_core::{Result, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::config::BertConfig;

/// Random masks for training, from an explicit seed: same seed, same masks. Probabilities come from
/// the config; a classifier without its own uses the hidden one.
pub struct Dropout {
    rng: ChaCha8Rng,
    hidden: f64,
    attention: f64,
    classifier: f64,
}

impl Dropout {
    pub fn new(config: &BertConfig, seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            hidden: config.hidden_dropout,
            attention: config.attention_dropout,
            classifier: config.classifier_dropout.unwrap_or(config.hidden_dropout),
        }
    }

    /// On embeddings and on what is added to the residual stream.
    pub fn hidden(&mut self, x: Tensor) -> Result<Tensor> {
        self.apply(x, self.hidden)
    }

    /// On attention weights.
    pub fn attention(&mut self, x: Tensor) -> Result<Tensor> {
        self.apply(x, self.attention)
    }

    /// On the pooled output before the classifier.
    pub fn classifier(&mut self, x: Tensor) -> Result<Tensor> {
        self.apply(x, self.classifier)
    }

    /// Zeroes each value with probability `p` and scales the rest by 1/(1-p).
    fn apply(&mut self, x: Tensor, p: f64) -> Result<Tensor> {
        if p <= 0.0 {
            return Ok(x);
        }
        let keep = (1.0 / (1.0 - p)) as f32;
        let threshold = (p * f64::from(u32::MAX)) as u32;
        let mask: Vec<f32> = (0..x.elem_count())
            .map(|_| if self.rng.random::<u32>() < threshold { 0.0 } else { keep })
            .collect();
        x.mul(&Tensor::from_vec(mask, x.shape(), x.device())?)
    }
}
