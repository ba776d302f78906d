//! The ranking metrics of judged lists in one pass: rows come from the database in any order, are
//! gathered by list, and each list is ranked and measured while it is in the processor's cache. For a
//! hundred rows a list that is several times faster than a window and an aggregate per metric in SQL.
//! The statements of `queries/metrics/` compute the same figures and judge these in tests.
//!
//! What is not here: metrics that look at items, texts, labels or several lists at once.

mod figures;
mod gather;
mod list;

use std::ops::Range;

use self::gather::{Gathered, Rows as Coming, Seen};
use self::list::Scratch;
use super::prepared::{Facts, Prepared};
use super::{AnalysisError, Denominator, Level, MetricId, Rows, Ties};
use crate::analysis::{Bindings, SqlValue};

/// A cut-off that no list reaches.
const WHOLE: usize = u32::MAX as usize;
/// Rows that are held at once, unless one list has more: some 250 MB.
const ROWS_AT_ONCE: u64 = 4_000_000;

/// Can the pass compute this metric of these rows? Expected values over ties and another denominator are
/// the statements' business.
pub(crate) fn computes(id: &MetricId, rows: &Rows) -> bool {
    let divided = rows.rules.denominator == Denominator::Relevant || id.metric.id != "map";
    id.metric.level == Level::List && figure(id).is_some() && rows.ties != Ties::Expected && divided
}

fn figure(id: &MetricId) -> Option<figures::Figure> {
    figures::FIGURES.iter().find(|(name, _)| *name == id.metric.id).map(|(_, figure)| *figure)
}

/// What the figures need to know beside the list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Terms {
    /// Gain from which an item is relevant.
    pub relevant_at: f64,
    /// The grade m of ERR.
    pub top_gain: f64,
    /// The persistence of rank-biased precision.
    pub patience: f64,
}

/// The value of each metric in each list, `[metric][list]`; NaN where it does not exist. `ids` are
/// ones that it [`computes`]. Tells [`Prepared`] what it saw of the rows.
pub(crate) fn values(
    prepared: &mut Prepared<'_>,
    ids: &[MetricId],
    terms: Terms,
) -> Result<Vec<Vec<f64>>, AnalysisError> {
    let mut values = vec![Vec::with_capacity(prepared.lists.rows.len()); ids.len()];
    let mut seen = Seen::nothing();
    for lists in pieces(&prepared.lists.rows, ROWS_AT_ONCE) {
        let gathered = gather(prepared, &lists, &mut seen)?;
        measure(&gathered, ids, terms, &mut values);
    }
    prepared.told(Facts {
        rows: seen.rows,
        shown: seen.shown,
        bad_scores: seen.bad_scores,
        unjudged: seen.unjudged,
        probabilities: seen.probabilities,
        repeats: seen.repeats,
        tied: seen.tied,
        ..prepared.facts
    });
    Ok(values)
}

/// Lists one after the other, as many as have `most` rows together, but at least one.
fn pieces(rows: &[u32], most: u64) -> Vec<Range<usize>> {
    let (mut pieces, mut from, mut sum) = (Vec::new(), 0, 0);
    for (list, &rows) in rows.iter().enumerate() {
        if list > from && sum + u64::from(rows) > most {
            pieces.push(from..list);
            (from, sum) = (list, 0);
        }
        sum += u64::from(rows);
    }
    if from < rows.len() {
        pieces.push(from..rows.len());
    }
    pieces
}

/// The lists in rank order: by their scores where these and the items differ, else as the database
/// orders them, which looks at positions and items too.
fn gather(
    prepared: &mut Prepared<'_>,
    lists: &Range<usize>,
    seen: &mut Seen,
) -> Result<Gathered, AnalysisError> {
    let last = lists.end.saturating_sub(1);
    let bounded = |bindings: Bindings| {
        let bindings = bindings.value("from_list", SqlValue::Int(lists.start as i64));
        bindings.value("to_list", SqlValue::Int(last as i64))
    };
    let (source, bindings) = prepared.streamed()?;
    let gathered = ranked(prepared, source, &bounded(bindings), lists)?;
    seen.add(&gathered.seen);
    if gathered.is_plain() {
        return Ok(gathered);
    }
    let table = prepared.unique()?;
    ranked(prepared, "metrics/ordered", &bounded(Bindings::new()).ident("rows", table), lists)
}

fn ranked(
    prepared: &mut Prepared<'_>,
    statement: &str,
    bindings: &Bindings,
    lists: &Range<usize>,
) -> Result<Gathered, AnalysisError> {
    let mut rows = Coming::new(lists.start as u32);
    prepared.queries.stream(statement, bindings, &mut |batch| rows.take(batch))?;
    Ok(rows.into_lists(lists.len()))
}

/// Appends the values of these lists.
fn measure(gathered: &Gathered, ids: &[MetricId], terms: Terms, values: &mut [Vec<f64>]) {
    let figures: Vec<(figures::Figure, usize)> =
        ids.iter().filter_map(|id| Some((figure(id)?, id.cutoff.map_or(WHOLE, |k| k as usize)))).collect();
    let mut scratch = Scratch::new(gathered.longest());
    for list in 0..gathered.lists() {
        let list = scratch.take(gathered.list(list), gathered.shown(list), terms.relevant_at);
        for ((figure, k), values) in figures.iter().zip(&mut *values) {
            values.push(figure(&list, *k, &terms));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_whole_lists() {
        assert!(pieces(&[], 10).is_empty());
        assert_eq!(pieces(&[3, 4, 5, 20, 1], 10), [0..2, 2..3, 3..4, 4..5]);
        assert_eq!(pieces(&[3, 4], 10), vec![0..2]);
    }

    /// Every id of the table is a metric of the catalogue, spelt like there.
    #[test]
    fn figures_are_metrics() {
        for (name, _) in figures::FIGURES {
            let found = [format!("{name}@3"), (*name).to_owned()];
            assert!(
                found
                    .iter()
                    .any(|text| MetricId::parse(text).is_ok_and(|id| computes(&id, &Rows::default()))),
                "{name}"
            );
        }
        assert!(!computes(&MetricId::parse("precision").unwrap(), &Rows::default()), "of rows, not of lists");
    }
}
