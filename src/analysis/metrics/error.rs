//! Why a metric or an audit could not be computed, in words for the user.

use crate::analysis::QueryError;
use crate::util::cancel::Cancelled;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnalysisError {
    #[error("cancelled")]
    Cancelled,
    /// The request cannot be met: unknown metric, missing role, unusable column.
    #[error("{message}")]
    Request { message: String, hint: Option<String> },
    /// The database refused; its own words.
    #[error("{0}")]
    Query(String),
}

impl AnalysisError {
    pub fn request(message: impl Into<String>) -> Self {
        Self::Request { message: message.into(), hint: None }
    }

    pub fn with_hint(self, hint: impl Into<String>) -> Self {
        match self {
            Self::Request { message, .. } => Self::Request { message, hint: Some(hint.into()) },
            other => other,
        }
    }

    /// What to do next, where we know.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Request { hint, .. } => hint.as_deref(),
            _ => None,
        }
    }
}

impl From<Cancelled> for AnalysisError {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

impl From<QueryError> for AnalysisError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Cancelled => Self::Cancelled,
            QueryError::Failed(message) => Self::Query(message),
        }
    }
}
