//! What several kinds of cells ask before they read: whether the columns that they name are there,
//! which of them hold a model's texts, and which device.

use super::{View, Work};
use crate::engine::model::{DeviceChoice, LoadOptions, Prefixes};
use crate::engine::store::Relation;
use crate::notebook::diagnostics::{nearest, position};
use crate::notebook::spec::{ScoreSpec, TextInput};
use crate::protocol::{Problem, ProblemKind};

/// The columns that the model reads.
pub(super) fn text_columns(text: &TextInput) -> Vec<&String> {
    match text {
        TextInput::Pair(a, b) | TextInput::Embed(a, b) => vec![a, b],
        TextInput::Text(a) => vec![a],
    }
}

/// Every wanted column must be there; an unknown one gets a suggestion, and its place in the cell.
pub(super) fn need_columns(view: View<'_>, relation: &Relation, wanted: &[&String]) -> Result<(), Problem> {
    let missing = wanted.iter().find(|wanted| !has_column(relation, wanted));
    let Some(missing) = missing else { return Ok(()) };
    let message = format!("{} has no column {missing}", relation.name);
    let problem = Problem::new(ProblemKind::Data, message).hint(instead_of(relation, missing));
    let body = view.workspace.cell(view.cell).map(|cell| cell.body.as_str()).unwrap_or_default();
    let at = body.find(&format!("\"{missing}\"")).map(|at| at + 1).or_else(|| body.find(missing.as_str()));
    Err(match at {
        Some(at) => {
            let (line, column) = position(body, at);
            problem.at(line, column)
        }
        None => problem,
    })
}

pub(super) fn has_column(relation: &Relation, name: &str) -> bool {
    relation.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name))
}

/// The column that was meant, or all there are.
pub(super) fn instead_of(relation: &Relation, name: &str) -> String {
    let known = || relation.columns.iter().map(|column| column.name.as_str());
    match nearest(name, known()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("its columns: {}", known().collect::<Vec<_>>().join(", ")),
    }
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
