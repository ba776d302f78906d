//! Weights near zero become zero: the oldest way to prune (Han et al., "Learning both Weights and
//! Connections for Efficient Neural Networks", 2015). The tensors keep their size, so that nothing gets
//! faster; the folder packs better, and what a model needs of its weights shows.

use std::collections::BTreeMap;

use candle_core::Tensor;

use super::{Smaller, own, usage};
use crate::engine::model::{Model, ModelError};

/// Sets the smallest `share` (from 0 to below 1) of each layer matrix's weights to 0. Per matrix, because
/// their scales differ. Embeddings, biases, normalisations and the head are left alone.
pub fn zero_smallest(model: &Model, share: f64) -> Result<Smaller, ModelError> {
    own(model)?;
    if !(0.0..1.0).contains(&share) {
        return Err(usage(
            format!("{share} is no share of weights to be zero"),
            "name one from 0 to below 1, e.g. 0.3",
        ));
    }
    let mut tensors = BTreeMap::new();
    for (name, tensor) in model.params.iter() {
        let matrix = name.starts_with("encoder.layer.") && tensor.rank() == 2;
        let tensor = if matrix { zeroed(tensor, share)? } else { tensor.clone() };
        tensors.insert(name.to_owned(), tensor);
    }
    Ok(Smaller { config: model.config.clone(), params: model.params.with_tensors(tensors) })
}

fn zeroed(tensor: &Tensor, share: f64) -> Result<Tensor, ModelError> {
    let mut numbers: Vec<f32> = tensor.flatten_all()?.to_vec1()?;
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    let zeros = (numbers.len() as f64 * share).floor() as usize;
    let size = |at: &usize| numbers.get(*at).map_or(0.0, |number| number.abs());
    if let Some(last) = zeros.checked_sub(1) {
        order.select_nth_unstable_by(last, |a, b| size(a).total_cmp(&size(b)).then(a.cmp(b)));
    }
    for at in order.iter().take(zeros) {
        if let Some(number) = numbers.get_mut(*at) {
            *number = 0.0;
        }
    }
    Ok(Tensor::from_vec(numbers, tensor.shape(), tensor.device())?)
}
