//! Which results are still right, and making finished ones available to later cells and engines.

use std::collections::BTreeMap;

use super::CellLane;
use crate::engine::lanes::cells::Done;
use crate::engine::lanes::figures::Figures;
use crate::engine::lanes::results::{Finished, stands, worth_keeping};
use crate::engine::lanes::sidecar::{Entry, Found, Sidecar};
use crate::engine::lanes::workspace::Workspace;
use crate::protocol::{CellState, Event, Outcome, Outdated, RESTORED};
use crate::util::cancel::Cancel;
use crate::util::held::HeldFile;

/// What may stand for a run.
pub(super) enum Kept {
    Result(Box<Outcome>),
    /// Something lies there that this user's recscope did not make.
    Foreign,
    Nothing,
}

impl CellLane {
    /// Brings back a cell's kept result, if it is still the result; else says why it is not. `files`: of
    /// the notebook's sidecar, where results of other keys are to be looked at.
    pub(super) fn restore(
        &mut self,
        cell: &str,
        workspace: &Workspace,
        old: Option<&(Sidecar, Vec<HeldFile>)>,
    ) {
        let Some(key) = self.key(cell, workspace) else { return };
        let name = cell.to_lowercase();
        if self.finished.0.get(&name).is_some_and(|f| f.key.as_ref() == Some(&key)) {
            return;
        }
        let event = match self.kept(cell, &key, workspace) {
            Kept::Result(outcome) => {
                let state = CellState::Done(outcome);
                Event::Cell { job: RESTORED, cell: cell.to_owned(), state }
            }
            Kept::Foreign => Event::Outdated { cell: cell.to_owned(), why: Outdated::Elsewhere },
            Kept::Nothing => {
                let newest = old.and_then(|(sidecar, files)| sidecar.newest(files, cell));
                let Some(changed) = newest.and_then(|entry| self.changed_since(&entry.sources)) else {
                    return;
                };
                Event::Outdated { cell: cell.to_owned(), why: Outdated::Source(changed) }
            }
        };
        let _ = self.events.send(event);
    }

    /// The first of these sources that is open and no longer what it was.
    fn changed_since<'a>(&self, sources: impl IntoIterator<Item = &'a (String, String)>) -> Option<String> {
        let changed =
            |(name, then): &&(String, String)| self.sources.fingerprint(name).is_some_and(|now| now != then);
        sources.into_iter().find(changed).map(|(name, _)| name.clone())
    }

    /// Says of which finished results a source has changed since.
    pub(super) fn tell_outdated(&mut self) {
        for finished in self.finished.0.values_mut().filter(|finished| !finished.told) {
            let changed = finished
                .sources
                .iter()
                .find(|(name, then)| self.sources.fingerprint(name).is_some_and(|now| now != then.as_str()));
            if let Some((name, _)) = changed {
                let why = Outdated::Source(name.clone());
                finished.told = true;
                let _ = self.events.send(Event::Outdated { cell: finished.outcome.cell.clone(), why });
            }
        }
    }

    pub(super) fn key(&mut self, cell: &str, workspace: &Workspace) -> Option<String> {
        self.keys.of(cell, workspace, &self.sources, &mut self.hashes)
    }

    /// A result from before that is still right: of this engine, or of the sidecar.
    pub(super) fn kept(&mut self, cell: &str, key: &str, workspace: &Workspace) -> Kept {
        let name = cell.to_lowercase();
        if let Some(found) = self.finished.0.get(&name).filter(|f| f.key.as_deref() == Some(key))
            && stands(&found.made, &mut self.hashes)
        {
            return Kept::Result(Box::new(Outcome { cached: true, ..found.outcome.clone() }));
        }
        let Some(sidecar) = self.sidecar(workspace) else { return Kept::Nothing };
        let entry = match sidecar.load(cell, key, &self.connection) {
            Found::Result(entry) => *entry,
            Found::Foreign => return Kept::Foreign,
            Found::Nothing => return Kept::Nothing,
        };
        if !stands(&entry.made, &mut self.hashes) {
            return Kept::Nothing;
        }
        let outcome = Outcome { cached: true, ..entry.outcome };
        let finished = Finished {
            key: Some(key.to_owned()),
            outcome: outcome.clone(),
            figures: entry.figures,
            made: entry.made,
            sources: entry.sources.into_iter().collect(),
            told: false,
        };
        self.finished.0.insert(name, finished);
        Kept::Result(Box::new(outcome))
    }

    pub(super) fn sidecar(&mut self, workspace: &Workspace) -> Option<Sidecar> {
        let path = workspace.path.as_deref().filter(|_| self.options.cache)?;
        let sidecar = self.keeper.kept(path);
        self.tell_news();
        sidecar
    }

    /// Removes older results of what was saved since the last time.
    pub(super) fn prune(&mut self, workspace: &Workspace) {
        let saved = std::mem::take(&mut self.saved);
        if !saved.is_empty()
            && let Some(sidecar) = self.sidecar(workspace)
        {
            sidecar.prune(saved.iter());
        }
    }

    fn tell_news(&mut self) {
        for text in self.keeper.news() {
            let _ = self.events.send(Event::Note { text });
        }
    }

    /// What a cell's result comes from: its own sources and those of the results that it reads.
    fn sources_of(&self, cell: &str, workspace: &Workspace) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        for read in workspace.graph.reads(cell) {
            if let Some(finished) = self.finished.0.get(&read.to_lowercase()) {
                found.extend(finished.sources.clone());
            }
        }
        for name in workspace.graph.sources(cell) {
            if let Some(print) = self.sources.fingerprint(name) {
                found.insert(name.clone(), print.to_owned());
            }
        }
        found
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
        let sources = self.sources_of(cell, workspace);
        if let Some(key) = key.as_ref().filter(|_| worth_keeping(&outcome, workspace, cell))
            && let Some(notebook) = workspace.path.as_deref().filter(|_| self.options.cache)
        {
            let columns = outcome.relation.iter().flat_map(|relation| &relation.columns);
            let mut entry = Entry {
                key: key.clone(),
                outcome: outcome.clone(),
                figures: figures.clone(),
                types: columns.map(|c| (c.name.clone(), c.sql_type.clone())).collect(),
                made: made.clone(),
                sources: sources.clone().into_iter().collect(),
                rows: None,
            };
            let sidecar = self.keeper.make(notebook);
            self.tell_news();
            match sidecar.and_then(|s| s.save(&mut entry, &self.connection, cancel)) {
                Ok(()) => drop(self.saved.insert(cell.to_owned())),
                Err(why) => {
                    tracing::warn!("{cell}: {why}");
                    outcome.notes.push(why);
                }
            }
        }
        let finished = Finished { key, outcome: outcome.clone(), figures, made, sources, told: false };
        self.finished.0.insert(cell.to_lowercase(), finished);
        outcome
    }

    pub(super) fn keep_partial(&mut self, cell: &str, partial: &Outcome, workspace: &Workspace) {
        let rows = partial.relation.as_ref().map_or(0, |relation| relation.rows.known());
        let figures = Figures::of_rows(rows);
        let sources = self.sources_of(cell, workspace);
        let finished =
            Finished { key: None, outcome: partial.clone(), figures, made: None, sources, told: false };
        self.finished.0.insert(cell.to_lowercase(), finished);
    }

    pub(super) fn drop_relation(&self, cell: &str) {
        if let Err(error) = self.connection.drop_cell(cell) {
            tracing::warn!("{cell} not dropped: {error}");
        }
    }
}
