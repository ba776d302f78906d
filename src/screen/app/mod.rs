//! The screen's state and what may change it. `update` is the only `&mut App`; nothing here does
//! I/O, reads a clock, starts a thread, or knows of the engine, ratatui or crossterm.
//!
//! Messages come in ([`Msg`]), wishes go out ([`Effect`]); `screen::runtime` fulfils them.

pub mod commands;
pub mod detail;
pub mod document;
pub mod editor;
#[cfg(test)]
pub(crate) mod fake;
pub mod grid;
pub mod help;
mod history;
pub mod keys;
pub mod layout;
mod live;
pub mod menu;
mod messages;
pub mod prose;
mod revision;
pub mod run_state;
pub mod sessions;
pub mod stops;
pub mod table;
pub mod trust;
mod update;
pub mod value;
mod waiting;

use std::collections::HashMap;
use std::path::PathBuf;

use crate::protocol::JobId;

pub use document::Document;
pub use editor::Editor;
pub use keys::{Code, Key};
pub use menu::{Menu, Prompt};
pub use messages::{Effect, FileTask, ModelChoice, Msg, SaveError};
pub use run_state::{CellRun, RunState};
pub use sessions::{About, Comparison, Diff, DiffLine, FileNow, Holder, KeptText, News, Sessions};
pub use trust::Trust;
pub use update::{begin, update};

/// The name offered for a notebook that has none.
pub const NEW_NAME: &str = "notebook.md";

/// The three areas between which Tab moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    #[default]
    Outline,
    Result,
    Detail,
}

/// What keys go to.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Mode {
    #[default]
    Normal,
    Edit(Box<Edit>),
    Menu(Menu),
    Prompt(Prompt),
    Help {
        scroll: usize,
    },
    /// Two texts are compared.
    Diff(Box<Diff>),
    /// What an untrusted notebook would touch, and whether it may.
    Trust {
        scroll: usize,
    },
}

/// A block being edited.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// Index of the block in the document.
    pub block: usize,
    pub editor: Editor,
    pub completions: Option<Completions>,
    /// Number of the newest completion request.
    pub asked: u64,
}

/// Words offered at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completions {
    /// Byte offset from which a choice replaces the text.
    pub from: usize,
    pub items: Vec<String>,
    pub selected: usize,
}

/// How the engine is.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum EngineState {
    /// None was started: the notebook is not trusted.
    Off,
    #[default]
    Starting,
    Ready {
        device: String,
    },
    Gone(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Info,
    Good,
    Bad,
}

/// One sentence in the bottom line, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub tone: Tone,
    pub text: String,
}

/// Requested work that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub id: JobId,
    pub cells: Vec<String>,
    /// When the user asked to stop it (0: at the next tick).
    pub cancelled_ms: Option<u64>,
    /// The engine has seen the wish to stop.
    pub acknowledged: bool,
    /// The user has paused it.
    pub held: bool,
}

/// A place to come back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crumb {
    pub cell: String,
    pub pane: Pane,
    pub row: u64,
    pub top: u64,
}

/// What the app is opened with.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    pub text: String,
    /// Where the notebook is saved.
    pub path: Option<PathBuf>,
    /// What the file holds; `None`: a new notebook.
    pub on_disk: Option<String>,
    /// Relative paths start here.
    pub base: PathBuf,
    pub params: Vec<(String, String)>,
    /// Run every cell as soon as the engine is there.
    pub run_all: bool,
    /// Cheap cells run again by themselves when something above them changes.
    pub auto_run: bool,
    /// Metric ids that completion offers.
    pub metrics: Vec<String>,
    /// Unsaved texts of earlier sessions.
    pub kept: usize,
    /// Other sessions that have the notebook open.
    pub others: Vec<Holder>,
    /// Why unsaved text cannot be kept safe.
    pub unkept: Option<String>,
    pub trust: Trust,
}

#[derive(Debug, Clone, Default)]
pub struct App {
    pub doc: Document,
    pub path: Option<PathBuf>,
    pub on_disk: Option<String>,
    pub base: PathBuf,
    pub params: Vec<(String, String)>,
    pub auto_run: bool,

    pub width: u16,
    pub height: u16,
    pub pane: Pane,
    pub mode: Mode,
    /// Index of the block in focus.
    pub focus: usize,
    pub detail_scroll: usize,
    pub crumbs: Vec<Crumb>,
    pub status: Option<Status>,
    /// The beginning of a key sequence.
    pub pending: Vec<Key>,

