//! The statements of `queries/supply/`, by name.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!("supply": "exposure", "places");
