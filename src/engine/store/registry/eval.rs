//! Statements of `recscope eval`.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!(
    "eval": "ids", "joined", "judged_queries", "judged_run", "judgments", "no_number", "overlap", "repeated",
    "shared_ids", "side", "unjudged"
);
