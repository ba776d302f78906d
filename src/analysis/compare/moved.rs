//! The queries that moved most, with the top of both lists beside each other.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::measured::Measured;
use super::pairs::GroupPairs;
use super::request::{CompareRequest, Run};
use super::table::CompareTable;
use crate::analysis::metrics::columns::{floats, numbers, texts};
use crate::analysis::metrics::prepared::Prepared;
use crate::analysis::metrics::roles::Unit;
use crate::analysis::metrics::values::Parts;
use crate::analysis::metrics::{AnalysisError, Level, MetricId, Rows, predicate};
use crate::analysis::{Bindings, Queries, SqlValue};
use crate::terms::quote_ident;
use crate::util::figures;

/// Ranks that are shown of a list at most.
const RANKS: u32 = 10;

/// One place of a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TopItem {
    /// `None` where rows have no item.
    pub item: Option<String>,
    /// `None`: not judged.
    pub gain: Option<f64>,
}

/// One list (query, or query and user) of one run against the baseline, by one metric.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Moved {
    pub run: String,
    pub metric: String,
    pub query: String,
    pub user: Option<String>,
    pub baseline: f64,
    pub value: f64,
    /// The best ten, or as many as the metric looks at.
    pub baseline_top: Vec<TopItem>,
    pub top: Vec<TopItem>,
    /// SQL predicate that selects the list's rows.
    pub predicate: String,
}

impl Moved {
    pub fn delta(&self) -> f64 {
        self.value - self.baseline
    }
}

/// The `count` lists of each metric that changed most, the largest change first; equal ones stay out, and
/// so do metrics without a value per list. `run` and the tops are still to be filled in.
pub(super) fn largest(
    ids: &[MetricId],
    baseline: &Measured,
    found: &Measured,
    all: &GroupPairs,
    count: usize,
) -> Vec<Moved> {
    let mut moved = Vec::new();
    for (id, (a, b)) in ids.iter().zip(baseline.values.iter().zip(&found.values)) {
        let (Level::List, Parts::Ratio(a), Parts::Ratio(b)) = (id.metric.level, &a.parts, &b.parts) else {
            continue;
        };
        let value = |ratio: &crate::analysis::stats::Ratio, list: u32| {
            let denominator = ratio.denominator.get(list as usize).copied().filter(|d| *d > 0.0)?;
            Some(ratio.numerator.get(list as usize)? / denominator)
        };
        let values = all.pairs.iter().filter_map(|&(i, j)| Some((i, value(a, i)?, value(b, j)?)));
        let mut changes: Vec<(u32, f64, f64)> = values.filter(|(_, a, b)| (b - a).abs() > 1e-12).collect();
        let size = |change: &(u32, f64, f64)| (change.2 - change.1).abs();
        changes.sort_by(|x, y| size(y).total_cmp(&size(x)).then(x.0.cmp(&y.0)));
        moved.extend(changes.into_iter().take(count).map(|(list, a, b)| {
            let (query, user, _) = baseline.key(list as usize);
            Moved {
                metric: id.to_string(),
                query: query.unwrap_or_default().to_owned(),
                user: user.map(str::to_owned),
                baseline: a,
                value: b,
                ..Moved::default()
            }
        }));
    }
    moved
}

type Key = (String, Option<String>);

/// Reads the top of the lists that moved, run by run.
pub(super) fn add_lists(
    queries: &mut dyn Queries,
    request: &CompareRequest,
    ids: &[MetricId],
    moved: &mut [Moved],
) -> Result<(), AnalysisError> {
    let Some(baseline) = request.runs.first().filter(|_| !moved.is_empty()) else { return Ok(()) };
    let tops = tops(queries, baseline, moved)?;
    let columns: Vec<String> =
        [&baseline.rows.roles.query, &baseline.rows.roles.user].into_iter().flatten().cloned().collect();
    for list in moved.iter_mut() {
        let values = [Some(list.query.clone()), list.user.clone()];
        list.predicate = predicate(&columns, &values);
        list.baseline_top = tops.get(&(list.query.clone(), list.user.clone())).cloned().unwrap_or_default();
    }
    for run in request.runs.iter().skip(1) {
        let tops = self::tops(queries, run, moved)?;
        for list in moved.iter_mut().filter(|list| list.run == run.name) {
            list.top = tops.get(&(list.query.clone(), list.user.clone())).cloned().unwrap_or_default();
        }
    }
    for list in moved.iter_mut() {
        let ranks = ids.iter().find(|id| id.to_string() == list.metric).and_then(|id| id.cutoff);
        let ranks = ranks.unwrap_or(RANKS).min(RANKS) as usize;
        list.baseline_top.truncate(ranks);
        list.top.truncate(ranks);
    }
    Ok(())
}

/// The first places of one run's lists for these queries.
fn tops(
    queries: &mut dyn Queries,
    run: &Run,
    moved: &[Moved],
) -> Result<HashMap<Key, Vec<TopItem>>, AnalysisError> {
    let rows = only(&run.rows, moved);
    let mut prepared = Prepared::new(queries, &rows, &[], Unit::Query, (true, false))?;
    prepared.rank()?;
    let keys = prepared.rows("compare/list_keys", &Bindings::new())?;
    let bindings = Bindings::new().value("k", SqlValue::Int(i64::from(RANKS)));
    let places = prepared.rows("compare/top_items", &bindings)?;
    let (query, user) = (texts(&keys, "query")?, texts(&keys, "user")?);
    let mut found: HashMap<Key, Vec<TopItem>> = HashMap::new();
    let items = texts(&places, "item")?.into_iter().zip(floats(&places, "gain")?);
    for (list, (item, gain)) in numbers(&places, "list")?.into_iter().zip(items) {
        let at = list as usize;
        let key = (query.get(at).cloned().flatten().unwrap_or_default(), user.get(at).cloned().flatten());
        let gain = Some(gain).filter(|gain| !gain.is_nan());
        found.entry(key).or_default().push(TopItem { item, gain });
    }
    Ok(found)
}

