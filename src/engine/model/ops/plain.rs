//! The same operations written out in candle's own: for devices other than the CPU, and the yardstick
//! of ours.

use candle_core::{D, Result, Tensor};

/// `x [n, in]`, `weight [out, in]`, `bias [out]`.
pub fn linear(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.matmul(&weight.t()?)?.broadcast_add(bias)
}

pub fn layer_norm(x: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let normal = centred.broadcast_div(&(variance + eps)?.sqrt()?)?;
    normal.broadcast_mul(weight)?.broadcast_add(bias)
}

/// The maximum is detached: it cancels in value and gradient, and candle's gradient of a maximum is
/// wrong where two entries tie.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let max = x.max_keepdim(D::Minus1)?.detach();
    let numerator = x.broadcast_sub(&max)?.exp()?;
    numerator.broadcast_div(&numerator.sum_keepdim(D::Minus1)?)
}

/// candle's backward of `gelu_erf` rounds 1/sqrt(2π) to six digits; written out it is exact.
pub fn gelu(x: &Tensor) -> Result<Tensor> {
    ((x / std::f64::consts::SQRT_2)?.erf()? + 1.0)?.mul(&(x * 0.5)?)
}
