//! Making a source: a view whose columns are known, or an error that says what to do; on an error
//! nothing of the source is left behind and what had its name stays.

use std::path::{Path, PathBuf};

use super::super::{
    ColumnInfo, Connection, ErrorKind, HIDDEN, Relation, RelationKind, Result, SOURCES, StoreError,
    quote_ident, quote_text,
};
use super::files::{self, Files};
use super::{SourceFormat, SourceSpec, attach, csv, ids, whole};
use crate::util::cancel::Cancel;
use crate::util::redact;

impl Connection {
    /// Makes the source `name` readable by every connection; replaces one of the same name. Gives
    /// its relations: one, or for a DuckDB file with several tables one for each.
    pub fn register_source(
        &self,
        name: &str,
        spec: &SourceSpec,
        base: &Path,
        cancel: &Cancel,
    ) -> Result<Vec<Relation>> {
        check_name(name)?;
        let files = files::find(spec, base)?;
        let mut notes = Vec::new();
        notes.extend(whole::check(&self.compressed_files(spec, &files)?, cancel)?);
        if files.format == SourceFormat::DuckDb {
            return attach::register(self, name, spec, &files, cancel);
        }
        let (files, changed) = self.as_utf8(spec, files, cancel)?;
        notes.extend(changed);
        let (spec, columns) = self.settled(spec, &files, &mut notes, cancel)?;
        notes.extend(self.left_out(&spec, &files, &columns, cancel)?);
        notes.extend(self.hidden_by_folders(&spec, &files, cancel)?);
        let query = rows_of(&reader(&spec, &files)?, files.format, &columns);
        self.source_views(name, &[(name.to_owned(), query)], cancel)?;
        self.keep_doubt(name, (!notes.is_empty()).then(|| notes.join("; ")));
        Ok(vec![Relation { name: name.to_owned(), kind: RelationKind::Source, rows: None, columns }])
    }

    /// The source as it is read, dialect and types settled, and its columns.
    fn settled(
        &self,
        spec: &SourceSpec,
        files: &Files,
        notes: &mut Vec<String>,
        cancel: &Cancel,
    ) -> Result<(SourceSpec, Vec<ColumnInfo>)> {
        let (mut spec, mut columns) = match files.format {
            SourceFormat::Csv => csv::settled(self, spec, files, cancel)?,
            // With types said, the reader knows no other columns than those.
            SourceFormat::Json => {
                let guess = SourceSpec { types: Vec::new(), ..spec.clone() };
                (spec.clone(), self.columns_of_reader(&reader(&guess, files)?, files, cancel)?)
            }
            SourceFormat::Parquet | SourceFormat::DuckDb => {
                (spec.clone(), self.columns_of_reader(&reader(spec, files)?, files, cancel)?)
            }
        };
        if files.format == SourceFormat::Csv
            && let Some((commas, found)) = csv::with_decimal_commas(self, &spec, files, &columns, cancel)?
        {
            notes.push(
                "its numbers are read with decimal commas (`decimal_separator: \".\"` reads them as text)"
                    .into(),
            );
            (spec, columns) = (commas, found);
        }
        let kept = ids::kept_as_text(self, &spec, files, &columns, cancel)?;
        if kept != spec || files.format == SourceFormat::Json && !kept.types.is_empty() {
            columns = self.columns_of_reader(&reader(&kept, files)?, files, cancel)?;
        }
        Ok((kept, columns))
    }

    /// What could not be made sure of the files of a source, or of those that a cell names itself, for
    /// whoever reads numbers made of them.
    pub fn doubt(&self, name: &str) -> Option<String> {
        self.shared.doubts.lock().get(&name.to_lowercase()).cloned()
    }

    fn keep_doubt(&self, name: &str, doubt: Option<String>) {
        let mut doubts = self.shared.doubts.lock();
        match doubt {
            Some(doubt) => doubts.insert(name.to_lowercase(), doubt),
            None => doubts.remove(&name.to_lowercase()),
        };
    }

