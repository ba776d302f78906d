//! What is counted of a slice, and the test of "its rows are like all others".
//!
//! The metric is a ratio of sums r = sum x / sum w (for a mean over lists w is 1), and e = x - r w is what
//! a unit deviates. The slice's sum E of e is 0 up to chance where nothing diverges. Two tests judge it,
//! and the larger p counts, because each is wrong where the other is right:
//!
//! * *Permutation* of the units (the whole sample's spread, in closed form): exact moments of a sum drawn
//!   without replacement, and Pearson's type III for its tail. Right for rare clicks and small slices, where
//!   a slice's own spread says nothing (no click in 30 rows has none). Blind to slices that are noisier
//!   than the rest.
//! * *Clusters* (the slice's own spread, one witness per query or user): sum over clusters of
//!   (e in the slice - share * e of the cluster)^2, in the form that is centred under the hypothesis,
//!   turned into Student's t on clusters - 1 degrees. Right for unequal spread and for rows of one query
//!   that resemble each other. Not asked where units are yes or no and each its own witness: there equal
//!   rates mean equal spread, permutation is right alone, and rare clicks would never be believed.

use crate::analysis::stats::{pearson3_two_sided, student_two_sided};

/// Sums over the units of a slice.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Tally {
    /// Support in the metric's own unit.
    pub n: f64,
    pub w: f64,
    pub e: f64,
    /// Over clusters: the square of the slice's part of the cluster's e.
    pub ee: f64,
    /// Over clusters: the slice's part times the whole cluster's e.
    pub ec: f64,
    pub units: u32,
    pub clusters: u32,
    /// The cluster that is being summed up, and its sum so far.
    last: u32,
    part: f64,
}

/// One list or row with a value, or the sum of those of a query or user.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Unit {
    pub e: f64,
    pub w: f64,
    /// e of the unit's whole cluster.
    pub total: f64,
    pub n: f32,
    /// Units of a cluster are neighbours.
    pub cluster: u32,
}

impl Tally {
    #[inline]
    pub fn add(&mut self, unit: &Unit) {
        self.n += f64::from(unit.n);
        self.w += unit.w;
        self.e += unit.e;
        self.units += 1;
        if self.clusters == 0 || self.last != unit.cluster {
            self.last = unit.cluster;
            self.clusters += 1;
            self.part = 0.0;
        }
        self.ee += unit.e * (2.0 * self.part + unit.e);
        self.ec += unit.e * unit.total;
        self.part += unit.e;
    }
}

/// Of the whole sample: what every slice is held against.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Totals {
    /// sum x / sum w.
    pub ratio: f64,
    pub n: f64,
    pub w: f64,
    pub units: f64,
    pub clusters: f64,
    /// Second and third moment of e over units, per unit.
    pub square: f64,
    pub cube: f64,
    /// Over clusters, the sum of the square of e.
    pub between: f64,
    /// Every unit is its own cluster, and all of its weight or nothing.
    pub binary: bool,
}

/// How far a slice is from the rest, and what chance has to say.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Evidence {
    /// Value minus the value of all other units.
    pub divergence: f64,
    /// The smaller of the two tests' sizes, with the divergence's sign.
    pub z: f64,
    pub p: f64,
}

/// What is left of a difference of equal numbers.
const ROUNDING: f64 = 1e-12;

impl Totals {
    pub fn divergence(&self, tally: &Tally) -> Option<f64> {
        let rest = self.w - tally.w;
        (tally.w > 0.0 && rest > self.w * ROUNDING).then(|| tally.e / tally.w * (self.w / rest))
    }

    pub fn value(&self, tally: &Tally) -> Option<f64> {
        (tally.w > 0.0).then(|| self.ratio + tally.e / tally.w)
    }

    /// `None` where there is nothing to compare with or less than two clusters on either side.
    ///
    /// `worth`: with a smaller z, p is not worth computing and is 1.
    pub fn judge(&self, tally: &Tally, worth: f64) -> Option<Evidence> {
        let divergence = self.divergence(tally)?;
        let witnesses = self.witnesses(tally)?;
        if divergence.abs() <= ROUNDING * self.ratio.abs().max(ROUNDING) {
            return Some(Evidence { divergence, z: 0.0, p: 1.0 });
        }
        if self.binary {
            let (z, skewness) = self.by_permutation(tally);
            // The short tail of a skewed sum is shorter than the normal's.
            let p = if z.abs() < 0.6 * worth { 1.0 } else { pearson3_two_sided(z, skewness) };
            return Some(Evidence { divergence, z, p: if p.is_nan() { 1.0 } else { p } });
        }
        let t = self.by_clusters(tally, witnesses);
        if t.abs() < worth {
            return Some(Evidence { divergence, z: t, p: 1.0 });
        }
        let (z, skewness) = self.by_permutation(tally);
        let p = student_two_sided(t, witnesses - 1.0).max(pearson3_two_sided(z, skewness));
        let z = if z.abs() < t.abs() { z } else { t };
        Some(Evidence { divergence, z, p: if p.is_nan() { 1.0 } else { p } })
    }

    /// Clusters on the side that has fewer.
    fn witnesses(&self, tally: &Tally) -> Option<f64> {
        let inside = f64::from(tally.clusters);
        // A cluster may be on both sides; there are no more of them outside than units.
        let outside = (self.units - f64::from(tally.units)).min(self.clusters);
        let witnesses = inside.min(outside);
        (witnesses >= 2.0).then_some(witnesses)
    }

