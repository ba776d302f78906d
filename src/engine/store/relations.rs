//! What relations there are: their columns, where they live, how many rows they have.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::{CELLS, Connection, ErrorKind, HIDDEN, Result, SOURCES, SqlValue, StoreError, quote_ident};
use crate::util::cancel::Cancel;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnInfo {
    pub name: String,
    /// DuckDB's name of the type, e.g. `VARCHAR`, `DECIMAL(18,3)`.
    pub sql_type: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelationKind {
    Cell,
    Source,
}

/// A relation that cells can read by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub name: String,
    pub kind: RelationKind,
    /// `None` where counting would read the files.
    pub rows: Option<u64>,
    pub columns: Vec<ColumnInfo>,
}

/// Where a name leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) kind: RelationKind,
    /// Quoted and fully qualified.
    pub(crate) path: String,
    /// A table has row ids and a count for nothing; a view has neither.
    pub(crate) table: bool,
    /// Counting reads no rows: a table, or files whose format holds a count.
    pub(crate) counted: bool,
    /// Of a table.
    pub(crate) rows: Option<u64>,
    /// Changes whenever the relation is replaced.
    pub(crate) oid: u64,
}

/// Columns by path and oid; shared by all connections.
pub(crate) type ColumnCache = Mutex<HashMap<(String, u64), Vec<ColumnInfo>>>;

impl Connection {
    /// All relations that a cell may name, cells first, each by name. Columns included.
    pub fn relations(&self) -> Result<Vec<Relation>> {
        let found = self.listed(None)?;
        found.into_iter().filter(|f| !f.name.starts_with(HIDDEN)).map(|f| self.relation(f)).collect()
    }

    /// One relation. An unknown name is an error that suggests the nearest.
    pub fn describe(&self, name: &str) -> Result<Relation> {
        let found = self.find(name)?;
        self.relation(found)
    }

    /// Exact number of rows; reads the files of a source where their format holds no count.
    pub fn count(&self, name: &str, cancel: &Cancel) -> Result<u64> {
        let found = self.find(name)?;
        self.counted(&found, cancel)
    }

    /// The number of rows where it is known, or costs no reading of rows.
    pub fn count_if_cheap(&self, name: &str, cancel: &Cancel) -> Result<Option<u64>> {
        let found = self.find(name)?;
        if found.counted { self.counted(&found, cancel).map(Some) } else { Ok(None) }
    }

    /// Whether a cell's result of this name is there.
    pub fn has_cell(&self, name: &str) -> Result<bool> {
        if self.shared.catalog.get(name).is_some_and(|found| found.kind == RelationKind::Cell) {
            return Ok(true);
        }
        Ok(self.listed(Some(name))?.iter().any(|f| f.kind == RelationKind::Cell))
    }

    pub(crate) fn find(&self, name: &str) -> Result<Found> {
        if let Some(found) = self.shared.catalog.get(name) {
            return Ok(found);
        }
        let changes = self.shared.catalog.changes();
        if let Some(found) = self.listed(Some(name))?.into_iter().next() {
            self.shared.catalog.learn(&found, changes);
            return Ok(found);
        }
        let error = StoreError::new(ErrorKind::Catalog, format!("there is no cell or source named {name}"));
        let known: Vec<String> = self.listed(None)?.into_iter().map(|f| f.name).collect();
        let visible: Vec<&str> =
            known.iter().map(String::as_str).filter(|n| !n.starts_with(HIDDEN)).collect();
        Err(match visible.is_empty() {
            true => error.hint("run the cell, or name a source in the front matter"),
            false => error.hint(format!("there are: {}", visible.join(", "))),
        })
    }

    /// Relations of that name (all if `None`), cells before sources.
    fn listed(&self, name: Option<&str>) -> Result<Vec<Found>> {
        let sql = super::query("store/relations")?.text();
        let name = name.map_or(SqlValue::Null, SqlValue::from);
        let mut statement = self.raw.prepare_cached(&sql)?;
        let mut rows = statement.query([&name])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let database: String = row.get(0)?;
            let name: String = row.get(1)?;
            let kind = if database == CELLS { RelationKind::Cell } else { RelationKind::Source };
            let path = format!("{}.main.{}", quote_ident(&database), quote_ident(&name));
            let (table, oid, counted, rows) = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
            found.push(Found { name, kind, path, table, counted, rows, oid });
        }
        debug_assert!(found.iter().all(|f| f.path.contains(CELLS) || f.path.contains(SOURCES)));
        Ok(found)
    }

    pub(crate) fn relation(&self, found: Found) -> Result<Relation> {
        Ok(Relation { rows: found.rows, columns: self.columns(&found)?, name: found.name, kind: found.kind })
    }

    /// Looked up once per version of a relation: asking a view opens its files.
    pub(crate) fn columns(&self, found: &Found) -> Result<Vec<ColumnInfo>> {
        let key = (found.path.clone(), found.oid);
        if let Some(known) = self.shared.columns.lock().get(&key) {
            return Ok(known.clone());
        }
        let columns = self.columns_of(&format!("FROM {}", found.path))?;
        let mut cache = self.shared.columns.lock();
        // One version of a relation is enough.
        cache.retain(|(path, _), _| *path != found.path);
        cache.insert(key, columns.clone());
        Ok(columns)
    }

    /// Names and types of a query's columns, without running it.
    pub(crate) fn columns_of(&self, query: &str) -> Result<Vec<ColumnInfo>> {
        let mut statement = self.raw.prepare(&format!("DESCRIBE {query}"))?;
        let mut rows = statement.query([])?;
        let mut columns = Vec::new();
        while let Some(row) = rows.next()? {
            columns.push(ColumnInfo { name: row.get(0)?, sql_type: row.get(1)? });
        }
        Ok(columns)
    }
}
