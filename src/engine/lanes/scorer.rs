//! `analysis::Scorer` over a loaded model: the seam through which explanations reach BERT. Converts
//! types and errors; decides nothing.

use crate::analysis::scorer::{Encoded, Gradients, Scorer, ScorerError};
use crate::engine::model::{self, Model, ModelError};
use crate::util::cancel::Cancel;

/// One model, one class, one flag to stop it.
pub struct ModelScorer<'a> {
    model: &'a Model,
    target: Option<usize>,
    cancel: Cancel,
}

impl<'a> ModelScorer<'a> {
    /// Explains the score that ranks, or class `target`: its logit, or its log-odds where there are two
    /// classes. A class that the model lacks is an error of the first call.
    pub fn new(model: &'a Model, target: Option<usize>, cancel: &Cancel) -> Self {
        Self { model, target, cancel: cancel.clone() }
    }
}

impl Scorer for ModelScorer<'_> {
    fn encode(&mut self, query: &str, text: Option<&str>) -> Result<Encoded, ScorerError> {
        let found = self.model.encode(query, text).map_err(said)?;
        Ok(Encoded {
            ids: found.ids,
            type_ids: found.type_ids,
            special: found.special,
            sides: found.sides,
            offsets: found.offsets,
            tokens: found.tokens,
            words: found.words,
            truncated: found.truncated,
        })
    }

    fn score(&mut self, inputs: &[Encoded]) -> Result<Vec<f64>, ScorerError> {
        let inputs: Vec<model::Encoded> = inputs.iter().map(for_model).collect();
        self.model.score_encoded(&inputs, self.target, &self.cancel).map_err(said)
    }

    fn embeddings(&mut self, ids: &[u32]) -> Result<Vec<f32>, ScorerError> {
        self.model.embeddings(ids).map_err(said)
    }

    fn gradients(&mut self, input: &Encoded, points: &[Vec<f32>]) -> Result<Vec<Gradients>, ScorerError> {
        let input = for_model(input);
        let found = self.model.gradients(&input, points, self.target, &self.cancel).map_err(said)?;
        Ok(found.into_iter().map(|at| Gradients { score: at.score, gradient: at.gradient }).collect())
    }

    // A point of embedding space is as wide as a word's vector; ELECTRA projects it afterwards.
    #[allow(clippy::misnamed_getters)]
    fn hidden(&self) -> usize {
        self.model.info().embedding
    }

    fn pad_id(&self) -> u32 {
        self.model.tokens().pad_id()
    }

    fn mask_id(&self) -> Option<u32> {
        self.model.tokens().mask_id()
    }
}

/// What the model reads of an input: texts and offsets stay behind.
fn for_model(input: &Encoded) -> model::Encoded {
    model::Encoded {
        ids: input.ids.clone(),
        type_ids: input.type_ids.clone(),
        special: input.special.clone(),
        sides: input.sides.clone(),
        ..model::Encoded::default()
    }
}

fn said(error: ModelError) -> ScorerError {
    if error.is_cancelled() {
        return ScorerError::Cancelled;
    }
    match error.hint {
        Some(hint) => ScorerError::Failed(format!("{} ({hint})", error.message)),
        None => ScorerError::Failed(error.message),
    }
}
