//! One batch through the model: ids in, one vector of numbers per input out (class logits, or the
//! text's embedding), by the fused path on the CPU and by a device's own elsewhere.

use super::bert::Path;
use super::device::{DeviceNotes, Pass, Seat};
use super::dtype::Dtype;
use super::error::{ModelError, ModelErrorKind};
use super::fused::{FusedBert, ROWS, Scratch};
use super::load::Model;
use crate::util::cancel::Cancel;

/// A tokenised input as the model reads it: ids and token types of equal length.
pub type Row<'a> = (&'a [u32], &'a [u32]);

impl Model {
    /// Whether scoring runs on our own kernels (our own BERT, weights on the CPU).
    pub fn has_fused_path(&self) -> bool {
        self.encoder.own().is_some() && self.on_cpu()
    }

    /// How many tokens are computed together: batches that end on a multiple of it waste nothing.
    pub fn token_step(&self) -> usize {
        if self.has_fused_path() { ROWS } else { 1 }
    }

    /// Whether the weights are in main memory only.
    pub(super) fn on_cpu(&self) -> bool {
        self.seats.iter().all(|seat| seat.on_cpu)
    }

    /// Whether scores in this number type can be had of this model where it is; an error says what to
    /// use instead. A type that is not computed is never taken for one that is.
    pub fn check_dtype(&self, dtype: Dtype) -> Result<(), ModelError> {
        dtype.check(self.on_cpu())?;
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

    /// Logits (classifier) or embedding (encoder) of each row, in order, on the model's first device.
    /// Looks at `cancel` between layers. Number types other than f32 are for [`Path::Fused`], on a
    /// device that has them ([`Model::check_dtype`]).
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
        if path == Path::Fused && self.has_fused_path() {
            return self.fused(dtype)?.forward(rows, &self.head, scratch, cancel);
        }
        // On the CPU a model of another's code is computed there too.
        let path = if self.on_cpu() { Path::Differentiable } else { path };
        let pass = self.pass(path, dtype, cancel);
        let seat = self.seat()?;
        seat.prepare(&pass)?;
        seat.compute(rows, &pass, &DeviceNotes::default())
    }

    /// How this model's batches are computed.
    pub(super) fn pass<'a>(&'a self, path: Path, dtype: Dtype, cancel: &'a Cancel) -> Pass<'a> {
        let pad_id = self.tokens.pad_id();
        Pass { config: &self.config, head: &self.head, pad_id, path, dtype, cancel }
    }

    /// The device that gradients and single batches are computed on.
    pub(super) fn seat(&self) -> Result<&Seat, ModelError> {
        self.seats.first().ok_or_else(|| ModelError::new(ModelErrorKind::Internal, "a model on no device"))
    }
}
