//! The science: metrics, statistics, comparison, fairness, explanations. No connection, no tensor, no thread:
//! SQL is named by query id and run through [`Queries`], scores come through [`Scorer`].

pub mod compare;
pub mod drift;
pub mod explain;
pub mod fairness;
pub mod metrics;
pub mod queries;
pub mod scorer;
pub mod slices;
pub mod stats;

pub use crate::terms::{Bindings, SqlValue};
pub use metrics::AnalysisError;
pub use queries::{Queries, QueryError};
pub use scorer::{Gradients, Scorer, ScorerError};
