//! The statements that generate the demo's log.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!(
    "demo": "seed", "random", "users", "categories", "items", "searches", "judgments", "lists",
    "impressions", "training", "texts", "judged", "write",
);
