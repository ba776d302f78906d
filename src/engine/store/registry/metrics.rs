//! The statements of `queries/metrics/`, by name.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!("metrics":);
