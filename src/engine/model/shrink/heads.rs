//! Fewer attention heads. How much a head matters is the size of the score's slope in a switch on the
//! head's output, by Michel, Levy & Neubig, "Are Sixteen Heads Really Better than One?" (2019), eq. 4, with
//! the score in place of a loss (no labels needed). A head that goes takes its rows of queries, keys and
//! values and its columns of the output product with it, so that what is left is faster.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{DType, Tensor};

use super::{Smaller, own, usage};
use crate::engine::model::bert::{Bert, Padded, Words};
use crate::engine::model::heads::{Head, Ranking};
use crate::engine::model::{Model, ModelError, ModelErrorKind};
use crate::util::cancel::Cancel;

/// Per layer, per head that it still has: the mean size of the slope, the layer's scaled to length 1.
pub type Importance = Vec<Vec<f64>>;

/// How much each head matters for these inputs: query and title (`None`: a classifier of one text).
pub fn head_importance(
    model: &Model,
    inputs: &[(String, Option<String>)],
    cancel: &Cancel,
) -> Result<Importance, ModelError> {
    own(model)?;
    if inputs.is_empty() {
        return Err(usage("there are no rows to weigh heads by".into(), "give rows with texts"));
    }
    let (params, vars) = model.params.to_vars_where(|name| name.ends_with(OUT))?;
    let bert = Bert::new(&model.config, &params)?;
    let mut sums: Importance =
        (0..model.config.layers).map(|n| vec![0.0; model.config.heads_in(n)]).collect();
    for (query, title) in inputs {
        cancel.check()?;
        let slopes = score(model, &bert, query, title.as_deref(), cancel)?.backward()?;
        for (name, var) in &vars {
            let cut = || ModelError::new(ModelErrorKind::Internal, format!("{name} has no gradient"));
            let slope = slopes.get(var).ok_or_else(cut)?;
            let layer = layer_of(name).and_then(|layer| sums.get_mut(layer)).ok_or_else(cut)?;
            // The switch multiplies the head's columns, so its slope is their product with theirs, summed.
            let columns = (var.as_tensor() * slope)?.sum(0)?.to_dtype(DType::F64)?.to_vec1::<f64>()?;
            let each = columns.chunks(model.config.head_dim()).map(|head| head.iter().sum::<f64>().abs());
            layer.iter_mut().zip(each).for_each(|(sum, slope)| *sum += slope);
        }
    }
    for layer in &mut sums {
        let length = layer.iter().map(|v| v * v).sum::<f64>().sqrt();
        layer.iter_mut().for_each(|v| *v /= length.max(1e-300));
    }
    Ok(sums)
}

const OUT: &str = ".attention.output.dense.weight";

fn layer_of(name: &str) -> Option<usize> {
    name.strip_prefix("encoder.layer.")?.split('.').next()?.parse().ok()
}

/// The number that ranks, with a backward pass: or how alike two texts are.
fn score(
    model: &Model,
    bert: &Bert,
    query: &str,
    title: Option<&str>,
    cancel: &Cancel,
) -> Result<Tensor, ModelError> {
    let states = |first: &str, second: Option<&str>| -> Result<(Tensor, Tensor), ModelError> {
        let ids = model.tokens.ids(first, second)?;
        let batch = Padded::new(&[(&ids.ids, &ids.type_ids)], model.tokens.pad_id(), bert.device())?;
        Ok((bert.hidden_states(&Words::Ids(&batch.ids), &batch, None, cancel)?, batch.mask))
    };
    match (&model.head, title) {
        (Head::Classifier { .. }, title) => {
            let logits = bert.logits(&states(query, title)?.0, None)?;
            // Classes without an order: the last one, whose head is as good as any.
            let unordered = matches!(model.head, Head::Classifier { ranking: Ranking::Unordered, .. });
            let target = unordered.then(|| model.head.labels().len() - 1);
            Ok(model.explained(&logits, target)?.sum_all()?)
        }
        (Head::Embedding(pooling), Some(title)) => {
            let prefixes = &model.info.prefixes;
            let side = |prefix: &str, text: &str| -> Result<Tensor, ModelError> {
                let (states, mask) = states(&format!("{prefix}{text}"), None)?;
                pooling.apply(&states, &mask)
            };
            let sides = (side(&prefixes.query, query)?, side(&prefixes.text, title)?);
            Ok(pooling.similarity.of_rows(&sides.0, &sides.1)?.sum_all()?)
        }
        (Head::Embedding(_), None) => {
            Err(usage(format!("{} compares two texts", model.info.name), "name two columns"))
        }
    }
}

