//! The statements of `queries/slices/`, by name.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!(
    "slices": "codes", "describe", "edges", "facts", "lists", "profile", "rows", "values",
);
