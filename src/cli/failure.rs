//! Why a subcommand could not do its work, and the exit code that says so.

use crate::engine::model::{ModelError, ModelErrorKind};
use crate::engine::store::{ErrorKind, StoreError};
use crate::pipe::{Fault, FaultKind};
use crate::protocol::{Problem, ProblemKind};
use crate::pull::{PullError, PullErrorKind};
use crate::util::sanitise;

/// A failure on its way to stderr and the exit code.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure(pub Problem);

impl Failure {
    pub fn usage(message: impl Into<String>) -> Self {
        Self(Problem::new(ProblemKind::Usage, message))
    }

    pub fn data(message: impl Into<String>) -> Self {
        Self(Problem::new(ProblemKind::Data, message))
    }

    pub fn resource(message: impl Into<String>) -> Self {
        Self(Problem::new(ProblemKind::Resource, message))
    }

    pub fn bug(message: impl Into<String>) -> Self {
        Self(Problem::new(ProblemKind::Bug, message))
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self(self.0.hint(hint))
    }

    /// 2 usage, 3 data, model or machine, 70 bug, stopped: 128 and the signal's number.
    pub fn exit(&self) -> u8 {
        exit_of(self.0.kind)
    }
}

/// The exit code of a problem.
pub fn exit_of(kind: ProblemKind) -> u8 {
    match kind {
        ProblemKind::Usage => 2,
        ProblemKind::Data | ProblemKind::Model | ProblemKind::Resource => 3,
        ProblemKind::Bug => 70,
        ProblemKind::Cancelled => super::stop::code(),
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error: {}", sanitise::lines(&self.0.to_string()))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let kind = match error.kind {
            ErrorKind::Usage => ProblemKind::Usage,
            ErrorKind::OutOfMemory | ErrorKind::Disk | ErrorKind::Extension => ProblemKind::Resource,
            ErrorKind::Cancelled => ProblemKind::Cancelled,
            ErrorKind::Bug => ProblemKind::Bug,
            _ => ProblemKind::Data,
        };
        Self(Problem { hint: error.hint, ..Problem::new(kind, error.message) })
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        let kind = match error.kind {
            ModelErrorKind::Usage => ProblemKind::Usage,
            ModelErrorKind::Cancelled => ProblemKind::Cancelled,
            ModelErrorKind::Resource
            | ModelErrorKind::Device
            | ModelErrorKind::DeviceMemory
            | ModelErrorKind::DeviceLost => ProblemKind::Resource,
            ModelErrorKind::Internal => ProblemKind::Bug,
            _ => ProblemKind::Model,
        };
        Self(Problem { hint: error.hint, ..Problem::new(kind, error.message) })
    }
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        let kind = match error.kind {
            PullErrorKind::Usage => ProblemKind::Usage,
            PullErrorKind::Data => ProblemKind::Data,
            PullErrorKind::Model => ProblemKind::Model,
            PullErrorKind::Resource => ProblemKind::Resource,
            PullErrorKind::Cancelled => ProblemKind::Cancelled,
        };
        Self(Problem { hint: error.hint, ..Problem::new(kind, error.message) })
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let kind = match fault.kind {
            FaultKind::Usage => ProblemKind::Usage,
            FaultKind::Data => ProblemKind::Data,
            FaultKind::Model => ProblemKind::Model,
            FaultKind::Resource => ProblemKind::Resource,
            FaultKind::Cancelled => ProblemKind::Cancelled,
            FaultKind::Bug => ProblemKind::Bug,
        };
        Self(Problem { hint: fault.hint, ..Problem::new(kind, fault.message) })
    }
}

impl From<crate::util::atomic::WriteError> for Failure {
    fn from(error: crate::util::atomic::WriteError) -> Self {
        Self::resource(error.to_string())
    }
}
