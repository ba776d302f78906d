//! A family of goldens and its largest error, and the database that families share. No goldens here.

use std::cell::Cell;
use std::path::Path;

use super::super::Failure;
use super::super::queries::analysis_failure;
use crate::analysis::metrics::{MetricsRequest, MetricsTable, evaluate};
use crate::engine::lanes::StoreQueries;
use crate::engine::store::{Connection, SourceSpec, Store, StoreOptions};
use crate::util::cancel::Cancel;

/// A family as it should be: what goldens it has, and how many figures they hold. Fewer figures are goldens
/// that somebody emptied or cut, and more ones that nobody counted.
#[derive(Debug)]
pub(super) struct Expected {
    /// As `--skip` takes it.
    pub id: &'static str,
    pub name: &'static str,
    pub tolerance: f64,
    pub figures: usize,
    /// Needs `--shared`.
    pub shared: bool,
}

/// Goldens of one origin.
#[derive(Debug, Clone, Default)]
pub(super) struct Family {
    pub id: &'static str,
    pub name: String,
    pub figures: usize,
    /// How many there should be.
    pub expected: usize,
    /// Absolute; infinite where a value is missing, or there where none should be.
    pub largest: f64,
    pub tolerance: f64,
    /// Where the largest error is.
    pub at: String,
    /// Why nothing was computed, where that was asked for.
    pub skipped: Option<String>,
    /// Why nothing could be computed.
    pub missing: Option<String>,
}

impl Family {
    pub fn new(of: &Expected) -> Self {
        let Expected { id, name, tolerance, figures, shared: _ } = *of;
        Self { id, name: name.to_owned(), tolerance, expected: figures, ..Self::default() }
    }

    pub fn missing(of: &Expected, reason: impl Into<String>) -> Self {
        Self { missing: Some(reason.into()), ..Self::new(of) }
    }

    pub fn skipped(of: &Expected, reason: impl Into<String>) -> Self {
        Self { skipped: Some(reason.into()), ..Self::new(of) }
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

    /// Adds a list of figures beside its goldens; what one of them lacks is a figure without a golden.
    pub fn add_all(&mut self, found: &[f64], goldens: &[f64], at: impl Fn(usize) -> String) {
        for index in 0..found.len().max(goldens.len()) {
            self.add(found.get(index).copied(), goldens.get(index).copied(), || at(index));
        }
    }

    /// A family that compared nothing has not passed, nor has one that compared less than it should.
    pub fn ok(&self) -> bool {
        let whole = self.figures == self.expected && self.figures > 0;
        self.skipped.is_some() || (self.missing.is_none() && whole && self.largest <= self.tolerance)
    }

    /// What is wrong or right with it, in a few words.
    pub fn verdict(&self) -> String {
        if self.ok() {
            "ok".to_owned()
        } else if self.largest > self.tolerance {
            format!("ABOVE at {}", self.at)
        } else {
            format!("INCOMPLETE: {} figures should be compared", self.expected)
        }
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
        let path = std::path::absolute(path)
            .map_err(|e| Failure::resource(format!("no such folder as {}: {e}", path.display())))?;
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
