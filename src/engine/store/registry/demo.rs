//! The statements of `queries/demo/`: the generated shop log, in the order in which they run.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!(
    "demo": "seed", "random", "categories", "items", "users", "searches", "lists", "impressions", "judgments", "training",
);
