//! What an order does for those who supply the items: attention, attention for its worth, clicks for
//! their worth, and whether a group turns up early enough. Meant to be broken down by groups of items;
//! ranks are those of the query's whole list, however a slice splits it. No tests of significance here.

mod catalogue;
mod prefix;

use super::columns::{floats, numbers};
use super::prepared::Prepared;
use super::values::{Parts, Values};
use super::{AnalysisError, MetricId, Need};
use crate::analysis::stats::Ratio;
use crate::analysis::{Bindings, SqlValue};

pub(super) use catalogue::{
    CLICKS_PER_UTILITY, EXPOSURE, EXPOSURE_GEOMETRIC, EXPOSURE_PER_UTILITY, FAIR_PREFIX,
};
pub use prefix::{ALPHA, adjusted_alpha, least_counts};

/// How likely the geometric reader is to go on to the next item.
const PATIENCE: f64 = 0.5;
/// A cut-off that no list reaches.
const WHOLE: i64 = u32::MAX as i64;

/// Measures `id` where it is one of this family; `None` for all others.
pub(super) fn measure(prepared: &mut Prepared<'_>, id: &MetricId) -> Option<Result<Values, AnalysisError>> {
    let k = id.cutoff.map_or(WHOLE, i64::from);
    match id.metric.id {
        "exposure" | "exposure_geometric" | "exposure_per_utility" | "clicks_per_utility" => {
            Some(exposure(prepared, id.metric.id, k))
        }
        "fair_prefix" => Some(prefixes(prepared, k)),
        _ => None,
    }
}

/// Do rows have to carry their place in the whole list?
pub(super) fn reads(id: &MetricId) -> bool {
    id.metric.needs.iter().any(|need| [Need::Place, Need::Click].contains(need))
}

fn exposure(prepared: &mut Prepared<'_>, id: &str, k: i64) -> Result<Values, AnalysisError> {
    let bindings = Bindings::new().value("k", SqlValue::Int(k)).value("patience", SqlValue::Float(PATIENCE));
    let batch = prepared.rows("supply/exposure", &bindings)?;
    let lists = prepared.lists.query.len();
    let list = numbers(&batch, "list")?;
    let column = |name: &str| -> Result<Vec<f64>, AnalysisError> {
        let mut sums = vec![0.0; lists];
        for (&list, value) in list.iter().zip(floats(&batch, name)?) {
            if let Some(sum) = sums.get_mut(list as usize) {
                *sum = value;
            }
        }
        Ok(sums)
    };
    let (numerator, denominator, support) = match id {
        "exposure" => ("logarithmic", "rows", "rows"),
        "exposure_geometric" => ("geometric", "rows", "rows"),
        "exposure_per_utility" => ("logarithmic", "utility", "relevant"),
        _ => ("clicks", "labelled_utility", "labelled_relevant"),
    };
    let (rows, support) = (column("rows")?, column(support)?);
    let missing = rows.iter().zip(&support).map(|(rows, used)| rows - used).collect();
    let ratio = Ratio { numerator: column(numerator)?, denominator: column(denominator)? };
    Ok(Values { parts: Parts::Ratio(ratio), missing, support })
}

/// Does the metric need a list for every query and group, also where the query shows none of the group?
pub(super) fn crosses(id: &MetricId) -> bool {
    id.metric.id == "fair_prefix"
}

/// Per list (rows of one query in one group, be there none): 1 if no prefix of the query's list has too few
/// of the group.
fn prefixes(prepared: &mut Prepared<'_>, k: i64) -> Result<Values, AnalysisError> {
    let k = usize::try_from(k).unwrap_or(usize::MAX).min(prefix::LONGEST);
    let batch = prepared.rows("supply/places", &Bindings::new().value("k", SqlValue::Int(k as i64)))?;
    let (list, length, place) =
        (numbers(&batch, "list")?, numbers(&batch, "length")?, numbers(&batch, "place")?);
    let shares = shares(prepared)?;
    let tables: Vec<Vec<u32>> =
        shares.iter().map(|&share| least_counts(k, share, adjusted_alpha(k, share, ALPHA))).collect();
    let mut values = vec![f64::NAN; prepared.lists.query.len()];
    let rows: Vec<(u32, u32, u32)> = list
        .into_iter()
        .zip(length)
        .zip(place)
        .map(|((list, length), place)| (list, length, place))
        .collect();
    for run in rows.chunk_by(|a, b| a.0 == b.0) {
        let Some(&(list, length, _)) = run.first() else { continue };
        let group = prepared.lists.group.get(list as usize).copied().unwrap_or_default();
        let least = tables.get(group as usize).map(Vec::as_slice).unwrap_or_default();
        let places: Vec<u32> = run.iter().map(|row| row.2).filter(|&place| place > 0).collect();
        if let (Some(value), true) = (values.get_mut(list as usize), length > 0) {
            *value = f64::from(u8::from(prefix::passes(&places, length, least)));
        }
    }
    if !shares.is_empty() {
        prepared.say(format!(
            "fair_prefix@{k}: a prefix fails where chance, at the group's share of all rows, would show so few in under \
             {ALPHA} of lists; corrected for {k} prefixes; lists that show none of the group count"
        ));
    }
    let missing = values.iter().map(|value| f64::from(u8::from(value.is_nan()))).collect();
    let ratio = Ratio::mean(values);
    Ok(Values { support: ratio.denominator.clone(), parts: Parts::Ratio(ratio), missing })
}

/// Each group's share of all rows.
fn shares(prepared: &mut Prepared<'_>) -> Result<Vec<f64>, AnalysisError> {
    let bindings =
        Bindings::new().value("k", SqlValue::Int(WHOLE)).value("patience", SqlValue::Float(PATIENCE));
    let batch = prepared.rows("supply/exposure", &bindings)?;
    let mut rows = vec![0.0; prepared.lists.groups.len()];
    for (list, n) in numbers(&batch, "list")?.into_iter().zip(floats(&batch, "rows")?) {
        let group = prepared.lists.group.get(list as usize).copied().unwrap_or_default();
        if let Some(sum) = rows.get_mut(group as usize) {
            *sum += n;
        }
    }
    let all: f64 = rows.iter().sum();
    Ok(rows.into_iter().map(|n| n / all.max(1.0)).collect())
}
