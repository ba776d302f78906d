//! Reading a registered statement's columns by name, whatever width DuckDB gave them.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, UInt64Type};
use arrow::record_batch::RecordBatch;

use super::AnalysisError;

/// Numbers; NULL is NaN.
pub(crate) fn floats(batch: &RecordBatch, name: &str) -> Result<Vec<f64>, AnalysisError> {
    let column = typed(batch, name, &DataType::Float64)?;
    let column = column.as_primitive::<Float64Type>();
    Ok(match column.null_count() {
        0 => column.values().to_vec(),
        _ => column.iter().map(|value| value.unwrap_or(f64::NAN)).collect(),
    })
}

/// Counts, numbers and hashes of things; NULL is 0.
pub(crate) fn counts(batch: &RecordBatch, name: &str) -> Result<Vec<u64>, AnalysisError> {
    let column = typed(batch, name, &DataType::UInt64)?;
    let column = column.as_primitive::<UInt64Type>();
    Ok(match column.null_count() {
        0 => column.values().to_vec(),
        _ => column.iter().map(Option::unwrap_or_default).collect(),
    })
}

/// Small numbers of lists, groups, items; NULL is 0.
pub(crate) fn numbers(batch: &RecordBatch, name: &str) -> Result<Vec<u32>, AnalysisError> {
    Ok(counts(batch, name)?.into_iter().map(|value| u32::try_from(value).unwrap_or(u32::MAX)).collect())
}

pub(crate) fn flags(batch: &RecordBatch, name: &str) -> Result<Vec<bool>, AnalysisError> {
    let column = typed(batch, name, &DataType::Boolean)?;
    Ok(column.as_boolean().iter().map(Option::unwrap_or_default).collect())
}

pub(crate) fn texts(batch: &RecordBatch, name: &str) -> Result<Vec<Option<String>>, AnalysisError> {
    let column = typed(batch, name, &DataType::Utf8)?;
    Ok(column.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect())
}

/// The one value of a one-row result.
pub(crate) fn one(batch: &RecordBatch, name: &str) -> Result<f64, AnalysisError> {
    Ok(floats(batch, name)?.first().copied().unwrap_or(f64::NAN))
}

/// The column as one of this type.
pub(crate) fn typed(
    batch: &RecordBatch,
    name: &str,
    wanted: &DataType,
) -> Result<std::sync::Arc<dyn Array>, AnalysisError> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| AnalysisError::Query(format!("a registered statement returns no column {name}")))?;
    cast(column, wanted).map_err(|error| AnalysisError::Query(format!("column {name}: {error}")))
}
