//! How a bound value goes to the database.

use crate::terms::SqlValue;
use duckdb::types::{ToSql, ToSqlOutput, Value as DuckValue};

/// Names without `$`, and their values. A name that the statement does not use is ignored.
pub type Params = [(String, SqlValue)];

impl ToSql for SqlValue {
    fn to_sql(&self) -> duckdb::Result<ToSqlOutput<'_>> {
        Ok(match self {
            SqlValue::Null => ToSqlOutput::Owned(DuckValue::Null),
            SqlValue::Bool(b) => ToSqlOutput::Owned(DuckValue::Boolean(*b)),
            SqlValue::Int(i) => ToSqlOutput::Owned(DuckValue::BigInt(*i)),
            SqlValue::Float(x) => ToSqlOutput::Owned(DuckValue::Double(*x)),
            SqlValue::Text(s) => ToSqlOutput::from(s.as_str()),
        })
    }
}
