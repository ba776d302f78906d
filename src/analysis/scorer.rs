//! The seam to the model: explanations ask for scores and gradients of token sequences and never
//! see a tensor. Implemented over `engine::model`.

/// One tokenised input: special tokens included, no padding.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    pub ids: Vec<u32>,
    pub type_ids: Vec<u32>,
    /// 1 for special tokens ([CLS], [SEP]), which are never players.
    pub special: Vec<bool>,
    /// 0 query, 1 title, per token.
    pub sides: Vec<u8>,
    /// Byte range in that side's text, per token; (0, 0) for special tokens.
    pub offsets: Vec<(usize, usize)>,
    /// The token's own text ("##ing").
    pub tokens: Vec<String>,
    /// Which word of its side the tokenizer split it from, per token, where it says so.
    pub words: Vec<Option<u32>>,
    /// The text was longer than the model reads.
    pub truncated: bool,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScorerError {
    #[error("cancelled")]
    Cancelled,
    #[error("{0}")]
    Failed(String),
}

/// Value and gradient at one point of embedding space.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gradients {
    pub score: f64,
    /// `[tokens x hidden]`, row-major: d score / d (word embedding of the token).
    pub gradient: Vec<f32>,
}

/// A model that scores token sequences. The score is the logit of the target class (cosine for a
/// bi-encoder, whose two sides are told apart by [`Encoded::sides`]).
pub trait Scorer {
    /// Tokenises a pair (`text: None`: a single text), cut to the model's limit.
    fn encode(&mut self, query: &str, text: Option<&str>) -> Result<Encoded, ScorerError>;

    /// Scores each sequence; same order. Ids may differ from what `encode` gave (perturbation).
    fn score(&mut self, inputs: &[Encoded]) -> Result<Vec<f64>, ScorerError>;

    /// Word-embedding rows of the ids, `[tokens x hidden]` row-major.
    fn embeddings(&mut self, ids: &[u32]) -> Result<Vec<f32>, ScorerError>;

    /// Scores and gradients at each of `points`: word embeddings `[tokens x hidden]` that stand in
    /// for `input`'s ids (positions and token types stay the input's).
    fn gradients(&mut self, input: &Encoded, points: &[Vec<f32>]) -> Result<Vec<Gradients>, ScorerError>;

    fn hidden(&self) -> usize;
    fn pad_id(&self) -> u32;
    fn mask_id(&self) -> Option<u32>;
}
