//! Ranking, classification, click and catalogue metrics: the catalogue that describes them, the
//! requests and tables, and the evaluation, which runs `queries/metrics/*.sql` for values per list
//! and aggregates them with honest intervals. No connection and no thread here.

mod catalogue;
pub(crate) mod columns;
mod error;
pub(crate) mod evaluate;
mod id;
mod intervals;
mod metric;
pub(crate) mod pass;
pub mod policy;
mod predicate;
pub(crate) mod prepared;
pub mod reference;
mod request;
pub(crate) mod roles;
pub mod supply;
mod table;
pub(crate) mod values;

pub use catalogue::METRICS;
pub use error::AnalysisError;
pub use evaluate::evaluate;
pub use id::MetricId;
pub use metric::{Cutoff, Level, Metric, Need};
pub use predicate::predicate;
pub use request::{Empty, MetricsRequest, Policy, Roles, Rows, Ties};
pub use table::{ListValues, MetricLine, MetricsTable};
