//! A family of goldens and its largest error, and the database that families share. No goldens here.

use std::cell::Cell;
use std::path::Path;

use super::super::Failure;
use super::super::queries::analysis_failure;
use crate::analysis::metrics::{MetricsRequest, MetricsTable, evaluate};
use crate::engine::lanes::StoreQueries;
use crate::engine::store::{Connection, SourceSpec, Store, StoreOptions};
use crate::util::cancel::Cancel;

/// Goldens of one origin.
#[derive(Debug, Clone, Default)]
pub(super) struct Family {
    pub name: String,
    pub figures: usize,
    /// Absolute; infinite where a value is missing, or there where none should be.
    pub largest: f64,
    pub tolerance: f64,
    /// Where the largest error is.
    pub at: String,
    /// Why nothing was computed.
    pub skipped: Option<String>,
}

impl Family {
    pub fn new(name: impl Into<String>, tolerance: f64) -> Self {
        Self { name: name.into(), tolerance, ..Self::default() }
    }

    pub fn skipped(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { skipped: Some(reason.into()), ..Self::new(name, 0.0) }
    }

    /// Adds a figure beside its golden.
    pub fn add(&mut self, found: Option<f64>, golden: Option<f64>, at: impl FnOnce() -> String) {
        let error = match (found, golden) {
            (Some(found), Some(golden)) if (found - golden).is_finite() => (found - golden).abs(),
            (None, None) => 0.0,
            _ => f64::INFINITY,
        };
        self.figures += 1;
        if error > self.largest || self.at.is_empty() {
            self.largest = self.largest.max(error);
            self.at = at();
        }
    }

    /// A family that compared nothing has not passed.
    pub fn ok(&self) -> bool {
        self.skipped.is_some() || (self.figures > 0 && self.largest <= self.tolerance)
    }
}

/// A database in memory and a folder for small files.
pub(super) struct Session<'c> {
    connection: Connection,
    folder: tempfile::TempDir,
    pub cancel: &'c Cancel,
    named: Cell<usize>,
    _store: Store,
}

impl<'c> Session<'c> {
    pub fn new(cancel: &'c Cancel) -> Result<Self, Failure> {
        let store = Store::open(&StoreOptions::default())?;
        let folder =
            tempfile::tempdir().map_err(|e| Failure::resource(format!("no temporary folder: {e}")))?;
        Ok(Self { connection: store.connect()?, folder, cancel, named: Cell::new(0), _store: store })
    }

    /// A new relation of CSV text; its name.
    pub fn csv(&self, text: &str) -> Result<String, Failure> {
        let file = self.folder.path().join(format!("{}.csv", self.named.get()));
        std::fs::write(&file, text)
            .map_err(|e| Failure::resource(format!("cannot write {}: {e}", file.display())))?;
        self.file(&file)
    }

    /// A new relation of a file; its name.
    pub fn file(&self, path: &Path) -> Result<String, Failure> {
        let name = format!("golden{}", self.named.get());
        self.named.set(self.named.get() + 1);
        let spec = SourceSpec::path(path.to_string_lossy());
        self.connection.register_source(&name, &spec, Path::new("/"), self.cancel)?;
        Ok(name)
    }

    /// A new relation: `from` with the columns of `with`, joined by query and document.
    pub fn joined(&self, from: &str, with: &str) -> Result<String, Failure> {
        let name = format!("joined_{from}_{with}");
        let bindings =
            crate::analysis::Bindings::new().ident("out", &name).ident("from", from).ident("with", with);
        let mut queries = self.queries();
        crate::analysis::Queries::run(&mut queries, "eval/joined", &bindings)
            .map_err(super::super::queries::query_failure)?;
        Ok(name)
    }

    pub fn queries(&self) -> StoreQueries<'_> {
        StoreQueries { connection: &self.connection, cancel: self.cancel }
    }

    pub fn evaluate(&self, request: &MetricsRequest) -> Result<MetricsTable, Failure> {
        evaluate(&mut self.queries(), request, self.cancel, &mut |_, _| {}).map_err(analysis_failure)
    }
}