/// The `share` of all heads (rounded down) that matter least, as (layer, number among those it still has).
/// No layer loses its last one.
pub fn least_important(importance: &Importance, share: f64) -> BTreeSet<(usize, usize)> {
    let all: usize = importance.iter().map(Vec::len).sum();
    let wanted = (all as f64 * share.clamp(0.0, 1.0)).floor() as usize;
    let mut order: Vec<(f64, usize, usize)> = importance
        .iter()
        .enumerate()
        .flat_map(|(layer, heads)| heads.iter().enumerate().map(move |(head, worth)| (*worth, layer, head)))
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut left: Vec<usize> = importance.iter().map(Vec::len).collect();
    let mut picked = BTreeSet::new();
    for (_, layer, head) in order {
        if picked.len() == wanted {
            break;
        }
        if let Some(left) = left.get_mut(layer).filter(|left| **left > 1) {
            *left -= 1;
            picked.insert((layer, head));
        }
    }
    picked
}

/// The model without these heads: (layer, number among those that it still has).
pub fn drop_heads(model: &Model, dropped: &BTreeSet<(usize, usize)>) -> Result<Smaller, ModelError> {
    own(model)?;
    let config = &model.config;
    let mut tensors: BTreeMap<String, Tensor> =
        model.params.iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
    let mut pruned = config.pruned_heads.clone();
    for layer in 0..config.layers {
        let gone: BTreeSet<usize> = dropped.iter().filter(|(l, _)| *l == layer).map(|(_, h)| *h).collect();
        let before = config.pruned_heads.get(&layer).cloned().unwrap_or_default();
        // Numbers among all heads that the layer ever had.
        let present: Vec<usize> = (0..config.heads).filter(|head| !before.contains(head)).collect();
        let kept: Vec<usize> = (0..present.len()).filter(|at| !gone.contains(at)).collect();
        if kept.is_empty() {
            return Err(usage(format!("layer {layer} would have no head left"), "take away fewer heads"));
        }
        if gone.is_empty() {
            continue;
        }
        cut(&mut tensors, layer, &kept, config.head_dim())?;
        pruned.entry(layer).or_default().extend(gone.iter().filter_map(|at| present.get(*at)));
    }
    Ok(Smaller {
        config: config.clone().with_pruned_heads(pruned),
        params: model.params.with_tensors(tensors),
    })
}

/// Leaves only these heads' rows and columns in a layer's attention.
fn cut(
    tensors: &mut BTreeMap<String, Tensor>,
    layer: usize,
    kept: &[usize],
    size: usize,
) -> Result<(), ModelError> {
    let places: Vec<u32> =
        kept.iter().flat_map(|head| head * size..(head + 1) * size).map(|at| at as u32).collect();
    let cuts = ["query", "key", "value"]
        .iter()
        .flat_map(|part| [format!("self.{part}.weight"), format!("self.{part}.bias")])
        .map(|name| (name, 0))
        .chain([("output.dense.weight".to_owned(), 1)]);
    for (part, axis) in cuts {
        if let Some(tensor) = tensors.get_mut(&format!("encoder.layer.{layer}.attention.{part}")) {
            let places = Tensor::from_slice(&places, places.len(), tensor.device())?;
            *tensor = tensor.contiguous()?.index_select(&places, axis)?.contiguous()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_important_go_but_never_a_layers_last() {
        let importance = vec![vec![0.1, 0.2], vec![0.9, 0.3, 0.4]];
        assert_eq!(least_important(&importance, 0.4), BTreeSet::from([(0, 0), (1, 1)]));
        assert_eq!(least_important(&importance, 1.0), BTreeSet::from([(0, 0), (1, 1), (1, 2)]));
        assert!(least_important(&importance, 0.19).is_empty());
    }
}
