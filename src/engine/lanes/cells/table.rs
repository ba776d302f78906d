//! Rows that were computed outside of SQL become a cell's relation, all at once: whoever looks sees
//! the old rows or the new ones.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;

use crate::engine::lanes::dialect::relation_info;
use crate::engine::lanes::progress::Work;
use crate::engine::store::{HIDDEN, StoreError};
use crate::protocol::{Problem, ProblemKind, RelationInfo};

/// Replaces the relation `cell`.
pub(super) fn keep(work: &Work, cell: &str, rows: &RecordBatch) -> Result<RelationInfo, StoreError> {
    let aside = format!("{HIDDEN}{cell}_new");
    work.connection.create_table(&aside, rows.schema_ref())?;
    if rows.num_rows() > 0 {
        work.connection.append(&aside, rows)?;
    }
    work.connection.rename(&aside, cell)?;
    Ok(relation_info(&work.connection.describe(cell)?, work.workspace))
}

/// A column as texts, whatever its type; blank ones as they are, NULL as `None`.
pub(super) fn texts(rows: &RecordBatch, column: &str) -> Result<Vec<Option<String>>, Problem> {
    let array = find(rows, column)?;
    let array = match array.data_type() {
        DataType::Utf8 => array.clone(),
        _ => cast(array, &DataType::Utf8).map_err(|e| {
            Problem::new(ProblemKind::Data, format!("column {column} cannot be read as text: {e}"))
                .hint("cast it in an SQL cell, e.g. column::VARCHAR")
        })?,
    };
    let strings = array.as_string::<i32>();
    Ok((0..strings.len()).map(|i| (!strings.is_null(i)).then(|| strings.value(i).to_owned())).collect())
}

fn find<'b>(rows: &'b RecordBatch, column: &str) -> Result<&'b ArrayRef, Problem> {
    let schema = rows.schema_ref();
    let at = schema.fields().iter().position(|f| f.name().eq_ignore_ascii_case(column));
    at.map(|at| rows.column(at))
        .ok_or_else(|| Problem::new(ProblemKind::Data, format!("there is no column {column}")))
}
