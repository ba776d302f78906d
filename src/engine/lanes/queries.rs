//! The analysis' seam to the database, over one connection of the store.

use std::path::PathBuf;

use arrow::record_batch::RecordBatch;

use crate::analysis::{Queries, QueryError};
use crate::engine::store::{Connection, Flow, StoreError};
use crate::terms::Bindings;
use crate::util::cancel::Cancel;

/// Runs registered statements on one connection; also for subcommands without an engine.
pub struct StoreQueries<'a> {
    pub connection: &'a Connection,
    pub cancel: &'a Cancel,
}

impl Queries for StoreQueries<'_> {
    fn rows(&mut self, id: &str, bindings: &Bindings) -> Result<RecordBatch, QueryError> {
        self.connection.registered_rows(id, bindings, self.cancel).map_err(query_error)
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
        self.connection.registered_stream(id, bindings, self.cancel, taken).map_err(query_error)?;
        failed.map_or(Ok(()), Err)
    }

    fn run(&mut self, id: &str, bindings: &Bindings) -> Result<(), QueryError> {
        self.connection.registered_run(id, bindings, self.cancel).map(|_| ()).map_err(query_error)
    }

    fn spill_folder(&self) -> PathBuf {
        self.connection.spill_folder().to_owned()
    }
}

fn query_error(error: StoreError) -> QueryError {
    if error.is_cancelled() { QueryError::Cancelled } else { QueryError::Failed(error.to_string()) }
}
