//! The values of one metric, list by list, in the form that means, intervals and tests need.

mod chain;
mod put;
mod rate;

use super::columns::{flags, floats, numbers};
use super::pass::{self, Terms};
use super::policy::{self, PolicyParts};
use super::prepared::Prepared;
use super::{AnalysisError, Empty, Level, MetricId, measures, supply};
pub(super) use rate::{Rate, Weights, rate};

pub(super) use crate::analysis::stats::Shape;
use crate::analysis::stats::{
    Auc, AveragePrecision, Calibration, Concentration, Exposure, Inverse, Ratio, Shaped, Statistic,
};
use crate::analysis::{Bindings, SqlValue};

/// A cut-off that no list reaches.
const WHOLE: i64 = u32::MAX as i64;
/// The persistence of rank-biased precision.
pub(super) const PATIENCE: f64 = 0.8;
/// gdeval's highest grade; see `err` in the catalogue.
pub(super) const TOP_GAIN: f64 = 4.0;

/// What a metric is made of.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parts {
    /// sum / sum; for metrics with a value per list, that value and 1.
    Ratio(Ratio),
    /// A ratio, and what is made of it; with a value per list, that of its own ratio.
    Shaped(Ratio, Shape),
    Inverse(Inverse),
    /// Rows by list: score and class.
    Scores(ByList<(f64, bool)>),
    /// As `Scores`, for average precision.
    Precision(ByList<(f64, bool)>),
    /// Rows by list: bin, rows, sum of p, sum of labels.
    Bins(ByList<(u32, f64, f64, f64)>),
    /// Items by list: item, times.
    Items(ByList<(u32, f64)>, Concentration, usize),
    Policy(PolicyParts),
}

/// Cells of each list, lists in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ByList<T> {
    /// Where a list's cells start; one more than there are lists.
    starts: Vec<usize>,
    cells: Vec<T>,
}

impl<T> ByList<T> {
    /// `cells` come in ascending order of `list`.
    pub(super) fn new(lists: usize, list: &[u32], cells: Vec<T>) -> Self {
        let starts = (0..=lists).map(|at| list.partition_point(|&number| (number as usize) < at));
        Self { starts: starts.collect(), cells }
    }

    pub(super) fn of(&self, list: usize) -> &[T] {
        let range = self.starts.get(list).zip(self.starts.get(list + 1));
        range.and_then(|(&from, &to)| self.cells.get(from..to)).unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.cells.len()
    }
}

/// One metric over all lists.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values {
    pub parts: Parts,
    /// Per list: lists (0 or 1) or rows for which the metric does not exist.
    pub missing: Vec<f64>,
    /// Per list: what `n` counts.
    pub support: Vec<f64>,
}

impl Values {
    /// The metric over the units that `units[i]` names for the `i`-th of `members` (list numbers).
    pub fn statistic(&self, members: &[u32], unit: &[u32], units: usize) -> Box<dyn Statistic> {
        let pick = |values: &[f64]| -> Vec<f64> {
            members.iter().map(|&list| values.get(list as usize).copied().unwrap_or(0.0)).collect()
        };
        let pairs = || members.iter().map(|&list| list as usize).zip(unit.iter().copied());
        match &self.parts {
            Parts::Ratio(ratio) => {
                let (numerator, denominator) = (pick(&ratio.numerator), pick(&ratio.denominator));
                Box::new(Ratio { numerator, denominator }.grouped(unit, units))
            }
            Parts::Shaped(ratio, shape) => {
                let (numerator, denominator) = (pick(&ratio.numerator), pick(&ratio.denominator));
                Box::new(Shaped(Ratio { numerator, denominator }.grouped(unit, units), *shape))
            }
            Parts::Inverse(inverse) => {
                let sizes = Ratio { numerator: pick(&inverse.sizes), denominator: vec![0.0; members.len()] };
                Box::new(Inverse { sizes: sizes.grouped(unit, units).numerator })
            }
            Parts::Scores(rows) => {
                let of = |(list, unit)| rows.of(list).iter().map(move |&(score, label)| (unit, score, label));
                Box::new(Auc::new(pairs().flat_map(of).collect()))
            }
            Parts::Precision(rows) => {
                let of = |(list, unit)| rows.of(list).iter().map(move |&(score, label)| (unit, score, label));
                Box::new(AveragePrecision::new(pairs().flat_map(of).collect()))
            }
            Parts::Bins(bins) => {
                let of = |(list, unit)| bins.of(list).iter().map(move |&(bin, n, p, y)| (unit, bin, n, p, y));
                Box::new(Calibration { cells: pairs().flat_map(of).collect() })
            }
            Parts::Policy(parts) => parts.statistic(members, unit, units),
            Parts::Items(items, figure, catalogue) => {
                let of = |(list, unit)| items.of(list).iter().map(move |&(item, times)| (unit, item, times));
                let cells = pairs().flat_map(of).collect();
                Box::new(Exposure { figure: *figure, catalogue: *catalogue, cells })
            }
        }
    }

