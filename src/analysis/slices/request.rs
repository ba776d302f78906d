//! What a search for slices is asked for. Mirrors `notebook::spec::SlicesSpec`, which analysis may not
//! import; `engine::lanes` converts.

use crate::analysis::metrics::{Empty, Rows};
use crate::terms::Adjustment;

/// The most predicates of a slice: with four, nobody reads the slice any more.
pub(crate) const DEEPEST: usize = 3;

#[derive(Debug, Clone, PartialEq)]
pub struct SlicesRequest {
    pub rows: Rows,
    /// A metric id of the catalogue with a value per list or row.
    pub metric: String,
    /// Columns to slice by; empty for every usable column that plays no role of outcome.
    pub over: Vec<String>,
    /// Columns whose texts are described (length, digits, script, tokens); empty for the query and, where
    /// rows are measured, the roles' text columns.
    pub text: Vec<String>,
    /// Predicates of a slice at most, 1 to 3.
    pub depth: usize,
    /// On the metric's own denominator (lists, or rows for row metrics); half of it in each half.
    pub min_support: u64,
    /// Slices to report at most.
    pub top: usize,
    /// Level of the adjusted p, and of the confirmation.
    pub alpha: f64,
    pub adjustment: Adjustment,
    pub empty: Empty,
    /// Which queries are held out.
    pub seed: u64,
}

impl Default for SlicesRequest {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            metric: String::new(),
            over: Vec::new(),
            text: Vec::new(),
            depth: DEEPEST,
            min_support: 50,
            top: 20,
            alpha: 0.05,
            adjustment: Adjustment::default(),
            empty: Empty::default(),
            seed: 42,
        }
    }
}
