//! CSV: DuckDB's sniffer answers rows of unequal length by reading each line as one column. Here
//! that is an error, not a table.

use super::super::{Connection, ErrorKind, Flow, Result, StoreError};
use super::SourceSpec;
use super::files::Files;
use super::register::{explain, reader};
use crate::util::cancel::Cancel;

const DELIMITERS: [char; 4] = [',', '\t', ';', '|'];

/// The reader for CSV files, its dialect settled.
pub(super) fn settled(
    connection: &Connection,
    spec: &SourceSpec,
    files: &Files,
    cancel: &Cancel,
) -> Result<String> {
    let plain = reader(spec, files)?;
    if spec.delimiter.is_some() {
        return Ok(plain);
    }
    let columns = connection.columns_of_reader(&plain, files, cancel)?;
    let [only] = columns.as_slice() else { return Ok(plain) };
    let Some(delimiter) = likely(&only.name) else { return Ok(plain) };
    // Asked for this delimiter, DuckDB names the line that does not fit.
    let spec = SourceSpec { delimiter: Some(delimiter.to_string()), ..spec.clone() };
    let settled = reader(&spec, files)?;
    let first = connection.stream(&format!("FROM {settled}"), &[], cancel, |_| Ok(Flow::Break(())));
    match first {
        Ok(_) => Ok(settled),
        Err(error) if error.is_cancelled() || error.poisoned() => Err(error),
        Err(error) => {
            Err(ragged(first_misfit(connection, &spec, files, &only.name, cancel).unwrap_or(error), files))
        }
    }
}

/// What DuckDB says of the first line that does not have the header's columns, when it is told them.
fn first_misfit(
    connection: &Connection,
    spec: &SourceSpec,
    files: &Files,
    header: &str,
    cancel: &Cancel,
) -> Option<StoreError> {
    let delimiter = spec.delimiter.as_deref()?;
    let names: Vec<&str> = header.split(delimiter).map(|name| name.trim().trim_matches('"')).collect();
    let all_text = names.iter().map(|name| ((*name).to_owned(), "VARCHAR".to_owned())).collect();
    let told = SourceSpec { header: Some(true), types: all_text, ..spec.clone() };
    let reader = reader(&told, files).ok()?.replacen("types = {", "auto_detect = false, columns = {", 1);
    connection.stream(&format!("FROM {reader}"), &[], cancel, |_| Ok(Flow::Continue(()))).err()
}

/// The delimiter that the name of the only column holds, if any: then it is a whole header line.
fn likely(name: &str) -> Option<char> {
    let counts = DELIMITERS.iter().map(|d| (name.matches(*d).count(), *d));
    counts.max_by_key(|(n, _)| *n).filter(|(n, _)| *n > 0).map(|(_, d)| d)
}

fn ragged(error: StoreError, files: &Files) -> StoreError {
    let mut error = explain(error.unplaced(), files);
    if error.kind == ErrorKind::Data {
        error.message = format!("the lines have different numbers of columns: {}", error.message);
    }
    error
}
