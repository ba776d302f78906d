//! Which cells wait, and in which order; which rows somebody looks at when a cell is run. Questions to
//! the state; nothing changes here.

use super::{App, RunState, layout};
use crate::notebook::Kind;
use crate::notebook::spec::CellSpec;
use crate::protocol::{FirstRows, PageSpec};

impl App {
    /// Cells that wait for their turn, in the order in which they come.
    pub fn queue(&self) -> impl Iterator<Item = &str> {
        let cells = self.jobs.iter().flat_map(|job| &job.cells).map(String::as_str);
        cells.filter(|cell| self.run(cell).is_some_and(|run| run.state == RunState::Queued))
    }

    /// Counted from 1.
    pub fn place_in_queue(&self, cell: &str) -> Option<usize> {
        self.queue().position(|waiting| waiting == cell).map(|at| at + 1)
    }

    /// The job that would be held or resumed: one that is held, else one that scores.
    pub fn holdable(&self) -> Option<usize> {
        let scores = |cell: &String| {
            let score = self.doc.notebook().cell(cell).is_some_and(|cell| cell.kind == Kind::Score);
            score
                && self
                    .run(cell)
                    .is_some_and(|run| matches!(run.state, RunState::Running(_) | RunState::Paused(_)))
        };
        let jobs = || self.jobs.iter().enumerate().filter(|(_, job)| job.cancelled_ms.is_none());
        let held = jobs().find(|(_, job)| job.held);
        held.or_else(|| jobs().find(|(_, job)| job.cells.iter().any(scores))).map(|(at, _)| at)
    }

    /// For each score cell among these: the rows in view of its own result where the reader is there,
    /// else of what it reads.
    pub(super) fn looked_at(&self, cells: &[String]) -> Vec<FirstRows> {
        let notebook = self.doc.notebook();
        let (params, _) = notebook.params(&self.params);
        let window = |cell: &String| {
            let Ok(CellSpec::Score(spec)) = notebook.spec(cell, &params) else { return None };
            let own = self.focused_cell().filter(|focused| focused == cell);
            let rows = own.and_then(|own| self.in_view(own)).or_else(|| self.in_view(&spec.input.from))?;
            Some(FirstRows { cell: cell.clone(), rows })
        };
        cells.iter().filter_map(window).collect()
    }

    /// The rows of a result that are in view, or were when it was left.
    fn in_view(&self, cell: &str) -> Option<PageSpec> {
        let run = self.run(cell)?;
        let table = run.table.as_ref().filter(|table| table.rows() > 0)?;
        Some(PageSpec {
            relation: table.relation.clone(),
            offset: run.grid.top,
            limit: layout::grid_rows(self).max(1) as u32,
            filter: table.filter.clone(),
            order: table.order.clone(),
            columns: None,
        })
    }
}
