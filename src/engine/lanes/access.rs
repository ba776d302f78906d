//! What the engine's access means for cells and for the database. Files in SQL are DuckDB's to refuse
//! (`store/confine.rs`); models are read by us, so they are refused here.

use std::path::PathBuf;

use super::workspace::Workspace;
use crate::engine::store::FileLimits;
use crate::protocol::{Problem, ProblemKind};
use crate::trust::Access;

impl Workspace {
    /// Where a cell's model lies, if it may be read.
    pub fn model_folder(&self, path: &str) -> Result<PathBuf, Problem> {
        let folder = self.locate(path);
        if self.access.may_read(&folder) {
            return Ok(folder);
        }
        let message = format!(
            "the model {path} is not read: the notebook runs within limits, and the model is none of those that it named when it was opened"
        );
        Err(Problem::new(ProblemKind::Usage, message).hint(
            "if it is yours, `recscope trust add FOLDER` trusts its folder (`:trust` on screen); headless, `--allow PATH` grants this alone",
        ))
    }
}

/// The database's part of an access; `None`: it has no limits.
pub(super) fn file_limits(access: &Access) -> Option<FileLimits> {
    match access {
        Access::Everything => None,
        Access::Limited(limits) => {
            let whole = (!limits.only_named).then_some(&limits.base);
            Some(FileLimits {
                base: limits.base.clone(),
                sources: limits.sources.clone(),
                // Not `kept`: rows pass through the spill folder, and a statement could read the key there.
                folders: limits.allowed.iter().chain(whole).cloned().collect(),
            })
        }
    }
}
