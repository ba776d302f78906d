//! The widest gap between groups: its interval and its p. The widest of many gaps is wide by chance
//! alone, so the percentile interval of max - min lies too high and can exclude the truth (and even the
//! estimate). Here all gaps get bounds that hold together, and the widest takes its own from them.

use super::{Interval, Permutation, Random, Statistic, quantile};
use crate::util::cancel::{Cancel, Cancelled};

/// Up to this many groups all pairs are bounded; beyond it the groups are, which is wider but linear.
const PAIRED: usize = 32;

/// One group's figure and the clusters it is made of.
pub struct Member {
    /// Cluster numbers over all groups; the statistic's unit `i` is cluster `clusters[i]`.
    pub clusters: Vec<u32>,
    pub statistic: Box<dyn Statistic>,
    /// A share of its clusters: at 0 or 1 the bootstrap sees no spread where there is some.
    pub share: bool,
}

/// Bounds of the widest gap, and of the smallest ratio, between groups of one family.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GapInterval {
    pub difference: Option<Interval>,
    pub ratio: Option<Interval>,
}

/// Nominal 95 % bounds, simultaneous over all pairs of all `families` (groups are compared within
/// their family only): the largest studentised deviation of a pair in `resamples` draws of clusters
/// bounds every pair, so it bounds the widest. Cost: `resamples` times the clusters of all groups.
///
/// `None` with fewer than two clusters or two groups, or a figure that is undefined in most draws; the
/// ratio also where a figure is not above 0.
pub fn widest_gap(
    families: &[Vec<Member>],
    clusters: usize,
    resamples: u32,
    mut random: Random,
    cancel: &Cancel,
) -> Result<GapInterval, Cancelled> {
    let members: Vec<(usize, &Member)> =
        families.iter().enumerate().flat_map(|(family, all)| all.iter().map(move |m| (family, m))).collect();
    if clusters < 2 || resamples == 0 || members.len() < 2 {
        return Ok(GapInterval::default());
    }
    let observed: Vec<f64> = members
        .iter()
        .map(|(_, member)| member.statistic.value(&vec![1.0; member.clusters.len()]).unwrap_or(f64::NAN))
        .collect();
    let mut draws: Vec<Vec<f64>> = vec![Vec::with_capacity(resamples as usize); members.len()];
    let mut weights = vec![0.0_f64; clusters];
    let mut own = Vec::new();
    for _ in 0..resamples {
        cancel.check()?;
        weights.fill(0.0);
        for _ in 0..clusters {
            if let Some(weight) = weights.get_mut(random.below(clusters)) {
                *weight += 1.0;
            }
        }
        for ((_, member), draws) in members.iter().zip(&mut draws) {
            own.clear();
            own.extend(member.clusters.iter().map(|&c| weights.get(c as usize).copied().unwrap_or_default()));
            draws.push(member.statistic.value(&own).unwrap_or(f64::NAN));
        }
    }
    let mut compared = Compared {
        family: members.iter().map(|(family, _)| *family).collect(),
        clusters: members.iter().map(|(_, member)| member.clusters.len()).collect(),
        floors: members.iter().zip(&observed).map(|((_, m), value)| floor(m, *value)).collect(),
        observed,
        draws,
    };
    let difference = compared.bounds();
    let ratio = compared.take_logs().then(|| compared.bounds()).flatten();
    let ratio = ratio.map(|gap| Interval { lower: (-gap.upper).exp(), upper: (-gap.lower).exp() });
    Ok(GapInterval { difference, ratio })
}

/// Least standard error of a share that no cluster disagrees on (Agresti & Coull's two added successes
/// and failures).
fn floor(member: &Member, value: f64) -> f64 {
    if !member.share || (value != 0.0 && value != 1.0) {
        return 0.0;
    }
    let n = member.clusters.len() as f64 + 4.0;
    (2.0 / n * (1.0 - 2.0 / n) / n).sqrt()
}

/// All groups with what the draws made of them; vectors are as long as there are groups.
struct Compared {
    family: Vec<usize>,
    clusters: Vec<usize>,
    floors: Vec<f64>,
    observed: Vec<f64>,
    draws: Vec<Vec<f64>>,
}

/// A contrast: its value, its standard error, and how many clusters that error is from.
struct Contrast {
    value: f64,
    error: f64,
    clusters: usize,
}

impl Compared {
    /// Turns figures into their logarithms; `false` where one is not above 0.
    fn take_logs(&mut self) -> bool {
        let all = || self.observed.iter().chain(self.draws.iter().flatten());
        let positive = all().all(|value| value.is_nan() || *value > 0.0);
        self.observed.iter_mut().chain(self.draws.iter_mut().flatten()).for_each(|value| *value = value.ln());
        self.floors.fill(0.0);
        positive
    }

    /// Groups whose figure exists, also in most draws.
    fn known(&self) -> Vec<usize> {
        let defined =
            |draws: &Vec<f64>| draws.iter().filter(|value| !value.is_nan()).count() * 2 > draws.len();
        let all = self.observed.iter().zip(&self.draws).enumerate();
        all.filter(|(_, (value, draws))| !value.is_nan() && defined(draws)).map(|(i, _)| i).collect()
    }

