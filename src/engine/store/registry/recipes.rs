//! The statements of `queries/recipes/`, by name.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!(
    "recipes":
    "rows",
    "extras",
    "lists",
    "zeros",
    "redivided",
    "measured",
    "auc",
    "gauc",
    "average_precision",
    "ece",
    "concentration",
    "one",
    "gap",
);
