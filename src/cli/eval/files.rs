//! Files that `recscope eval` reads: TREC's own formats, and whatever the store reads. No metrics here.

use super::{Failure, err_line, trec};
use crate::cli::access;
use crate::cli::args::EvalArgs;
use crate::engine::store::{Connection, FileLimits, SourceFormat, SourceSpec, read_text};
use crate::util::cancel::Cancel;
use crate::util::sanitise;

/// A file of rows: a text in one of TREC's formats, or one that the store reads.
pub(super) struct Input<'p> {
    pub path: &'p str,
    run: bool,
    /// The text of what may be one of TREC's.
    text: Option<String>,
}

impl<'p> Input<'p> {
    /// Reads what may be TREC's text.
    pub fn read(args: &EvalArgs, path: &'p str, run: bool) -> Result<Self, Failure> {
        Ok(Self { path, run, text: text(args, path, run)? })
    }

    /// Its rows, where the text is one of TREC's.
    pub fn parse(&self) -> Result<Option<trec::Trec<'_>>, Failure> {
        let text = self.text.as_deref();
        text.map_or(Ok(None), |text| trec::rows(text, self.path, self.run))
    }
}

/// Says how a text was read.
pub(super) fn tell(path: &str, found: &trec::Trec<'_>) {
    for note in &found.notes {
        err_line(&format!("note: {}: {note}", sanitise::line(path)));
    }
}

/// Makes rows that were read readable under `name`. Gives their columns.
pub(super) fn put(
    connection: &Connection,
    name: &str,
    found: &trec::Trec<'_>,
) -> Result<Vec<String>, Failure> {
    let rows = found.batch()?;
    let schema = rows.schema();
    connection.create_table(name, &schema)?;
    connection.append(name, &rows)?;
    Ok(schema.fields().iter().map(|field| field.name().clone()).collect())
}

/// Makes a file readable under `name`. Gives its columns.
pub(super) fn register(
    connection: &Connection,
    args: &EvalArgs,
    name: &str,
    path: &str,
    cancel: &Cancel,
) -> Result<Vec<String>, Failure> {
    let input = Input::read(args, path, name.starts_with("run"))?;
    if let Some(found) = input.parse()? {
        tell(path, &found);
        return put(connection, name, &found);
    }
    register_source(connection, args, name, path, cancel)
}

/// The same for a file that the store reads.
pub(super) fn register_source(
    connection: &Connection,
    args: &EvalArgs,
    name: &str,
    path: &str,
    cancel: &Cancel,
) -> Result<Vec<String>, Failure> {
    let column =
        |role: &str| args.columns.iter().find(|(key, _)| key == role).map(|(_, column)| column.clone());
    let ids = ["query", "item"].iter().flat_map(|role| [Some((*role).to_owned()), column(role)]);
    let spec = SourceSpec {
        ids: ids.flatten().collect(),
        encoding: args.encoding.clone(),
        ..SourceSpec::path(path)
    };
    let base = std::env::current_dir().unwrap_or_default();
    connection.register_source(name, &spec, &base, cancel).map_err(by_flag)?;
    if let Some(doubt) = connection.doubt(name) {
        err_line(&format!("note: {}: {}", sanitise::line(path), sanitise::line(&doubt)));
    }
    Ok(connection.describe(name)?.columns.into_iter().map(|column| column.name).collect())
}

/// The judgments, if there are any: their path and columns.
pub(super) fn register_judgments(
    connection: &Connection,
    args: &EvalArgs,
    cancel: &Cancel,
) -> Result<Option<(String, Vec<String>)>, Failure> {
    let Some(path) = &args.qrels else { return Ok(None) };
    Ok(Some((path.clone(), register(connection, args, "qrels", path, cancel)?)))
}

/// Errors of the store speak of a source's options; here they are flags, or there are none.
fn by_flag(error: crate::engine::store::StoreError) -> Failure {
    let hint = error.hint.clone().unwrap_or_default();
    let failure = Failure::from(error);
    let said = hint
        .find("`encoding: ")
        .map(|at| &hint[at + "`encoding: ".len()..])
        .and_then(|rest| rest.split('`').next());
    match said {
        Some(likely) => {
            failure.hint(format!("say `--encoding {likely}`, or convert it (iconv -f {likely} -t UTF-8)"))
        }
        None if hint.contains("format:") => failure.hint(
            "name it .csv, .tsv, .jsonl or .parquet, or write TREC's lines: query Q0 item rank score tag",
        ),
        None if hint.contains("options") || hint.contains("ignore_errors") => failure
            .hint("repair the line, or convert the file in a notebook, whose sources have options for it"),
        None => failure,
    }
}

/// Limits for DuckDB files among the runs and judgments that nobody has trusted.
pub(super) fn limits(args: &EvalArgs) -> Option<FileLimits> {
    let inputs: Vec<&str> =
        args.run.iter().chain(args.compare.iter().flatten()).chain(&args.qrels).map(String::as_str).collect();
    access::of_inputs(&inputs, Vec::new())
}

/// The text of a file that may be in one of TREC's formats; `None` for others.
fn text(args: &EvalArgs, path: &str, run: bool) -> Result<Option<String>, Failure> {
    let tabs = path.to_lowercase();
    let tabs = tabs.trim_end_matches(".gz").trim_end_matches(".zst").ends_with(".tsv");
    let other = SourceFormat::of_name(path).is_some() && !tabs;
    let file = std::path::Path::new(path);
    if other || path.contains("://") || !file.is_file() {
        return Ok(None);
    }
    let Some(text) = read_text(file, args.encoding.as_deref()).map_err(by_flag)? else { return Ok(None) };
    if text.trim().is_empty() {
        let what = if run { "result" } else { "judgment" };
        return Err(Failure::data(format!("{path} holds no {what}"))
            .hint("check how it was written: figures of nothing would pass every gate"));
    }
    Ok(Some(text))
}