/// The rows of the queries that moved.
fn only(rows: &Rows, moved: &[Moved]) -> Rows {
    let mut rows = rows.clone();
    let mut names = Vec::new();
    let mut seen: Vec<&str> = moved.iter().map(|list| list.query.as_str()).collect();
    seen.sort_unstable();
    seen.dedup();
    for (number, query) in seen.into_iter().enumerate() {
        let name = format!("recscope_moved_{number}");
        names.push(format!("CAST(${name} AS VARCHAR)"));
        rows.params.push((name, SqlValue::Text(query.to_owned())));
    }
    let column = quote_ident(rows.roles.query.as_deref().unwrap_or_default());
    let here = format!("CAST({column} AS VARCHAR) IN ({})", names.join(", "));
    rows.filter = Some(match &rows.filter {
        Some(filter) => format!("({filter}) AND {here}"),
        None => here,
    });
    rows
}

/// One row per list that moved: `query, [user], run, metric, baseline, value, delta, baseline_top, top,
/// predicate`; a top reads `item (gain)`, and `item (–)` where it is not judged.
pub fn queries_batch(table: &CompareTable) -> Result<RecordBatch, ArrowError> {
    let moved = &table.moved;
    let text = |get: &dyn Fn(&Moved) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(moved.iter().map(get)))
    };
    let number = |get: fn(&Moved) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(moved.iter().map(get)))
    };
    let mut columns = vec![("query", text(&|list| list.query.clone()))];
    if moved.iter().any(|list| list.user.is_some()) {
        columns.push(("user", Arc::new(moved.iter().map(|list| list.user.clone()).collect::<StringArray>())));
    }
    columns.extend([
        ("run", text(&|list| list.run.clone())),
        ("metric", text(&|list| list.metric.clone())),
        ("baseline", number(|list| list.baseline)),
        ("value", number(|list| list.value)),
        ("delta", number(Moved::delta)),
        ("baseline_top", text(&|list| in_words(&list.baseline_top))),
        ("top", text(&|list| in_words(&list.top))),
        ("predicate", text(&|list| list.predicate.clone())),
    ]);
    batch(columns)
}

/// One row per list that moved and rank, both lists side by side: `query, run, metric, delta, rank,
/// baseline_item, baseline_gain, item, gain, was, predicate`; `was` is the item's rank in the baseline's
/// top, NULL where it was not there.
pub fn lists_batch(table: &CompareTable) -> Result<RecordBatch, ArrowError> {
    let mut places: Vec<(&Moved, usize)> = Vec::new();
    for list in &table.moved {
        places.extend((0..list.baseline_top.len().max(list.top.len())).map(|rank| (list, rank)));
    }
    let text = |get: &dyn Fn(&Moved) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(places.iter().map(|(list, _)| get(list))))
    };
    let item = |side: fn(&Moved) -> &Vec<TopItem>| -> ArrayRef {
        let items = places.iter().map(|(list, rank)| side(list).get(*rank)?.item.clone());
        Arc::new(items.collect::<StringArray>())
    };
    let gain = |side: fn(&Moved) -> &Vec<TopItem>| -> ArrayRef {
        Arc::new(places.iter().map(|(list, rank)| side(list).get(*rank)?.gain).collect::<Float64Array>())
    };
    let was = places.iter().map(|(list, rank)| {
        let item = list.top.get(*rank)?.item.as_ref()?;
        let before = list.baseline_top.iter().position(|place| place.item.as_ref() == Some(item))?;
        Some(before as u32 + 1)
    });
    let rank = UInt32Array::from_iter_values(places.iter().map(|(_, rank)| *rank as u32 + 1));
    batch(vec![
        ("query", text(&|list| list.query.clone())),
        ("run", text(&|list| list.run.clone())),
        ("metric", text(&|list| list.metric.clone())),
        ("delta", Arc::new(Float64Array::from_iter_values(places.iter().map(|(list, _)| list.delta())))),
        ("rank", Arc::new(rank)),
        ("baseline_item", item(|list| &list.baseline_top)),
        ("baseline_gain", gain(|list| &list.baseline_top)),
        ("item", item(|list| &list.top)),
        ("gain", gain(|list| &list.top)),
        ("was", Arc::new(was.collect::<UInt32Array>())),
        ("predicate", text(&|list| list.predicate.clone())),
    ])
}

fn in_words(top: &[TopItem]) -> String {
    let place = |place: &TopItem| {
        let gain = place.gain.map_or_else(|| "–".to_owned(), figures::number);
        format!("{} ({gain})", place.item.as_deref().unwrap_or("?"))
    };
    top.iter().map(place).collect::<Vec<_>>().join(", ")
}

/// Named columns as a batch; texts that are never missing are not nullable.
pub(super) fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, ArrowError> {
    let field = |(name, column): &(&str, ArrayRef)| {
        let nullable = column.data_type() != &DataType::Utf8 || column.null_count() > 0;
        Field::new(*name, column.data_type().clone(), nullable)
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())
}
