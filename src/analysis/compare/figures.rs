//! The figures of one metric over the pairs of one group, before chance is called in: both values, their
//! difference, its spread over queries, wins and losses.

use super::pairs::GroupPairs;
use crate::analysis::metrics::values::{Parts, Values};
use crate::analysis::metrics::{Level, MetricId};
use crate::analysis::stats::{Difference, Paired, Ratio, Statistic};

/// Two values of one query that differ by less are equal.
const SAME: f64 = 1e-12;

/// One metric in both runs, over the same units (queries).
pub(super) struct Both {
    /// Sums by query, where the metric is a ratio of sums.
    ratios: Option<(Ratio, Ratio)>,
    pub a: Box<dyn Statistic>,
    pub b: Box<dyn Statistic>,
    /// The difference, as a statistic.
    pub difference: Box<dyn Statistic>,
    /// Both runs' units, for metrics that are no ratio.
    joined: Option<Box<dyn Statistic>>,
    units: usize,
    /// Pairs with a figure, and what has none.
    pub n: u64,
    pub n_na: u64,
}

/// Queries in which the run is better, equal, worse.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Score {
    pub wins: u64,
    pub ties: u64,
    pub losses: u64,
}

impl Both {
    pub fn of(id: &MetricId, group: &GroupPairs, a: &Values, b: &Values) -> Self {
        let (left, right): (Vec<u32>, Vec<u32>) = group.pairs.iter().copied().unzip();
        let list_level = id.metric.level == Level::List;
        let sum = |values: &[f64]| -> u64 {
            right.iter().filter_map(|&list| values.get(list as usize)).sum::<f64>().round() as u64
        };
        let alone = group.only_baseline + group.only_run;
        let mut both = match (&a.parts, &b.parts) {
            (Parts::Ratio(a), Parts::Ratio(b)) => Self::of_ratios(
                picked(a, &left, group, list_level.then_some((b, &right))),
                picked(b, &right, group, list_level.then_some((a, &left))),
            ),
            _ => Self::of_statistics(group, (a, &left), (b, &right)),
        };
        both.units = group.units;
        (both.n, both.n_na) = match (&both.ratios, list_level) {
            (Some((a, _)), true) => {
                let n = a.denominator.iter().sum::<f64>().round() as u64;
                (n, group.pairs.len() as u64 + alone - n)
            }
            (None, true) => (sum(&b.support), sum(&b.missing) + alone),
            _ => (sum(&b.support), sum(&b.missing)),
        };
        both
    }

    fn of_ratios(a: Ratio, b: Ratio) -> Self {
        let difference: Box<dyn Statistic> = if a.denominator == b.denominator {
            let numerator = b.numerator.iter().zip(&a.numerator).map(|(b, a)| b - a).collect();
            Box::new(Ratio { numerator, denominator: a.denominator.clone() })
        } else {
            Box::new(Difference { a: Box::new(a.clone()), b: Box::new(b.clone()) })
        };
        Self {
            a: Box::new(a.clone()),
            b: Box::new(b.clone()),
            ratios: Some((a, b)),
            difference,
            joined: None,
            units: 0,
            n: 0,
            n_na: 0,
        }
    }

    fn of_statistics(
        group: &GroupPairs,
        (a, left): (&Values, &[u32]),
        (b, right): (&Values, &[u32]),
    ) -> Self {
        let of = |values: &Values, members: &[u32]| values.statistic(members, &group.unit, group.units);
        let joined = a.chain(b).map(|both| {
            let lists = a.support.len() as u32;
            let members: Vec<u32> =
                left.iter().copied().chain(right.iter().map(|list| list + lists)).collect();
            let shifted = group.unit.iter().map(|unit| unit + group.units as u32);
            let unit: Vec<u32> = group.unit.iter().copied().chain(shifted).collect();
            both.statistic(&members, &unit, 2 * group.units)
        });
        Self {
            a: of(a, left),
            b: of(b, right),
            ratios: None,
            difference: Box::new(Difference { a: of(a, left), b: of(b, right) }),
            joined,
            units: 0,
            n: 0,
            n_na: 0,
        }
    }

    /// In the form that the randomisation test takes; `None` where there is no way to trade.
    pub fn paired(&self) -> Option<Paired<'_>> {
        match (&self.ratios, &self.joined) {
            (Some((a, b)), _) => Some(Paired::Ratios { a, b }),
            (None, Some(both)) => Some(Paired::Joined { both: both.as_ref(), units: self.units }),
            (None, None) => None,
        }
    }

    /// Standard deviation of the difference over queries, and over how many. Of a mean with one list per
    /// query: of the queries' differences, with n - 1. In general: of each query's part in the ratios
    /// (the delta method).
    pub fn deviation(&self) -> Option<(f64, f64)> {
        let (a, b) = self.ratios.as_ref()?;
        let parts_a = influence(a)?;
        let parts_b = influence(b)?;
        let there = a.denominator.iter().zip(&b.denominator).map(|(a, b)| *a > 0.0 || *b > 0.0);
        let n = there.clone().filter(|there| *there).count() as f64;
        if n < 2.0 {
            return None;
        }
        let parts = parts_b.iter().zip(&parts_a).zip(there).filter(|(_, there)| *there);
        let squares: f64 = parts.map(|((b, a), _)| (b - a) * (b - a)).sum();
        Some((n * (squares / (n - 1.0)).sqrt(), n))
    }

    /// Query by query, where a query has a figure of its own.
    pub fn score(&self, higher_is_better: bool) -> Option<Score> {
        let (a, b) = self.ratios.as_ref()?;
        let values = |ratio: &Ratio| -> Vec<f64> {
            ratio.numerator.iter().zip(&ratio.denominator).map(|(n, d)| n / d).collect()
        };
        let mut score = Score::default();
        for (a, b) in values(a).into_iter().zip(values(b)) {
            let gain = if higher_is_better { b - a } else { a - b };
            match gain {
                gain if gain.abs() <= SAME => score.ties += 1,
                gain if gain > 0.0 => score.wins += 1,
                gain if gain < 0.0 => score.losses += 1,
                // 0 / 0: the query has no figure.
                _ => {}
            }
        }
        Some(score)
    }
}

/// What each unit adds to the ratio beyond its share: `(n - R d) / D`; sums to 0.
fn influence(ratio: &Ratio) -> Option<Vec<f64>> {
    let (n, d): (f64, f64) = (ratio.numerator.iter().sum(), ratio.denominator.iter().sum());
    let part = |(a, b): (&f64, &f64)| (a - n / d * b) / d;
    (d > 0.0).then(|| ratio.numerator.iter().zip(&ratio.denominator).map(part).collect())
}

/// The sums of `lists` by query. With `other`, lists that have no figure there are left out, so that both
/// runs are over the same lists.
fn picked(ratio: &Ratio, lists: &[u32], group: &GroupPairs, other: Option<(&Ratio, &Vec<u32>)>) -> Ratio {
    let at = |values: &[f64], list: u32| values.get(list as usize).copied().unwrap_or(0.0);
    let mut kept = Ratio::default();
    for (index, &list) in lists.iter().enumerate() {
        let there = other.is_none_or(|(other, lists)| {
            lists.get(index).is_some_and(|&list| at(&other.denominator, list) > 0.0)
        });
        let both = there && (other.is_none() || at(&ratio.denominator, list) > 0.0);
        kept.numerator.push(if both { at(&ratio.numerator, list) } else { 0.0 });
        kept.denominator.push(if both { at(&ratio.denominator, list) } else { 0.0 });
    }
    kept.grouped(&group.unit, group.units)
}
