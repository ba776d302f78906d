//! What unjudged items could change: the worst and the best value that a metric can have, list by
//! list. Two computations are combined: unjudged items worth nothing, and all of them worth the
//! largest gain. Items that are not among the rows are not considered.

use super::measures::{column_of, relevant_items};
use super::prepared::{Facts, Prepared};
use super::roles::Unit;
use super::values::{Parts, Values, at, measure};
use super::{AnalysisError, Level, MetricId, MetricsRequest, Rows, Unjudged, evaluate};
use crate::analysis::Queries;

/// How a metric depends on the gains of the items in its list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Rises with every gain: both computations are the bounds.
    Rising,
    /// Discounted gain over the best possible: bounded by the larger and the smaller ideal. Never too
    /// narrow; wider than need be where items below the cut-off are unjudged.
    Ideal,
    /// Relevant in the top k over R: exact.
    Recall,
    F1,
    /// Over R, and not rising: bounded as `Ideal`.
    Precisions,
}

fn kind(id: &MetricId) -> Option<Kind> {
    if id.metric.level != Level::List {
        return None;
    }
    Some(match id.metric.id {
        "precision" | "hit" | "hits" | "mrr" | "err" | "rbp" | "dcg" | "dcg_exp" => Kind::Rising,
        "ndcg" | "ndcg_exp" => Kind::Ideal,
        "recall" => Kind::Recall,
        "f1" => Kind::F1,
        "map" => Kind::Precisions,
        _ => return None,
    })
}

/// A metric's values list by list, with what it is divided by; NaN is none.
#[derive(Debug, Clone)]
pub(super) struct Half {
    value: Vec<f64>,
    scale: Vec<f64>,
}

/// Worst and best, list by list; `None` for metrics without bounds.
pub(super) type Extremes = Option<(Vec<f64>, Vec<f64>)>;

pub(super) fn halves(
    prepared: &mut Prepared<'_>,
    ids: &[MetricId],
    values: &[Values],
) -> Result<Vec<Option<Half>>, AnalysisError> {
    prepared.rank()?;
    let half = |(id, values): (&MetricId, &Values)| -> Result<Option<Half>, AnalysisError> {
        let (Some(kind), Parts::Ratio(ratio)) = (kind(id), &values.parts) else { return Ok(None) };
        let known = |(n, d): (&f64, &f64)| if *d > 0.0 { *n } else { f64::NAN };
        let value = ratio.numerator.iter().zip(&ratio.denominator).map(known).collect();
        let scale = match kind {
            Kind::Rising => Vec::new(),
            Kind::Ideal => column_of(prepared, "metrics/ideal_gain", id.metric.id, &at(id))?,
            Kind::Recall | Kind::F1 | Kind::Precisions => relevant_items(prepared)?,
        };
        Ok(Some(Half { value, scale }))
    };
    ids.iter().zip(values).map(half).collect()
}

/// The gain that the best case gives to what is not judged.
pub(super) fn most(facts: &Facts, rows: &Rows) -> f64 {
    facts.largest_gain.max(super::rules::threshold(rows))
}

/// Computes the metrics once more with `gain` for what is not judged, and combines.
pub(super) fn extremes(
    queries: &mut dyn Queries,
    request: &MetricsRequest,
    ids: &[MetricId],
    low: Vec<Option<Half>>,
    gain: f64,
) -> Result<Vec<Extremes>, AnalysisError> {
    let mut rows = request.rows.clone();
    if rows.rules.unjudged == Unjudged::NotRelevant {
        rows.rules.unjudged = Unjudged::Gain(gain);
    }
    let mut prepared = Prepared::new(queries, &rows, &request.by, Unit::Query, evaluate::keeps(ids))?;
    let mut values = Vec::with_capacity(ids.len());
    for id in ids {
        values.push(measure(&mut prepared, id, request.empty)?);
    }
    let high = halves(&mut prepared, ids, &values)?;
    let pairs = ids.iter().zip(low).zip(high);
    Ok(pairs.map(|((id, low), high)| combine(id, &low?, &high?)).collect())
}

fn combine(id: &MetricId, low: &Half, high: &Half) -> Extremes {
    let kind = kind(id)?;
    let k = id.cutoff.map_or(f64::INFINITY, f64::from);
    let number = |values: &[f64], list: usize| values.get(list).copied().unwrap_or(f64::NAN);
    let lists = 0..low.value.len();
    let both = lists.map(|list| {
        let (a, b) = (number(&low.value, list), number(&high.value, list));
        let scale = |half: &Half| number(&half.scale, list).max(0.0);
        let known = |(worst, best): (f64, f64)| if a.is_nan() { (f64::NAN, f64::NAN) } else { (worst, best) };
        known(list_bounds(kind, k, (a, scale(low)), (b, scale(high))))
    });
    Some(both.unzip())
}

/// `low`, `high`: value and scale (ideal, or R) in either computation; a scale of 0 is none.
fn list_bounds(kind: Kind, k: f64, low: (f64, f64), high: (f64, f64)) -> (f64, f64) {
    let (a, b) = (low.0, if high.0.is_nan() { low.0 } else { high.0 });
    let over = |sum: f64, scale: f64| if sum <= 0.0 { 0.0 } else { (sum / scale).min(1.0) };
    // Relevant items in the top k in either computation, and those that are so only in the second.
    let counted = |hits: (f64, f64)| {
        let gained = hits.1 - hits.0;
        (hits.0, high.1 - gained, hits.1, low.1 + gained)
    };
    match kind {
        Kind::Rising => (a, b),
        Kind::Ideal | Kind::Precisions => (over(a * low.1, high.1), over(b * high.1, low.1)),
        Kind::Recall => {
            let (worst, most, best, least) = counted((a * low.1, b * high.1));
            (over(worst, most), over(best, least))
        }
        Kind::F1 => {
            let hits = |value: f64, relevant: f64| value * (k + relevant) / 2.0;
            let (worst, most, best, least) = counted((hits(a, low.1), hits(b, high.1)));
            (over(2.0 * worst, k + most), over(2.0 * best, k + least))
        }
    }
}
