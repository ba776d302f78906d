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
    Run {
        job: JobId,
        cells: Vec<String>,
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
    /// Ask for `Event::Pulse` now (memory, lanes).
    Pulse,
    Shutdown,
}
