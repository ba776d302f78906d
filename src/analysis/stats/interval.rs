//! Intervals and the ways to make them. No drawing here.

use super::wilson;
use crate::terms::IntervalMethod;

/// An interval of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub lower: f64,
    pub upper: f64,
}

impl IntervalMethod {
    /// In a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Percentile => "percentile bootstrap",
            Self::Bca => "BCa bootstrap",
        }
    }
}

impl Interval {
    /// Where every cluster says 0 (or 1) of a figure between 0 and 1, all resamples agree and the
    /// bootstrap is certain; Wilson's interval for that many clusters is not.
    pub fn at_a_bound(self, clusters: usize) -> Self {
        let agreed = self.lower == self.upper && [0.0, 1.0].contains(&self.lower);
        let successes = if self.lower == 0.0 { 0 } else { clusters as u64 };
        match wilson(successes, clusters as u64, 0.05).filter(|_| agreed) {
            Some((lower, upper)) => Self { lower, upper },
            None => self,
        }
    }
}
