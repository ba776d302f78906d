//! What there is to say of a source beside its rows: rows that a reader leaves out, and columns that the names of
//! folders take the place of.

use std::path::Path;

use super::super::{ColumnInfo, Connection, Flow, Result, quote_ident};
use super::files::Files;
use super::register::reader;
use super::{SourceFormat, SourceSpec};
use crate::terms::SqlValue;
use crate::util::cancel::Cancel;
use crate::util::{figures, sanitise};

impl Connection {
    /// Rows that `ignore_errors` leaves out, counted by reading everything once.
    pub(super) fn left_out(
        &self,
        spec: &SourceSpec,
        files: &Files,
        columns: &[ColumnInfo],
        cancel: &Cancel,
    ) -> Result<Option<String>> {
        if !spec.ignore_errors || columns.is_empty() {
            return Ok(None);
        }
        Ok(match files.format {
            SourceFormat::Csv => {
                let rows = self.rejected(spec, files, cancel)?;
                let rows_are = figures::plural(rows, "row does", "rows do");
                Some(format!(
                    "{rows_are} not fit and {} left out (ignore_errors)",
                    if rows == 1 { "is" } else { "are" }
                ))
                .filter(|_| rows > 0)
            }
            SourceFormat::Json => {
                let empty: Vec<String> =
                    columns.iter().map(|column| format!("{} IS NULL", quote_ident(&column.name))).collect();
                let sql = format!(
                    "SELECT count(*)::UBIGINT FROM {} WHERE {}",
                    reader(spec, files)?,
                    empty.join(" AND ")
                );
                let rows = self.number(&sql, &[], cancel)?;
                Some(format!(
                    "{} could not be read, or hold nothing, and are rows of NULL (ignore_errors)",
                    figures::plural(rows, "JSON object", "JSON objects")
                ))
                .filter(|_| rows > 0)
            }
            SourceFormat::Parquet | SourceFormat::DuckDb => None,
        })
    }

    /// Lines that do not become rows when every column is read.
    fn rejected(&self, spec: &SourceSpec, files: &Files, cancel: &Cancel) -> Result<u64> {
        let all = reader(&SourceSpec { ignore_errors: false, ..spec.clone() }, files)?;
        let from = format!("{}, store_rejects = true, rejects_limit = 0)", all.trim_end_matches(')'));
        // What is not asked for is not converted, and does not fail to be.
        let read = self
            .stream(&format!("SELECT hash(COLUMNS(*)) FROM {from}"), &[], cancel, |_| Ok(Flow::Continue(())));
        let count = "SELECT count(*)::UBIGINT FROM (SELECT DISTINCT file_id, line FROM reject_errors)";
        let rows = read.and_then(|_| self.number(count, &[], cancel));
        for table in ["reject_errors", "reject_scans"] {
            self.execute(&format!("DROP TABLE IF EXISTS {table}"), &[], &Cancel::new())?;
        }
        rows
    }

    /// Columns of the files themselves that are hidden by folders named like them (`dt=2026-11-01`).
    pub(super) fn hidden_by_folders(
        &self,
        spec: &SourceSpec,
        files: &Files,
        cancel: &Cancel,
    ) -> Result<Option<String>> {
        let said = spec.more.iter().any(|(name, _)| name == "hive_partitioning");
        if said || files.remote || !(files.many || files.paths.iter().any(|path| path.contains('='))) {
            return Ok(None);
        }
        let first = self.matching(files.paths.iter())?.into_iter().next();
        let keys = first.as_deref().map(folder_keys).unwrap_or_default();
        if keys.is_empty() {
            return Ok(None);
        }
        let mut own = spec.clone();
        own.more.push(("hive_partitioning".into(), SqlValue::Bool(false)));
        let own = self.columns_of_reader(&reader(&own, files)?, files, cancel)?;
        let hidden = own.iter().filter(|c| keys.iter().any(|key| key.eq_ignore_ascii_case(&c.name)));
        let hidden: Vec<String> = hidden.map(|c| sanitise::line(&c.name).into_owned()).collect();
        Ok((!hidden.is_empty()).then(|| {
            format!(
                "the names of the folders ({}=...) take the place of the files' own column {}; \
                 `hive_partitioning: false` among the source's options reads the files'",
                hidden[0],
                hidden.join(", ")
            )
        }))
    }
}

/// Names before `=` in the folders of a file.
fn folder_keys(file: &Path) -> Vec<String> {
    let folders = file.parent().into_iter().flat_map(Path::components);
    let names = folders.map(|part| part.as_os_str().to_string_lossy().into_owned());
    names.filter_map(|name| name.split_once('=').map(|(key, _)| key.to_owned())).collect()
}
