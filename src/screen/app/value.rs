//! One value of a page: what it is, how it is written on screen and how it is written in SQL.

use crate::terms::{quote_ident, quote_text};
use crate::util::figures;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};

#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i128),
    Float(f64),
    Text(String),
    /// A number of a type that has no exact Rust number (DECIMAL, HUGEINT).
    Number(String),
}

pub fn value_at(array: &ArrayRef, row: usize) -> Value {
    if row >= array.len() || array.is_null(row) {
        return Value::Null;
    }
    let int = |n: i64| Value::Int(i128::from(n));
    match array.data_type() {
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Int8 => int(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => int(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => int(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => int(array.as_primitive::<Int64Type>().value(row)),
        DataType::UInt8 => int(array.as_primitive::<UInt8Type>().value(row).into()),
        DataType::UInt16 => int(array.as_primitive::<UInt16Type>().value(row).into()),
        DataType::UInt32 => int(array.as_primitive::<UInt32Type>().value(row).into()),
        DataType::UInt64 => Value::Int(array.as_primitive::<UInt64Type>().value(row).into()),
        DataType::Float32 => Value::Float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => Value::Text(array.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Value::Text(array.as_string::<i64>().value(row).to_owned()),
        DataType::Utf8View => Value::Text(array.as_string_view().value(row).to_owned()),
        other => {
            let number = matches!(other, DataType::Decimal128(..) | DataType::Decimal256(..));
            let text = ArrayFormatter::try_new(array.as_ref(), &FormatOptions::default())
                .and_then(|f| f.value(row).try_to_string())
                .unwrap_or_else(|e| format!("unreadable: {e}"));
            if number { Value::Number(text) } else { Value::Text(text) }
        }
    }
}

impl Value {
    /// As the grid and the record show it; NULL is written, never left blank.
    pub fn shown(&self) -> String {
        match self {
            Value::Null => "NULL".into(),
            Value::Bool(b) => if *b { "yes" } else { "no" }.into(),
            Value::Int(n) => n.to_string(),
            Value::Float(x) => figures::number(*x),
            Value::Text(t) | Value::Number(t) => t.clone(),
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(*n as f64),
            Value::Float(x) => Some(*x),
            Value::Number(t) => t.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Text(_) => None,
        }
    }

    /// A SQL predicate that holds where `column` has this value.
    pub fn equals(&self, column: &str) -> String {
        match self {
            Value::Null => format!("{} IS NULL", quote_ident(column)),
            _ => format!("{} = {}", quote_ident(column), self.literal()),
        }
    }

    /// As SQL writes it.
    pub fn literal(&self) -> String {
        match self {
            Value::Null => "NULL".into(),
            Value::Bool(b) => b.to_string(),
            Value::Int(n) => n.to_string(),
            Value::Float(x) if x.is_finite() => format!("{x:?}"),
            Value::Float(x) => format!("'{x}'::DOUBLE"),
            Value::Number(t) => t.clone(),
            Value::Text(t) => quote_text(t),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_quote_names_and_values() {
        assert_eq!(Value::Text("it's".into()).equals("a \"b\""), "\"a \"\"b\"\"\" = 'it''s'");
        assert_eq!(Value::Null.equals("q"), "\"q\" IS NULL");
        assert_eq!(Value::Int(7).equals("q"), "\"q\" = 7");
        assert_eq!(Value::Float(0.1).equals("q"), "\"q\" = 0.1");
    }
}
