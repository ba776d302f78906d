//! Average precision of scored rows, with rows weighted by their unit.

use super::Statistic;

/// Rows in descending order of score, ties marked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AveragePrecision {
    unit: Vec<u32>,
    positive: Vec<bool>,
    /// Is the row the last of its score?
    ends: Vec<bool>,
}

impl AveragePrecision {
    /// `rows`: (unit, score, positive) in any order; NaN scores must be gone.
    pub fn new(mut rows: Vec<(u32, f64, bool)>) -> Self {
        rows.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut found = Self::default();
        let next = rows.iter().skip(1).map(|row| Some(row.1)).chain([None]);
        for (&(unit, score, positive), next) in rows.iter().zip(next) {
            found.unit.push(unit);
            found.positive.push(positive);
            // -0.0 and 0.0 are one score.
            found.ends.push(next != Some(score));
        }
        found
    }
}

impl Statistic for AveragePrecision {
    /// sum over distinct scores of (recall - recall before) * precision; tied rows enter together.
    fn value(&self, weights: &[f64]) -> Option<f64> {
        let (mut rows, mut found, mut counted, mut sum) = (0.0, 0.0, 0.0, 0.0);
        for ((&unit, &positive), &ends) in self.unit.iter().zip(&self.positive).zip(&self.ends) {
            let weight = weights.get(unit as usize).copied().unwrap_or(0.0);
            rows += weight;
            if positive {
                found += weight;
            }
            if ends && found > counted {
                sum += (found - counted) * found / rows;
                counted = found;
            }
        }
        (found > 0.0).then(|| sum / found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// sklearn.metrics.average_precision_score of the same rows.
    #[test]
    fn tied_rows_enter_together() {
        let rows = |scores: &[(f64, bool)]| scores.iter().map(|&(score, label)| (0, score, label)).collect();
        let of = |scores: &[(f64, bool)]| AveragePrecision::new(rows(scores)).value(&[1.0]);
        let close = |value: Option<f64>, expected: f64| assert!((value.unwrap() - expected).abs() < 1e-12);
        close(of(&[(0.9, true), (0.6, false), (0.4, true), (0.2, false)]), 0.5 + 0.5 * 2.0 / 3.0);
        close(of(&[(0.5, true), (0.5, false), (0.5, false), (0.5, true)]), 0.5);
        close(of(&[(0.0, true), (-0.0, false)]), 0.5);
        assert_eq!(of(&[(0.3, false)]), None);
        assert_eq!(of(&[]), None);
    }
}
