//! The analysis' wish to run registered SQL, on one connection: for subcommands without an engine.

use arrow::record_batch::RecordBatch;

use super::Failure;
use crate::analysis::{AnalysisError, Bindings, Queries, QueryError, SqlValue};
use crate::engine::store::{Connection, Fill, Flow, StoreError, Value};
use crate::util::cancel::Cancel;

pub(super) struct OneConnection<'a> {
    pub connection: &'a Connection,
    pub cancel: &'a Cancel,
}

impl Queries for OneConnection<'_> {
    fn rows(&mut self, id: &str, bindings: &Bindings) -> Result<RecordBatch, QueryError> {
        self.connection.registered_rows(id, &fill(bindings), self.cancel).map_err(query_error)
    }

    fn stream(
        &mut self,
        id: &str,
        bindings: &Bindings,
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let mut failed = None;
        let taken = |rows| {
            Ok(each(&rows).map_or_else(
                |error| {
                    failed = Some(error);
                    Flow::Break(())
                },
                Flow::Continue,
            ))
        };
        self.connection.registered_stream(id, &fill(bindings), self.cancel, taken).map_err(query_error)?;
        failed.map_or(Ok(()), Err)
    }

    fn run(&mut self, id: &str, bindings: &Bindings) -> Result<(), QueryError> {
        self.connection.registered_run(id, &fill(bindings), self.cancel).map(|_| ()).map_err(query_error)
    }
}

fn fill(bindings: &Bindings) -> Fill {
    let value = |value: &SqlValue| match value {
        SqlValue::Null => Value::Null,
        SqlValue::Bool(value) => Value::Bool(*value),
        SqlValue::Int(value) => Value::Int(*value),
        SqlValue::Float(value) => Value::Float(*value),
        SqlValue::Text(value) => Value::Text(value.clone()),
    };
    Fill {
        idents: bindings.idents.clone(),
        exprs: bindings.exprs.clone(),
        values: bindings.values.iter().map(|(name, v)| (name.clone(), value(v))).collect(),
    }
}

fn query_error(error: StoreError) -> QueryError {
    if error.is_cancelled() { QueryError::Cancelled } else { QueryError::Failed(error.to_string()) }
}

pub(super) fn query_failure(error: QueryError) -> Failure {
    match error {
        QueryError::Cancelled => StoreError::cancelled().into(),
        QueryError::Failed(message) => Failure::data(message),
    }
}

pub(super) fn analysis_failure(error: AnalysisError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint.to_string()),
        None => failure,
    }
}
