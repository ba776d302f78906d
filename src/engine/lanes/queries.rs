//! The analysis' seam to the database, over one connection of the store.

use arrow::record_batch::RecordBatch;

use super::dialect::bound_value;
use crate::analysis::{Bindings, Queries, QueryError};
use crate::engine::store::{Connection, Fill, StoreError};
use crate::util::cancel::Cancel;

pub(super) struct StoreQueries<'a> {
    pub connection: &'a Connection,
    pub cancel: &'a Cancel,
}

impl Queries for StoreQueries<'_> {
    fn rows(&mut self, id: &str, bindings: &Bindings) -> Result<RecordBatch, QueryError> {
        self.connection.registered_rows(id, &fill(bindings), self.cancel).map_err(failed)
    }

    fn run(&mut self, id: &str, bindings: &Bindings) -> Result<(), QueryError> {
        self.connection.registered_run(id, &fill(bindings), self.cancel).map(|_| ()).map_err(failed)
    }
}

fn fill(bindings: &Bindings) -> Fill {
    Fill {
        idents: bindings.idents.clone(),
        exprs: bindings.exprs.clone(),
        values: bindings.values.iter().map(|(name, v)| (name.clone(), bound_value(v))).collect(),
    }
}

fn failed(error: StoreError) -> QueryError {
    if error.is_cancelled() { QueryError::Cancelled } else { QueryError::Failed(error.to_string()) }
}
