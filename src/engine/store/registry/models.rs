//! Statements of `recscope models`.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!("models": "sample");
