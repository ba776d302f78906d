//! GELU with the error function, forward and backward in one pass each.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::super::fused::{Isa, rows};
use super::{copied, cpu, numbers};

/// Kernels take whole vectors; the rest of a tensor goes through the scalar ones.
const BLOCK: usize = 32;

pub struct Gelu;

impl CustomOp1 for Gelu {
    fn name(&self) -> &'static str {
        "gelu-erf"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut values = numbers(storage, layout)?.to_vec();
        let whole = values.len() / BLOCK * BLOCK;
        let (body, tail) = values.split_at_mut(whole);
        rows::gelu(Isa::detect(), body);
        rows::gelu(Isa::Scalar, tail);
        Ok(cpu(values, layout.shape()))
    }

    /// d/dx x Φ(x) = Φ(x) + x φ(x).
    fn bwd(&self, x: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (x_values, mut values) = (copied(x)?, copied(gradient)?);
        let whole = values.len() / BLOCK * BLOCK;
        let (body, tail) = values.split_at_mut(whole);
        let (x_body, x_tail) = x_values.split_at(whole);
        rows::gelu_backward(Isa::detect(), x_body, body);
        rows::gelu_backward(Isa::Scalar, x_tail, tail);
        Ok(Some(Tensor::from_vec(values, x.shape(), x.device())?))
    }
}
