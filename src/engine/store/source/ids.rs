//! Columns of CSV and JSON whose text is kept as it stands, whatever a reader would make of it: those that hold
//! ids, by what somebody said or by their name, and those whose guessed type would change what is in them.

use super::super::{ColumnInfo, Connection, Flow, Result, quote_ident, quote_text};
use super::files::Files;
use super::register::reader;
use super::{SourceFormat, SourceSpec};
use crate::terms::{SqlValue, names_an_id};
use crate::util::cancel::Cancel;

/// Rows whose text is held beside the guess. Names decide for the rows behind them.
const LOOKED_AT: usize = 20_480;

/// The source as it is read: types of id columns said, for all columns where the format wants all.
pub(super) fn kept_as_text(
    connection: &Connection,
    spec: &SourceSpec,
    files: &Files,
    guessed: &[ColumnInfo],
    cancel: &Cancel,
) -> Result<SourceSpec> {
    let said = |name: &str| spec.types.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let ids = |name: &str| names_an_id(name) || spec.ids.iter().any(|id| id.eq_ignore_ascii_case(name));
    // A whole number of JSON has one spelling; in CSV it is a guess about a text.
    let exact =
        |kind: &str| files.format == SourceFormat::Json && ["BIGINT", "UBIGINT", "HUGEINT"].contains(&kind);
    let open: Vec<&ColumnInfo> =
        guessed.iter().filter(|c| !said(&c.name) && is_single(&c.sql_type) && !exact(&c.sql_type)).collect();
    let mut text: Vec<&str> =
        open.iter().map(|column| column.name.as_str()).filter(|name| ids(name)).collect();
    match files.format {
        SourceFormat::Csv => {
            let doubtful = open
                .iter()
                .filter(|column| !ids(&column.name))
                .filter_map(|column| Some((column.name.as_str(), changes(&column.sql_type)?)));
            text.extend(changed(connection, spec, files, &doubtful.collect::<Vec<_>>(), cancel)?);
        }
        // A UUID is written in lower case, whatever the file has.
        SourceFormat::Json => {
            text.extend(open.iter().filter(|c| c.sql_type == "UUID").map(|column| column.name.as_str()));
        }
        SourceFormat::Parquet | SourceFormat::DuckDb => return Ok(spec.clone()),
    }
    let mut spec = spec.clone();
    let typed = text.into_iter().map(|name| (name.to_owned(), "VARCHAR".to_owned()));
    let mut types: Vec<(String, String)> = typed.collect();
    if files.format == SourceFormat::Json && !(types.is_empty() && spec.types.is_empty()) {
        // JSON has no option to type some columns and guess the others.
        let known = |name: &str| {
            let said = spec.types.iter().chain(&types);
            said.clone().find(|(known, _)| known.eq_ignore_ascii_case(name)).cloned()
        };
        let mut all: Vec<(String, String)> = guessed
            .iter()
            .map(|column| {
                (column.name.clone(), known(&column.name).map_or(column.sql_type.clone(), |(_, kind)| kind))
            })
            .collect();
        let more =
            spec.types.iter().filter(|(name, _)| !guessed.iter().any(|c| c.name.eq_ignore_ascii_case(name)));
        all.extend(more.cloned());
        spec.types = all;
    } else {
        spec.types.append(&mut types);
    }
    Ok(spec)
}

/// One value, not text already: what may have been made of a text.
fn is_single(kind: &str) -> bool {
    kind != "VARCHAR" && kind != "BLOB" && !kind.contains(['[', '(']) || kind.starts_with("DECIMAL")
}

/// What in a column's text a guessed type does not keep, as a regular expression of the whole text.
fn changes(kind: &str) -> Option<&'static str> {
    match kind {
        "BIGINT" | "INTEGER" | "SMALLINT" | "TINYINT" | "HUGEINT" | "UBIGINT" => Some("[+-]?0[0-9]+"),
        // More digits than such a number holds, before the point: no measurement is written so.
        "DOUBLE" | "FLOAT" => Some("[0-9]{17,}|[0-9]{6,}[.][0-9]{8,}|0[0-9]+"),
        _ => None,
    }
}

/// Those of the columns in which a text of the first rows matches its pattern.
fn changed<'c>(
    connection: &Connection,
    spec: &SourceSpec,
    files: &Files,
    columns: &[(&'c str, &str)],
    cancel: &Cancel,
) -> Result<Vec<&'c str>> {
    if columns.is_empty() || files.remote {
        return Ok(Vec::new());
    }
    let mut text = SourceSpec { types: Vec::new(), ..spec.clone() };
    text.more.retain(|(name, _)| name != "all_varchar" && name != "decimal_separator");
    text.more.push(("all_varchar".into(), SqlValue::Bool(true)));
    let tests: Vec<String> = columns
        .iter()
        .map(|(name, pattern)| {
            let column = quote_ident(name);
            format!("coalesce(bool_or(regexp_full_match({column}, {})), false)", quote_text(pattern))
        })
        .collect();
    let from = reader(&text, files)?;
    let sql = format!("SELECT [{}] FROM (FROM {from} LIMIT {LOOKED_AT})", tests.join(", "));
    let mut found = Vec::new();
    // A line that does not fit is told by whoever reads the source.
    let looked = connection.stream(&sql, &[], cancel, |rows| {
        let lists = rows.column(0);
        let list = arrow::array::AsArray::as_list::<i32>(lists).value(0);
        let flags = arrow::array::AsArray::as_boolean(&list).clone();
        found = columns
            .iter()
            .zip(flags.iter())
            .filter(|(_, flag)| *flag == Some(true))
            .map(|((name, _), _)| *name)
            .collect();
        Ok(Flow::Break(()))
    });
    match looked {
        Err(error) if error.is_cancelled() || error.poisoned() => Err(error),
        _ => Ok(found),
    }
}
