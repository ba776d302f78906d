//! Making a source: a view whose columns are known, or an error that says what to do; on an error
//! nothing of the source is left behind and what had its name stays.

use std::path::Path;

use super::super::error::redact;
use super::super::{
    ColumnInfo, Connection, ErrorKind, HIDDEN, Relation, RelationKind, Result, SOURCES, StoreError,
    quote_ident, quote_text,
};
use super::files::{self, Files};
use super::{SourceFormat, SourceSpec, attach, csv, gzip};
use crate::util::cancel::Cancel;

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
        for path in files.whole.iter().filter(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz")))
        {
            gzip::check_whole(path, cancel)?;
        }
        if files.format == SourceFormat::DuckDb {
            return attach::register(self, name, spec, &files, cancel);
        }
        let reader = match files.format {
            SourceFormat::Csv => csv::settled(self, spec, &files, cancel)?,
            _ => reader(spec, &files)?,
        };
        let columns = self.columns_of_reader(&reader, &files, cancel)?;
        self.source_views(name, &[(name.to_owned(), format!("SELECT * FROM {reader}"))], cancel)?;
        Ok(vec![Relation { name: name.to_owned(), kind: RelationKind::Source, rows: None, columns }])
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
    let paths: Vec<String> = files.paths.iter().map(|p| redact(p)).collect();
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
            "convert it to UTF-8 (iconv -f LATIN1 -t UTF-8), or set `ignore_errors: true` to leave such rows out"
        }
        SourceFormat::Csv => {
            "repair the line, give `delimiter:` and `header:`, or set `ignore_errors: true` to leave such rows out"
        }
        SourceFormat::Json => "repair the line, or set `ignore_errors: true` to leave such rows out",
        SourceFormat::DuckDb => "check that it is a DuckDB file of this version or older",
    }
}
