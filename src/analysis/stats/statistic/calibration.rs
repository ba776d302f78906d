//! Expected calibration error.

use super::Statistic;

/// Sums per unit and probability bin.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calibration {
    /// (unit, bin, rows, sum of probabilities, sum of labels)
    pub cells: Vec<(u32, u32, f64, f64, f64)>,
}

impl Calibration {
    /// Equal-width bins, right-closed.
    pub const BINS: usize = 15;
}

impl Statistic for Calibration {
    /// sum over bins of |sum p - sum label| / rows.
    fn value(&self, weights: &[f64]) -> Option<f64> {
        let (mut gaps, mut rows) = ([0.0; Self::BINS], 0.0);
        for &(unit, bin, n, p, label) in &self.cells {
            let weight = weights.get(unit as usize).copied().unwrap_or(0.0);
            if let Some(gap) = gaps.get_mut(bin as usize) {
                *gap += weight * (p - label);
            }
            rows += weight * n;
        }
        (rows > 0.0).then(|| gaps.iter().map(|gap: &f64| gap.abs()).sum::<f64>() / rows)
    }
}
