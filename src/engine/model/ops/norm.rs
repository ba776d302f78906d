//! Layer normalisation over the last dimension, with its backward pass.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::super::fused::{Isa, rows};
use super::{copied, cpu, numbers};

pub struct LayerNorm {
    pub eps: f32,
}

impl LayerNorm {
    /// Vector kernels take rows of whole vectors only.
    fn isa(width: usize) -> Isa {
        if width.is_multiple_of(32) { Isa::detect() } else { Isa::Scalar }
    }
}

impl CustomOp3 for LayerNorm {
    fn name(&self) -> &'static str {
        "layer-norm"
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
        let norm =
            rows::NormWeights::new(numbers(weight, weight_layout)?, numbers(bias, bias_layout)?, self.eps);
        let width = norm.width;
        let mut values = numbers(x, x_layout)?.to_vec();
        let zeros = vec![0f32; width];
        let isa = Self::isa(width);
        for row in values.chunks_exact_mut(width) {
            rows::add_norm(isa, row, &zeros, &norm);
        }
        Ok(cpu(values, x_layout.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (x_values, mut values, w) = (copied(x)?, copied(gradient)?, copied(weight)?);
        let width = w.len();
        let (mut dw, mut db) = (vec![0f32; width], vec![0f32; width]);
        let isa = Self::isa(width);
        for (x_row, g_row) in x_values.chunks_exact(width).zip(values.chunks_exact_mut(width)) {
            let sums = rows::NormSums { weight: &mut dw, bias: &mut db };
            rows::norm_backward(isa, x_row, g_row, &w, self.eps, sums);
        }
        let device = x.device();
        Ok((
            Some(Tensor::from_vec(values, x.shape(), device)?),
            Some(Tensor::from_vec(dw, width, device)?),
            Some(Tensor::from_vec(db, width, device)?),
        ))
    }
}
