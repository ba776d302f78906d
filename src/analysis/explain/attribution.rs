//! What an explanation asks for and what it answers, and how per-token values become both lists.
//! The methods themselves live in files of their own.

use crate::analysis::scorer::{Encoded, ScorerError};

use super::ExplainMethod;
use super::words::Words;

/// How to explain.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainOptions {
    pub method: ExplainMethod,
    /// Integration nodes to begin with (integrated gradients only), at least 1; half as many are the first
    /// yardstick.
    pub nodes: usize,
    /// The nodes are doubled while the completeness gap is too large or words still move, up to here.
    /// Equal to `nodes`: exactly that many.
    pub max_nodes: usize,
    /// Largest acceptable |delta|, and movement of a word as a share of the largest word: 0.01 is 1 %.
    pub tolerance: f64,
    /// Tokens handed to the scorer at once, which bounds its memory and the wait after a cancel (a
    /// model splits this further over its threads).
    pub batch_tokens: usize,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        Self {
            method: ExplainMethod::IntegratedGradients,
            nodes: 16,
            max_nodes: 128,
            tolerance: 0.01,
            batch_tokens: 4096,
        }
    }
}

/// One score, shared out over the words that made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    pub method: ExplainMethod,
    /// The logit (cosine for a bi-encoder) of the input as given.
    pub score: f64,
    /// The score with every player at the baseline; `None` where the method has no baseline.
    pub baseline_score: Option<f64>,
    /// (sum of attributions - (score - baseline)) / |score - baseline|: 0.004 is 0.4 %. `None` where
    /// the method promises no such sum, or where score and baseline are the same number.
    pub delta: Option<f64>,
    /// Whether |delta| came within the tolerance, and no word moved by more than that share of the largest
    /// when the nodes were doubled; `true` for methods without nodes.
    pub converged: bool,
    /// The text was longer than the model reads: the words past its limit are not here.
    pub truncated: bool,
    /// Integration nodes of the values shown.
    pub nodes: Option<usize>,
    /// Every non-special token in input order, query side first.
    pub tokens: Vec<TokenShare>,
    /// Every word that the model read, in input order. Words past the model's limit are not here.
    pub words: Vec<WordShare>,
    pub passes: Passes,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TokenShare {
    pub token: String,
    /// 0 query (or the only text), 1 title.
    pub side: u8,
    /// Index into [`Attribution::words`].
    pub word: usize,
    pub attribution: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct WordShare {
    /// As it stands in the text.
    pub text: String,
    pub side: u8,
    /// Sum over the word's tokens, in units of the score.
    pub attribution: f64,
    /// `None` for exact methods.
    pub std_error: Option<f64>,
}

/// Sequences pushed through the model. A gradient costs one forward and one backward.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Passes {
    pub forward: u64,
    pub backward: u64,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExplainError {
    #[error("cancelled")]
    Cancelled,
    #[error("{0}")]
    Scorer(String),
    #[error(
        "the model's {0} for this input is not a finite number, so it cannot be shared out over words; try f32 instead of a half precision, and check the model's weights"
    )]
    NotFinite(&'static str),
}

impl From<ScorerError> for ExplainError {
    fn from(error: ScorerError) -> Self {
        match error {
            ScorerError::Cancelled => ExplainError::Cancelled,
            ScorerError::Failed(message) => ExplainError::Scorer(message),
        }
    }
}

impl From<crate::util::cancel::Cancelled> for ExplainError {
    fn from(_: crate::util::cancel::Cancelled) -> Self {
        ExplainError::Cancelled
    }
}

/// A method's bare answer: one value per token of the input, special tokens included (ignored).
pub(super) struct TokenValues {
    pub score: f64,
    pub baseline_score: Option<f64>,
    pub delta: Option<f64>,
    pub converged: bool,
    pub nodes: Option<usize>,
    pub values: Vec<f64>,
}

impl TokenValues {
    pub fn into_attribution(
        self,
        method: ExplainMethod,
        input: &Encoded,
        words: &Words,
        passes: Passes,
    ) -> Attribution {
        let mut shares: Vec<WordShare> = words
            .list
            .iter()
            .map(|w| WordShare { text: w.text.clone(), side: w.side, attribution: 0.0, std_error: None })
            .collect();
        let mut tokens = Vec::with_capacity(self.values.len());
        for ((word, token), value) in words.of_token.iter().zip(&input.tokens).zip(&self.values) {
            let Some(index) = *word else { continue };
            let Some(share) = shares.get_mut(index) else { continue };
            share.attribution += value;
            tokens.push(TokenShare {
                token: token.clone(),
                side: share.side,
                word: index,
                attribution: *value,
            });
        }
        Attribution {
            method,
            score: self.score,
            baseline_score: self.baseline_score,
            delta: self.delta,
            converged: self.converged,
            truncated: input.truncated,
            nodes: self.nodes,
            tokens,
            words: shares,
            passes,
        }
    }
}
