//! What a comparison is asked for. Mirrors `notebook::spec::CompareSpec`, which analysis may not import;
//! `engine::lanes` converts.

use crate::analysis::metrics::{Empty, Rows};
use crate::analysis::stats::IntervalMethod;

/// The levels at which the interval of every difference is kept, for checks; a request may add others.
pub const LEVELS: [f64; 6] = [0.8, 0.9, 0.95, 0.98, 0.99, 0.999];

/// One run: a name, and the rows that hold its lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    pub name: String,
    pub rows: Rows,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompareRequest {
    /// At least two; each after the first is compared with the first, the baseline.
    pub runs: Vec<Run>,
    /// Metric ids of the catalogue.
    pub show: Vec<String>,
    /// Columns to break down by, beside the comparison over everything.
    pub by: Vec<String>,
    pub empty: Empty,
    pub interval: IntervalMethod,
    /// Bootstrap resamples of queries; 0 for no interval.
    pub resamples: u32,
    /// Random trades of the runs' results behind p; 0 for no p.
    pub permutations: u32,
    pub seed: u64,
    /// The difference whose chance of being found is reported as power; `None`: the one observed.
    pub detect: Option<f64>,
    /// Levels of intervals to keep beside [`LEVELS`], each between 0 and 1.
    pub levels: Vec<f64>,
    /// Also return so many queries per run and metric that moved most.
    pub top_queries: usize,
}