    /// Refuses compressed files that a cell's query names by itself and that are not whole.
    pub(crate) fn check_named(&self, cell: &str, sql: &str, cancel: &Cancel) -> Result<()> {
        let names = whole::named(sql);
        // Where files are out of reach, the query says so better.
        let files = match names.is_empty() {
            true => Vec::new(),
            false => self.matching(names.iter()).unwrap_or_default(),
        };
        self.keep_doubt(cell, whole::check(&files, cancel)?);
        Ok(())
    }

    /// The files of a source that are read through a decompressor; those behind a glob as well.
    fn compressed_files(&self, spec: &SourceSpec, files: &Files) -> Result<Vec<PathBuf>> {
        let by_option = spec.more.iter().any(|(name, _)| name == "compression");
        let by_name = |name: &str| {
            let name = name.to_lowercase();
            name.ends_with(".gz") || name.ends_with(".zst")
        };
        let text = matches!(files.format, SourceFormat::Csv | SourceFormat::Json);
        if !text || !(by_option || files.many || files.paths.iter().any(|path| by_name(path))) {
            return Ok(Vec::new());
        }
        let mut local = self.matching(files.paths.iter().filter(|path| !path.contains("://")))?;
        local.retain(|file| by_option || by_name(&file.to_string_lossy()));
        Ok(local)
    }

    /// Removes a source with all its views; nothing happens where there is none.
    pub fn drop_source(&self, name: &str) -> Result<()> {
        self.source_views(name, &[], &Cancel::new())?;
        let detach = format!("DETACH DATABASE IF EXISTS {}", quote_ident(name));
        match attach::is_reserved(name) {
            true => Ok(()),
            false => self.execute(&detach, &[], &Cancel::new()).map(|_| ()),
        }
    }

    /// Makes these the views of a source (name and query each); views it had before and has no more go.
    pub(super) fn source_views(
        &self,
        source: &str,
        views: &[(String, String)],
        cancel: &Cancel,
    ) -> Result<()> {
        let owner = source.to_lowercase();
        let mut owners = self.shared.views.lock();
        for (view, _) in views {
            if let Some(other) = owners.get(&view.to_lowercase()).filter(|o| **o != owner) {
                let message = format!("{source} has a table {view}, and so has the source {other}");
                return Err(
                    StoreError::new(ErrorKind::Usage, message).hint("choose one with the option `table:`")
                );
            }
        }
        for (view, query) in views {
            let sql = format!("CREATE OR REPLACE VIEW {SOURCES}.main.{} AS {query}", quote_ident(view));
            self.execute(&sql, &[], cancel).map_err(StoreError::unplaced)?;
            self.shared.catalog.forget(view);
            owners.insert(view.to_lowercase(), owner.clone());
        }
        let kept = |view: &String| views.iter().any(|(v, _)| v.to_lowercase() == *view);
        let gone: Vec<String> =
            owners.iter().filter(|(v, o)| **o == owner && !kept(v)).map(|(v, _)| v.clone()).collect();
        for view in gone {
            let sql = format!("DROP VIEW IF EXISTS {SOURCES}.main.{}", quote_ident(&view));
            self.execute(&sql, &[], &Cancel::new())?;
            self.shared.catalog.forget(&view);
            owners.remove(&view);
        }
        Ok(())
    }

    /// Binds a reader, which opens its files; errors name the file and the remedy.
    pub(super) fn columns_of_reader(
        &self,
        reader: &str,
        files: &Files,
        cancel: &Cancel,
    ) -> Result<Vec<ColumnInfo>> {
        self.under_watch(cancel, || self.columns_of(&format!("FROM {reader}")))
            .map_err(|e| explain(e.unplaced(), files))
    }
}

fn check_name(name: &str) -> Result<()> {
    let bad = |why: &str| {
        Err(StoreError::new(ErrorKind::Usage, format!("a source cannot be named {name:?}: {why}"))
            .hint("use letters, digits and _"))
    };
    match name {
        "" => bad("it is empty"),
        _ if name.contains('\0') => bad("it holds a NUL character"),
        _ if name.starts_with(HIDDEN) => bad("names that begin with __ are the engine's own"),
        _ => Ok(()),
    }
}

