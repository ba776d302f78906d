//! A source's rows with scores beside them as a file: Parquet, CSV or JSON lines, by the file's
//! ending. Written whole or not at all. And the texts of those rows, one after the other. What begins like
//! a formula in CSV is `util::csv`'s to know.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;

use super::{Bindings, CELLS, Connection, ErrorKind, Flow, Result, StoreError, quote_ident, quote_text};
use crate::util::cancel::Cancel;
use crate::util::csv;
use crate::util::leftover::{self, LeftOver};

/// Before the name of a folder that a table is written in.
const WRITING: &str = ".recscope-writing-";

/// Where rows are written to.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub path: &'a Path,
    /// CSV: texts as they are, even those that a spreadsheet would run.
    pub raw: bool,
}

/// What a file's ending says of its content.
enum Format {
    /// Written here.
    Csv,
    /// Written by the database, with these options.
    Copied(&'static str),
}

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

    /// Writes the rows of the source `rows`, in order, with the columns of the table `scores` beside them:
    /// its n-th row belongs to the n-th row of the source. The source is read again for it; where it no
    /// longer has `expected` rows, nothing is written. Gives the number of cells that were guarded.
    pub fn export_scored(
        &self,
        rows: &str,
        scores: &str,
        expected: u64,
        to: Target,
        cancel: &Cancel,
    ) -> Result<u64> {
        let format = format_of(to.path)?;
        let writing = beside(to.path)?;
        let partial = writing.path().join("rows");
        let out = format!("{}scored", super::HIDDEN);
        let fill = Bindings::new().ident("out", &out).ident("rows", rows).ident("scores", scores);
        self.registered_run("store/scored", &fill, cancel)?;
        let table = format!("{CELLS}.main.{}", quote_ident(&out));
        let (written, guarded) = match format {
            Format::Csv => self.write_csv(&table, &partial, to.raw, cancel)?,
            Format::Copied(options) => (self.copy(&table, &partial, options, cancel)?, 0),
        };
        if written != expected {
            let what = format!("{rows} had {expected} rows when it was scored and now has {written}");
            return Err(
                StoreError::new(ErrorKind::Data, what).hint("wait until nobody writes to it, then run again")
            );
        }
        std::fs::rename(&partial, to.path).map_err(|error| unwritten(to.path, &error))?;
        Ok(guarded)
    }

    /// The database writes a relation to a file; its rows.
    fn copy(&self, table: &str, path: &Path, options: &str, cancel: &Cancel) -> Result<u64> {
        // An instance that is held to named files may touch nothing in the folder of the output: whatever it
        // may write there, views of a foreign file may read.
        let through = self.shared.confined.then(|| self.spill_folder().join("rows-on-their-way"));
        let written_to = through.as_deref().unwrap_or(path);
        let target = written_to.to_str().ok_or_else(|| {
            StoreError::new(ErrorKind::Usage, format!("the path {} is not UTF-8", written_to.display()))
        })?;
        let sql = format!("COPY (FROM {table}) TO {} ({options})", quote_text(target));
        let rows = self.execute(&sql, &[], cancel).map_err(StoreError::unplaced)?;
        if let Some(through) = &through {
            std::fs::copy(through, path).map_err(|error| unwritten(path, &error))?;
            let _ = std::fs::remove_file(through);
        }
        Ok(rows)
    }

    /// A relation as CSV, through the one writer that guards formulas; its rows and the guarded cells.
    fn write_csv(&self, table: &str, path: &Path, raw: bool, cancel: &Cancel) -> Result<(u64, u64)> {
        let failed = |error: io::Error| unwritten(path, &error);
        let columns = self.columns_of(&format!("FROM {table}"))?;
        let mut out = csv::Writer::new(BufWriter::new(File::create(path).map_err(failed)?), raw);
        columns.iter().try_for_each(|c| out.text(&c.name)).and_then(|()| out.end_row()).map_err(failed)?;
        let plain: Vec<bool> = columns.iter().map(|column| is_no_text(&column.sql_type)).collect();
        let texts = columns.iter().map(|column| format!("CAST({} AS VARCHAR)", quote_ident(&column.name)));
        let sql = format!("SELECT {} FROM {table}", texts.collect::<Vec<_>>().join(", "));
        let mut rows = 0;
        let stream = self.stream(&sql, &[], cancel, |batch| {
            rows += batch.num_rows() as u64;
            write_rows(&mut out, &batch, &plain).map_err(failed)?;
            Ok(Flow::Continue(()))
        });
        stream.map_err(StoreError::unplaced)?;
        let guarded = out.guarded();
        out.into_inner().flush().map_err(failed)?;
        Ok((rows, guarded))
    }
}

/// Rows of texts, those of `plain` columns without a look at what they begin with.
fn write_rows(out: &mut csv::Writer<BufWriter<File>>, batch: &RecordBatch, plain: &[bool]) -> io::Result<()> {
    let columns = batch.columns().iter().map(|column| column.as_string_opt::<i32>());
    let columns =
        columns.collect::<Option<Vec<_>>>().ok_or_else(|| io::Error::other("texts came otherwise"))?;
    for row in 0..batch.num_rows() {
        for (column, plain) in columns.iter().zip(plain) {
            match (column.is_null(row), plain) {
                (true, _) => out.null()?,
                (false, true) => out.value(column.value(row))?,
                (false, false) => out.text(column.value(row))?,
            }
        }
        out.end_row()?;
    }
    Ok(())
}

/// Types whose values never begin like a formula, or only with the sign of a number.
fn is_no_text(sql_type: &str) -> bool {
    let name = sql_type.split('(').next().unwrap_or_default();
    let numbers = ["TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL"];
    let unsigned = ["UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "BOOLEAN", "UUID"];
    numbers.contains(&name) || unsigned.contains(&name)
}

fn unwritten(path: &Path, error: &io::Error) -> StoreError {
    StoreError::new(ErrorKind::Io, format!("cannot write {}: {error}", path.display()))
        .hint("choose another path, or change the permissions")
}

fn format_of(path: &Path) -> Result<Format> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    match ending.as_str() {
        "parquet" => Ok(Format::Copied("FORMAT parquet")),
        "csv" => Ok(Format::Csv),
        "json" | "jsonl" | "ndjson" => Ok(Format::Copied("FORMAT json")),
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
