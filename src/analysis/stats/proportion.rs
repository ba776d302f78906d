//! Intervals of a proportion.

use super::normal_quantile;

/// Wilson's score interval for `successes` of `trials` at level `1 - alpha`; `None` without trials.
/// Within [0, 1], and exactly 0 or 1 at the ends. (Wilson 1927.)
pub fn wilson(successes: u64, trials: u64, alpha: f64) -> Option<(f64, f64)> {
    if trials == 0 || successes > trials {
        return None;
    }
    let (n, p) = (trials as f64, successes as f64 / trials as f64);
    let z2 = normal_quantile(1.0 - alpha / 2.0).powi(2);
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = (z2 * (p * (1.0 - p) + z2 / (4.0 * n)) / n).sqrt() / (1.0 + z2 / n);
    let lower = if successes == 0 { 0.0 } else { (centre - half).max(0.0) };
    let upper = if successes == trials { 1.0 } else { (centre + half).min(1.0) };
    Some((lower, upper))
}
