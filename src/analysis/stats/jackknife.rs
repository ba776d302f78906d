//! The acceleration of BCa, from leaving units out.

use super::Statistic;
use crate::util::cancel::{Cancel, Cancelled};

/// Statistics without a shortcut are computed this often at most.
const BLOCKS: usize = 200;

/// `sum (mean - x)^3 / (6 (sum (mean - x)^2)^1.5)` over the statistic without unit i (Efron 1987); 0 where
/// it has no spread or does not exist.
///
/// A ratio of sums costs one pass. Of other statistics over more than 200 units, 200 interleaved blocks
/// are left out instead of units: the skewness of a block's influence shrinks as the number of blocks
/// does, so that the acceleration means the same.
pub fn acceleration(statistic: &dyn Statistic, units: usize, cancel: &Cancel) -> Result<f64, Cancelled> {
    let left_out = match statistic.leave_one_out(units) {
        Some(values) => values,
        None => blocks(statistic, units, cancel)?,
    };
    let values: Vec<f64> = left_out.into_iter().filter(|value| value.is_finite()).collect();
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let power = |exponent: i32| values.iter().map(|value| (mean - value).powi(exponent)).sum::<f64>();
    let bend = power(3) / (6.0 * power(2).powf(1.5));
    Ok(if bend.is_finite() { bend } else { 0.0 })
}

fn blocks(statistic: &dyn Statistic, units: usize, cancel: &Cancel) -> Result<Vec<f64>, Cancelled> {
    let blocks = units.min(BLOCKS);
    let mut values = Vec::with_capacity(blocks);
    let mut weights = vec![1.0; units];
    for block in 0..blocks {
        cancel.check()?;
        weights.iter_mut().skip(block).step_by(blocks).for_each(|weight| *weight = 0.0);
        values.push(statistic.value(&weights).unwrap_or(f64::NAN));
        weights.iter_mut().skip(block).step_by(blocks).for_each(|weight| *weight = 1.0);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::stats::{Random, Ratio};

    struct Plain(Ratio);

    impl Statistic for Plain {
        fn value(&self, weights: &[f64]) -> Option<f64> {
            self.0.value(weights)
        }
    }

    #[test]
    fn the_shortcut_is_the_jackknife_and_blocks_are_near_it() {
        let mut random = Random::new(4);
        let mut skewed = |units: usize| {
            let value = |_| -(1.0 - random.uniform()).ln();
            Ratio { numerator: (0..units).map(value).collect(), denominator: vec![1.0; units] }
        };
        let bend = |statistic: &dyn Statistic, units| acceleration(statistic, units, &Cancel::new()).unwrap();
        let small = skewed(150);
        assert!((bend(&small, 150) - bend(&Plain(small.clone()), 150)).abs() < 1e-12);
        // Of an exponential, skewness is 2: a = 2 / (6 sqrt(n)).
        let large = skewed(20_000);
        let (all, some) = (bend(&large, 20_000), bend(&Plain(large.clone()), 20_000));
        let theory = 1.0 / (3.0 * 20_000.0_f64.sqrt());
        assert!((all / theory - 1.0).abs() < 0.1, "{all} {theory}");
        assert!((some - theory).abs() < 0.02, "{some} {theory}");
        assert_eq!(bend(&Ratio::mean(vec![0.5; 9]), 9), 0.0);
    }
}
