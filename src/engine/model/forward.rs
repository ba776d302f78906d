//! One batch through the model: ids in, one vector of numbers per input out (class logits, or the
//! text's embedding), by the fused path on the CPU and by candle elsewhere.

use candle_core::Tensor;

use super::bert::{Padded, Path};
use super::error::ModelError;
use super::fused::{FusedBert, Scratch};
use super::heads::Head;
use super::load::Model;
use crate::util::cancel::Cancel;

/// A tokenised input as the model reads it: ids and token types of equal length.
pub type Row<'a> = (&'a [u32], &'a [u32]);

impl Model {
    /// Whether scoring runs on our own kernels (our own BERT, weights on the CPU).
    pub fn has_fused_path(&self) -> bool {
        self.encoder.own().is_some() && self.encoder.device().is_cpu()
    }

    /// The kernels' copy of the weights, made on first use.
    fn fused(&self) -> Result<&FusedBert, ModelError> {
        if let Some(ready) = self.fused.get() {
            return Ok(ready);
        }
        let made = FusedBert::new(self.encoder.differentiable(&self.config)?)?;
        Ok(self.fused.get_or_init(|| made))
    }

    /// Logits (classifier) or embedding (encoder) of each row, in order. Looks at `cancel` between
    /// layers.
    pub fn forward(
        &self,
        rows: &[Row],
        path: Path,
        scratch: &mut Scratch,
        cancel: &Cancel,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        match path {
            Path::Fused if self.has_fused_path() => self.fused()?.forward(rows, &self.head, scratch, cancel),
            _ => Ok(self.forward_padded(rows, cancel)?.to_vec2()?),
        }
    }

    /// The differentiable path over a padded batch: `[rows, labels or hidden]`.
    fn forward_padded(&self, rows: &[Row], cancel: &Cancel) -> Result<Tensor, ModelError> {
        let batch = Padded::new(rows, self.tokens.pad_id(), self.encoder.device())?;
        let hidden = self.encoder.hidden_states(&batch, cancel)?;
        match &self.head {
            Head::Embedding(pooling) => pooling.apply(&hidden, &batch.mask),
            Head::Classifier { .. } => self.encoder.logits(&hidden, &batch),
        }
    }
}
