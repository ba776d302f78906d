//! The statements of `queries/policy/`, by name.

use super::super::Query;

pub(super) const QUERIES: &[Query] =
    super::registered!("policy": "counts", "examined", "first_positions", "positions", "weights");
