//! Replicates of one statistic, and the intervals that they give at any level.

use super::{Interval, IntervalMethod, normal_cdf, normal_quantile, quantile};

/// What a bootstrap made of one statistic.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resampled {
    /// Ascending.
    values: Vec<f64>,
    /// The statistic of the data itself; only BCa needs it.
    estimate: Option<f64>,
    acceleration: f64,
    /// Replicates asked for.
    asked: u32,
}

impl Resampled {
    /// `values`: replicates in any order, those without a value left out; `estimate` and `acceleration`
    /// for BCa; `asked`: how many replicates were drawn.
    pub fn new(mut values: Vec<f64>, estimate: Option<f64>, acceleration: f64, asked: u32) -> Self {
        values.sort_by(f64::total_cmp);
        Self { values, estimate, acceleration, asked }
    }

    /// The interval at `level` (0.95, say). `None` where there are no replicates, or the statistic did
    /// not exist in most of them. BCa falls back to the percentile interval where its corrections are
    /// not finite (all replicates on one side of the estimate).
    pub fn interval(&self, method: IntervalMethod, level: f64) -> Option<Interval> {
        if self.values.is_empty() || self.values.len() * 2 < self.asked as usize {
            return None;
        }
        let tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0);
        let (low, high) = match method {
            IntervalMethod::Percentile => tails,
            IntervalMethod::Bca => self.corrected(tails).unwrap_or(tails),
        };
        Some(Interval { lower: quantile(&self.values, low)?, upper: quantile(&self.values, high)? })
    }

    /// Standard deviation of the replicates; `None` for fewer than two.
    pub fn std_error(&self) -> Option<f64> {
        let n = self.values.len() as f64;
        if n < 2.0 || self.values.len() * 2 < self.asked as usize {
            return None;
        }
        let mean = self.values.iter().sum::<f64>() / n;
        let squares: f64 = self.values.iter().map(|value| (value - mean) * (value - mean)).sum();
        Some((squares / (n - 1.0)).sqrt())
    }

    /// Efron 1987: `Phi(z0 + (z0 + z) / (1 - a (z0 + z)))` for both tails; z0 from the share of replicates
    /// below the estimate, equal ones counted half (as scipy does).
    fn corrected(&self, (low, high): (f64, f64)) -> Option<(f64, f64)> {
        let estimate = self.estimate?;
        // Sums in another order differ in the last bits; an equal replicate must count as equal.
        let near = 1e-12 * estimate.abs().max(1.0);
        let below = self.values.partition_point(|&value| value < estimate - near);
        let up_to = self.values.partition_point(|&value| value <= estimate + near);
        let bias = normal_quantile((below + up_to) as f64 / (2 * self.values.len()) as f64);
        let tail = |share: f64| {
            let z = bias + normal_quantile(share);
            let room = 1.0 - self.acceleration * z;
            let moved = normal_cdf(bias + z / room);
            (bias.is_finite() && room > 0.0 && moved.is_finite()).then_some(moved)
        };
        Some((tail(low)?, tail(high)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bias_and_no_bend_is_the_percentile_interval() {
        let values: Vec<f64> = (-50..=50).map(f64::from).collect();
        let found = Resampled::new(values.clone(), Some(0.0), 0.0, 101);
        let [a, b] =
            [IntervalMethod::Percentile, IntervalMethod::Bca].map(|m| found.interval(m, 0.9).unwrap());
        assert!((a.lower - b.lower).abs() < 1e-9 && (a.upper + 45.0 - 90.0).abs() < 1e-9, "{a:?} {b:?}");
        // A skewed statistic moves both ends up; replicates all above the estimate leave no correction.
        let bent = Resampled::new(values.clone(), Some(0.0), 0.1, 101).interval(IntervalMethod::Bca, 0.9);
        assert!(bent.unwrap().lower > a.lower && bent.unwrap().upper > a.upper, "{bent:?}");
        let beside = Resampled::new(values.clone(), Some(-60.0), 0.0, 101);
        assert_eq!(beside.interval(IntervalMethod::Bca, 0.9), Some(a));
        assert_eq!(Resampled::new(values, Some(0.0), 0.0, 300).interval(IntervalMethod::Bca, 0.9), None);
    }
}
