//! The weights on one device, and how batches fare there: one that does not fit is computed in parts and
//! later ones are kept smaller, and a device that is lost is remembered as such.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use candle_core::{DType, Tensor};

use super::fault;
use super::notes::DeviceNotes;
use super::open::device_name;
use super::packed::Packed;
use crate::engine::model::bert::{Bert, Padded, Path, Words};
use crate::engine::model::config::BertConfig;
use crate::engine::model::dtype::Dtype;
use crate::engine::model::encoder::Encoder;
use crate::engine::model::error::{ModelError, ModelErrorKind};
use crate::engine::model::forward::Row;
use crate::engine::model::heads::Head;
use crate::util::cancel::Cancel;
use crate::util::figures::thousands;

/// One device that computes for a model.
pub(in crate::engine::model) struct Seat {
    /// `cuda:0`
    pub name: String,
    pub encoder: Arc<Encoder>,
    pub on_cpu: bool,
    /// Packed weights, made on first use.
    exact: OnceLock<Packed>,
    f16: OnceLock<Packed>,
    bf16: OnceLock<Packed>,
    /// Most tokens, padding counted, that are computed at once: no limit until a batch did not fit.
    /// Kept as long as the model is loaded.
    limit: AtomicUsize,
    #[cfg(test)]
    pub fault: Option<super::testing::Fault>,
}

/// How a batch is to be computed.
#[derive(Clone, Copy)]
pub(in crate::engine::model) struct Pass<'a> {
    pub config: &'a BertConfig,
    pub head: &'a Head,
    pub pad_id: u32,
    pub path: Path,
    pub dtype: Dtype,
    pub cancel: &'a Cancel,
}

impl Seat {
    pub fn new(encoder: Arc<Encoder>) -> Self {
        let device = encoder.device();
        Self {
            name: device_name(device),
            on_cpu: device.is_cpu(),
            exact: OnceLock::new(),
            f16: OnceLock::new(),
            bf16: OnceLock::new(),
            limit: AtomicUsize::new(usize::MAX),
            #[cfg(test)]
            fault: None,
            encoder,
        }
    }

    /// Most tokens of a batch, as far as is known.
    pub fn limit(&self) -> usize {
        self.limit.load(Relaxed)
    }

    /// That the device is not lost.
    pub fn check(&self) -> Result<(), ModelError> {
        if self.on_cpu { Ok(()) } else { fault::check(&self.name) }
    }

    /// Why it is lost.
    pub fn lost(&self) -> Option<String> {
        if self.on_cpu { None } else { fault::why(&self.name) }
    }

    /// Makes the copy of the weights that a pass needs, so that running out of memory over it is not
    /// taken for a batch that is too large.
    pub fn prepare(&self, pass: &Pass) -> Result<(), ModelError> {
        if self.on_cpu || pass.path == Path::Differentiable || self.encoder.own().is_none() {
            return Ok(());
        }
        self.check()?;
        fault::of_weights(&self.name, self.charge(self.packed(pass).map(|_| ())))
    }

    /// Outputs of the rows, in order. A part that does not fit is halved until it does; `notes` are told.
    pub fn compute(
        &self,
        rows: &[Row],
        pass: &Pass,
        notes: &DeviceNotes,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        self.check()?;
        let mut outputs = Vec::with_capacity(rows.len());
        let mut left = rows;
        while !left.is_empty() {
            pass.cancel.check()?;
            let (part, rest) = left.split_at(fitting(left, self.limit()));
            match self.charge(self.forward(part, pass)) {
                Ok(done) => {
                    outputs.extend(done);
                    left = rest;
                }
                Err(error) if error.kind != ModelErrorKind::DeviceMemory => return Err(error),
                Err(error) if part.len() == 1 => return Err(self.too_long(padded(part), &error)),
                Err(_) => {
                    let tokens = padded(part);
                    let now = self.limit.fetch_min(tokens / 2, Relaxed).min(tokens / 2);
                    tracing::warn!("{tokens} tokens did not fit into {}; going on with {now}", self.name);
                    notes.halved(&self.name, tokens, now);
                }
            }
        }
        Ok(outputs)
    }

    /// Names the device in an error of it, and remembers a lost one.
    pub fn charge<T>(&self, result: Result<T, ModelError>) -> Result<T, ModelError> {
        if let Err(error) = &result {
            // Kernels of this thread may still read the weights and what is about to be freed; and freed
            // memory goes back to the driver only here. A device that failed answers with its error.
            let _ = self.encoder.device().synchronize();
            if error.kind == ModelErrorKind::DeviceLost && !self.on_cpu {
                return Err(fault::lose(&self.name, &error.message));
            }
        }
        result
    }

