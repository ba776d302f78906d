//! What can be wrong with a model, as a sentence and a remedy. Lanes turn it into a `Problem`.

use std::path::Path;

use crate::util::cancel::Cancelled;

/// Which part is at fault; decides exit code and colour further up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelErrorKind {
    /// A folder or a file of it is not there or cannot be read.
    Missing,
    /// A file is there and is not what it should be: truncated, corrupt, wrong shapes.
    Damaged,
    /// Sound, but not something this program runs (architecture, format, pooling).
    Unsupported,
    /// What was asked does not fit this model (a pair for a bi-encoder, a class it lacks).
    Usage,
    /// The device is missing, or the program was built without it.
    Device,
    /// Memory or disk.
    Resource,
    /// A device has no memory left for what was asked: less at once may fit.
    DeviceMemory,
    /// A device failed and answers nothing more until the process ends.
    DeviceLost,
    /// The work was stopped by its `Cancel`.
    Cancelled,
    /// Our fault.
    Internal,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ModelError {
    pub kind: ModelErrorKind,
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl ModelError {
    pub fn new(kind: ModelErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn damaged(file: &Path, why: impl std::fmt::Display) -> Self {
        Self::new(ModelErrorKind::Damaged, format!("{}: {why}", file.display()))
            .hint("the file is incomplete or not what its name says: fetch the model folder again")
    }

    pub(super) fn io(file: &Path, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::OutOfMemory | std::io::ErrorKind::StorageFull => ModelErrorKind::Resource,
            _ => ModelErrorKind::Missing,
        };
        Self::new(kind, format!("{}: {error}", file.display()))
    }

    pub fn is_cancelled(&self) -> bool {
        self.kind == ModelErrorKind::Cancelled
    }
}

impl From<Cancelled> for ModelError {
    fn from(_: Cancelled) -> Self {
        Self::new(ModelErrorKind::Cancelled, "cancelled")
    }
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> Self {
        super::device::classify(&error)
    }
}
