//! The statements of `queries/compare/`, by name.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!("compare": "list_keys", "top_items", "unranked");
