//! Two runs' lists as one family, for tests that trade lists between the runs.

use super::{ByList, Parts, Values};
use crate::analysis::stats::{Inverse, Ratio};

impl Values {
    /// These lists, then those of `other`; `None` for unlike metrics and for those of a whole relation.
    ///
    /// Scores become shares of their own run's rows that score lower: AUC and average precision stay what
    /// they are in each run, and rows of two models can be traded though one gives logits and the other
    /// cosines.
    pub fn chain(&self, other: &Self) -> Option<Self> {
        let chain = |a: &[f64], b: &[f64]| [a, b].concat();
        let ratios = |a: &Ratio, b: &Ratio| Ratio {
            numerator: chain(&a.numerator, &b.numerator),
            denominator: chain(&a.denominator, &b.denominator),
        };
        let parts = match (&self.parts, &other.parts) {
            (Parts::Ratio(a), Parts::Ratio(b)) => Parts::Ratio(ratios(a, b)),
            (Parts::Shaped(a, shape), Parts::Shaped(b, same)) if shape == same => {
                Parts::Shaped(ratios(a, b), *shape)
            }
            (Parts::Inverse(a), Parts::Inverse(b)) => {
                Parts::Inverse(Inverse { sizes: chain(&a.sizes, &b.sizes) })
            }
            (Parts::Scores(a), Parts::Scores(b)) => Parts::Scores(placed(a).chain(&placed(b))),
            (Parts::Precision(a), Parts::Precision(b)) => Parts::Precision(placed(a).chain(&placed(b))),
            (Parts::Bins(a), Parts::Bins(b)) => Parts::Bins(a.chain(b)),
            _ => return None,
        };
        let (missing, support) = (chain(&self.missing, &other.missing), chain(&self.support, &other.support));
        Some(Self { parts, missing, support })
    }
}

impl<T: Clone> ByList<T> {
    fn chain(&self, other: &Self) -> Self {
        let shifted = other.starts.iter().skip(1).map(|start| start + self.cells.len());
        let starts = self.starts.iter().copied().chain(shifted).collect();
        Self { starts, cells: [&self.cells[..], &other.cells].concat() }
    }
}

/// Each score as the share of rows below it, tied rows counted half: the order stays, the scale goes.
fn placed(rows: &ByList<(f64, bool)>) -> ByList<(f64, bool)> {
    let mut order: Vec<usize> = (0..rows.cells.len()).collect();
    let score = |&at: &usize| rows.cells.get(at).map_or(f64::NAN, |cell| cell.0);
    order.sort_by(|a, b| score(a).total_cmp(&score(b)));
    let mut cells = rows.cells.clone();
    let mut below = 0;
    // -0.0 and 0.0 are one score.
    for tied in order.chunk_by(|a, b| score(a) == score(b)) {
        let share = (below as f64 + tied.len() as f64 / 2.0) / rows.cells.len() as f64;
        below += tied.len();
        for &at in tied {
            if let Some(cell) = cells.get_mut(at) {
                cell.0 = share;
            }
        }
    }
    ByList { starts: rows.starts.clone(), cells }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_order_of_scores_is_left() {
        let rows = |scores: &[f64]| {
            let cells: Vec<(f64, bool)> = scores.iter().map(|&score| (score, score > 1.0)).collect();
            ByList::new(2, &vec![0; cells.len()], cells)
        };
        let found: Vec<f64> = placed(&rows(&[7.0, -0.0, 0.0, 1e9])).cells.iter().map(|cell| cell.0).collect();
        assert_eq!(found, [0.625, 0.25, 0.25, 0.875]);
        let both = placed(&rows(&[1.0, 2.0])).chain(&placed(&rows(&[5.0])));
        assert_eq!((both.of(0).len(), both.of(1).len(), both.of(2)), (2, 0, &[(0.5, true)][..]));
    }
}
