//! The ranking metrics of judged lists in one pass: rows come from the database in any order, are
//! gathered by list, and each list is ranked and measured while it is in the processor's cache. For a
//! hundred rows a list that is several times faster than a window and an aggregate per metric in SQL.
//! The statements of `queries/metrics/` compute the same figures and judge these in tests.
//!
//! Rows are read once, with little of each; those of lists with ties or repeated items are read again,
//! with all that decides then.
//!
//! What is not here: metrics that look at items, texts, labels or several lists at once.

mod exact;
mod figures;
mod inbox;
mod list;
mod measure;
mod read;
mod row;
mod spill;

use arrow::record_batch::RecordBatch;

use self::exact::Exact;
use self::inbox::Inbox;
pub(crate) use self::measure::Measure;
use self::read::{Reader, Seen, Whose};
pub(crate) use self::row::Rank;
use self::row::{Items, Plain, Row};
use super::prepared::{Facts, Prepared};
use super::{AnalysisError, Denominator, Level, MetricId, Rows, Ties, rules};
use crate::analysis::QueryError;

/// A cut-off that no list reaches.
const WHOLE: usize = u32::MAX as usize;
/// Rows that are held at once, unless one list has more: some 200 MB.
const ROWS_AT_ONCE: usize = 4_000_000;
/// The same of rows with their items.
const EXACT_AT_ONCE: usize = 1_000_000;

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
    let mut measure = Measure::new(ids, terms, &prepared.lists.rows);
    let first = at_first(prepared, &mut measure)?;
    let plain = first.doubts.iter().all(|&doubt| doubt == Doubt::None);
    let repeats = if plain { 0 } else { again(prepared, &first.doubts, &mut measure)? };
    prepared.told(Facts {
        rows: first.seen.rows,
        shown: first.seen.shown,
        bad_scores: first.seen.bad_scores,
        unjudged: first.seen.unjudged,
        largest_gain: first.seen.largest_gain,
        probabilities: first.seen.probabilities,
        repeats,
        tied: first.tied,
        ..prepared.facts
    });
    Ok(measure.values)
}

/// What the first reading found.
struct First {
    seen: Seen,
    /// Retrieved rows that share their score with another one of their list.
    tied: u64,
    /// What is wrong with each list.
    doubts: Vec<Doubt>,
}

/// Why scores alone do not tell a list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    None,
    Ties,
    /// Of items, or of their hashes; there may be ties too.
    Repeats,
}

/// Measures the lists whose order scores alone tell.
fn at_first(prepared: &mut Prepared<'_>, measure: &mut Measure) -> Result<First, AnalysisError> {
    loop {
        let mut first =
            First { seen: Seen::default(), tied: 0, doubts: vec![Doubt::None; prepared.lists.rows.len()] };
        let (seen, mut items) = (&mut first.seen, Items::default());
        let take = |reader: &mut Reader, batch: &RecordBatch, inbox: &mut Inbox<'_, Plain>| {
            reader.plain(batch, seen, inbox)
        };
        let each = &mut |list: u32, rows: &mut [Plain]| {
            let (tied, repeats) = row::rank(rows, &mut items);
            first.tied += tied;
            match first.doubts.get_mut(list as usize) {
                Some(doubt) if repeats > 0 => *doubt = Doubt::Repeats,
                Some(doubt) if tied > 0 => *doubt = Doubt::Ties,
                _ => measure.take(list, rows.iter().map(|row| (row.rank, row.gain))),
            }
        };
        let strangers = read(prepared, (false, ROWS_AT_ONCE), take, each)?;
        if strangers == 0 {
            return Ok(first);
        }
        // Rows that changed while they were read, or equal values with other hashes.
        prepared.make_rows()?;
    }
}

/// Measures the others; how many rows repeat an item of their list.
fn again(prepared: &mut Prepared<'_>, doubts: &[Doubt], measure: &mut Measure) -> Result<u64, AnalysisError> {
    let by_item = prepared.asked().ties != Ties::Logged;
    let doubt = |list: u32| doubts.get(list as usize).copied().unwrap_or(Doubt::None);
    let mut repeats = 0;
    let take = |reader: &mut Reader, batch: &RecordBatch, inbox: &mut Inbox<'_, Exact>| {
        reader.exact(batch, &|list| doubt(list) != Doubt::None, inbox)
    };
    let each = &mut |list: u32, rows: &mut [Exact]| {
        let kept = if doubt(list) == Doubt::Repeats { exact::distinct(rows) } else { rows.len() };
        repeats += (rows.len() - kept) as u64;
        let rows = &mut rows[..kept];
        exact::rank(rows, by_item);
        measure.take(list, rows.iter().map(|row| (row.rank, row.gain)));
    };
    read(prepared, (true, EXACT_AT_ONCE), take, each)?;
    if repeats > 0 {
        rules::refuse(prepared.asked(), repeats)?;
    }
    Ok(repeats)
}

/// Streams all rows through an inbox; how many belong to no list.
fn read<R: Row>(
    prepared: &mut Prepared<'_>,
    (exact, most): (bool, usize),
    mut take: impl FnMut(&mut Reader, &RecordBatch, &mut Inbox<'_, R>) -> Result<(), AnalysisError>,
    each: &mut impl FnMut(u32, &mut [R]),
) -> Result<u64, AnalysisError> {
    let whose = if prepared.rows_are_made() { Some(Whose::Number) } else { Whose::keys(&prepared.lists.key) };
    if whose.is_none() {
        prepared.make_rows()?;
    }
    let mut reader = Reader::new(whose.unwrap_or(Whose::Number));
    let (statement, bindings) = prepared.streamed(exact)?;
    let folder = prepared.queries.spill_folder();
    let asked = prepared.asked();
    let full = |error: std::io::Error| QueryError::Failed(waiting(&folder, &error));
    let mut inbox = Inbox::new(&prepared.lists.rows, most, &folder);
    let streamed = prepared.queries.stream(statement, &bindings, &mut |batch| {
        take(&mut reader, batch, &mut inbox).map_err(|error| QueryError::Failed(error.to_string()))?;
        inbox.relieve(each).map_err(full)
    });
    streamed.map_err(|error| rules::unreadable(error.into(), asked))?;
    inbox.finish(&prepared.cancel, each).map_err(full)?;
    prepared.cancel.check()?;
    Ok(reader.strangers)
}

fn waiting(folder: &std::path::Path, error: &std::io::Error) -> String {
    format!(
        "cannot keep rows in {}: {error}; make room there, or set TMPDIR to a folder with room",
        folder.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
