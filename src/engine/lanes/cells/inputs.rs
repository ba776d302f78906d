//! What several kinds of cells ask before they read texts for a model: which columns, whether they are
//! there, and which device.

use super::Work;
use crate::engine::model::{DeviceChoice, LoadOptions, Prefixes};
use crate::engine::store::Relation;
use crate::notebook::diagnostics::nearest;
use crate::notebook::spec::{ScoreSpec, TextInput};
use crate::protocol::{Problem, ProblemKind};

/// The columns that the model reads.
pub(super) fn text_columns(text: &TextInput) -> Vec<&String> {
    match text {
        TextInput::Pair(a, b) | TextInput::Embed(a, b) => vec![a, b],
        TextInput::Text(a) => vec![a],
    }
}

/// Every wanted column must be there; an unknown one gets a suggestion.
pub(super) fn need_columns(relation: &Relation, from: &str, wanted: &[&String]) -> Result<(), Problem> {
    let known: Vec<&str> = relation.columns.iter().map(|c| c.name.as_str()).collect();
    let missing = wanted.iter().find(|w| !known.iter().any(|k| k.eq_ignore_ascii_case(w)));
    let Some(missing) = missing else { return Ok(()) };
    let hint = match nearest(missing, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("its columns: {}", known.join(", ")),
    };
    Err(Problem::new(ProblemKind::Data, format!("{from} has no column {missing}")).hint(hint))
}

/// How a score cell wants its model.
pub(super) fn load_options(work: &Work, spec: &ScoreSpec) -> Result<LoadOptions, Problem> {
    Ok(LoadOptions {
        device: device(work, spec.device.as_deref())?,
        max_tokens: spec.max_tokens,
        prefixes: spec.prefixes.as_ref().map(prefixes),
        gains: spec.gains.clone(),
    })
}

pub(super) fn prefixes(asked: &(String, String)) -> Prefixes {
    Prefixes { query: asked.0.clone(), text: asked.1.clone() }
}

pub(super) fn device(work: &Work, asked: Option<&str>) -> Result<DeviceChoice, Problem> {
    Ok(asked.unwrap_or(&work.options.device).parse::<DeviceChoice>()?)
}
