//! What a headless run found. Field names follow the `run` JSON of the command line.

use serde_json::Value;

use crate::protocol::{Body, CheckOutcome, Column, Problem};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunReport {
    /// Path as given.
    pub notebook: String,
    /// Front matter's title or the first heading, if any.
    pub title: Option<String>,
    pub params: Vec<(String, String)>,
    /// No cell failed, no check failed, no diagnostic.
    pub ok: bool,
    /// 0 ok, 1 a check failed, 2 usage or notebook diagnostics, 3 data or model error, 70 bug; stopped: 128
    /// and the signal's number, 130 where no signal was.
    pub exit: u8,
    pub cells: Vec<CellReport>,
    /// What kept the notebook from running, or concerns no single cell.
    pub problems: Vec<Problem>,
    /// What is odd in the notebook's text and kept nothing from running.
    pub remarks: Vec<String>,
    pub elapsed_ms: u64,
    /// It was stopped, and what ran has not stopped: whoever has shown this ends the process. Not shown.
    pub stuck: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellReport {
    pub name: String,
    pub kind: String,
    /// `done`, `failed`, `skipped`, `cancelled`, or `queued` where the run never came to it.
    pub state: String,
    /// The cell's text as written, for reports that show it.
    pub source: String,
    /// The prose before the cell, for reports that tell the story.
    pub prose: String,
    pub rows: Option<u64>,
    pub elapsed_ms: u64,
    pub cached: bool,
    pub partial: bool,
    pub result: Option<ResultRows>,
    pub body: Body,
    pub checks: Vec<CheckOutcome>,
    pub notes: Vec<String>,
    pub error: Option<Problem>,
    /// The ancestor because of which a skipped cell was skipped.
    pub because: Option<String>,
}

/// The first rows of a cell's relation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResultRows {
    pub columns: Vec<Column>,
    /// Numbers, booleans, strings and nulls; every other type as DuckDB prints it. NULL alone
    /// is null: NaN and infinities are the texts `NaN`, `inf`, `-inf`.
    pub rows: Vec<Vec<Value>>,
    /// The relation has more rows than these.
    pub truncated: bool,
}
