//! Values bound to `$name` parameters. The same variants as the analysis' own value type, so that
//! the lanes convert without loss.

use duckdb::types::{ToSql, ToSqlOutput, Value as DuckValue};

/// A value bound to a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// Names without `$`, and their values. A name that the statement does not use is ignored.
pub type Params = [(String, Value)];

impl ToSql for Value {
    fn to_sql(&self) -> duckdb::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Value::Null => ToSqlOutput::Owned(DuckValue::Null),
            Value::Bool(b) => ToSqlOutput::Owned(DuckValue::Boolean(*b)),
            Value::Int(i) => ToSqlOutput::Owned(DuckValue::BigInt(*i)),
            Value::Float(x) => ToSqlOutput::Owned(DuckValue::Double(*x)),
            Value::Text(s) => ToSqlOutput::from(s.as_str()),
        })
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Value::Int(i)
    }
}

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        Value::Float(x)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Self {
        Value::Text(s.to_owned())
    }
}
