//! What importance weights are worth: the effective sample size, and the largest weight.

use super::Statistic;

/// (sum of weights)^2 / sum of squared weights (Kish 1965).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effective {
    pub sums: Vec<f64>,
    pub squares: Vec<f64>,
}

impl Statistic for Effective {
    fn value(&self, weights: &[f64]) -> Option<f64> {
        let (mut sum, mut square) = (0.0, 0.0);
        for (weight, (s, q)) in weights.iter().zip(self.sums.iter().zip(&self.squares)) {
            sum += weight * s;
            square += weight * q;
        }
        (square > 0.0).then(|| sum * sum / square)
    }
}

/// The largest value among the units that count.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Largest {
    pub values: Vec<f64>,
}

impl Statistic for Largest {
    fn value(&self, weights: &[f64]) -> Option<f64> {
        let counted = weights.iter().zip(&self.values).filter(|(weight, _)| **weight > 0.0);
        counted.map(|(_, value)| *value).reduce(f64::max)
    }
}

/// A figure that does not exist, whatever is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Nothing;

impl Statistic for Nothing {
    fn value(&self, _: &[f64]) -> Option<f64> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_are_worth_their_number_and_one_heavy_row_is_worth_one() {
        let of = |w: &[f64]| Effective { sums: w.to_vec(), squares: w.iter().map(|w| w * w).collect() };
        assert_eq!(of(&[2.0; 8]).value(&[1.0; 8]), Some(8.0));
        assert!((of(&[1e6, 1.0, 1.0]).value(&[1.0; 3]).unwrap() - 1.0).abs() < 1e-5);
        assert_eq!(of(&[0.0; 3]).value(&[1.0; 3]), None);
        assert_eq!(Largest { values: vec![1.0, 9.0] }.value(&[1.0, 0.0]), Some(1.0));
    }
}
