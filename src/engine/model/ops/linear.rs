//! A dense layer whose weights are not trained: its backward computes the input's gradient only.
//! candle's own product always computes both, which doubles the cost of explaining.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::super::fused::multiply;
use super::{cpu, numbers};

/// `x [n, in]`, `weight [out, in]`, `bias [out]` to `[n, out]`.
pub struct FrozenLinear;

impl CustomOp3 for FrozenLinear {
    fn name(&self) -> &'static str {
        "frozen-linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (n, inner) = x_layout.shape().dims2()?;
        let (out, _) = weight_layout.shape().dims2()?;
        let bias = numbers(bias, bias_layout)?;
        let mut values = Vec::with_capacity(n * out);
        (0..n).for_each(|_| values.extend_from_slice(bias));
        multiply(
            (n, out, inner),
            (numbers(x, x_layout)?, inner, 1),
            (numbers(weight, weight_layout)?, 1, inner),
            (&mut values, out),
            true,
        );
        Ok(cpu(values, &Shape::from((n, out))))
    }

    fn bwd(
        &self,
        _: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        Ok((Some(gradient.matmul(weight)?), None, None))
    }
}
