//! Building blocks of the differentiable path: each is made only of candle operations that have a
//! backward pass. `candle_nn::LayerNorm` and `softmax_last_dim` have none and silently cut the
//! gradient, so they must not appear here.

use candle_core::{D, Result, Tensor};

use super::config::Activation;

/// `x [.., in]` times `weight [out, in]` transposed, plus `bias [out]`. Leading dimensions are
/// flattened first, so that the weight's gradient is one product instead of one per batch entry.
pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let dims = x.dims().to_vec();
    let (inner, lead) = (x.dim(D::Minus1)?, x.elem_count() / x.dim(D::Minus1)?);
    let flat = x.reshape((lead, inner))?.matmul(&weight.t()?)?.broadcast_add(bias)?;
    let mut out = dims;
    if let Some(last) = out.last_mut() {
        *last = weight.dim(0)?;
    }
    flat.reshape(out)
}

/// (x - mean) / sqrt(var + eps) * weight + bias over the last dimension, biased variance.
pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let normal = centred.broadcast_div(&(variance + eps)?.sqrt()?)?;
    normal.broadcast_mul(weight)?.broadcast_add(bias)
}

/// Softmax over the last dimension. The maximum is detached: it cancels in value and gradient, and
/// candle's gradient of a maximum is wrong where two entries tie.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let max = x.max_keepdim(D::Minus1)?.detach();
    let numerator = x.broadcast_sub(&max)?.exp()?;
    numerator.broadcast_div(&numerator.sum_keepdim(D::Minus1)?)
}

pub fn activate(x: &Tensor, activation: Activation) -> Result<Tensor> {
    match activation {
        // candle's backward of gelu_erf rounds 1/sqrt(2π) to six digits; written out it is exact.
        Activation::Gelu => ((x / std::f64::consts::SQRT_2)?.erf()? + 1.0)?.mul(&(x * 0.5)?),
        Activation::GeluTanh => x.gelu(),
        Activation::Relu => x.relu(),
    }
}

/// Rows scaled to length 1 (a zero row stays zero), over the last dimension.
pub fn normalise(x: &Tensor) -> Result<Tensor> {
    let length = (x.sqr()?.sum_keepdim(D::Minus1)? + 1e-24)?.sqrt()?;
    x.broadcast_div(&length)
}
