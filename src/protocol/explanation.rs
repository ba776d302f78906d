//! One row's attribution: which words moved its score. Mirrors the JSON of `recscope explain`.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    pub model: String,
    pub method: String,
    /// The class whose logit (of two: log-odds) is explained; `None`: the score that ranks.
    pub target: Option<String>,
    /// What is explained: the score, or the class's logit.
    pub score: f64,
    pub baseline_score: Option<f64>,
    /// Completeness gap as a share of |score - baseline_score|; `None` where the method has none.
    pub delta: Option<f64>,
    /// Integrated gradients: the gap is small, and words no longer move as nodes are added.
    pub settled: bool,
    /// The texts are longer than the model reads: words past its limit are not here.
    pub truncated: bool,
    /// Every non-special token in input order, query side first.
    pub tokens: Vec<TokenAttribution>,
    pub words: Vec<WordAttribution>,
    pub passes: Passes,
    pub elapsed_ms: u64,
    /// Which row of the cell's input, counted from 0, and the texts explained.
    pub row: u64,
    pub query: String,
    pub text: String,
    /// The whole record as column name and printed value, in column order.
    pub record: Vec<(String, Option<String>)>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenAttribution {
    pub token: String,
    /// 0 query, 1 title (or the only text: 0).
    pub side: u8,
    /// Index into `words`.
    pub word: usize,
    pub attribution: f64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WordAttribution {
    /// As it stands in the text, Chinese by character.
    pub text: String,
    pub side: u8,
    pub attribution: f64,
    pub std_error: Option<f64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passes {
    pub forward: u64,
    pub backward: u64,
}
