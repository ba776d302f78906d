//! A cell's table as a file: Parquet, CSV or JSON lines, by the file's ending. Written whole or not
//! at all.

use std::path::{Path, PathBuf};

use super::{CELLS, Connection, ErrorKind, Result, StoreError, quote_ident, quote_text};
use crate::util::cancel::Cancel;

impl Connection {
    /// Writes the table of cell `name` to `path` in row order.
    pub fn export(&self, name: &str, path: &Path, cancel: &Cancel) -> Result<()> {
        let format = format_of(path)?;
        let partial = beside(path);
        let target = partial.to_str().ok_or_else(|| {
            StoreError::new(ErrorKind::Usage, format!("the path {} is not UTF-8", path.display()))
        })?;
        let table = format!("{CELLS}.main.{}", quote_ident(name));
        let sql = format!("COPY (FROM {table}) TO {} ({format})", quote_text(target));
        let done = self.execute(&sql, &[], cancel).map_err(StoreError::unplaced).and_then(|_| {
            std::fs::rename(&partial, path).map_err(|error| {
                StoreError::new(ErrorKind::Io, format!("cannot write {}: {error}", path.display()))
                    .hint("choose another path, or change the permissions")
            })
        });
        if done.is_err() {
            // Whatever was begun is of no use.
            let _ = std::fs::remove_file(&partial);
        }
        done
    }
}

fn format_of(path: &Path) -> Result<&'static str> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    match ending.as_str() {
        "parquet" => Ok("FORMAT parquet"),
        "csv" => Ok("FORMAT csv, HEADER"),
        "json" | "jsonl" | "ndjson" => Ok("FORMAT json"),
        _ => Err(StoreError::new(
            ErrorKind::Usage,
            format!("the ending of {} names no format", path.display()),
        )
        .hint("end it in .parquet, .csv or .json")),
    }
}

/// A name in the same folder, so that the rename stays on one disk.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".saving-{}-{name}", std::process::id()))
}
