//! What the engine says. Every job ends with exactly one `JobEnded`.

use serde::{Deserialize, Serialize};

use super::{Column, JobId, Outcome, Page, Problem, Scoring};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Event {
    Ready {
        version: String,
        duckdb: String,
        device: String,
    },
    /// A cell of a job changed state.
    Cell {
        job: JobId,
        cell: String,
        state: CellState,
    },
    /// A cancel was seen; the cells' last states follow.
    Cancelling {
        job: JobId,
    },
    JobEnded {
        job: JobId,
        ok: bool,
        elapsed_ms: u64,
    },
    Page {
        slot: u32,
        seq: u64,
        result: Result<Page, Problem>,
    },
    Described {
        relation: String,
        result: Result<Vec<Column>, Problem>,
    },
    /// Completions replace the text from byte `from` to the cursor.
    Completions {
        seq: u64,
        from: usize,
        items: Vec<String>,
    },
    /// SQL for a cell, or why there is none.
    Recipe {
        seq: u64,
        result: Result<String, Problem>,
    },
    /// A cell's result from before is not what a run would give now; nothing was run.
    Outdated {
        cell: String,
        why: Outdated,
    },
    /// Something that the user must be told once; nothing has failed.
    Note {
        text: String,
    },
    /// Sources opened or refused after a `Sync`.
    Source {
        name: String,
        result: Result<Vec<Column>, Problem>,
    },
    Pulse {
        rss_bytes: u64,
        cpu_busy: u32,
    },
    /// The engine itself is at fault (a worker panicked, was restarted): said, never hidden.
    Fault {
        problem: Problem,
    },
}

/// Why a result from before does not stand any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outdated {
    /// Files of this source have changed since.
    Source(String),
    /// It is not signed with this user's key: somebody else's, or changed since it was kept.
    Elsewhere,
}

impl Outdated {
    /// In a list of cells, after a mark.
    pub fn word(&self) -> &'static str {
        match self {
            Outdated::Source(_) => "source changed",
            Outdated::Elsewhere => "made elsewhere",
        }
    }
}

/// `source shown changed since`.
impl std::fmt::Display for Outdated {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Outdated::Source(name) => write!(out, "source {name} changed since"),
            Outdated::Elsewhere => out.write_str("what is kept of it was made elsewhere"),
        }
    }
}

/// The life of one cell in one job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CellState {
    Queued,
    Running(Progress),
    /// Held by the user: nothing is computed for it until it is resumed or cancelled.
    Paused(Progress),
    /// Intermediate result while this cell or one above it still runs: marked partial on screen.
    Partial(Box<Outcome>),
    Done(Box<Outcome>),
    Failed(Problem),
    /// Stopped by the user; `Some` when partial rows were kept.
    Cancelled(Option<Box<Outcome>>),
    /// Not run because this ancestor failed or was cancelled.
    Skipped {
        because: String,
    },
}

/// How far a cell has come. `total` is `None` while it cannot be known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// In `unit`s, e.g. rows scored, tokens, epochs, resamples.
    pub done: u64,
    pub total: Option<u64>,
    pub unit: String,
    pub per_second: f64,
    pub elapsed_ms: u64,
    pub eta_ms: Option<u64>,
    /// A short phase word: "reading", "scoring", "bootstrap".
    pub phase: String,
    /// More, where rows are scored: `eta_ms` then comes from tokens.
    pub scoring: Option<Box<Scoring>>,
}
