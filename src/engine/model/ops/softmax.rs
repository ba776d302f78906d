//! Softmax over the last dimension, with its backward pass. Attention rows are short: plain loops.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::{copied, cpu, numbers};

pub struct Softmax;

impl CustomOp1 for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut values = numbers(storage, layout)?.to_vec();
        let width = layout.dims().last().copied().unwrap_or(1).max(1);
        for row in values.chunks_exact_mut(width) {
            let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|v| *v = (*v - top).exp());
            let inverse = 1.0 / row.iter().sum::<f32>();
            row.iter_mut().for_each(|v| *v *= inverse);
        }
        Ok(cpu(values, layout.shape()))
    }

    /// dx = y (g - sum(g y)).
    fn bwd(&self, _: &Tensor, y: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (y_values, mut values) = (copied(y)?, copied(gradient)?);
        let width = y.dims().last().copied().unwrap_or(1).max(1);
        for (y_row, g_row) in y_values.chunks_exact(width).zip(values.chunks_exact_mut(width)) {
            let mixed: f32 = y_row.iter().zip(g_row.iter()).map(|(y, g)| y * g).sum();
            g_row.iter_mut().zip(y_row).for_each(|(g, y)| *g = y * (*g - mixed));
        }
        Ok(Some(Tensor::from_vec(values, y.shape(), y.device())?))
    }
}
