//! The seam to the database: analysis names a registered statement (`queries/<family>/<name>.sql`)
//! and gets Arrow rows back. Implemented over `engine::store` in `engine::lanes`.

use std::path::PathBuf;

use arrow::record_batch::RecordBatch;

/// A value bound to a `$name` parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// What fills a registered statement: `{name}` slots take identifiers (quoted by the registry, a
/// list becomes `"a", "b"`), `{{name}}`-free SQL expressions go in `exprs` (only text that the
/// notebook's author wrote, e.g. a `where`), `$name` parameters take values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bindings {
    pub idents: Vec<(String, Vec<String>)>,
    pub exprs: Vec<(String, String)>,
    pub values: Vec<(String, SqlValue)>,
}

impl Bindings {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn ident(mut self, name: &str, ident: impl Into<String>) -> Self {
        self.idents.push((name.into(), vec![ident.into()]));
        self
    }

    pub fn idents(mut self, name: &str, idents: Vec<String>) -> Self {
        self.idents.push((name.into(), idents));
        self
    }

    pub fn expr(mut self, name: &str, sql: impl Into<String>) -> Self {
        self.exprs.push((name.into(), sql.into()));
        self
    }

    pub fn value(mut self, name: &str, value: SqlValue) -> Self {
        self.values.push((name.into(), value));
        self
    }
}

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
