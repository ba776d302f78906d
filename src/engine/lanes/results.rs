//! Finished cells of this engine, and which of them may still be served.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::checks::Known;
use super::figures::Figures;
use super::keys::ModelHashes;
use super::workspace::Workspace;
use crate::notebook::Kind;
use crate::protocol::Outcome;

/// Results in this engine by cell name in lower case.
#[derive(Default)]
pub(super) struct Results(pub HashMap<String, Finished>);

pub(super) struct Finished {
    /// `None`: may not be served again (volatile, partial, or computed on stale rows).
    pub key: Option<String>,
    pub outcome: Outcome,
    pub figures: Figures,
    pub made: Option<(PathBuf, String)>,
    /// The sources that it came from, directly or through other cells, each with its fingerprint.
    pub sources: BTreeMap<String, String>,
    /// That a source has changed since was said.
    pub told: bool,
}

impl Known for Results {
    fn figures(&self, cell: &str) -> Option<&Figures> {
        self.0.get(&cell.to_lowercase()).map(|finished| &finished.figures)
    }
}

/// A folder that a cell wrote must still be what it wrote.
pub(super) fn stands(made: &Option<(PathBuf, String)>, hashes: &mut ModelHashes) -> bool {
    made.as_ref().is_none_or(|(folder, hash)| hashes.get(folder).as_ref() == Some(hash))
}

/// Quick queries with many rows are sooner computed than kept.
pub(super) fn worth_keeping(outcome: &Outcome, workspace: &Workspace, cell: &str) -> bool {
    let Some(relation) = &outcome.relation else { return true };
    let sql = workspace.notebook.cell(cell).is_some_and(|cell| cell.kind == Kind::Sql);
    let values = relation.rows.known().saturating_mul(relation.columns.len() as u64);
    !(sql && values > 2_000_000 && outcome.elapsed_ms < 2_000)
}