    fn by_clusters(&self, tally: &Tally, witnesses: f64) -> f64 {
        let share = tally.w / self.w;
        let variance = tally.ee - 2.0 * share * tally.ec + share * share * self.between;
        if variance <= 0.0 {
            return f64::INFINITY.copysign(tally.e);
        }
        own_spread(tally.e / variance.sqrt(), witnesses)
    }

    /// Size and skewness of the sum of as many units, drawn without replacement.
    fn by_permutation(&self, tally: &Tally) -> (f64, f64) {
        let (all, drawn) = (self.units, f64::from(tally.units));
        let left = all - drawn;
        let variance = drawn * left / (all - 1.0) * self.square;
        if variance <= 0.0 {
            return (0.0, 0.0);
        }
        let third = match all {
            all if all > 2.0 => drawn * left * (all - 2.0 * drawn) / ((all - 1.0) * (all - 2.0)) * self.cube,
            _ => 0.0,
        };
        (tally.e / variance.sqrt(), third / variance.powf(1.5))
    }
}

/// From a statistic whose spread is taken about 0 to the t whose spread is taken about the mean.
pub(super) fn own_spread(z: f64, witnesses: f64) -> f64 {
    let left = witnesses - z * z;
    if left <= 0.0 { f64::INFINITY.copysign(z) } else { z * ((witnesses - 1.0) / left).sqrt() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::slices::sample::totals;
    use crate::analysis::stats::Random;

    /// `values` in clusters of `size`.
    fn units(values: &[f64], size: usize) -> (Vec<Unit>, Totals) {
        let raw = values.iter().enumerate();
        let mut units: Vec<Unit> =
            raw.map(|(i, &e)| Unit { e, w: 1.0, n: 1.0, cluster: (i / size) as u32, total: 0.0 }).collect();
        let totals = totals(&mut units);
        (units, totals)
    }

    fn tally(units: &[Unit], inside: impl Fn(usize) -> bool) -> Tally {
        let mut tally = Tally::default();
        units.iter().enumerate().filter(|(i, _)| inside(*i)).for_each(|(_, unit)| tally.add(unit));
        tally
    }

    #[test]
    fn figures_are_plain_means() {
        let values: Vec<f64> = (0..30).map(|i| f64::from(i % 7) / 7.0).collect();
        let (units, totals) = units(&values, 3);
        let inside = tally(&units, |i| i % 4 == 0);
        let mean = |keep: fn(usize) -> bool| {
            let kept: Vec<f64> = (0..30).filter(|&i| keep(i)).map(|i| values[i]).collect();
            kept.iter().sum::<f64>() / kept.len() as f64
        };
        let (value, rest) = (mean(|i| i % 4 == 0), mean(|i| i % 4 != 0));
        assert!((totals.value(&inside).unwrap() - value).abs() < 1e-14);
        assert!((totals.divergence(&inside).unwrap() - (value - rest)).abs() < 1e-14);
        assert_eq!((inside.n, inside.units, inside.clusters), (8.0, 8, 8));
    }

    /// The cluster sums equal their definition.
    #[test]
    fn sums_over_clusters_are_what_they_say() {
        let mut random = Random::new(3);
        let values: Vec<f64> = (0..60).map(|_| random.uniform()).collect();
        let (units, totals) = units(&values, 5);
        let keep = |i: usize| i.is_multiple_of(3) || i / 5 == 2;
        let got = tally(&units, keep);
        let (mut ee, mut ec, mut between) = (0.0, 0.0, 0.0);
        for cluster in 0..12 {
            let of = |keep: &dyn Fn(usize) -> bool| -> f64 {
                (cluster * 5..cluster * 5 + 5).filter(|&i| keep(i)).map(|i| units[i].e).sum()
            };
            let (part, whole) = (of(&keep), of(&|_| true));
            ee += part * part;
            ec += part * whole;
            between += whole * whole;
        }
        for (a, b) in [(got.ee, ee), (got.ec, ec), (totals.between, between)] {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    /// Under the null, p is (nearly) uniform: also for rare outcomes, where a slice's own spread deceives,
    /// and for rows that resemble those of their cluster.
    #[test]
    fn p_keeps_its_level() {
        let mut random = Random::new(11);
        for (name, rate, size, inside) in
            [("means", 0.5, 1, 60), ("rare clicks", 0.02, 1, 40), ("clusters", 0.3, 10, 200)]
        {
            let (mut alarms, mut small, rounds) = (0, 0, 2000);
            for _ in 0..rounds {
                let mut values = Vec::with_capacity(1000);
                while values.len() < 1000 {
                    let own = if size > 1 { rate + 0.5 * (random.uniform() - 0.5) } else { rate };
                    values.extend((0..size).map(|_| f64::from(u8::from(random.uniform() < own))));
                }
                let (units, totals) = units(&values, size);
                let found = totals.judge(&tally(&units, |i| i < inside), 0.0).unwrap();
                alarms += u32::from(found.p <= 0.05);
                small += u32::from(found.p <= 0.001);
            }
            // Three standard errors above the nominal level.
            assert!(alarms <= 130 && small <= 7, "{name}: {alarms} and {small} of {rounds}");
            assert!(alarms >= 10, "{name} never rejects: {alarms}");
        }
    }

    #[test]
    fn a_constant_metric_diverges_nowhere() {
        let (units, totals) = units(&[0.7; 40], 1);
        let found = totals.judge(&tally(&units, |i| i < 20), 0.0).unwrap();
        assert_eq!((found.p, found.z), (1.0, 0.0));
        assert!(totals.judge(&tally(&units, |i| i < 1), 0.0).is_none(), "one witness is none");
        assert!(totals.judge(&tally(&units, |_| true), 0.0).is_none(), "there is no rest");
    }
}
