//! Errors of the layers below, as the user reads them.

use std::any::Any;

use crate::analysis::metrics::AnalysisError;
use crate::engine::model::{ModelError, ModelErrorKind};
use crate::engine::store::{ErrorKind, StoreError};
use crate::notebook::Diagnostic;
use crate::protocol::{Problem, ProblemKind};
use crate::util::supervised::{Fall, said};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind {
            ErrorKind::Parser | ErrorKind::Usage => ProblemKind::Usage,
            ErrorKind::Binder | ErrorKind::Catalog | ErrorKind::Data | ErrorKind::Io => ProblemKind::Data,
            ErrorKind::OutOfMemory | ErrorKind::Disk | ErrorKind::Extension => ProblemKind::Resource,
            ErrorKind::Cancelled => ProblemKind::Cancelled,
            ErrorKind::Internal | ErrorKind::Bug => ProblemKind::Bug,
        };
        let (line, column) = (error.line, error.column);
        Problem { kind, message: error.message, hint: error.hint, cell: None, line, column }
    }
}

impl From<ModelError> for Problem {
    fn from(error: ModelError) -> Self {
        let kind = match error.kind {
            ModelErrorKind::Missing | ModelErrorKind::Damaged | ModelErrorKind::Unsupported => {
                ProblemKind::Model
            }
            ModelErrorKind::Usage => ProblemKind::Usage,
            ModelErrorKind::Device
            | ModelErrorKind::Resource
            | ModelErrorKind::DeviceMemory
            | ModelErrorKind::DeviceLost => ProblemKind::Resource,
            ModelErrorKind::Cancelled => ProblemKind::Cancelled,
            ModelErrorKind::Internal => ProblemKind::Bug,
        };
        Problem { hint: error.hint, ..Problem::new(kind, error.message) }
    }
}

impl From<AnalysisError> for Problem {
    fn from(error: AnalysisError) -> Self {
        let kind = match &error {
            AnalysisError::Cancelled => ProblemKind::Cancelled,
            AnalysisError::Request { .. } => ProblemKind::Usage,
            AnalysisError::Query(_) => ProblemKind::Data,
        };
        let hint = error.hint().map(str::to_owned);
        Problem { hint, ..Problem::new(kind, error.to_string()) }
    }
}

impl From<Diagnostic> for Problem {
    fn from(fault: Diagnostic) -> Self {
        let mut problem = Problem::new(ProblemKind::Usage, fault.message);
        problem.hint = fault.suggestion;
        problem.line = fault.cell_line.or_else(|| fault.cell.is_none().then_some(fault.line));
        problem.column = problem.line.is_some().then_some(fault.column);
        problem.cell = fault.cell;
        problem
    }
}

/// What a caught panic said, as our own fault.
pub(super) fn panicked(payload: Box<dyn Any + Send>) -> Problem {
    Problem::new(ProblemKind::Bug, format!("a worker of the engine panicked: {}", said(&*payload)))
        .hint("this is a fault of recscope; the engine goes on. Please report it with these words")
}

/// A lane that ended by a panic outside of any cell: nothing more would come from it.
pub(super) fn fell(fall: &Fall) -> Problem {
    Problem::new(ProblemKind::Bug, fall.to_string())
        .hint("the engine is started again; finished results are kept. Please report it with the log")
}

/// No answer came from a lane that ended.
pub(super) fn lane_gone(name: &str) -> Problem {
    Problem::new(ProblemKind::Bug, format!("the {name} lane has ended")).hint("restart the engine")
}
