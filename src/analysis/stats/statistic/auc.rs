//! The area under the ROC curve, with rows weighted by their unit.

use super::Statistic;

/// Rows in ascending order of score, ties marked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Auc {
    unit: Vec<u32>,
    positive: Vec<bool>,
    /// Does the row start a new score?
    starts: Vec<bool>,
}

impl Auc {
    /// `rows`: (unit, score, positive) in any order; NaN scores must be gone.
    pub fn new(mut rows: Vec<(u32, f64, bool)>) -> Self {
        rows.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut auc = Self::default();
        let mut before = None;
        for (unit, score, positive) in rows {
            auc.unit.push(unit);
            auc.positive.push(positive);
            // -0.0 and 0.0 are one score.
            auc.starts.push(before != Some(score));
            before = Some(score);
        }
        auc
    }
}

impl Statistic for Auc {
    /// (pairs in order + half of ties) / (positives * negatives), in one pass.
    fn value(&self, weights: &[f64]) -> Option<f64> {
        let (mut ordered, mut below, mut positives) = (0.0, 0.0, 0.0);
        let (mut tied_positive, mut tied_negative) = (0.0, 0.0);
        for ((&unit, &positive), &starts) in self.unit.iter().zip(&self.positive).zip(&self.starts) {
            if starts {
                ordered += tied_positive * (below + tied_negative / 2.0);
                below += tied_negative;
                positives += tied_positive;
                (tied_positive, tied_negative) = (0.0, 0.0);
            }
            let weight = weights.get(unit as usize).copied().unwrap_or(0.0);
            if positive {
                tied_positive += weight;
            } else {
                tied_negative += weight;
            }
        }
        ordered += tied_positive * (below + tied_negative / 2.0);
        let pairs = (positives + tied_positive) * (below + tied_negative);
        (pairs > 0.0).then(|| ordered / pairs)
    }
}
