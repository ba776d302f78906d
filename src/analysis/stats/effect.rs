//! How large a difference is, and how large it must be to be found.

use super::normal_quantile;
use super::student::{noncentral_t_cdf, root, t_quantile};

/// Cohen's dz: the mean difference in units of its own standard deviation (Cohen 1988, §2.3.5). `None`
/// without spread.
pub fn effect_size(delta: f64, deviation: f64) -> Option<f64> {
    (deviation > 0.0).then(|| delta / deviation)
}

/// The smallest true mean difference that a two-sided paired t test at `alpha` finds with probability
/// `power` among `n` pairs whose differences have the standard deviation `deviation` (statsmodels'
/// `TTestPower.solve_power`).
pub fn minimum_detectable(deviation: f64, n: f64, alpha: f64, power: f64) -> Option<f64> {
    if !can_test(deviation, n) {
        return None;
    }
    let critical = t_quantile(1.0 - alpha / 2.0, n - 1.0);
    let shift = root(critical + normal_quantile(power), |shift| found(shift, critical, n) - power);
    Some(shift * deviation / n.sqrt())
}

/// The chance that the same test finds a true difference of `delta`, both tails of the noncentral t
/// (statsmodels' `TTestPower.power`; Cohen 1988, chapter 2).
pub fn power(delta: f64, deviation: f64, n: f64, alpha: f64) -> Option<f64> {
    let shift = can_test(deviation, n).then(|| delta.abs() * n.sqrt() / deviation)?;
    Some(found(shift, t_quantile(1.0 - alpha / 2.0, n - 1.0), n))
}

fn can_test(deviation: f64, n: f64) -> bool {
    deviation > 0.0 && n >= 2.0
}

fn found(shift: f64, critical: f64, n: f64) -> f64 {
    1.0 - noncentral_t_cdf(critical, n - 1.0, shift) + noncentral_t_cdf(-critical, n - 1.0, shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_of_the_detectable_size_is_found_as_often_as_promised() {
        for n in [2.0, 3.0, 8.0, 200.0, 1e6] {
            let least = minimum_detectable(0.25, n, 0.05, 0.8).unwrap();
            assert!((power(least, 0.25, n, 0.05).unwrap() - 0.8).abs() < 1e-8, "{n}");
            assert!((power(0.0, 0.25, n, 0.05).unwrap() - 0.05).abs() < 1e-8, "{n}");
        }
        assert_eq!(power(-0.1, 0.25, 200.0, 0.05), power(0.1, 0.25, 200.0, 0.05));
        assert_eq!((minimum_detectable(0.0, 9.0, 0.05, 0.8), effect_size(0.1, 0.0)), (None, None));
        assert_eq!(power(0.1, f64::NAN, 9.0, 0.05), None);
    }
}
