//! Fewer layers. Which to keep is tried out greedily, a layer at a time, as models differ in what their
//! layers are good for: Sajjad et al., "On the Effect of Dropping Layers of Pre-trained Transformer Models"
//! (2023), find that no fixed rule is best.

use std::collections::BTreeMap;

use super::{Smaller, own, usage};
use crate::engine::model::{Model, ModelError};
use crate::util::cancel::Cancel;

const LAYER: &str = "encoder.layer.";

/// The model with only these layers (numbers from 0), in rising order.
pub fn keep_layers(model: &Model, kept: &[usize]) -> Result<Smaller, ModelError> {
    own(model)?;
    let layers = model.config.layers;
    let rising = kept.windows(2).all(|pair| pair[0] < pair[1]);
    if kept.is_empty() || !rising || kept.iter().any(|layer| *layer >= layers) {
        let what = format!("layers {kept:?} cannot be kept of a model that has {layers}");
        return Err(usage(what, format!("name each once, in rising order, from 0 to {}", layers - 1)));
    }
    let mut tensors = BTreeMap::new();
    for (name, tensor) in model.params.iter() {
        let Some((was, part)) = name.strip_prefix(LAYER).and_then(|rest| rest.split_once('.')) else {
            tensors.insert(name.to_owned(), tensor.clone());
            continue;
        };
        let was: Option<usize> = was.parse().ok();
        if let Some(now) = was.and_then(|was| kept.iter().position(|kept| *kept == was)) {
            tensors.insert(format!("{LAYER}{now}.{part}"), tensor.clone());
        }
    }
    Ok(Smaller { config: model.config.with_layers(kept), params: model.params.with_tensors(tensors) })
}

/// Which `keep` layers to keep: from all of them, the one is left out without which `loss` is least, again
/// and again. `loss` is asked about every candidate: `layers` + (`layers` - 1) + ... times.
pub fn choose_layers(
    model: &Model,
    keep: usize,
    cancel: &Cancel,
    mut loss: impl FnMut(&Model) -> Result<f64, ModelError>,
) -> Result<Vec<usize>, ModelError> {
    own(model)?;
    let layers = model.config.layers;
    if keep == 0 || keep > layers {
        return Err(usage(
            format!("{keep} layers cannot be kept of a model that has {layers}"),
            format!("keep from 1 to {layers}"),
        ));
    }
    let mut kept: Vec<usize> = (0..layers).collect();
    while kept.len() > keep {
        let mut best: Option<(f64, usize)> = None;
        for at in 0..kept.len() {
            cancel.check()?;
            let mut candidate = kept.clone();
            candidate.remove(at);
            let lost = loss(&keep_layers(model, &candidate)?.try_out(model)?)?;
            // A candidate without a figure is worse than any with one; of equals the higher layer goes.
            let lost = if lost.is_nan() { f64::INFINITY } else { lost };
            if best.is_none_or(|(least, _)| lost <= least) {
                best = Some((lost, at));
            }
        }
        let Some((_, at)) = best else { break };
        kept.remove(at);
    }
    Ok(kept)
}