    fn at(values: &[f64], i: usize) -> f64 {
        values.get(i).copied().unwrap_or(f64::NAN)
    }

    fn clusters(&self, i: usize) -> usize {
        self.clusters.get(i).copied().unwrap_or_default()
    }

    fn bounds(&self) -> Option<Interval> {
        let known = self.known();
        if known.len() > PAIRED { self.by_group(&known) } else { self.by_pair(&known) }
    }

    fn by_pair(&self, known: &[usize]) -> Option<Interval> {
        let mut most = vec![0.0; self.draws.first().map_or(0, Vec::len)];
        let mut contrasts = Vec::new();
        for (nth, &i) in known.iter().enumerate() {
            for &j in known.iter().skip(nth + 1).filter(|&&j| self.family.get(j) == self.family.get(i)) {
                let (a, b) = (self.draws.get(i)?, self.draws.get(j)?);
                let value = Self::at(&self.observed, i) - Self::at(&self.observed, j);
                let deviations: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b - value).collect();
                let least = Self::at(&self.floors, i).hypot(Self::at(&self.floors, j));
                let clusters = self.clusters(i).min(self.clusters(j));
                contrasts.push(contrast(value, &deviations, least, clusters, &mut most));
            }
        }
        let c = critical(most).filter(|_| !contrasts.is_empty())?;
        let bound =
            |sign: f64| contrasts.iter().map(|x| x.value.abs() + sign * x.half_width(c)).fold(0.0, f64::max);
        Some(Interval { lower: bound(-1.0), upper: bound(1.0) })
    }

    fn by_group(&self, known: &[usize]) -> Option<Interval> {
        let mut most = vec![0.0; self.draws.first().map_or(0, Vec::len)];
        let mut contrasts = Vec::new();
        for &i in known {
            let value = Self::at(&self.observed, i);
            let deviations: Vec<f64> = self.draws.get(i)?.iter().map(|draw| draw - value).collect();
            let least = Self::at(&self.floors, i);
            let found = contrast(value, &deviations, least, self.clusters(i), &mut most);
            contrasts.push((self.family.get(i).copied()?, found));
        }
        let c = critical(most)?;
        let mut widest = Interval { lower: 0.0, upper: 0.0 };
        let mut families: Vec<usize> = contrasts.iter().map(|(family, _)| *family).collect();
        families.dedup();
        for wanted in families {
            let ends = |sign: f64| {
                let all = contrasts.iter().filter(|(family, _)| *family == wanted);
                all.map(|(_, x)| x.value + sign * x.half_width(c)).collect::<Vec<f64>>()
            };
            let (low, high) = (ends(-1.0), ends(1.0));
            let least = |ends: &[f64]| ends.iter().copied().fold(f64::INFINITY, f64::min);
            let most = |ends: &[f64]| ends.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            widest.lower = widest.lower.max(most(&low) - least(&high));
            widest.upper = widest.upper.max(most(&high) - least(&low));
        }
        Some(widest)
    }
}

impl Contrast {
    /// `c` errors, as wide as Student's t asks for where few clusters stand behind the error (Cornish & Fisher's
    /// expansion of t in the normal quantile), with the bootstrap's (n - 1) / n of a variance undone.
    fn half_width(&self, c: f64) -> f64 {
        let degrees = (self.clusters as f64 - 1.0).max(1.0);
        let t = c
            + (c.powi(3) + c) / (4.0 * degrees)
            + (5.0 * c.powi(5) + 16.0 * c.powi(3) + 3.0 * c) / (96.0 * degrees * degrees);
        t * self.error * ((degrees + 1.0) / degrees).sqrt()
    }
}

/// Studentises the deviations of all draws; the largest of each draw is kept in `most`.
fn contrast(value: f64, deviations: &[f64], least: f64, clusters: usize, most: &mut [f64]) -> Contrast {
    let known = || deviations.iter().filter(|d| !d.is_nan());
    let n = known().count() as f64;
    let mean = known().sum::<f64>() / n;
    let variance = known().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let error = variance.sqrt().max(least);
    if error > 0.0 {
        for (most, deviation) in most.iter_mut().zip(deviations) {
            if !deviation.is_nan() {
                *most = most.max((deviation / error).abs());
            }
        }
    }
    Contrast { value, error, clusters }
}

fn critical(mut most: Vec<f64>) -> Option<f64> {
    most.sort_by(f64::total_cmp);
    // Never below what a single, normal, comparison asks for.
    quantile(&most, 0.95).map(|found| found.max(1.96))
}