    /// Leaves lists without a row out: they are there for a metric that asks every list for every group.
    fn forget_empty(&mut self, rows: &[u32]) {
        for (list, _) in rows.iter().enumerate().filter(|(_, rows)| **rows == 0) {
            let zero = |values: &mut Vec<f64>| values.iter_mut().skip(list).take(1).for_each(|it| *it = 0.0);
            zero(&mut self.missing);
            zero(&mut self.support);
            if let Parts::Ratio(ratio) | Parts::Shaped(ratio, _) = &mut self.parts {
                zero(&mut ratio.numerator);
                zero(&mut ratio.denominator);
            }
        }
    }

    /// Steps of work of computing the metric once.
    pub fn cost(&self) -> usize {
        match &self.parts {
            Parts::Ratio(ratio) | Parts::Shaped(ratio, _) => ratio.numerator.len(),
            Parts::Inverse(inverse) => inverse.sizes.len(),
            Parts::Scores(rows) | Parts::Precision(rows) => rows.len(),
            Parts::Bins(bins) => bins.len(),
            Parts::Items(items, _, catalogue) => items.len() + catalogue,
            Parts::Policy(parts) => parts.cost(),
        }
    }
}

/// Computes every metric: those of judged lists in one pass, unless `by_statements`, the others each by
/// its statement. `told` hears how many are done.
pub(crate) fn measure_all(
    prepared: &mut Prepared<'_>,
    ids: &[MetricId],
    (empty, by_statements): (Empty, bool),
    told: &mut dyn FnMut(usize) -> Result<(), AnalysisError>,
) -> Result<Vec<Values>, AnalysisError> {
    let rows = prepared.asked();
    let passes = |id: &&MetricId| !by_statements && pass::computes(id, rows);
    let passed: Vec<MetricId> = ids.iter().filter(passes).copied().collect();
    let mut lists = match passed.len() {
        0 => Vec::new(),
        _ => {
            let terms = terms(prepared, &passed)?;
            pass::values(prepared, &passed, terms)?
        }
    }
    .into_iter();
    let mut values = Vec::with_capacity(ids.len());
    for (done, id) in ids.iter().enumerate() {
        told(done)?;
        let passed = if passes(&id) { lists.next() } else { None };
        values.push(match passed {
            Some(lists) => listwise(lists, empty),
            None => measured_by_sql(prepared, id, empty)?,
        });
        if let (Some(values), false) = (values.last_mut(), supply::crosses(id)) {
            values.forget_empty(&prepared.lists.rows);
        }
    }
    Ok(values)
}

/// As [`measure_all`], for one metric.
pub(crate) fn measure(
    prepared: &mut Prepared<'_>,
    id: &MetricId,
    empty: Empty,
) -> Result<Values, AnalysisError> {
    let mut values = measure_all(prepared, std::slice::from_ref(id), (empty, false), &mut |_| Ok(()))?;
    values.pop().ok_or_else(|| AnalysisError::Query(format!("{id} was not computed")))
}

fn terms(prepared: &mut Prepared<'_>, ids: &[MetricId]) -> Result<Terms, AnalysisError> {
    let mut top_gain = TOP_GAIN;
    for id in ids {
        top_gain = top_gain.max(measures::top_gain(prepared, id)?);
    }
    Ok(Terms { relevant_at: prepared.relevant_at(), top_gain, patience: PATIENCE })
}

/// Runs the SQL of one metric.
fn measured_by_sql(
    prepared: &mut Prepared<'_>,
    id: &MetricId,
    empty: Empty,
) -> Result<Values, AnalysisError> {
    if let Some(values) = policy::measure(prepared, id).or_else(|| supply::measure(prepared, id)) {
        return values;
    }
    if let Some(values) = measures::measure(prepared, id, empty)? {
        return Ok(values);
    }
    match id.metric.level {
        Level::List => sizes(prepared),
        Level::Row => match id.metric.id {
            "auc" => scores(prepared),
            "ece" => calibration(prepared),
            _ => outcomes(prepared, id),
        },
        Level::Catalogue => exposure(prepared, id),
    }
}

pub(super) fn at(id: &MetricId) -> Bindings {
    Bindings::new().value("k", SqlValue::Int(id.cutoff.map_or(WHOLE, i64::from)))
}

/// A value per list, NaN where it has none, in the form of a mean.
pub(super) fn listwise(mut values: Vec<f64>, empty: Empty) -> Values {
    // What overflows (2^g of a huge grade) is no value either.
    values.iter_mut().filter(|value| value.is_infinite()).for_each(|value| *value = f64::NAN);
    if empty == Empty::Zero {
        values.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
    }
    let missing = values.iter().map(|value| f64::from(u8::from(value.is_nan()))).collect();
    let ratio = Ratio::mean(values);
    Values { support: ratio.denominator.clone(), parts: Parts::Ratio(ratio), missing }
}

