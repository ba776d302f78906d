//! `recscope models prune`: a folder with fewer layers, fewer heads or more zeros, and what that costs and
//! brings.

use serde_json::{Value, json};

use super::super::Failure;
use super::super::output::{Ticker, cancel_on_signal};
use super::args::PruneArgs;
use super::contest::{Contestant, Loaded, load, scores};
use super::quantize::{finish, write};
use super::sample::Sample;
use crate::analysis::drift::score_drift;
use crate::engine::model::shrink::{self, Smaller};
use crate::engine::model::{Dtype, Model, ModelError};
use crate::util::cancel::Cancel;

/// Rows that layers are tried out on, and that heads are weighed by: each costs many passes.
const TRIED: usize = 256;
const WEIGHED: usize = 64;

pub fn prune(args: &PruneArgs) -> Result<u8, Failure> {
    let cancel = cancel_on_signal();
    let old = load(&args.folder)?;
    let stored = old.model.params().stored();
    shrink::check(&old.model, &args.out, stored, args.overwrite)?;
    let sample = Sample::open(&args.sample, old.model.info(), &cancel)?;
    let (smaller, done) = take_away(&old, args, &sample, &cancel)?;
    write(&old, &smaller, stored, (&args.out, args.overwrite), &done)?;
    finish(&old, (&args.out, done), &sample, &args.sample, &cancel)
}

fn take_away(
    old: &Loaded,
    args: &PruneArgs,
    sample: &Sample,
    cancel: &Cancel,
) -> Result<(Smaller, Value), Failure> {
    let model = &old.model;
    if let Some(share) = args.magnitude {
        return Ok((shrink::zero_smallest(model, share)?, json!({ "zero_smallest": share })));
    }
    if let Some(share) = args.heads {
        let importance = shrink::head_importance(model, &texts(&sample.thinned(WEIGHED)), cancel)?;
        let dropped = shrink::least_important(&importance, share);
        let smaller = shrink::drop_heads(model, &dropped)?;
        return Ok((smaller, json!({ "drop_heads": dropped, "importance": importance })));
    }
    let kept = match args.layers {
        Some(keep) => choose(old, keep, sample, cancel)?,
        None => args.keep_layers.clone(),
    };
    Ok((shrink::keep_layers(model, &kept)?, json!({ "keep_layers": kept })))
}

/// By how little the order of the scores changes.
fn choose(old: &Loaded, keep: usize, sample: &Sample, cancel: &Cancel) -> Result<Vec<usize>, Failure> {
    let few = sample.thinned(TRIED);
    let of = |model: &Model| -> Result<Vec<Option<f64>>, ModelError> {
        Ok(scores(&Contestant { model, dtype: Dtype::F32 }, &few, cancel)?.0)
    };
    let whole = of(&old.model)?;
    let (mut ticker, mut tried) = (Ticker::new(), 0);
    Ok(shrink::choose_layers(&old.model, keep, cancel, |candidate| {
        tried += 1;
        let layers = candidate.info().layers;
        ticker.show(&format!("trying which layers to keep: {tried} tried, at {layers} layers"));
        let drift = score_drift(&whole, &of(candidate)?);
        Ok(drift.spearman.map_or(f64::NAN, |rho| 1.0 - rho))
    })?)
}

/// Rows without a blank text.
fn texts(sample: &Sample) -> Vec<(String, Option<String>)> {
    let present = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let first = sample.first.iter().map(present);
    match &sample.second {
        None => first.flatten().map(|text| (text, None)).collect(),
        Some(second) => (first.zip(second.iter().map(present)))
            .filter_map(|(query, title)| Some((query?, Some(title?))))
            .collect(),
    }
}
