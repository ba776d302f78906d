//! Loss and figures of a model on labelled rows, without dropout and without gradients.

use candle_core::Device;

use crate::engine::model::{Bert, BertConfig, ModelError, Padded, Params, Words};
use crate::util::cancel::Cancel;

use super::batches::by_length;
use super::examples::{Encoded, Objective};
use super::figures::{Figures, figures};

/// Tokens per batch, padding included.
const BATCH_TOKENS: usize = 8192;

/// Mean loss (`None` without rows) and figures. `params` must not be variables, or every pass would
/// keep its graph until it ends.
pub(super) fn evaluate(
    config: &BertConfig,
    params: &Params,
    objective: &Objective,
    rows: &[Encoded],
    pad_id: u32,
    cancel: &Cancel,
) -> Result<(Option<f64>, Figures), ModelError> {
    let bert = Bert::new(config, params)?;
    let lengths: Vec<usize> = rows.iter().map(|row| row.ids.len()).collect();
    let longest = lengths.iter().copied().max().unwrap_or(1).max(1);
    let (mut sum, mut pairs) = (0.0, Vec::with_capacity(rows.len()));
    for batch in by_length(&lengths, (BATCH_TOKENS / longest).max(1)) {
        let (padded, targets) = padded(rows, &batch, pad_id, bert.device())?;
        let hidden = bert.hidden_states(&Words::Ids(&padded.ids), &padded, None, cancel)?;
        let logits = bert.logits(&hidden, None)?;
        let losses = objective.loss().per_row(&logits, &targets)?.to_vec1::<f32>()?;
        sum += losses.iter().map(|l| f64::from(*l)).sum::<f64>();
        for (logits, target) in logits.to_vec2::<f32>()?.iter().zip(&targets) {
            let truth = objective.class_of_target(f64::from(*target));
            // A NaN answers no class: it counts as wrong.
            if let Some(truth) = truth {
                pairs.push((objective.class_of_logits(logits).unwrap_or(usize::MAX), truth));
            }
        }
    }
    let mean = (!rows.is_empty()).then(|| sum / rows.len() as f64);
    Ok((mean, figures(&objective.classes(), &pairs)))
}

/// The rows at these indices as one padded batch, and their targets.
pub(super) fn padded(
    rows: &[Encoded],
    batch: &[usize],
    pad_id: u32,
    device: &Device,
) -> Result<(Padded, Vec<f32>), ModelError> {
    let picked: Vec<&Encoded> = batch.iter().filter_map(|at| rows.get(*at)).collect();
    let tokens: Vec<(&[u32], &[u32])> = picked.iter().map(|r| (&r.ids[..], &r.type_ids[..])).collect();
    let targets = picked.iter().map(|r| r.target as f32).collect();
    Ok((Padded::new(&tokens, pad_id, device)?, targets))
}
