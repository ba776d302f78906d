//! Row metrics of scores and classes: average precision, AUC within lists, one bin of the
//! reliability table.

use crate::analysis::metrics::prepared::Prepared;
use crate::analysis::metrics::values::{ByList, Parts, Values, calibration, scores};
use crate::analysis::metrics::{AnalysisError, MetricId};
use crate::analysis::stats::{Auc, Ratio, Statistic};

pub(super) fn average_precision(prepared: &mut Prepared<'_>) -> Result<Values, AnalysisError> {
    let found = scores(prepared)?;
    let parts = match found.parts {
        Parts::Scores(rows) => Parts::Precision(rows),
        other => other,
    };
    Ok(Values { parts, ..found })
}

/// AUC of each list with both classes, weighted by its rows.
pub(super) fn grouped_auc(prepared: &mut Prepared<'_>) -> Result<Values, AnalysisError> {
    let lists = prepared.lists.query.len();
    let found = scores(prepared)?;
    let Parts::Scores(rows) = &found.parts else { return Ok(found) };
    let mut ratio = Ratio { numerator: vec![0.0; lists], denominator: vec![0.0; lists] };
    let mut missing = found.missing.clone();
    let slots = ratio.numerator.iter_mut().zip(&mut ratio.denominator).zip(&mut missing);
    for (list, ((numerator, denominator), missing)) in slots.enumerate() {
        let rows = rows.of(list);
        match Auc::new(rows.iter().map(|&(score, label)| (0, score, label)).collect()).value(&[1.0]) {
            Some(auc) => {
                *numerator = auc * rows.len() as f64;
                *denominator = rows.len() as f64;
            }
            None => *missing += rows.len() as f64,
        }
    }
    let support = ratio.denominator.clone();
    Ok(Values { parts: Parts::Ratio(ratio), missing, support })
}

/// Bin K of the reliability table, counted from 1.
pub(super) fn one_bin(prepared: &mut Prepared<'_>, id: &MetricId) -> Result<Values, AnalysisError> {
    let lists = prepared.lists.query.len();
    let found = calibration(prepared)?;
    let Parts::Bins(bins) = &found.parts else { return Ok(found) };
    let wanted = id.cutoff.unwrap_or(1) - 1;
    let inside = |list: usize| bins.of(list).iter().filter(move |cell| cell.0 == wanted);
    let sum = |of: fn(&(u32, f64, f64, f64)) -> f64| -> Vec<f64> {
        (0..lists).map(|list| inside(list).map(of).sum()).collect()
    };
    let rows = sum(|cell| cell.1);
    let parts = match id.metric.id {
        "frequency" => Parts::Ratio(Ratio { numerator: sum(|cell| cell.3), denominator: rows.clone() }),
        "confidence" => Parts::Ratio(Ratio { numerator: sum(|cell| cell.2), denominator: rows.clone() }),
        _ => {
            let cells: Vec<(u32, _)> =
                (0..lists).flat_map(|list| inside(list).map(move |cell| (list as u32, *cell))).collect();
            let list: Vec<u32> = cells.iter().map(|cell| cell.0).collect();
            Parts::Bins(ByList::new(lists, &list, cells.into_iter().map(|cell| cell.1).collect()))
        }
    };
    Ok(Values { parts, support: rows, missing: found.missing })
}
