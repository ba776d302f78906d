//! Taking in the notebook as it now stands, and looking whether its sources have changed since.

use crossbeam_channel::Receiver;

use super::{CellLane, Task};
use crate::engine::lanes::workspace::Workspace;

impl CellLane {
    /// Whether sources have changed since, and what that makes of results.
    pub(super) fn look(&mut self) {
        let Some(workspace) = self.workspace.clone() else { return };
        for event in self.sources.look(&workspace, &self.connection) {
            let _ = self.events.send(event);
        }
        self.keys.look_again(&workspace, &self.sources, &mut self.hashes);
        self.tell_outdated();
    }

    pub(super) fn sync(&mut self, workspace: &Workspace, tasks: &Receiver<Task>) {
        if !workspace.access.is_limited()
            && let Err(error) = self.connection.look_in(&workspace.base)
        {
            tracing::warn!("relative names in SQL are not looked for beside the notebook: {error}");
        }
        for event in self.sources.sync(workspace, &self.connection) {
            let _ = self.events.send(event);
        }
        let gone: Vec<String> =
            self.finished.0.keys().filter(|name| workspace.notebook.cell(name).is_none()).cloned().collect();
        for name in gone {
            self.finished.0.remove(&name);
            self.drop_relation(&name);
        }
        self.keys.look_again(workspace, &self.sources, &mut self.hashes);
        self.tell_outdated();
        let first = workspace.path.clone().is_some_and(|path| self.opened.insert(path));
        let old = if first { self.sidecar(workspace) } else { None };
        let old = old.map(|sidecar| {
            let files = sidecar.files();
            (sidecar, files)
        });
        for cell in workspace.graph.order() {
            // Whoever asked for more meanwhile goes first; what is kept is found when it is run.
            if !tasks.is_empty() {
                return;
            }
            if !self.queue.is_to_make(&cell) {
                self.restore(&cell, workspace, old.as_ref());
            }
        }
    }
}
