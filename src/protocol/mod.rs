//! All that crosses between screen and engine. Closed, serde-serialisable enums; nothing here opens
//! a file, a database or a model, and nothing here draws.
//!
//! A [`Request`] goes to the engine, [`Event`]s come back. Work is named by [`JobId`] and cell name;
//! result rows travel as Arrow IPC inside a [`Page`].

mod engine;
mod event;
mod explanation;
mod outcome;
mod page;
mod problem;
mod request;
mod scoring;
pub mod transport;

pub use crate::terms::{PageSpec, RowCount};
pub use engine::{Engine, EngineGone};
pub use event::{CellState, Event, Outdated, Progress};
pub use explanation::{Explanation, Passes, TokenAttribution, WordAttribution};
pub use outcome::{Body, CheckOutcome, ClassReport, EpochReport, Outcome, ScoreSummary, TrainReport};
pub use page::{Column, Page, RelationInfo};
pub use problem::{Problem, ProblemKind};
pub use request::{FirstRows, Request};
pub use scoring::{Fact, Scoring, percent};

/// Names one piece of requested work; chosen by the requester, never reused in a session.
pub type JobId = u64;

/// The job number of results that the engine brings back by itself after a `Sync`, from its sidecar.
/// Requesters count from 1.
pub const RESTORED: JobId = 0;
