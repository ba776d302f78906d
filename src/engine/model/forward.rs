//! One batch through the model: ids in, one vector of numbers per input out (class logits, or the
//! text's embedding), by the fused path on the CPU and by candle elsewhere.

use candle_core::{DType, Tensor};

use super::bert::{Bert, Padded, Path, Words};
use super::dtype::Dtype;
use super::error::{ModelError, ModelErrorKind};
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

    /// Whether scores in this number type can be had of this model where it is; an error says what to
    /// use instead. A type that is not computed is never taken for one that is.
    pub fn check_dtype(&self, dtype: Dtype) -> Result<(), ModelError> {
        dtype.check(self.encoder.device().is_cpu())?;
        if dtype == Dtype::F32 || self.encoder.own().is_some() {
            return Ok(());
        }
        let what = format!("{} is computed in f32 only, not in {dtype}", self.config.family.name);
        Err(ModelError::new(ModelErrorKind::Unsupported, what).hint("leave dtype out, or use f32"))
    }

    /// The kernels' copy of the weights, made on first use: one in floats, one in whole numbers.
    fn fused(&self, dtype: Dtype) -> Result<&FusedBert, ModelError> {
        let ints = dtype == Dtype::Int8;
        let place = if ints { &self.fused_ints } else { &self.fused };
        if let Some(ready) = place.get() {
            return Ok(ready);
        }
        let made = FusedBert::new(self.encoder.differentiable(&self.config)?, ints)?;
        Ok(place.get_or_init(|| made))
    }

    /// The weights in half precision, made on first use; the type of the first use stays.
    fn half(&self, dtype: DType) -> Result<&Bert, ModelError> {
        if let Some((_, ready)) = self.half.get().filter(|(made, _)| *made == dtype) {
            return Ok(ready);
        }
        let made = (dtype, self.encoder.differentiable(&self.config)?.cast(dtype)?);
        let (kept, bert) = self.half.get_or_init(|| made);
        if *kept == dtype {
            return Ok(bert);
        }
        let what = format!("this model is already loaded in {kept:?}");
        Err(ModelError::new(ModelErrorKind::Usage, what).hint("use one half-precision type at a time"))
    }

    /// Logits (classifier) or embedding (encoder) of each row, in order. Looks at `cancel` between
    /// layers. Number types other than f32 are for [`Path::Fused`], on a device that has them
    /// ([`Model::check_dtype`]).
    pub fn forward(
        &self,
        rows: &[Row],
        (path, dtype): (Path, Dtype),
        scratch: &mut Scratch,
        cancel: &Cancel,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        match path {
            Path::Fused if self.has_fused_path() => {
                self.fused(dtype)?.forward(rows, &self.head, scratch, cancel)
            }
            _ => {
                let outputs = match dtype {
                    Dtype::F16 => self.half_padded(self.half(DType::F16)?, rows, cancel)?,
                    Dtype::Bf16 => self.half_padded(self.half(DType::BF16)?, rows, cancel)?,
                    Dtype::F32 | Dtype::Int8 => self.forward_padded(rows, cancel)?,
                };
                Ok(outputs.to_dtype(DType::F32)?.to_vec2()?)
            }
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

    /// The same in half precision; sums over tokens and lengths are taken in f32.
    fn half_padded(&self, bert: &Bert, rows: &[Row], cancel: &Cancel) -> Result<Tensor, ModelError> {
        let batch = Padded::new(rows, self.tokens.pad_id(), bert.device())?;
        let hidden = bert.hidden_states(&Words::Ids(&batch.ids), &batch, None, cancel)?;
        match &self.head {
            Head::Embedding(pooling) => pooling.apply(&hidden.to_dtype(DType::F32)?, &batch.mask),
            Head::Classifier { .. } => bert.logits(&hidden, None),
        }
    }
}
