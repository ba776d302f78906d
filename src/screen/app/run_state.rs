//! What is known of one cell's runs: its state, its outcome, its rows.

use super::grid::Grid;
use super::table::Table;
use crate::protocol::{Outcome, Outdated, Problem, Progress};

#[derive(Debug, Clone, PartialEq, Default)]
pub enum RunState {
    /// Never run here, or its result was lost.
    #[default]
    Idle,
    Queued,
    Running(Progress),
    /// Held by the user: this is how far it was.
    Paused(Progress),
    Done,
    Failed(Problem),
    Cancelled,
    /// Not run because this ancestor failed or was stopped.
    Skipped(String),
}

#[derive(Debug, Clone, Default)]
pub struct CellRun {
    pub state: RunState,
    /// Its text or something above it changed since it ran.
    pub stale: bool,
    /// What else than a change of the text made it so, or why what was kept of it is not shown.
    pub outdated: Option<Outdated>,
    pub outcome: Option<Outcome>,
    pub table: Option<Table>,
    pub grid: Grid,
    /// Which of several explanations is shown.
    pub shown: usize,
}

impl CellRun {
    pub fn is_active(&self) -> bool {
        matches!(self.state, RunState::Queued | RunState::Running(_) | RunState::Paused(_))
    }

    /// Has a result that is up to date and complete.
    pub fn is_fresh(&self) -> bool {
        self.state == RunState::Done && !self.stale && !self.is_partial()
    }

    pub fn is_partial(&self) -> bool {
        self.outcome.as_ref().is_some_and(|o| o.partial)
    }

    /// Takes an outcome (partial or final) over the older one; rows shown stay until replaced.
    pub fn take(&mut self, outcome: Outcome) {
        match (&outcome.relation, &mut self.table) {
            (Some(info), Some(table)) if table.relation == info.name => table.refresh(info),
            (Some(info), table) => *table = Some(Table::new(info)),
            (None, table) => *table = None,
        }
        self.outcome = Some(outcome);
    }

    /// Rows of the result, if it has any.
    pub fn rows(&self) -> Option<crate::protocol::RowCount> {
        self.outcome.as_ref().and_then(|o| o.relation.as_ref()).map(|r| r.rows)
    }
}
