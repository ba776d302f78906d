//! The store's own statements.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!("store": "arrived_scores", "extensions", "join_scores", "more_scores", "parse", "relations", "rows_of_texts", "scored", "tables_of", "views_of");
