//! The analysis' seam to the database over the real store, as the engine's lanes have it.

use std::path::Path;

use arrow::record_batch::RecordBatch;
use recscope::analysis::{Bindings, Queries, QueryError, SqlValue};
use recscope::engine::store::{Connection, Fill, Flow, SourceSpec, Store, StoreError, StoreOptions, Value};
use recscope::util::cancel::Cancel;

pub struct Database {
    connection: Connection,
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
        Self { connection: store.connect().unwrap(), _store: store }
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

fn fill(bindings: &Bindings) -> Fill {
    let value = |(name, value): &(String, SqlValue)| {
        let value = match value {
            SqlValue::Null => Value::Null,
            SqlValue::Bool(flag) => Value::Bool(*flag),
            SqlValue::Int(number) => Value::Int(*number),
            SqlValue::Float(number) => Value::Float(*number),
            SqlValue::Text(text) => Value::Text(text.clone()),
        };
        (name.clone(), value)
    };
    Fill {
        idents: bindings.idents.clone(),
        exprs: bindings.exprs.clone(),
        values: bindings.values.iter().map(value).collect(),
    }
}

fn query_error(error: StoreError) -> QueryError {
    if error.is_cancelled() { QueryError::Cancelled } else { QueryError::Failed(error.to_string()) }
}

impl Queries for Database {
    fn rows(&mut self, id: &str, bindings: &Bindings) -> Result<RecordBatch, QueryError> {
        self.connection.registered_rows(id, &fill(bindings), &Cancel::new()).map_err(query_error)
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
        self.connection.registered_stream(id, &fill(bindings), &Cancel::new(), taken).map_err(query_error)?;
        failed.map_or(Ok(()), Err)
    }

    fn run(&mut self, id: &str, bindings: &Bindings) -> Result<(), QueryError> {
        self.connection.registered_run(id, &fill(bindings), &Cancel::new()).map(|_| ()).map_err(query_error)
    }
}
