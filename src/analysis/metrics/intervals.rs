//! The 95 % interval of every metric of a group of rows: by resampling queries, or Wilson's where the
//! figure is a proportion of rows that nothing binds together.

use super::values::{Parts, Values};
use super::{AnalysisError, Level, MetricId, MetricsRequest};
use crate::analysis::stats::{Interval, Random, Ratio, Resampling, Statistic, resample, wilson};
use crate::util::cancel::Cancel;
use crate::util::figures::thousands;

const LEVEL: f64 = 0.95;

/// How the intervals of one table are made.
pub(crate) struct Intervals<'r> {
    request: &'r MetricsRequest,
    /// As many as asked for, or fewer where there are many rows.
    resamples: u32,
    /// Some interval was made by resampling, some by Wilson's formula.
    resampled: bool,
    counted: bool,
}

impl<'r> Intervals<'r> {
    pub fn new(request: &'r MetricsRequest, resamples: u32) -> Self {
        Self { request, resamples, resampled: false, counted: false }
    }

    /// Intervals of `statistics` (one per metric) over the `units` of group number `group`.
    pub fn of(
        &mut self,
        ids: &[MetricId],
        values: &[Values],
        statistics: &[&dyn Statistic],
        (group, units): (usize, usize),
        cancel: &Cancel,
    ) -> Result<Vec<Option<Interval>>, AnalysisError> {
        let rows_alone = self.request.rows.roles.query.is_none() && self.resamples > 0;
        let proportions: Vec<Option<Interval>> = ids
            .iter()
            .zip(values)
            .zip(statistics)
            .map(|((id, values), statistic)| match (&values.parts, id.metric.level) {
                (Parts::Ratio(_), Level::Row) if rows_alone => proportion(statistic.as_ratio()?),
                _ => None,
            })
            .collect();
        let rest = || proportions.iter().zip(statistics).filter(|(found, _)| found.is_none());
        let others: Vec<&dyn Statistic> = rest().map(|(_, statistic)| *statistic).collect();
        let random = Random::derived(self.request.seed, group as u64);
        let resamples = if others.is_empty() { 0 } else { self.resamples };
        let how = Resampling { resamples, method: self.request.interval, random };
        let mut resampled = resample(&others, units, how, cancel)?.into_iter();
        let mut intervals = Vec::with_capacity(ids.len());
        for (id, proportion) in ids.iter().zip(proportions) {
            if proportion.is_some() {
                self.counted = true;
                intervals.push(proportion);
                continue;
            }
            let interval = resampled.next().and_then(|found| found.interval(self.request.interval, LEVEL));
            let interval = interval.filter(|_| id.metric.level != Level::Catalogue).map(|interval| {
                if id.metric.range == (0.0, 1.0) { interval.at_a_bound(units) } else { interval }
            });
            self.resampled |= interval.is_some();
            intervals.push(interval);
        }
        Ok(intervals)
    }

    /// Method, resamples, seed and what was drawn, for the reader.
    pub fn note(&self) -> Option<String> {
        let of = if self.request.rows.roles.query.is_some() { "queries" } else { "rows" };
        let drawn = format!(
            "{}, {} resamples of {of}, seed {}",
            self.request.interval.describe(),
            thousands(self.resamples.into()),
            self.request.seed
        );
        match (self.resampled, self.counted) {
            (true, true) => Some(format!("95 % intervals: {drawn}; Wilson's for proportions of rows")),
            (true, false) => Some(format!("95 % intervals: {drawn}")),
            (false, true) => Some("95 % intervals: Wilson's, rows taken as independent".to_owned()),
            (false, false) => None,
        }
    }
}

/// Wilson's interval of a ratio whose units are single trials (0 or 1 of 0 or 1).
fn proportion(ratio: &Ratio) -> Option<Interval> {
    let single = |(n, d): (&f64, &f64)| *d == 0.0 && *n == 0.0 || *d == 1.0 && (*n == 0.0 || *n == 1.0);
    if !ratio.numerator.iter().zip(&ratio.denominator).all(single) {
        return None;
    }
    let sum = |values: &[f64]| values.iter().sum::<f64>() as u64;
    let (lower, upper) = wilson(sum(&ratio.numerator), sum(&ratio.denominator), 1.0 - LEVEL)?;
    Some(Interval { lower, upper })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_single_trials_are_a_proportion() {
        let ratio = |n: &[f64], d: &[f64]| Ratio { numerator: n.to_vec(), denominator: d.to_vec() };
        let found = proportion(&ratio(&[1.0, 0.0, 0.0, 0.0], &[1.0, 1.0, 0.0, 1.0])).unwrap();
        let (lower, upper) = wilson(1, 3, 0.05).unwrap();
        assert!((found.lower - lower).abs() < 1e-12 && (found.upper - upper).abs() < 1e-12);
        assert_eq!(proportion(&ratio(&[2.0], &[2.0])), None);
        assert_eq!(proportion(&ratio(&[0.25], &[1.0])), None);
        assert_eq!(proportion(&ratio(&[], &[])), None);
    }
}
