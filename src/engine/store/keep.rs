//! Cell results as Parquet files, for a later engine: rows in order, types as they were.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::source::SourceSpec;
use super::{
    CELLS, ColumnInfo, Connection, ErrorKind, Relation, Result, StoreError, quote_ident, quote_text,
};
use crate::util::cancel::Cancel;

impl Connection {
    /// Writes a cell's rows to a Parquet file.
    pub fn save_cell(&self, name: &str, path: &Path, cancel: &Cancel) -> Result<()> {
        let found = self.describe(name)?;
        let columns: Vec<String> = found.columns.iter().map(kept).collect();
        let sql = format!(
            "COPY (SELECT {} FROM {CELLS}.main.{}) TO {} (FORMAT parquet, COMPRESSION zstd)",
            columns.join(", "),
            quote_ident(name),
            quote_text(&path.to_string_lossy()),
        );
        self.execute(&sql, &[], cancel).map(|_| ())
    }

    /// Reads a cell's rows back, replacing a relation of that name; `types` are those it had.
    pub fn load_cell(
        &self,
        name: &str,
        path: &Path,
        types: &[ColumnInfo],
        cancel: &Cancel,
    ) -> Result<Relation> {
        // A sidecar may come from elsewhere: what it calls a type must be one.
        for kind in types.iter().map(|c| &c.sql_type).collect::<BTreeSet<_>>() {
            self.check_expr(&format!("CAST(NULL AS {kind})"), &[], cancel)?;
        }
        let column = |c: &ColumnInfo| {
            let name = quote_ident(&c.name);
            format!("CAST({name} AS {}) AS {name}", c.sql_type)
        };
        let columns: Vec<String> = types.iter().map(column).collect();
        let sql = format!(
            "CREATE OR REPLACE TABLE {CELLS}.main.{} AS SELECT {} FROM read_parquet({})",
            quote_ident(name),
            columns.join(", "),
            quote_text(&path.to_string_lossy()),
        );
        let rows = self.execute(&sql, &[], cancel)?;
        let read = self.relation(self.shared.catalog.made(name, rows))?;
        if read.columns != types {
            self.drop_cell(name)?;
            return Err(StoreError::new(
                ErrorKind::Data,
                format!("the kept rows of {name} have other columns"),
            ));
        }
        Ok(read)
    }

    /// The files that a source now consists of, sorted; `None` for remote ones.
    pub fn source_files(&self, spec: &SourceSpec, base: &Path) -> Result<Option<Vec<PathBuf>>> {
        let Some(patterns) = super::source::local_patterns(spec, base)? else { return Ok(None) };
        let mut files = Vec::new();
        for pattern in patterns {
            let mut statement = self.raw.prepare("SELECT file FROM glob($1)")?;
            let mut rows = statement.query([pattern])?;
            while let Some(row) = rows.next()? {
                files.push(PathBuf::from(row.get::<_, String>(0)?));
            }
        }
        files.sort();
        Ok(Some(files))
    }
}

/// Parquet has no 128-bit integers and would make them inexact.
fn kept(column: &ColumnInfo) -> String {
    let name = quote_ident(&column.name);
    match column.sql_type.as_str() {
        "HUGEINT" | "UHUGEINT" => format!("CAST({name} AS DECIMAL(38, 0)) AS {name}"),
        _ => name,
    }
}
