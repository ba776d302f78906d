//! Statements of `recscope eval`.

use super::super::Query;

pub(super) const QUERIES: &[Query] =
    super::registered!("eval": "joined", "judged_queries", "judged_run", "unjudged");