fn sizes(prepared: &mut Prepared<'_>) -> Result<Values, AnalysisError> {
    prepared.rank()?;
    let batch = prepared.rows("metrics/seed", &Bindings::new())?;
    let lists = prepared.lists.query.len();
    let mut sizes = vec![0.0; lists];
    scatter(&mut sizes, &numbers(&batch, "list")?, &floats(&batch, "shown")?);
    let missing = sizes.iter().map(|&size| f64::from(u8::from(size == 0.0))).collect();
    let support = sizes.iter().map(|&size| f64::from(u8::from(size > 0.0))).collect();
    Ok(Values { parts: Parts::Inverse(Inverse { sizes }), missing, support })
}

pub(super) fn scatter(values: &mut [f64], list: &[u32], found: &[f64]) {
    for (&list, &value) in list.iter().zip(found) {
        if let Some(slot) = values.get_mut(list as usize) {
            *slot = value;
        }
    }
}

/// Sums over rows: numerator and denominator of each rate.
fn outcomes(prepared: &mut Prepared<'_>, id: &MetricId) -> Result<Values, AnalysisError> {
    let bindings = Bindings::new().expr("probability", prepared.probability()?);
    let batch = prepared.rows("metrics/outcomes", &bindings)?;
    let list = numbers(&batch, "list")?;
    let lists = prepared.lists.query.len();
    let sum = |weights: &[(&str, f64)]| -> Result<Vec<f64>, AnalysisError> {
        let mut sums = vec![0.0; lists];
        for &(name, weight) in weights {
            for (&list, value) in list.iter().zip(floats(&batch, name)?) {
                if let Some(sum) = sums.get_mut(list as usize) {
                    *sum += weight * value;
                }
            }
        }
        Ok(sums)
    };
    let Rate { numerator, denominator, missing, support } = rate(id);
    let ratio = Ratio { numerator: sum(numerator)?, denominator: sum(denominator)? };
    Ok(Values { parts: Parts::Ratio(ratio), missing: sum(missing)?, support: sum(support)? })
}

pub(super) fn scores(prepared: &mut Prepared<'_>) -> Result<Values, AnalysisError> {
    let lists = prepared.lists.query.len();
    let batch = prepared.rows("metrics/scores", &Bindings::new())?;
    let cells = floats(&batch, "score")?.into_iter().zip(flags(&batch, "label")?).collect();
    let rows = ByList::new(lists, &numbers(&batch, "list")?, cells);
    let (missing, support) = scored(prepared)?;
    Ok(Values { parts: Parts::Scores(rows), missing, support })
}

pub(super) fn calibration(prepared: &mut Prepared<'_>) -> Result<Values, AnalysisError> {
    let bindings = Bindings::new().expr("probability", prepared.probability()?);
    let batch = prepared.rows("metrics/calibration", &bindings)?;
    let (p, label) = (floats(&batch, "p")?, floats(&batch, "label")?);
    let bins = numbers(&batch, "bin")?.into_iter().zip(floats(&batch, "rows")?);
    let cells = bins.zip(p).zip(label).map(|(((bin, n), p), label)| (bin, n, p, label)).collect();
    let bins = ByList::new(prepared.lists.query.len(), &numbers(&batch, "list")?, cells);
    let (missing, support) = scored(prepared)?;
    Ok(Values { parts: Parts::Bins(bins), missing, support })
}

/// Per list: rows without score or label, and rows with both.
fn scored(prepared: &mut Prepared<'_>) -> Result<(Vec<f64>, Vec<f64>), AnalysisError> {
    let bindings = Bindings::new().expr("probability", prepared.probability()?);
    let batch = prepared.rows("metrics/outcomes", &bindings)?;
    let list = numbers(&batch, "list")?;
    let lists = prepared.lists.query.len();
    let (mut rows, mut scored) = (vec![0.0; lists], vec![0.0; lists]);
    scatter(&mut rows, &list, &floats(&batch, "rows")?);
    scatter(&mut scored, &list, &floats(&batch, "scored")?);
    Ok((rows.iter().zip(&scored).map(|(rows, scored)| rows - scored).collect(), scored))
}

fn exposure(prepared: &mut Prepared<'_>, id: &MetricId) -> Result<Values, AnalysisError> {
    prepared.rank()?;
    let catalogue = prepared.catalogue()? as usize;
    let batch = prepared.rows("metrics/exposure", &at(id))?;
    let figure = match id.metric.id {
        "gini" => Concentration::Gini,
        "entropy" => Concentration::Entropy,
        _ => Concentration::Coverage,
    };
    let (list, times) = (numbers(&batch, "list")?, floats(&batch, "times")?);
    let lists = prepared.lists.query.len();
    let mut support = vec![0.0; lists];
    for (&list, times) in list.iter().zip(&times) {
        if let Some(sum) = support.get_mut(list as usize) {
            *sum += times;
        }
    }
    let cells = numbers(&batch, "item")?.into_iter().zip(times).collect();
    let items = ByList::new(lists, &list, cells);
    Ok(Values { parts: Parts::Items(items, figure, catalogue), missing: vec![0.0; lists], support })
}
