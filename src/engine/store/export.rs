//! A source's rows with scores beside them as a file: Parquet, CSV or JSON lines, by the file's
//! ending. Written whole or not at all. And the texts of those rows, one after the other.

use std::path::Path;

use arrow::record_batch::RecordBatch;

use super::{CELLS, Connection, ErrorKind, Fill, Flow, Result, StoreError, quote_ident, quote_text};
use crate::util::cancel::Cancel;
use crate::util::leftover::{self, LeftOver};

/// Before the name of a folder that a table is written in.
const WRITING: &str = ".recscope-writing-";

impl Connection {
    /// Columns of a relation as texts (NULL stays NULL), every row once, in order, in batches of about
    /// 2,048 rows. However many rows there are, few are held.
    pub fn texts(
        &self,
        name: &str,
        columns: &[String],
        cancel: &Cancel,
        each: impl FnMut(RecordBatch) -> Result<Flow>,
    ) -> Result<()> {
        let found = self.find(name)?;
        let texts = columns.iter().map(|column| format!("CAST({} AS VARCHAR)", quote_ident(column)));
        let sql = format!("SELECT {} FROM {}", texts.collect::<Vec<_>>().join(", "), found.path);
        self.stream(&sql, &[], cancel, each).map_err(StoreError::unplaced).map(|_| ())
    }

    /// Refuses a file that could not be written, before hours are spent on its content.
    pub fn can_export(&self, path: &Path) -> Result<()> {
        format_of(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let wrong = match folder {
            Some(folder) if !folder.is_dir() => format!("the folder {} does not exist", folder.display()),
            _ if path.is_dir() => format!("{} is a folder", path.display()),
            _ => return Ok(()),
        };
        Err(StoreError::new(ErrorKind::Usage, wrong).hint("make the folder first, or choose another path"))
    }

    /// Writes the rows of the source `rows` to `path`, in order, with the columns of the table `scores`
    /// beside them: its n-th row belongs to the n-th row of the source. The source is read again for
    /// it; where it no longer has `expected` rows, nothing is written.
    pub fn export_scored(
        &self,
        rows: &str,
        scores: &str,
        expected: u64,
        path: &Path,
        cancel: &Cancel,
    ) -> Result<()> {
        let format = format_of(path)?;
        let writing = beside(path)?;
        let partial = writing.path().join("rows");
        let target = partial.to_str().ok_or_else(|| {
            StoreError::new(ErrorKind::Usage, format!("the path {} is not UTF-8", path.display()))
        })?;
        let out = format!("{}scored", super::HIDDEN);
        let fill = Fill::new().ident("out", &out).ident("rows", rows).ident("scores", scores);
        self.registered_run("store/scored", &fill, cancel)?;
        let table = format!("{CELLS}.main.{}", quote_ident(&out));
        let sql = format!("COPY (FROM {table}) TO {} ({format})", quote_text(target));
        self.execute(&sql, &[], cancel).map_err(StoreError::unplaced).and_then(|written| {
            if written != expected {
                let what = format!("{rows} had {expected} rows when it was scored and now has {written}");
                return Err(StoreError::new(ErrorKind::Data, what)
                    .hint("wait until nobody writes to it, then run again"));
            }
            std::fs::rename(&partial, path).map_err(|error| {
                StoreError::new(ErrorKind::Io, format!("cannot write {}: {error}", path.display()))
                    .hint("choose another path, or change the permissions")
            })
        })
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

/// A private folder in the same one, so that the rename stays on one disk; gone when dropped. DuckDB opens
/// what it writes by its name and follows links: nobody else may put one there.
fn beside(path: &Path) -> Result<tempfile::TempDir> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    left_over(folder).iter().for_each(LeftOver::sweep);
    tempfile::Builder::new().prefix(WRITING).tempdir_in(folder).map_err(|error| {
        StoreError::new(ErrorKind::Io, format!("cannot write in {}: {error}", folder.display()))
            .hint("choose another path, or change the permissions")
    })
}

/// What killed processes were writing in `folder`, untouched for a day.
pub fn left_over(folder: &Path) -> Vec<LeftOver> {
    leftover::named(folder, |name| name.starts_with(WRITING))
        .into_iter()
        .filter(|(_, found)| found.is_dir() && leftover::is_abandoned(found, leftover::DAY))
        .map(|(path, _)| LeftOver::new(path, "a table that was being written when its process was killed"))
        .collect()
}
