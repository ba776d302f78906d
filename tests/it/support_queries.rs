//! The analysis' seam to the database over the real store, as the engine's lanes have it.

use std::path::Path;

use arrow::record_batch::RecordBatch;
use recscope::analysis::{Bindings, Queries, QueryError};
use recscope::engine::lanes::StoreQueries;
use recscope::engine::store::{Connection, SourceSpec, Store, StoreOptions};
use recscope::util::cancel::Cancel;

pub struct Database {
    connection: Connection,
    never: Cancel,
    _store: Store,
}

impl Database {
    pub fn new() -> Self {
        Self::with(1 << 30, 1)
    }

    /// With DuckDB's memory limited to so many bytes.
    pub fn with(memory_limit: u64, threads: usize) -> Self {
        let options = StoreOptions { memory_limit, threads, ..StoreOptions::default() };
        let store = Store::open(&options).unwrap();
        Self { connection: store.connect().unwrap(), never: Cancel::new(), _store: store }
    }

    /// Makes the relation `name` of a query.
    pub fn make(&self, name: &str, sql: &str) {
        self.connection.materialise(name, sql, &[], &Cancel::new()).unwrap();
    }

    /// Makes the relation `name` of a file.
    pub fn file(&self, name: &str, path: &Path) {
        let spec = SourceSpec::path(path.to_string_lossy());
        self.connection.register_source(name, &spec, Path::new("/"), &Cancel::new()).unwrap();
    }

    pub fn sql(&self, sql: &str) -> RecordBatch {
        self.connection.rows(sql, &[], &Cancel::new()).unwrap()
    }
}

impl Database {
    fn queries(&self) -> StoreQueries<'_> {
        StoreQueries { connection: &self.connection, cancel: &self.never }
    }
}

impl Queries for Database {
    fn rows(&mut self, id: &str, bindings: &Bindings) -> Result<RecordBatch, QueryError> {
        self.queries().rows(id, bindings)
    }

    fn stream(
        &mut self,
        id: &str,
        bindings: &Bindings,
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        self.queries().stream(id, bindings, each)
    }

    fn run(&mut self, id: &str, bindings: &Bindings) -> Result<(), QueryError> {
        self.queries().run(id, bindings)
    }
}
