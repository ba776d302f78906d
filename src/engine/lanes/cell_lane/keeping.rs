//! Which results are still right, and making finished ones available to later cells and engines.

use super::CellLane;
use crate::engine::lanes::cells::Done;
use crate::engine::lanes::figures::Figures;
use crate::engine::lanes::results::{Finished, stands, worth_keeping};
use crate::engine::lanes::sidecar::{Entry, Sidecar};
use crate::engine::lanes::workspace::Workspace;
use crate::protocol::{CellState, Event, Outcome, RESTORED};
use crate::util::cancel::Cancel;

impl CellLane {
    /// Brings back a cell's kept result, if it is still the result.
    pub(super) fn restore(&mut self, cell: &str, workspace: &Workspace) {
        let Some(key) = self.key(cell, workspace) else { return };
        let name = cell.to_lowercase();
        if self.finished.0.get(&name).is_some_and(|f| f.key.as_ref() == Some(&key)) {
            return;
        }
        if let Some(outcome) = self.kept(cell, &key, workspace) {
            let state = CellState::Done(Box::new(outcome));
            let _ = self.events.send(Event::Cell { job: RESTORED, cell: cell.to_owned(), state });
        }
    }

    pub(super) fn key(&mut self, cell: &str, workspace: &Workspace) -> Option<String> {
        self.keys.of(cell, workspace, &self.sources, &mut self.hashes)
    }

    /// A result from before that is still right: of this engine, or of the sidecar.
    pub(super) fn kept(&mut self, cell: &str, key: &str, workspace: &Workspace) -> Option<Outcome> {
        let name = cell.to_lowercase();
        if let Some(found) = self.finished.0.get(&name).filter(|f| f.key.as_deref() == Some(key))
            && stands(&found.made, &mut self.hashes)
        {
            return Some(Outcome { cached: true, ..found.outcome.clone() });
        }
        let sidecar = self.sidecar(workspace)?;
        let entry = sidecar.load(cell, key, &self.connection)?;
        if !stands(&entry.made, &mut self.hashes) {
            return None;
        }
        let outcome = Outcome { cached: true, ..entry.outcome };
        let finished = Finished {
            key: Some(key.to_owned()),
            outcome: outcome.clone(),
            figures: entry.figures,
            made: entry.made,
        };
        self.finished.0.insert(name, finished);
        Some(outcome)
    }

    fn sidecar(&self, workspace: &Workspace) -> Option<Sidecar> {
        workspace.path.as_deref().filter(|_| self.options.cache).and_then(Sidecar::of)
    }

    /// Makes a finished cell's result available to later cells and engines.
    pub(super) fn keep(
        &mut self,
        cell: &str,
        key: Option<String>,
        done: Done,
        workspace: &Workspace,
        cancel: &Cancel,
    ) -> Outcome {
        let Done { mut outcome, figures, made } = done;
        let made = made.and_then(|folder| {
            let hash = self.hashes.get(&folder)?;
            Some((folder, hash))
        });
        if let Some(key) = key.as_ref().filter(|_| worth_keeping(&outcome, workspace, cell))
            && let Some(sidecar) = self.sidecar(workspace)
        {
            let columns = outcome.relation.iter().flat_map(|relation| &relation.columns);
            let entry = Entry {
                key: key.clone(),
                outcome: outcome.clone(),
                figures: figures.clone(),
                types: columns.map(|c| (c.name.clone(), c.sql_type.clone())).collect(),
                made: made.clone(),
            };
            if let Err(why) = sidecar.save(&entry, &self.connection, cancel) {
                tracing::warn!("{cell}: {why}");
                outcome.notes.push(why);
            }
        }
        let finished = Finished { key, outcome: outcome.clone(), figures, made };
        self.finished.0.insert(cell.to_lowercase(), finished);
        outcome
    }

    pub(super) fn keep_partial(&mut self, cell: &str, partial: &Outcome) {
        let rows = partial.relation.as_ref().map_or(0, |relation| relation.rows.known());
        let figures = Figures::of_rows(rows);
        let finished = Finished { key: None, outcome: partial.clone(), figures, made: None };
        self.finished.0.insert(cell.to_lowercase(), finished);
    }

    pub(super) fn drop_relation(&self, cell: &str) {
        if let Err(error) = self.connection.drop_cell(cell) {
            tracing::warn!("{cell} not dropped: {error}");
        }
    }
}
