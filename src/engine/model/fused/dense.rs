//! A dense layer as the kernels multiply it: packed from candle's tensors, in floats or in whole numbers.

use candle_core::Tensor;

use super::int_product::{IntPacked, IntRoom};
use super::isa::{IntForm, Isa};
use super::product::{Matrix, Packed};
use crate::engine::model::bert::Linear;
use crate::engine::model::error::ModelError;

/// A layer's dense product in floats or in whole numbers.
pub enum Dense {
    Floats(Packed),
    Ints(IntPacked),
}

impl Dense {
    pub fn new(linears: &[&Linear], isa: Isa, form: Option<IntForm>) -> Result<Self, ModelError> {
        let Some(form) = form else { return pack(linears, isa).map(Self::Floats) };
        let (parts, k) = parts(linears)?;
        Ok(Self::Ints(IntPacked::new(&borrowed(&parts), k, isa, form)))
    }

    pub fn apply(&self, a: &Matrix, c: &mut Matrix, rows: (usize, usize), room: &mut IntRoom) {
        match self {
            Self::Floats(packed) => packed.apply(a, c, rows),
            Self::Ints(packed) => packed.apply(a, c, rows, room),
        }
    }

    pub fn columns(&self) -> usize {
        match self {
            Self::Floats(packed) => packed.columns(),
            Self::Ints(packed) => packed.columns(),
        }
    }
}

pub fn numbers(tensor: &Tensor) -> Result<Vec<f32>, ModelError> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

/// Weight and bias of each layer, and the numbers per row of a weight.
type Parts = (Vec<(Vec<f32>, Vec<f32>)>, usize);

fn parts(linears: &[&Linear]) -> Result<Parts, ModelError> {
    let mut parts = Vec::with_capacity(linears.len());
    let mut k = 0;
    for linear in linears {
        k = linear.weight.dim(1)?;
        parts.push((numbers(&linear.weight)?, numbers(&linear.bias)?));
    }
    Ok((parts, k))
}

fn borrowed(parts: &[(Vec<f32>, Vec<f32>)]) -> Vec<(&[f32], &[f32])> {
    parts.iter().map(|(w, b)| (&w[..], &b[..])).collect()
}

pub fn pack(linears: &[&Linear], isa: Isa) -> Result<Packed, ModelError> {
    let (parts, k) = parts(linears)?;
    Ok(Packed::new(&borrowed(&parts), k, isa))
}
