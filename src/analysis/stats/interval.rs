//! Intervals and the ways to make them. No drawing here.

use super::wilson;

/// An interval of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub lower: f64,
    pub upper: f64,
}

/// How the replicates of a bootstrap become an interval.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IntervalMethod {
    /// Quantiles of the replicates.
    #[default]
    Percentile,
    /// Bias-corrected and accelerated (Efron 1987): quantiles moved for bias and skewness.
    Bca,
}

impl IntervalMethod {
    /// The word in a notebook and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Percentile => "percentile",
            Self::Bca => "bca",
        }
    }

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
