//! One list in rank order, with what several metrics need of it computed once.

/// What of a list the figures look at.
pub(super) struct List<'a> {
    /// Gains of the retrieved items from rank 1; NaN where not judged.
    pub shown: &'a [f64],
    /// Gains of the items that were judged, or at least known, but not retrieved.
    pub missed: &'a [f64],
    /// Positive gains of both, descending.
    pub best: &'a [f64],
    /// 1 / log2(rank + 1), from rank 1, for as long as the longest list.
    pub discounts: &'a [f64],
    /// R of the formulas.
    pub relevant_items: usize,
}

/// Memory that lists share, one after the other.
pub(super) struct Scratch {
    best: Vec<f64>,
    discounts: Vec<f64>,
}

impl Scratch {
    pub fn new(longest: usize) -> Self {
        let discounts = (0..longest).map(|index| 1.0 / ((index + 2) as f64).log2()).collect();
        Self { best: Vec::new(), discounts }
    }

    /// `gains` in rank order, the first `shown` of them retrieved.
    pub fn take<'a>(&'a mut self, gains: &'a [f64], shown: usize, relevant_at: f64) -> List<'a> {
        self.best.clear();
        self.best.extend(gains.iter().filter(|&&gain| gain > 0.0));
        self.best.sort_unstable_by(|a, b| b.total_cmp(a));
        let (shown, missed) = gains.split_at(shown.min(gains.len()));
        List {
            shown,
            missed,
            best: &self.best,
            discounts: &self.discounts,
            relevant_items: gains.iter().filter(|&&gain| gain >= relevant_at).count(),
        }
    }
}
