//! The scorer under watch: passes are counted, batches kept small, answers checked, cancelling
//! noticed and progress told in one place, so that a method is only its formula.

use crate::analysis::scorer::{Encoded, Gradients, Scorer};
use crate::util::cancel::Cancel;

use super::attribution::{ExplainError, Passes};

/// How far one explanation has come, in forward passes. `total` grows when nodes are added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExplainProgress {
    pub done: u64,
    pub total: u64,
}

pub(super) struct Probe<'a> {
    scorer: &'a mut dyn Scorer,
    batch_tokens: usize,
    cancel: &'a Cancel,
    progress: &'a mut dyn FnMut(ExplainProgress),
    passes: Passes,
    planned: u64,
}

impl<'a> Probe<'a> {
    pub fn new(
        scorer: &'a mut dyn Scorer,
        batch_tokens: usize,
        cancel: &'a Cancel,
        progress: &'a mut dyn FnMut(ExplainProgress),
    ) -> Self {
        Self { scorer, batch_tokens, cancel, progress, passes: Passes::default(), planned: 0 }
    }

    pub fn passes(&self) -> Passes {
        self.passes
    }

    /// Announces forward passes to come.
    pub fn plan(&mut self, passes: usize) {
        self.planned += passes as u64;
        self.tell();
    }

    /// Takes back passes that turned out not to be needed.
    pub fn unplan(&mut self, passes: usize) {
        self.planned = self.planned.saturating_sub(passes as u64);
        self.tell();
    }

    /// Sequences of this many tokens that go into one batch.
    pub fn batch_of(&self, tokens: usize) -> usize {
        (self.batch_tokens / tokens.max(1)).max(1)
    }

    /// The token that stands for "nothing here".
    pub fn pad_id(&self) -> u32 {
        self.scorer.pad_id()
    }

    /// What replaces a word that is left out: [MASK], or [PAD] for models without one.
    pub fn absent_id(&self) -> u32 {
        self.scorer.mask_id().unwrap_or_else(|| self.scorer.pad_id())
    }

    /// Finite scores of sequences of similar length.
    pub fn scores(&mut self, inputs: &[Encoded]) -> Result<Vec<f64>, ExplainError> {
        let longest = inputs.iter().map(|i| i.ids.len()).max().unwrap_or(0);
        let mut scores = Vec::with_capacity(inputs.len());
        for batch in inputs.chunks(self.batch_of(longest)) {
            self.cancel.check()?;
            let found = self.scorer.score(batch)?;
            if found.len() != batch.len() {
                return Err(wrong_shape("scores", found.len(), batch.len()));
            }
            if found.iter().any(|s| !s.is_finite()) {
                return Err(ExplainError::NotFinite("score"));
            }
            scores.extend(found);
            self.passes.forward += batch.len() as u64;
            self.tell();
        }
        Ok(scores)
    }

    /// The finite score of one sequence.
    pub fn score(&mut self, input: &Encoded) -> Result<f64, ExplainError> {
        self.scores(std::slice::from_ref(input))?.pop().ok_or_else(|| wrong_shape("scores", 0, 1))
    }

    /// Word embeddings of the ids, `[tokens x hidden]`.
    pub fn embeddings(&mut self, ids: &[u32]) -> Result<Vec<f32>, ExplainError> {
        let found = self.scorer.embeddings(ids)?;
        let expected = ids.len() * self.scorer.hidden();
        if found.len() == expected {
            Ok(found)
        } else {
            Err(wrong_shape("embedding values", found.len(), expected))
        }
    }

    /// One batch of gradients (at most [`Self::batch_of`] points), checked.
    pub fn gradients(
        &mut self,
        input: &Encoded,
        points: &[Vec<f32>],
    ) -> Result<Vec<Gradients>, ExplainError> {
        self.cancel.check()?;
        let found = self.scorer.gradients(input, points)?;
        if found.len() != points.len() {
            return Err(wrong_shape("gradients", found.len(), points.len()));
        }
        let expected = input.ids.len() * self.scorer.hidden();
        for at in &found {
            if at.gradient.len() != expected {
                return Err(wrong_shape("gradient values", at.gradient.len(), expected));
            }
            if !at.score.is_finite() || at.gradient.iter().any(|g| !g.is_finite()) {
                return Err(ExplainError::NotFinite("gradient"));
            }
        }
        self.passes.forward += points.len() as u64;
        self.passes.backward += points.len() as u64;
        self.tell();
        Ok(found)
    }

    /// Values per token, at least 1.
    pub fn hidden(&self) -> usize {
        self.scorer.hidden().max(1)
    }

    fn tell(&mut self) {
        let done = self.passes.forward;
        (self.progress)(ExplainProgress { done, total: self.planned.max(done) });
    }
}

fn wrong_shape(what: &str, found: usize, expected: usize) -> ExplainError {
    ExplainError::Scorer(format!("the model gave {found} {what} where {expected} were asked for"))
}
