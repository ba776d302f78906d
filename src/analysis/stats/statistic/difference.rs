//! The difference of one figure between two runs over the same units.

use super::Statistic;

/// `b - a`.
pub struct Difference {
    pub a: Box<dyn Statistic>,
    pub b: Box<dyn Statistic>,
}

impl Statistic for Difference {
    fn value(&self, weights: &[f64]) -> Option<f64> {
        Some(self.b.value(weights)? - self.a.value(weights)?)
    }

    fn leave_one_out(&self, units: usize) -> Option<Vec<f64>> {
        let (a, b) = (self.a.leave_one_out(units)?, self.b.leave_one_out(units)?);
        Some(b.iter().zip(&a).map(|(b, a)| b - a).collect())
    }
}
