//! Attention over rows of different lengths on a device: by products over the padded rectangle, or, with
//! the feature `flash-attn`, by one kernel that knows where rows start.

use candle_core::{D, Result, Tensor};

use super::ragged::Ragged;

/// `[tokens, heads * size]` from queries, keys and values `[tokens, 3 * heads * size]`. Queries are
/// already divided by the square root of `size`.
pub(super) fn attend(qkv: &Tensor, heads: usize, batch: &Ragged, bias: Option<&Tensor>) -> Result<Tensor> {
    #[cfg(feature = "flash-attn")]
    if flash::fits(qkv, heads)? {
        return flash::attend(qkv, heads, batch);
    }
    let context = qkv.dim(1)? / 3;
    let shape = (batch.rows, batch.longest, 3, heads, context / heads);
    let parts = batch.spread(qkv)?.reshape(shape)?.permute((2, 0, 3, 1, 4))?.contiguous()?;
    let (q, k, v) = (parts.get(0)?, parts.get(1)?, parts.get(2)?);
    let mut scores = q.matmul(&k.transpose(D::Minus1, D::Minus2)?)?;
    if let Some(bias) = bias {
        scores = scores.broadcast_add(bias)?;
    }
    // Its sums are f32 whatever the numbers; no gradient is wanted here.
    let weights = candle_nn::ops::softmax_last_dim(&scores)?;
    let context_of = weights.matmul(&v)?.transpose(1, 2)?.contiguous()?;
    batch.pack(&context_of.reshape((batch.rows * batch.longest, context))?)
}

#[cfg(feature = "flash-attn")]
mod flash {
    use candle_core::cuda_backend::cudarc::driver::sys::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR as MAJOR;
    use candle_core::{DType, Device, Result, Tensor};

    use super::Ragged;

    /// The kernels are for cards from Ampere on, half precision, and heads of whole vectors.
    pub fn fits(qkv: &Tensor, heads: usize) -> Result<bool> {
        let size = qkv.dim(1)? / 3 / heads;
        let half = matches!(qkv.dtype(), DType::F16 | DType::BF16);
        let Device::Cuda(device) = qkv.device() else { return Ok(false) };
        Ok(half
            && size % 8 == 0
            && size <= 256
            && device.cuda_stream().context().attribute(MAJOR).is_ok_and(|major| major >= 8))
    }

    pub fn attend(qkv: &Tensor, heads: usize, batch: &Ragged) -> Result<Tensor> {
        let (tokens, width) = qkv.dims2()?;
        let parts = qkv.reshape((tokens, 3, heads, width / 3 / heads))?;
        let part = |n: usize| parts.narrow(1, n, 1)?.squeeze(1);
        let (q, k, v) = (part(0)?, part(1)?, part(2)?);
        let (starts, longest) = (&batch.starts, batch.longest);
        candle_flash_attn::flash_attn_varlen(&q, &k, &v, starts, starts, longest, longest, 1.0, false)?
            .reshape((tokens, width / 3))
    }
}
