//! The rows that a scoring job begins with: those that have the texts of rows somebody looks at.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::record_batch::RecordBatch;

use super::super::inputs::text_columns;
use super::super::stretch::Stretch;
use super::super::table::texts;
use super::super::{Stop, Work};
use super::Names;
use crate::engine::store::HIDDEN;
use crate::notebook::spec::ScoreSpec;
use crate::protocol::{Problem, ProblemKind};
use crate::terms::PageSpec;

/// Rows that are looked at, at most, and rows that have their texts.
const LOOKED_AT: u32 = 200;
const MOST: u64 = 4096;

/// No rows where nobody looks at any, or where they cannot be found: then all come in their order.
pub(super) fn rows(work: &Work, spec: &ScoreSpec, names: &Names) -> Stretch {
    let Some(looked_at) = work.first else { return Stretch::default() };
    let like = format!("{HIDDEN}{}_first", work.cell);
    let found = find(work, spec, names, looked_at, &like);
    if let Err(error) = work.connection.drop_cell(&like) {
        tracing::warn!("{like} not dropped: {error}");
    }
    found.unwrap_or_else(|stop| {
        tracing::debug!("{} has no rows to begin with: {}", work.cell, stop.problem);
        Stretch::default()
    })
}

fn find(
    work: &Work,
    spec: &ScoreSpec,
    names: &Names,
    looked_at: &PageSpec,
    like: &str,
) -> Result<Stretch, Stop> {
    let columns: Vec<String> = text_columns(&spec.text).into_iter().cloned().collect();
    let page = PageSpec {
        relation: looked_at.relation.clone(),
        offset: looked_at.offset,
        limit: looked_at.limit.min(LOOKED_AT),
        filter: looked_at.filter.clone(),
        order: looked_at.order.clone(),
        columns: Some(columns.clone()),
    };
    let page = work.connection.page(&page, &work.workspace.values, work.cancel)?.batch;
    let wanted = columns.iter().map(|column| {
        let texts = texts(&page, column)?;
        Ok(Arc::new(StringArray::from(texts)) as ArrayRef)
    });
    let wanted = wanted.collect::<Result<Vec<_>, Problem>>()?;
    let fields = columns.iter().map(|column| Field::new(column, DataType::Utf8, true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let wanted = RecordBatch::try_new(Arc::clone(&schema), wanted).map_err(bug)?;
    work.connection.create_table(like, &schema)?;
    work.connection.append(like, &wanted)?;
    let found = work.connection.rows_of_texts(&names.rows, like, &columns, MOST, work.cancel)?;

    let rows = found.columns().first().and_then(|rows| rows.as_primitive_opt::<Int64Type>());
    let rows = rows.ok_or_else(|| bug("row ids are no whole numbers"))?;
    let rows: Vec<u64> = rows.iter().flatten().map(|row| row as u64).collect();
    let mut sides = columns.iter().map(|column| texts(&found, column));
    let first = sides.next().transpose()?.unwrap_or_default();
    let second = sides.next().transpose()?.unwrap_or_default();
    Ok(Stretch { rows: Arc::new(rows), first, second })
}

fn bug(what: impl ToString) -> Problem {
    Problem::new(ProblemKind::Bug, what.to_string())
}
