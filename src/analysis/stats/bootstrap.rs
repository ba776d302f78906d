//! The bootstrap over clusters: drawing, and the statistic of every draw. Rows of one query are not
//! independent: resampling rows turns nominal 95 % coverage into about 81 %, so whole queries are drawn.

use super::resampled::Resampled;
use super::{Interval, IntervalMethod, Random, Ratio, Statistic, acceleration};
use crate::util::cancel::{Cancel, Cancelled};

/// How to resample.
#[derive(Debug, Clone)]
pub struct Resampling {
    /// Replicates; 0 for none.
    pub resamples: u32,
    /// BCa needs a jackknife as well, which is only made where it is asked for.
    pub method: IntervalMethod,
    pub random: Random,
}

/// The 95 % percentile interval of each statistic: [`resample`], then [`Resampled::interval`].
pub fn bootstrap(
    statistics: &[&dyn Statistic],
    units: usize,
    resamples: u32,
    random: Random,
    cancel: &Cancel,
) -> Result<Vec<Option<Interval>>, Cancelled> {
    let how = Resampling { resamples, method: IntervalMethod::Percentile, random };
    let found = resample(statistics, units, how, cancel)?;
    Ok(found.iter().map(|found| found.interval(IntervalMethod::Percentile, 0.95)).collect())
}

/// Draws `units` clusters with replacement `resamples` times and computes every statistic of each draw
/// (Efron & Tibshirani 1993, §13). All statistics see the same draws.
///
/// Without replicates for fewer than two clusters. The result depends on `how.random` only: one thread
/// draws. Cost: `resamples * units` per draw and per statistic; a statistic that is a ratio of sums is a
/// pass over contiguous numbers.
pub fn resample(
    statistics: &[&dyn Statistic],
    units: usize,
    mut how: Resampling,
    cancel: &Cancel,
) -> Result<Vec<Resampled>, Cancelled> {
    let rounds = if units < 2 { 0 } else { how.resamples };
    let kernels: Vec<Kernel<'_>> = statistics.iter().map(|statistic| Kernel::of(*statistic, units)).collect();
    let plain = kernels.iter().any(|kernel| matches!(kernel, Kernel::Any(_)));
    let mut replicates: Vec<Vec<f64>> = vec![Vec::with_capacity(rounds as usize); statistics.len()];
    // Counts of 16 bits stay in the cache where numbers of 64 do not; none comes near their end.
    let mut counts = vec![0_u16; units];
    let mut weights = vec![0.0_f64; if plain { units } else { 0 }];
    for _ in 0..rounds {
        cancel.check()?;
        draw(&mut counts, &mut how.random);
        for (weight, &count) in weights.iter_mut().zip(&counts) {
            *weight = f64::from(count);
        }
        for (kernel, values) in kernels.iter().zip(&mut replicates) {
            values.extend(kernel.value(&counts, &weights));
        }
    }
    let mut found = Vec::with_capacity(statistics.len());
    for (statistic, values) in statistics.iter().zip(replicates) {
        let (mut estimate, mut bend) = (None, 0.0);
        if how.method == IntervalMethod::Bca && rounds > 0 {
            estimate = statistic.value(&vec![1.0; units]);
            bend = acceleration(*statistic, units, cancel)?;
        }
        found.push(Resampled::new(values, estimate, bend, rounds));
    }
    Ok(found)
}

/// How often each unit is drawn.
fn draw(counts: &mut [u16], random: &mut Random) {
    let units = counts.len();
    counts.fill(0);
    for _ in 0..units {
        if let Some(count) = counts.get_mut(random.below(units)) {
            *count = count.saturating_add(1);
        }
    }
}

/// A statistic in the form that is fastest to compute over and over.
enum Kernel<'a> {
    /// A sum over a number that every draw has: the mean of values that all exist.
    Mean(&'a [f64], f64),
    Ratio(&'a Ratio),
    Any(&'a dyn Statistic),
}

impl<'a> Kernel<'a> {
    fn of(statistic: &'a dyn Statistic, units: usize) -> Self {
        let Some(ratio) = statistic.as_ratio() else { return Self::Any(statistic) };
        match ratio.denominator.first() {
            Some(&one) if one > 0.0 && ratio.denominator.len() == units => {
                let same = ratio.denominator.iter().all(|&other| other == one);
                if same { Self::Mean(&ratio.numerator, one * units as f64) } else { Self::Ratio(ratio) }
            }
            _ => Self::Ratio(ratio),
        }
    }

    fn value(&self, counts: &[u16], weights: &[f64]) -> Option<f64> {
        match self {
            Self::Mean(numerator, total) => Some(weighted(numerator, counts) / total),
            Self::Ratio(ratio) => {
                let denominator = weighted(&ratio.denominator, counts);
                (denominator > 0.0).then(|| weighted(&ratio.numerator, counts) / denominator)
            }
            Self::Any(statistic) => statistic.value(weights),
        }
    }
}

/// sum of value * count. In four sums, because each addition to one waits for the one before.
fn weighted(values: &[f64], counts: &[u16]) -> f64 {
    let (fours, rest) = values.as_chunks::<4>();
    let (count_fours, count_rest) = counts.as_chunks::<4>();
    let mut sums = [0.0_f64; 4];
    for (values, counts) in fours.iter().zip(count_fours) {
        sums[0] += values[0] * f64::from(counts[0]);
        sums[1] += values[1] * f64::from(counts[1]);
        sums[2] += values[2] * f64::from(counts[2]);
        sums[3] += values[3] * f64::from(counts[3]);
    }
    let tail: f64 = rest.iter().zip(count_rest).map(|(value, &count)| value * f64::from(count)).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + tail
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same numbers, but not known to be a ratio.
    struct Plain(Ratio);

    impl Statistic for Plain {
        fn value(&self, weights: &[f64]) -> Option<f64> {
            self.0.value(weights)
        }
    }

    #[test]
    fn the_fast_way_gives_what_the_plain_way_gives() {
        let mut random = Random::new(3);
        for units in [2, 3, 7, 64, 199] {
            let numerator: Vec<f64> = (0..units).map(|_| random.uniform()).collect();
            let holes: Vec<f64> = (0..units).map(|i| f64::from(u8::from(i % 3 != 1))).collect();
            for denominator in [vec![1.0; units], holes] {
                let ratio = Ratio { numerator: numerator.clone(), denominator };
                let plain = Plain(ratio.clone());
                let how = Resampling { resamples: 99, method: IntervalMethod::Bca, random: Random::new(1) };
                let found = resample(&[&ratio, &plain], units, how, &Cancel::new()).unwrap();
                for method in [IntervalMethod::Percentile, IntervalMethod::Bca] {
                    let [a, b] = [0, 1].map(|i: usize| found[i].interval(method, 0.9));
                    let Some((a, b)) = a.zip(b) else { continue };
                    assert!(
                        (a.lower - b.lower).abs() < 1e-12 && (a.upper - b.upper).abs() < 1e-12,
                        "{units}"
                    );
                }
            }
        }
    }
}
