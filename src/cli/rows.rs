//! Pages of rows as values of a report: numbers, booleans and texts; null is NULL alone, and a number that
//! JSON cannot say is its word: "NaN", "inf", "-inf".

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, UInt64Type};
use arrow::ipc::reader::StreamReader;
use serde_json::Value;

use crate::protocol::Page;
use crate::util::arrow_text::{number, short};

/// Longest text of a value in a report, in characters.
const TEXT_CHARS: usize = 100_000;

/// The rows of a page; `None` where its bytes are damaged.
pub fn rows(page: &Page) -> Option<Vec<Vec<Value>>> {
    let mut rows = Vec::new();
    for batch in StreamReader::try_new(page.ipc.as_slice(), None).ok()? {
        let batch = batch.ok()?;
        for row in 0..batch.num_rows() {
            rows.push(batch.columns().iter().map(|column| value(column, row)).collect());
        }
    }
    Some(rows)
}

fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).into(),
        kind if kind.is_integer() => {
            let one = cast(&column.slice(row, 1), &DataType::Int64).ok();
            one.map_or(Value::Null, |one| one.as_primitive::<Int64Type>().value(0).into())
        }
        // From its shortest text, so that a FLOAT of 0.1 is not 0.10000000149011612.
        DataType::Float16 | DataType::Float32 => {
            float(short(column, row, TEXT_CHARS).text.parse().unwrap_or(f64::NAN))
        }
        DataType::Float64 => float(number(column, row).unwrap_or(f64::NAN)),
        _ => Value::String(short(column, row, TEXT_CHARS).text),
    }
}

fn float(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or_else(|| Value::String(value.to_string()), Value::Number)
}