    pub runs: HashMap<String, CellRun>,
    pub jobs: Vec<Job>,
    pub engine: EngineState,
    pub trust: Trust,
    pub rss_bytes: u64,
    pub models: Vec<ModelChoice>,
    pub metrics: Vec<String>,
    pub sessions: Sessions,

    /// Animates what runs; advances with ticks.
    pub frame: usize,
    pub now_ms: u64,
    /// Something visible changed since the last draw.
    pub redraw: bool,
    pub quitting: bool,

    last_job: JobId,
    last_seq: u64,
    /// The text that the engine knows.
    synced: Option<String>,
    /// The text that the journal holds.
    journaled: Option<String>,
    run_all_when_ready: bool,
    /// A new notebook over data: roles are guessed as soon as its columns are known.
    guessing: bool,
    /// Starts of the engine since the last job that ended well.
    restarts: u32,
    /// The engine was ended from here, because a job did not stop or by wish: that is no failure.
    ending_engine: bool,
    pulse_ms: u64,
    /// The text at the start.
    opened: String,
    /// Where the text was to be saved last: an answer to the question of a refused save is about that file.
    saving_to: Option<PathBuf>,
    /// Quit as soon as the save under way has succeeded.
    quit_after_save: bool,
    /// The SQL that was asked for: number of the request, the cell that it is about, the cell to write.
    recipe: Option<(u64, String, String)>,
    compared: revision::Compared,
}

impl App {
    pub fn new(opening: Opening) -> Self {
        let doc = Document::with_params(&opening.text, opening.params.clone());
        let focus = doc.first_of_interest();
        let mut app = Self {
            guessing: update::verbs::guesses::are_wanted(&opening, &doc),
            focus,
            doc,
            path: opening.path,
            journaled: Some(opening.text.clone()),
            opened: opening.text,
            on_disk: opening.on_disk,
            base: opening.base,
            params: opening.params,
            auto_run: opening.auto_run,
            metrics: opening.metrics,
            engine: match opening.trust.level {
                trust::Level::Inert => EngineState::Off,
                trust::Level::Full | trust::Level::Limited => EngineState::Starting,
            },
            mode: match opening.trust.level {
                trust::Level::Inert => Mode::Trust { scroll: 0 },
                trust::Level::Full | trust::Level::Limited => Mode::Normal,
            },
            trust: opening.trust,
            run_all_when_ready: opening.run_all,
            redraw: true,
            width: 80,
            height: 24,
            ..Self::default()
        };
        update::verbs::sessions::open(&mut app, opening.others, opening.kept, opening.unkept);
        app
    }

    /// How long to wait for the next [`Msg::Tick`]; `None`: nothing moves, nothing is due.
    pub fn wants_tick(&self) -> Option<u64> {
        if self.is_moving() {
            Some(125)
        } else if !self.jobs.is_empty() {
            // Paused: only the engine's pulse is to be seen.
            Some(1_000)
        } else if self.journal_due() {
            Some(400)
        } else {
            None
        }
    }

    /// Something would be lost by leaving now. A new notebook that nobody touched is no loss.
    fn is_dirty_enough(&self) -> bool {
        self.is_dirty() && (self.on_disk.is_some() || !self.live_is(&self.opened))
    }

    fn journal_due(&self) -> bool {
        !self.sessions.watching && !self.journaled.as_deref().is_some_and(|kept| self.live_is(kept))
    }

    /// Something runs or is to be stopped, rather than being paused and waiting behind it.
    fn is_moving(&self) -> bool {
        let runs = |run: &CellRun| matches!(run.state, RunState::Running(_));
        let still = self.jobs.iter().any(|job| job.held) && !self.runs.values().any(runs);
        !self.jobs.is_empty() && (!still || self.jobs.iter().any(|job| job.cancelled_ms.is_some()))
    }

    pub fn is_running(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// The name of the cell in focus.
    pub fn focused_cell(&self) -> Option<&str> {
        self.doc.cell_at(self.focus).map(|cell| cell.name.as_str())
    }

    pub fn run(&self, cell: &str) -> Option<&CellRun> {
        self.runs.get(cell)
    }

    pub fn focused_run(&self) -> Option<&CellRun> {
        self.run(self.focused_cell()?)
    }

    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.status = Some(Status { tone, text: text.into() });
        self.redraw = true;
    }

    fn next_seq(&mut self) -> u64 {
        self.last_seq += 1;
        self.last_seq
    }
}
