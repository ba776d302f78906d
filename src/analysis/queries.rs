//! The seam to the database: analysis names a registered statement (`queries/<family>/<name>.sql`)
//! and gets Arrow rows back. Implemented over `engine::store` in `engine::lanes`.

use std::path::PathBuf;

use arrow::record_batch::RecordBatch;

use crate::terms::Bindings;

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum QueryError {
    #[error("cancelled")]
    Cancelled,
    #[error("{0}")]
    Failed(String),
}

/// Runs registered statements.
pub trait Queries {
    /// Runs `queries/<id>.sql` (id = `family/name`) and collects its rows into one batch with the
    /// columns that the statement's header promises. For results that fit in memory.
    fn rows(&mut self, id: &str, bindings: &Bindings) -> Result<RecordBatch, QueryError>;

    /// Runs `queries/<id>.sql` and hands its rows over batch by batch, in order; few are held.
    fn stream(
        &mut self,
        id: &str,
        bindings: &Bindings,
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError>;

    /// Runs a registered statement for its effect (CREATE TEMP TABLE ...).
    fn run(&mut self, id: &str, bindings: &Bindings) -> Result<(), QueryError>;

    /// Where intermediate results that are too many for memory may wait, in files without a name.
    fn spill_folder(&self) -> PathBuf {
        std::env::temp_dir()
    }
}
