//! What the screen may ask of the engine.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{JobId, PageSpec};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Request {
    /// The notebook as it now stands. The engine parses it itself; cells run later are read from it.
    /// `base` is the folder that relative paths start from; `path` is `None` for an unsaved notebook.
    Sync {
        text: String,
        path: Option<PathBuf>,
        base: PathBuf,
        params: Vec<(String, String)>,
    },
    /// Run these cells in this order (the requester has put ancestors first). A cell whose
    /// ancestor failed in this job is skipped. Answer: `CellState` events, one `JobEnded`.
    /// `first`: what score cells among them are to begin with.
    Run {
        job: JobId,
        cells: Vec<String>,
        first: Vec<FirstRows>,
    },
    /// Hold a job's scoring: answered by `CellState::Paused` as soon as its batches at hand are let go.
    /// Only scoring is held; what does not read the job's cells and needs no model goes on.
    Pause {
        job: JobId,
    },
    /// Go on with it.
    Resume {
        job: JobId,
    },
    /// Stop a job: acknowledged by `Event::Cancelling`, ended by the cells' last states and `JobEnded`.
    Cancel {
        job: JobId,
    },
    /// A window of rows. A newer request for the same `slot` replaces an older one that waits.
    Page {
        slot: u32,
        seq: u64,
        spec: PageSpec,
    },
    /// The columns of a cell's relation or a source. Answer: `Event::Described`.
    Describe {
        relation: String,
    },
    /// Completions for SQL at a byte offset. Answer: `Event::Completions`.
    Complete {
        seq: u64,
        sql: String,
        cursor: usize,
    },
    /// The SQL that makes one value of a cell's table, as text for a cell. `metric`: which value, where
    /// the table has several; `predicate`: the rows that it is about, empty for all. Answer:
    /// `Event::Recipe`.
    Recipe {
        seq: u64,
        cell: String,
        metric: Option<String>,
        predicate: String,
    },
    /// Ask for `Event::Pulse` now (memory, lanes).
    Pulse,
    Shutdown,
}

/// What a score cell is to score before the rest: rows that somebody looks at, of what it reads or of
/// its own result from before. Only their texts count; the score cell's other rows of equal text come along.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FirstRows {
    pub cell: String,
    pub rows: PageSpec,
}
