//! How metrics beyond the first family are measured: which statement, which column, which algorithm.
//! One file per family; the SQL is in `queries/metrics`.

mod bins;
mod expected;
mod orders;
mod statements;
mod subtopics;

pub use expected::EXPECTED;
pub(super) use expected::knows as has_expectation;
pub(super) use statements::{Reads, Statement, statement};

use super::columns::{floats, numbers};
use super::prepared::Prepared;
use super::values::{Parts, Shape, TOP_GAIN, Values, at, listwise, scatter};
use super::{AnalysisError, Denominator, Empty, MetricId, Ties};
use crate::analysis::Bindings;
use crate::analysis::stats::Ratio;

/// The values of a metric that is measured here; `None` for the others.
pub(super) fn measure(
    prepared: &mut Prepared<'_>,
    id: &MetricId,
    empty: Empty,
) -> Result<Option<Values>, AnalysisError> {
    if prepared.asked().ties == Ties::Expected && expected::knows(id) {
        return expected::measure(prepared, id, empty).map(Some);
    }
    Ok(Some(match id.metric.id {
        "gmap" => geometric(prepared, id, empty)?,
        "rbo" | "kendall" | "jaccard" => orders::measure(prepared, id, empty)?,
        "alpha_ndcg" | "subtopic_recall" => subtopics::measure(prepared, id, empty)?,
        "revenue" | "margin" | "mae" | "rmse" => sums(prepared, id)?,
        "ap" => bins::average_precision(prepared)?,
        "gauc" => bins::grouped_auc(prepared)?,
        "calibration" | "frequency" | "confidence" => bins::one_bin(prepared, id)?,
        _ => match statement(id, top_gain(prepared, id)?, prepared.relevant_at()) {
            Some(Statement { id: statement, column, bindings, reads }) => {
                prepared.make(reads)?;
                let mut values = column_of(prepared, statement, column, &bindings)?;
                redivide(prepared, id, &mut values)?;
                listwise(values, empty)
            }
            None => return Ok(None),
        },
    }))
}

/// The grade that ERR is certain of; others do not ask.
pub(super) fn top_gain(prepared: &mut Prepared<'_>, id: &MetricId) -> Result<f64, AnalysisError> {
    if id.metric.id == "err" { prepared.top_gain() } else { Ok(TOP_GAIN) }
}

/// A column of a statement with a row per list, NaN where it has none.
pub(super) fn column_of(
    prepared: &mut Prepared<'_>,
    statement: &str,
    column: &str,
    bindings: &Bindings,
) -> Result<Vec<f64>, AnalysisError> {
    let batch = prepared.rows(statement, bindings)?;
    let mut values = vec![f64::NAN; prepared.lists.query.len()];
    scatter(&mut values, &numbers(&batch, "list")?, &floats(&batch, column)?);
    Ok(values)
}

/// Relevant items of every list.
pub(super) fn relevant_items(prepared: &mut Prepared<'_>) -> Result<Vec<f64>, AnalysisError> {
    prepared.rank()?;
    column_of(prepared, "metrics/relevant_items", "relevant_items", &Bindings::new())
}

/// Average precision over R becomes one over min(R, k), where the rules say so.
pub(super) fn redivide(
    prepared: &mut Prepared<'_>,
    id: &MetricId,
    values: &mut [f64],
) -> Result<(), AnalysisError> {
    let rules = prepared.asked().rules;
    let (true, Some(k)) = (rules.denominator == Denominator::AtMostCutoff, id.cutoff) else { return Ok(()) };
    if !["map", "gmap"].contains(&id.metric.id) {
        return Ok(());
    }
    for (value, relevant) in values.iter_mut().zip(relevant_items(prepared)?) {
        *value *= relevant / relevant.min(f64::from(k));
    }
    Ok(())
}

/// The floor of a value in a geometric mean, as in trec_eval.
pub(super) const FLOOR: f64 = 0.00001;

fn geometric(prepared: &mut Prepared<'_>, id: &MetricId, empty: Empty) -> Result<Values, AnalysisError> {
    prepared.rank()?;
    let mut values = column_of(prepared, "metrics/average_precision", "map", &at(id))?;
    redivide(prepared, id, &mut values)?;
    let mut found = listwise(values, empty);
    if let Parts::Ratio(ratio) = found.parts {
        let Ratio { numerator, denominator } = ratio;
        let logs = numerator.iter().zip(&denominator).map(|(n, d)| d * n.max(FLOOR).ln()).collect();
        found.parts = Parts::Shaped(Ratio { numerator: logs, denominator }, Shape::Exponential);
    }
    Ok(found)
}

/// Means over rows.
fn sums(prepared: &mut Prepared<'_>, id: &MetricId) -> Result<Values, AnalysisError> {
    prepared.extras()?;
    let (sum, rows) = match id.metric.id {
        "revenue" => ("revenue", "revenue_rows"),
        "margin" => ("margin", "margin_rows"),
        "mae" => ("absolute", "rated"),
        _ => ("squared", "rated"),
    };
    let batch = prepared.rows("metrics/sums", &Bindings::new())?;
    let list = numbers(&batch, "list")?;
    let lists = prepared.lists.query.len();
    let column = |name: &str| -> Result<Vec<f64>, AnalysisError> {
        let mut values = vec![0.0; lists];
        scatter(&mut values, &list, &floats(&batch, name)?);
        Ok(values)
    };
    let (numerator, denominator, all) = (column(sum)?, column(rows)?, column("rows")?);
    let missing = all.iter().zip(&denominator).map(|(all, known)| all - known).collect();
    let support = denominator.clone();
    let ratio = Ratio { numerator, denominator };
    let parts = if id.metric.id == "rmse" { Parts::Shaped(ratio, Shape::Root) } else { Parts::Ratio(ratio) };
    Ok(Values { parts, missing, support })
}