/// Every row. Of Parquet, floating-point columns as something that its statistics say nothing about: writers
/// leave NaN out of them, and DuckDB then takes a group of rows for one in which every value fits a filter, or
/// none does (duckdb#25521). `x + 0` is x; only the sign of a negative zero is lost.
fn rows_of(reader: &str, format: SourceFormat, columns: &[ColumnInfo]) -> String {
    let floats = columns.iter().filter(|column| ["DOUBLE", "FLOAT"].contains(&column.sql_type.as_str()));
    let same = floats.map(|column| {
        let name = quote_ident(&column.name);
        format!("({name} + 0)::{} AS {name}", column.sql_type)
    });
    let same: Vec<String> = same.collect();
    match format {
        SourceFormat::Parquet if !same.is_empty() => {
            format!("SELECT * REPLACE ({}) FROM {reader}", same.join(", "))
        }
        _ => format!("SELECT * FROM {reader}"),
    }
}

/// The table function over the files, with the options that were given.
pub(super) fn reader(spec: &SourceSpec, files: &Files) -> Result<String> {
    let paths: Vec<String> = files.paths.iter().map(|p| quote_text(p)).collect();
    let function = match files.format {
        SourceFormat::Parquet | SourceFormat::DuckDb => "read_parquet",
        SourceFormat::Csv => "read_csv",
        SourceFormat::Json => "read_json",
    };
    let mut arguments = vec![format!("[{}]", paths.join(", "))];
    // Remote files: reading every footer first would cost a request each.
    let said = spec.more.iter().any(|(name, _)| name == "union_by_name");
    if files.many && !files.remote && !said {
        arguments.push("union_by_name = true".into());
    }
    if files.format == SourceFormat::Csv {
        arguments.extend(spec.delimiter.iter().map(|d| format!("delim = {}", quote_text(d))));
        arguments.extend(spec.header.map(|h| format!("header = {h}")));
    }
    if files.format != SourceFormat::Parquet {
        if spec.ignore_errors {
            arguments.push("ignore_errors = true".into());
        }
        arguments.extend(types(spec, files.format));
    }
    arguments.extend(spec.reader_options(files.format)?);
    Ok(format!("{function}({})", arguments.join(", ")))
}

fn types(spec: &SourceSpec, format: SourceFormat) -> Option<String> {
    let pair = |(name, kind): &(String, String)| format!("{}: {}", quote_text(name), quote_text(kind));
    let pairs: Vec<String> = spec.types.iter().map(pair).collect();
    // JSON has no option to type some columns and guess the others: there it is the whole list.
    let option = if format == SourceFormat::Csv { "types" } else { "columns" };
    (!pairs.is_empty()).then(|| format!("{option} = {{{}}}", pairs.join(", ")))
}

/// The path and the remedy beside what DuckDB says.
pub(super) fn explain(mut error: StoreError, files: &Files) -> StoreError {
    if error.is_cancelled() || error.poisoned() {
        return error;
    }
    let paths: Vec<String> = files.paths.iter().map(|p| redact::urls(p)).collect();
    let path = paths.join(", ");
    if error.message.starts_with("No files found") {
        return StoreError::new(ErrorKind::Io, format!("no file matches {path}"))
            .hint("relative paths start from the notebook's folder; ** goes through folders");
    }
    if !paths.iter().any(|p| error.message.contains(p.as_str())) && !files.many {
        error.message = format!("{path}: {}", error.message);
    }
    if error.hint.is_none() {
        error.hint = Some(remedy(files.format, &error.message).to_owned());
    }
    error
}

fn remedy(format: SourceFormat, said: &str) -> &'static str {
    match format {
        SourceFormat::Parquet if said.contains("magic bytes") || said.contains("too small") => {
            "the file is cut off or is no Parquet file: copy or write it again, or say its `format:`"
        }
        SourceFormat::Parquet => "the file is damaged: copy or write it again",
        SourceFormat::Csv if said.contains("utf-8") || said.contains("unicode") => {
            "say what the file is written in (`encoding: gb18030`), or convert it (iconv -f GB18030 -t UTF-8)"
        }
        SourceFormat::Csv => {
            "repair the line, give `delimiter:` and `header:`, or set `ignore_errors: true` to leave such rows out"
        }
        SourceFormat::Json => "repair the line, or set `ignore_errors: true` to leave such rows out",
        SourceFormat::DuckDb => "check that it is a DuckDB file of this version or older",
    }
}
