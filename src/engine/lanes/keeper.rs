//! Where a notebook's results are kept: in `.NAME.cells/` beside it, where that folder is really one and
//! this user's; else in the state folder, which is said. Also the first look at such a folder, which
//! clears away what a killed engine left in it.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::options::EngineOptions;
use super::sidecar::{Sidecar, beside};
use crate::state::{Secret, StateFolder};
use crate::util::held::HeldFolder;
use crate::util::leftover::{self, LeftOver};

/// The folder's name within the state folder of a notebook.
const IN_STATE: &str = "cells";

#[derive(Debug, Default)]
pub(super) struct Keeper {
    options: EngineOptions,
    /// The state folder and the key in it, once asked for; the error is a sentence.
    opened: Option<Result<(StateFolder, Arc<Secret>), String>>,
    /// Notebooks whose folder was looked at.
    seen: HashSet<PathBuf>,
    /// Sentences that were not told yet.
    news: Vec<String>,
}

impl Keeper {
    pub fn new(options: &EngineOptions) -> Self {
        Self { options: options.clone(), ..Self::default() }
    }

    /// What the user must be told once.
    pub fn news(&mut self) -> Vec<String> {
        std::mem::take(&mut self.news)
    }

    /// The results of a notebook, if there is a folder of them.
    pub fn kept(&mut self, notebook: &Path) -> Option<Sidecar> {
        self.sidecar(notebook, false).ok().flatten()
    }

    /// The same, with the folder made. The error is a sentence for a note.
    pub fn make(&mut self, notebook: &Path) -> Result<Sidecar, String> {
        match self.sidecar(notebook, true) {
            Ok(Some(sidecar)) => Ok(sidecar),
            Ok(None) => Err("this result is not kept: its folder has gone".into()),
            Err(why) => Err(format!("this result is not kept: {why}")),
        }
    }

    /// The state folder with the key in it.
    pub fn state(&mut self) -> Result<(StateFolder, Arc<Secret>), String> {
        let options = &self.options;
        let opened = self.opened.get_or_insert_with(|| {
            let state = options.state_folder().map_err(|e| e.to_string())?;
            state.left_over().iter().for_each(LeftOver::sweep);
            let secret = Secret::open(&state).map_err(|e| e.to_string())?;
            Ok((state, Arc::new(secret)))
        });
        opened.clone()
    }

    fn sidecar(&mut self, notebook: &Path, make: bool) -> Result<Option<Sidecar>, String> {
        let (state, secret) = self.state().inspect_err(|why| self.tell(notebook, why))?;
        let beside = beside(notebook).ok_or("the notebook has no name")?;
        let folder = match open(&beside, make) {
            Ok(folder) => folder,
            Err(why) => self.instead(notebook, &beside, &why, &state, make)?,
        };
        let Some(folder) = folder else { return Ok(None) };
        if self.seen.insert(notebook.to_path_buf()) {
            sweep(&folder, notebook);
        }
        Ok(Some(Sidecar::new(folder, secret)))
    }

    /// The folder in the state folder, and why it is used, said once.
    fn instead(
        &mut self,
        notebook: &Path,
        beside: &Path,
        why: &io::Error,
        state: &StateFolder,
        make: bool,
    ) -> Result<Option<HeldFolder>, String> {
        let own = state.of_file(notebook).map_err(|e| e.to_string())?.join(IN_STATE);
        let folder = open(&own, make).map_err(|e| format!("{}: {e}", own.display()))?;
        let told = format!(
            "{} is not used for results: {why}. They are kept in {} instead",
            beside.display(),
            own.display()
        );
        if self.seen.insert(beside.to_path_buf()) {
            self.news.push(told);
        }
        Ok(folder)
    }

    fn tell(&mut self, notebook: &Path, why: &str) {
        if self.seen.insert(notebook.to_path_buf()) {
            self.news.push(format!("results are neither kept nor served from before: {why}"));
        }
    }
}

/// A folder of results that may be used. `make`: there is one afterwards.
fn open(folder: &Path, make: bool) -> io::Result<Option<HeldFolder>> {
    if let Some(found) = HeldFolder::open(folder)? {
        return Ok(Some(found));
    }
    // Asked now and not only when the first result is there, so that those of before are found.
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::access(parent, access).map_err(|error| {
        io::Error::other(format!("{} cannot be written ({})", parent.display(), io::Error::from(error)))
    })?;
    if make { HeldFolder::make(folder).map(Some) } else { Ok(None) }
}

/// Clears away what killed processes began in a notebook's folder of results, and beside the notebook.
fn sweep(folder: &HeldFolder, notebook: &Path) {
    for file in folder.unfinished() {
        let _ = folder.remove(&file.name);
    }
    for left in unsaved_beside(notebook.parent().unwrap_or(Path::new("."))) {
        left.sweep();
    }
}

/// Temporary files of saves that were killed.
fn unsaved_beside(folder: &Path) -> Vec<LeftOver> {
    let ours = |name: &str| {
        let random = name.strip_prefix(".saving-");
        random.is_some_and(|r| r.len() == 6 && r.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    leftover::named(folder, ours)
        .into_iter()
        .filter(|(_, found)| found.is_file() && leftover::is_abandoned(found, leftover::DAY))
        .map(|(path, _)| LeftOver::new(path, "a save that was killed, untouched for a day"))
        .collect()
}

/// What a later engine would clear away in `folder`: in the folders of results there, and beside them.
pub fn left_over(folder: &Path) -> Vec<LeftOver> {
    let sidecars = leftover::named(folder, |name| name.starts_with('.') && name.ends_with(".cells"));
    let of = |path: &Path| {
        let held = HeldFolder::look(path).ok().flatten();
        held.map(|held| held.unfinished()).unwrap_or_default()
    };
    let unfinished = sidecars.into_iter().flat_map(|(path, _)| {
        let files = of(&path);
        files.into_iter().map(move |file| LeftOver {
            path: path.join(&file.name),
            bytes: file.bytes,
            why: "a result that was being kept when its engine was killed",
        })
    });
    unfinished.chain(unsaved_beside(folder)).collect()
}
