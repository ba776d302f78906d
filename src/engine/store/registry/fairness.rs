//! The statements of `queries/fairness/`, by name.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!("fairness": "item_groups", "shared_users");
