//! Ranking, classification, click and catalogue metrics: the catalogue that describes them, the
//! requests and tables, and the evaluation, which runs `queries/metrics/*.sql` for values per list
//! and aggregates them with honest intervals. No connection and no thread here.

mod bounds;
mod catalogue;
pub(crate) mod columns;
mod conventions;
mod error;
pub(crate) mod evaluate;
mod example;
mod facts;
mod growing;
mod id;
mod intervals;
mod lens;
mod measures;
mod metric;
pub(crate) mod pass;
pub mod policy;
mod predicate;
pub(crate) mod prepared;
mod recipe;
pub mod reference;
mod request;
pub(crate) mod roles;
mod rules;
pub mod sides;
pub mod supply;
mod table;
pub mod trec;
pub(crate) mod values;

pub use crate::terms::Ties;
pub use catalogue::METRICS;
pub use conventions::{CONVENTIONS, Convention, convention};
pub use error::AnalysisError;
pub use evaluate::evaluate;
pub use growing::Growing;
pub use id::MetricId;
pub use lens::{Difference, Lens, lens};
pub use measures::EXPECTED;
pub use metric::{Cutoff, Example, Level, Metric, Need};
pub use predicate::predicate;
pub use recipe::{Part, Recipe, Step, recipe};
pub use request::{
    Denominator, Duplicates, Empty, Gains, MetricsRequest, Missing, Policy, Roles, Rows, Rules, Scores,
    Unjudged,
};
pub use table::{ListValues, MetricLine, MetricsTable};
