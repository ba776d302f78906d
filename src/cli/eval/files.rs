//! Files that `recscope eval` reads: whatever the store reads, and TREC's own formats. No metrics here.

use std::io::Write as _;
use std::path::Path;

use super::{Failure, err_line};
use crate::cli::access;
use crate::cli::args::EvalArgs;
use crate::engine::store::{Connection, FileLimits, SourceSpec};
use crate::util::cancel::Cancel;

/// Makes a file readable under `name`; TREC's own formats are turned into CSV first. Gives its columns.
pub(super) fn register(
    connection: &Connection,
    name: &str,
    path: &str,
    folder: &Path,
    cancel: &Cancel,
) -> Result<Vec<String>, Failure> {
    let spec = match trec(path, name.starts_with("run")) {
        Some(rows) => {
            let file = folder.join(format!("{name}.csv"));
            write_csv(&file, name.starts_with("run"), &rows)
                .map_err(|e| Failure::resource(format!("cannot write {}: {e}", file.display())))?;
            let mut spec = SourceSpec::path(file.to_string_lossy().into_owned());
            spec.types = vec![("query".into(), "VARCHAR".into()), ("item".into(), "VARCHAR".into())];
            spec.header = Some(true);
            spec
        }
        None => SourceSpec::path(path),
    };
    let base = std::env::current_dir().unwrap_or_default();
    connection.register_source(name, &spec, &base, cancel)?;
    if let Some(doubt) = connection.doubt(name) {
        err_line(&format!("note: {doubt}"));
    }
    Ok(connection.describe(name)?.columns.into_iter().map(|column| column.name).collect())
}

/// Limits for DuckDB files among the runs and judgments that nobody has trusted.
pub(super) fn limits(args: &EvalArgs, converted: &Path) -> Option<FileLimits> {
    let inputs: Vec<&str> =
        args.run.iter().chain(args.compare.iter().flatten()).chain(&args.qrels).map(String::as_str).collect();
    access::of_inputs(&inputs, vec![converted.to_path_buf()])
}

/// `query Q0 item rank score tag` or `query 0 item gain` between blanks; `None` for other formats.
fn trec(path: &str, run: bool) -> Option<Vec<[String; 3]>> {
    let lower = path.to_lowercase();
    let other = [".parquet", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".gz", ".zst", ".duckdb", ".db"];
    if other.iter().any(|ending| lower.ends_with(ending)) || lower.contains("://") || lower.contains('*') {
        return None;
    }
    trec_rows(&std::fs::read_to_string(path).ok()?, run)
}

/// Query, item and score or grade of every line; `None` where one is not in TREC's format.
pub fn trec_rows(text: &str, run: bool) -> Option<Vec<[String; 3]>> {
    let (length, value) = if run { (6, 4) } else { (4, 3) };
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Grades may be letters (E, S, C, I); a score is a number.
            let fits = words.len() == length && (!run || words.get(value)?.parse::<f64>().is_ok());
            fits.then(|| [words[0].to_string(), words[2].to_string(), words[value].to_string()])
        })
        .collect()
}

fn write_csv(file: &Path, run: bool, rows: &[[String; 3]]) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    writeln!(out, "query,item,{}", if run { "score" } else { "gain" })?;
    for [query, item, value] in rows {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let value = if run { value.clone() } else { quoted(value) };
        writeln!(out, "{},{},{value}", quoted(query), quoted(item))?;
    }
    out.flush()
}
