//! What the app is told ([`Msg`]) and what it wishes done ([`Effect`]). No behaviour: `update` takes the
//! one in, `screen::runtime` fulfils the other.

use std::path::PathBuf;

use super::Key;
use super::sessions::{About, KeptText, News};
use super::trust::Inspected;
use crate::protocol::{Event, Request};
use crate::trust::{Scope, Survey};

/// Everything that can happen to the app.
#[derive(Debug, Clone)]
pub enum Msg {
    Key(Key),
    Paste(String),
    Resize {
        width: u16,
        height: u16,
    },
    /// Only while [`super::App::wants_tick`] says so. `now_ms` counts from any fixed moment.
    Tick {
        now_ms: u64,
    },
    Engine(Event),
    EngineStarted,
    /// The engine has ended or could not be started.
    EngineGone(String),
    Saved {
        text: String,
        result: Result<PathBuf, SaveError>,
    },
    Journaled(Result<(), String>),
    /// What other sessions and programs do to the notebook, and what was kept of it.
    Sessions(News),
    /// What became of a copy: the route taken, or why it failed.
    Copied(Result<String, String>),
    /// The notebook was looked through.
    Surveyed(Box<Survey>),
    Inspected(Inspected),
    /// A folder or notebook was put on the list of trusted ones (its path), or why it was not.
    Trusted {
        asked: bool,
        result: Result<String, String>,
    },
    /// Model folders found on disk.
    Models(Vec<ModelChoice>),
    /// SIGTERM, SIGHUP or a dead terminal: save and go.
    Terminate,
    /// Something around the app went wrong and was put right; to be said.
    Trouble(String),
    /// Back from a suspension: everything must be drawn again.
    Resumed,
}

/// Why a save did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveError {
    /// Another program wrote the file since it was read.
    ChangedOutside,
    Failed(String),
}

/// What the app wishes done; fulfilled outside, answered by a [`Msg`] where one is named.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Send(Request),
    /// Answer: `EngineStarted` or `EngineGone`.
    StartEngine,
    /// Ends the engine at once. Answer: `EngineGone`.
    KillEngine,
    File(FileTask),
    /// Answer: `Copied`.
    Copy(String),
    /// Look for model folders. Answer: `Models`.
    FindModels,
    Suspend,
    /// Draw everything again.
    Repaint,
    Quit,
}

/// Work on the notebook's file and on what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileTask {
    /// Writes the notebook unless the file is no longer `on_disk`. Answer: `Saved`.
    Save {
        path: PathBuf,
        text: String,
        /// What the file held when last read or written; `None`: it must not exist yet.
        on_disk: Option<String>,
        /// Write even if it changed outside.
        force: bool,
    },
    /// Keeps the unsaved text safe in this session's journal. Answer: `Journaled`.
    Journal {
        text: String,
        /// What it was made from.
        on_disk: Option<String>,
    },
    /// The notebook is saved, or its changes are given up: this session's journal is no longer needed.
    ForgetJournal,
    /// Keeps the unsaved text apart from what is typed next. Answer: `Journaled`, if it failed.
    SetAside { text: String, on_disk: Option<String> },
    /// This session only watches from now on.
    Watch,
    /// This session writes beside others.
    Write,
    /// Whoever writes is told that this session does. Answer: `News::TookOver`.
    TakeOver,
    /// Unsaved texts of other sessions, compared with the text `now`. Answer: `News::Kept`.
    FindKept {
        now: String,
        /// To discard, not to take.
        discard: bool,
    },
    /// Answer: `News::Compared`.
    Compare { about: About, from: String, to: String },
    /// Kept texts that are saved, or that somebody does not want. Answer, if `asked`: `News::Discarded`.
    Discard { kept: Vec<KeptText>, asked: bool },
    /// Look through a text: what it would read and write. Answer: `Surveyed`.
    Survey { text: String, base: PathBuf, path: Option<PathBuf>, params: Vec<(String, String)> },
    /// Look which views and macros a DuckDB file holds: as written, and where. Answer: `Inspected`.
    Inspect { database: String, file: PathBuf },
    /// Put a folder or notebook on the list of trusted ones. `asked`: the user answered the panel; else
    /// recscope made the notebook. Answer: `Trusted`.
    Trust { path: PathBuf, scope: Scope, asked: bool },
}

/// A model folder that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelChoice {
    /// As it is written in a cell, relative to the notebook where possible.
    pub path: String,
    /// Compares embeddings (`embed`) rather than reading a pair.
    pub embeds: bool,
    /// Where it was found, for the menu.
    pub origin: String,
}
