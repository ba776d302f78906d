//! What a fairness audit is asked for. Mirrors `notebook::spec::FairnessSpec`, which analysis may
//! not import; `engine::lanes` converts.

use crate::analysis::metrics::{Empty, Rows};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct FairnessRequest {
    pub rows: Rows,
    /// Each an intersection of one or more columns.
    pub slices: Vec<Vec<String>>,
    /// A metric id of the catalogue.
    pub metric: String,
    /// The other side of the market: slices of items (brand, seller), measured by `supplier_metric`.
    pub suppliers: Vec<Vec<String>>,
    pub supplier_metric: String,
    /// On the metric's own denominator (lists, or rows for row metrics).
    pub min_support: u64,
    pub empty: Empty,
    /// Bootstrap resamples of queries; 0 for no interval.
    pub resamples: u32,
    /// Label permutations; 0 for no p.
    pub permutations: u32,
    pub seed: u64,
    /// Columns that look like those of users, where no role says who a row's user is.
    pub likely_users: Vec<String>,
}
