//! The figures of ranked lists, put where each list belongs.

use super::figures::Figure;
use super::list::Scratch;
use super::row::Rank;
use super::{Terms, WHOLE, figure};
use crate::analysis::metrics::MetricId;

pub(crate) struct Measure {
    figures: Vec<(Figure, usize)>,
    terms: Terms,
    scratch: Scratch,
    gains: Vec<f64>,
    /// `[metric][list]`; NaN: not measured, or n/a.
    pub values: Vec<Vec<f64>>,
}

impl Measure {
    /// For lists of `rows` rows each.
    pub fn new(ids: &[MetricId], terms: Terms, rows: &[u32]) -> Self {
        let cut = |id: &MetricId| id.cutoff.map_or(WHOLE, |k| k as usize);
        Self {
            figures: ids.iter().filter_map(|id| Some((figure(id)?, cut(id)))).collect(),
            terms,
            scratch: Scratch::new(rows.iter().copied().max().unwrap_or_default() as usize),
            gains: Vec::new(),
            values: vec![vec![f64::NAN; rows.len()]; ids.len()],
        }
    }

    /// Measures a list; its rows come in rank order, each item once.
    pub fn take(&mut self, list: u32, rows: impl Iterator<Item = (Rank, f64)>) {
        self.gains.clear();
        let mut shown = 0;
        for (rank, gain) in rows {
            shown += usize::from(rank.retrieved());
            self.gains.push(gain);
        }
        let ranked = self.scratch.take(&self.gains, shown, self.terms.relevant_at);
        for ((figure, k), values) in self.figures.iter().zip(&mut self.values) {
            if let Some(value) = values.get_mut(list as usize) {
                *value = figure(&ranked, *k, &self.terms);
            }
        }
    }
}