/// Permutes labels and asks `figure` for the gap each time: (1 + as wide) / (rounds + 1), Phipson &
/// Smyth 2010. A round without a figure counts as wide. `None` without rounds or an observed figure.
pub fn permuted_gap(
    labels: &[u32],
    mut how: Permutation,
    cancel: &Cancel,
    mut figure: impl FnMut(&[u32]) -> Option<f64>,
) -> Result<Option<f64>, Cancelled> {
    let Some(observed) = figure(labels).filter(|_| how.rounds > 0) else { return Ok(None) };
    let mut shuffled = labels.to_vec();
    let blocks = how.blocks();
    let mut wide = 0u32;
    for _ in 0..how.rounds {
        cancel.check()?;
        how.shuffle(&mut shuffled, &blocks);
        let as_wide = |gap: f64| gap >= observed - 1e-12 * observed.max(1.0);
        wide += u32::from(figure(&shuffled).is_none_or(as_wide));
    }
    Ok(Some(f64::from(1 + wide) / f64::from(how.rounds + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::stats::{Ratio, Strata};

    /// `rates` of as many groups, `each` clusters of 5 rows; clusters differ among themselves.
    fn groups(rates: &[f64], each: usize, random: &mut Random) -> Vec<Vec<Member>> {
        let member = |(nth, rate): (usize, &f64)| {
            let values = (0..each).map(|_| {
                let own = (rate + 0.3 * (random.uniform() - 0.5)).clamp(0.0, 1.0);
                (0..5).filter(|_| random.uniform() < own).count() as f64
            });
            let numerator: Vec<f64> = values.collect();
            let ratio = Ratio { denominator: vec![5.0; each], numerator };
            let clusters = (0..each as u32).map(|i| (nth * each) as u32 + i).collect();
            Member { clusters, statistic: Box::new(ratio), share: true }
        };
        vec![rates.iter().enumerate().map(member).collect()]
    }

    #[test]
    fn the_interval_holds_the_true_gap_and_its_own_estimate() {
        for (rates, gap) in [([0.4, 0.4, 0.4, 0.4, 0.4], 0.0), ([0.3, 0.4, 0.45, 0.5, 0.6], 0.3)] {
            let (studies, mut held, mut naive) = (300, 0, 0);
            for seed in 0..studies {
                let mut random = Random::new(seed);
                let families = groups(&rates, 40, &mut random);
                let found = widest_gap(&families, 200, 199, random, &Cancel::new()).unwrap();
                let found = found.difference.unwrap();
                held += u32::from(found.lower <= gap && gap <= found.upper);
                let values = families[0].iter().map(|m| m.statistic.value(&[1.0; 40]).unwrap());
                let (low, high) = values.fold((1.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
                assert!(found.lower <= high - low && high - low <= found.upper);
                naive += u32::from(high - low > gap);
            }
            println!("gap {gap}: held {held} of {studies}, estimate above it in {naive}");
            // Nominal 95 %, conservative for the widest; three standard errors are 4 %.
            assert!(f64::from(held) >= 0.92 * studies as f64, "{held}");
        }
    }

    #[test]
    fn ratios_and_many_groups() {
        let mut random = Random::new(1);
        let families = groups(&[0.2, 0.4], 200, &mut random);
        let ratio = widest_gap(&families, 400, 199, random.clone(), &Cancel::new()).unwrap().ratio.unwrap();
        assert!(ratio.lower < 0.5 && 0.5 < ratio.upper && ratio.lower > 0.3, "{ratio:?}");
        let many = groups(&[0.3; 60], 20, &mut random);
        let gap = widest_gap(&many, 1_200, 99, random, &Cancel::new()).unwrap().difference.unwrap();
        assert!(gap.lower == 0.0 && gap.upper > 0.1, "{gap:?}");
    }

    #[test]
    fn shares_without_spread_are_not_certain() {
        let member = |nth: u32, value: f64| Member {
            clusters: (nth * 10..nth * 10 + 10).collect(),
            statistic: Box::new(Ratio { numerator: vec![value; 10], denominator: vec![1.0; 10] }),
            share: true,
        };
        let families = vec![vec![member(0, 0.0), member(1, 1.0)]];
        let found = widest_gap(&families, 20, 99, Random::new(1), &Cancel::new()).unwrap();
        assert!(found.difference.unwrap().lower < 0.8 && found.ratio.is_none(), "{found:?}");
    }

    #[test]
    fn permuted_gaps_keep_their_level() {
        let studies = 300;
        let alarms = (0..studies).filter(|&seed| {
            let mut random = Random::new(seed);
            let values: Vec<f64> = (0..60).map(|_| random.uniform().powi(3)).collect();
            let labels: Vec<u32> = (0..60).map(|i| i % 4).collect();
            let statistic = Ratio::mean(values);
            let how = Permutation { rounds: 99, strata: Strata::Free, random };
            let gap = |labels: &[u32]| {
                let all: Option<Vec<f64>> =
                    statistic.by_label(labels, 4).into_iter().map(|it| it.0).collect();
                let (low, high) = all?.into_iter().fold((1.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
                Some(high - low)
            };
            permuted_gap(&labels, how, &Cancel::new(), gap).unwrap().unwrap() <= 0.05
        });
        let rate = alarms.count() as f64 / studies as f64;
        assert!(rate <= 0.09, "{rate}");
    }
}