    fn too_long(&self, tokens: usize, error: &ModelError) -> ModelError {
        let what = format!(
            "one input of {} tokens alone does not fit into {}: {}",
            thousands(tokens as i128),
            self.name,
            error.message
        );
        ModelError::new(ModelErrorKind::DeviceMemory, what).hint(
            "lower max_tokens, free memory on the GPU (nvidia-smi lists who holds it), or use device = \"cpu\"",
        )
    }

    /// One part of a batch, as it is.
    fn forward(&self, rows: &[Row], pass: &Pass) -> Result<Vec<Vec<f32>>, ModelError> {
        #[cfg(test)]
        if let Some(fault) = &self.fault {
            fault.strike(rows)?;
        }
        let outputs = match (pass.path, self.encoder.own()) {
            (Path::Fused, Some(bert)) => self.packed(pass)?.outputs(bert, rows, pass.head, pass.cancel),
            _ => Ok(self.padded(rows, pass)?.to_dtype(DType::F32)?.to_vec2()?),
        }?;
        // cudarc keeps an error of the copy back for the next call that can fail: here it is, so that no
        // number of a batch whose kernels failed is taken for a score.
        self.encoder.device().synchronize()?;
        Ok(outputs)
    }

    fn packed(&self, pass: &Pass) -> Result<&Packed, ModelError> {
        let (place, dtype) = match pass.dtype {
            Dtype::F16 => (&self.f16, DType::F16),
            Dtype::Bf16 => (&self.bf16, DType::BF16),
            Dtype::F32 | Dtype::Int8 => (&self.exact, DType::F32),
        };
        if let Some(ready) = place.get() {
            return Ok(ready);
        }
        let made = Packed::new(self.encoder.differentiable(pass.config)?, dtype)?;
        Ok(place.get_or_init(|| made))
    }

    /// The differentiable path over a padded batch: `[rows, labels or hidden]`; half precision is for
    /// comparisons, its weights are made anew each time.
    fn padded(&self, rows: &[Row], pass: &Pass) -> Result<Tensor, ModelError> {
        let batch = Padded::new(rows, pass.pad_id, self.encoder.device())?;
        let half = match pass.dtype {
            Dtype::F16 => Some(DType::F16),
            Dtype::Bf16 => Some(DType::BF16),
            Dtype::F32 | Dtype::Int8 => None,
        };
        if let Some(dtype) = half {
            let bert = self.encoder.differentiable(pass.config)?.cast(dtype)?;
            return half_padded(&bert, &batch, pass);
        }
        let hidden = self.encoder.hidden_states(&batch, pass.cancel)?;
        match pass.head {
            Head::Embedding(pooling) => pooling.apply(&hidden, &batch.mask),
            Head::Classifier { .. } => self.encoder.logits(&hidden, &batch),
        }
    }
}

/// Sums over tokens and lengths are taken in f32.
fn half_padded(bert: &Bert, batch: &Padded, pass: &Pass) -> Result<Tensor, ModelError> {
    let hidden = bert.hidden_states(&Words::Ids(&batch.ids), batch, None, pass.cancel)?;
    match pass.head {
        Head::Embedding(pooling) => pooling.apply(&hidden.to_dtype(DType::F32)?, &batch.mask),
        Head::Classifier { .. } => bert.logits(&hidden, None),
    }
}

/// Tokens of a batch, padding counted.
fn padded(rows: &[Row]) -> usize {
    rows.len() * rows.iter().map(|(ids, _)| ids.len()).max().unwrap_or(0)
}

/// How many of the first rows stay within `limit` tokens, padding counted; at least one.
fn fitting(rows: &[Row], limit: usize) -> usize {
    let mut longest = 0;
    let fits = rows.iter().enumerate().take_while(|(at, (ids, _))| {
        longest = longest.max(ids.len());
        (at + 1).saturating_mul(longest) <= limit
    });
    fits.count().max(1).min(rows.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_counted_with_its_padding() {
        let ids = [1u32; 9];
        let rows: Vec<Row> = [5usize, 3, 2, 9].iter().map(|n| (&ids[..*n], &ids[..*n])).collect();
        assert_eq!(padded(&rows), 36);
        assert_eq!(fitting(&rows, usize::MAX), 4);
        assert_eq!(fitting(&rows, 35), 3);
        assert_eq!(fitting(&rows, 15), 3);
        assert_eq!(fitting(&rows, 14), 2);
        assert_eq!((fitting(&rows, 4), fitting(&rows, 0)), (1, 1));
        assert_eq!(fitting(&rows[..0], 10), 0);
    }
}
