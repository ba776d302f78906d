//! CSV: its dialect. DuckDB's sniffer answers rows of unequal length by reading each line as one column; here
//! that is an error, not a table, and it names the line. Decimal commas are told by what is in the columns.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::super::{ColumnInfo, Connection, ErrorKind, Flow, Result, StoreError, quote_ident};
use super::files::Files;
use super::register::{explain, reader};
use super::{SourceSpec, plain};
use crate::terms::{SqlValue, names_an_id};
use crate::util::cancel::Cancel;

const DELIMITERS: [char; 4] = [',', '\t', ';', '|'];
/// Bytes of a first line that are looked at.
const LONGEST: u64 = 1 << 16;
/// Rows whose numbers are looked at for decimal commas.
const LOOKED_AT: usize = 2_048;

/// The source with its dialect settled, and the columns that it then has.
pub(super) fn settled(
    connection: &Connection,
    spec: &SourceSpec,
    files: &Files,
    cancel: &Cancel,
) -> Result<(SourceSpec, Vec<ColumnInfo>)> {
    let plain = reader(spec, files)?;
    let columns = match connection.columns_of_reader(&plain, files, cancel) {
        Err(error) if spec.delimiter.is_none() && error.message.contains("sniffing") => {
            return Err(no_dialect(connection, spec, files, error, cancel));
        }
        columns => columns?,
    };
    if spec.delimiter.is_some() {
        return Ok((spec.clone(), columns));
    }
    let [only] = columns.as_slice() else { return Ok((spec.clone(), columns)) };
    let Some(delimiter) = likely(&only.name) else { return Ok((spec.clone(), columns)) };
    // Asked for this delimiter, DuckDB names the line that does not fit.
    let spec = SourceSpec { delimiter: Some(delimiter.to_string()), ..spec.clone() };
    let settled = reader(&spec, files)?;
    let first = connection.stream(&format!("FROM {settled}"), &[], cancel, |_| Ok(Flow::Break(())));
    match first {
        Ok(_) => {
            let columns = connection.columns_of_reader(&settled, files, cancel)?;
            Ok((spec, columns))
        }
        Err(error) if error.is_cancelled() || error.poisoned() => Err(error),
        Err(error) => {
            Err(ragged(first_misfit(connection, &spec, files, &only.name, cancel).unwrap_or(error), files))
        }
    }
}

/// The line at which a dialect cannot be told any more, by the delimiter of the first line.
fn no_dialect(
    connection: &Connection,
    spec: &SourceSpec,
    files: &Files,
    error: StoreError,
    cancel: &Cancel,
) -> StoreError {
    let found = files.whole.first().and_then(|file| first_line(file)).and_then(|header| {
        let spec = SourceSpec { delimiter: Some(likely(&header)?.to_string()), ..spec.clone() };
        first_misfit(connection, &spec, files, &header, cancel)
    });
    match found {
        Some(misfit) => ragged(misfit, files),
        None => error,
    }
}

fn first_line(file: &Path) -> Option<String> {
    let mut line = Vec::new();
    BufReader::new(plain::open(file).ok()?.take(LONGEST)).read_until(b'\n', &mut line).ok()?;
    let text = String::from_utf8(line).ok()?;
    Some(text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']).to_owned())
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

/// The source with decimal commas, and its columns then, where its numbers are written so: in at least one
/// column every value of the first rows is a number and some have a comma, and no column has points.
pub(super) fn with_decimal_commas(
    connection: &Connection,
    spec: &SourceSpec,
    files: &Files,
    columns: &[ColumnInfo],
    cancel: &Cancel,
) -> Result<Option<(SourceSpec, Vec<ColumnInfo>)>> {
    let texts: Vec<&ColumnInfo> =
        columns.iter().filter(|c| c.sql_type == "VARCHAR" && !names_an_id(&c.name)).collect();
    let said = spec.more.iter().any(|(name, _)| name == "decimal_separator" || name == "all_varchar");
    if said || files.remote || texts.is_empty() || columns.iter().any(|c| c.sql_type == "DOUBLE") {
        return Ok(None);
    }
    let tests = texts.iter().map(|column| {
        let name = quote_ident(&column.name);
        format!(
            "(bool_and(regexp_full_match(trim({name}), '[+-]?[0-9]+(,[0-9]+)?')) AND bool_or(contains({name}, ',')))"
        )
    });
    let any = tests.collect::<Vec<_>>().join(" OR ");
    let sql = format!("SELECT 1 FROM (FROM {} LIMIT {LOOKED_AT}) HAVING {any}", reader(spec, files)?);
    let mut found = false;
    let looked = connection.stream(&sql, &[], cancel, |rows| {
        found |= rows.num_rows() > 0;
        Ok(Flow::Continue(()))
    });
    match looked {
        Err(error) if error.is_cancelled() || error.poisoned() => return Err(error),
        Ok(_) if found => {}
        _ => return Ok(None),
    }
    let mut commas = spec.clone();
    commas.more.push(("decimal_separator".into(), SqlValue::from(",")));
    let columns = connection.columns_of_reader(&reader(&commas, files)?, files, cancel).ok();
    Ok(columns
        .filter(|columns| columns.iter().any(|c| c.sql_type == "DOUBLE"))
        .map(|columns| (commas, columns)))
}
