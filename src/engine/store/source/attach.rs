//! A DuckDB file as a source: attached read-only under the source's name, its tables behind views.

use super::super::{
    Connection, ErrorKind, Relation, RelationKind, Result, StoreError, quote_ident, quote_text,
};
use super::SourceSpec;
use super::files::Files;
use super::register::explain;
use crate::util::cancel::Cancel;

pub(super) fn register(
    connection: &Connection,
    name: &str,
    spec: &SourceSpec,
    files: &Files,
    cancel: &Cancel,
) -> Result<Vec<Relation>> {
    let [path] = files.paths.as_slice() else {
        return Err(StoreError::new(ErrorKind::Usage, "a source holds one DuckDB file")
            .hint("make one source per file"));
    };
    if is_reserved(name) {
        return Err(StoreError::new(ErrorKind::Usage, format!("a DuckDB file cannot be attached as {name}"))
            .hint("give the source another name"));
    }
    let alias = quote_ident(name);
    connection.execute(&format!("DETACH DATABASE IF EXISTS {alias}"), &[], cancel)?;
    let attach = format!("ATTACH {} AS {alias} (READ_ONLY)", quote_text(&path.replace("[[]", "[")));
    connection.execute(&attach, &[], cancel).map_err(|e| explain(e.unplaced(), files))?;
    if let Some((kind, view, function)) = does_more_than_read(connection, name)? {
        connection.execute(&format!("DETACH DATABASE IF EXISTS {alias}"), &[], cancel)?;
        let message =
            format!("{path} is not opened: its {kind} {view} calls {function}(), which does more than read");
        return Err(
            StoreError::new(ErrorKind::Data, message).hint("drop it from the file, or export the tables")
        );
    }
    let tables = tables_of(connection, name)?;
    let chosen = match (&spec.table, tables.as_slice()) {
        (Some(wanted), _) => vec![(name.to_owned(), find(wanted, &tables, path)?)],
        (None, []) => {
            return Err(StoreError::new(ErrorKind::Data, format!("{path} holds no table")));
        }
        (None, [only]) => vec![(name.to_owned(), only.clone())],
        (None, several) => several.iter().map(|t| (t.1.clone(), t.clone())).collect(),
    };
    let from = |(schema, table): &(String, String)| {
        format!("{alias}.{}.{}", quote_ident(schema), quote_ident(table))
    };
    let (mut views, mut relations) = (Vec::new(), Vec::new());
    for (view, table) in &chosen {
        let (query, columns) = match connection.columns_of(&format!("FROM {}", from(table))) {
            Ok(columns) => (format!("SELECT * FROM {}", from(table)), columns),
            // One view that may not be read, or no longer fits, takes no table from the others.
            Err(error) if chosen.len() > 1 && !error.is_cancelled() && !error.poisoned() => {
                (refused(&error), Vec::new())
            }
            Err(error) => return Err(error.unplaced()),
        };
        views.push((view.clone(), query));
        relations.push(Relation { name: view.clone(), kind: RelationKind::Source, rows: None, columns });
    }
    connection.source_views(name, &views, cancel)?;
    Ok(relations)
}

/// A view that says why whenever it is read, by whichever of its columns.
fn refused(error: &StoreError) -> String {
    format!("SELECT NULL AS \"not read\" WHERE error({}) IS NULL", quote_text(&error.message))
}

/// Databases of the engine itself.
pub(super) fn is_reserved(name: &str) -> bool {
    ["cells", "sources", "memory", "temp", "system", "main"].contains(&name.to_lowercase().as_str())
}

/// The first view or macro of an attached file that calls what no cell may call: kind, name, function.
fn does_more_than_read(
    connection: &Connection,
    database: &str,
) -> Result<Option<(String, String, &'static str)>> {
    let sql = super::super::query("store/views_of")?.text();
    let mut statement = connection.raw.prepare(&sql)?;
    let mut rows = statement.query([database])?;
    while let Some(row) = rows.next()? {
        let text: Option<String> = row.get(2)?;
        if let Some(function) = text.as_deref().and_then(super::super::statement::forbidden_in) {
            return Ok(Some((row.get(0)?, row.get(1)?, function)));
        }
    }
    Ok(None)
}

/// Schema and name of every table and view in an attached file.
fn tables_of(connection: &Connection, database: &str) -> Result<Vec<(String, String)>> {
    let sql = super::super::query("store/tables_of")?.text();
    let mut statement = connection.raw.prepare(&sql)?;
    let mut rows = statement.query([database])?;
    let mut tables = Vec::new();
    while let Some(row) = rows.next()? {
        tables.push((row.get(0)?, row.get(1)?));
    }
    Ok(tables)
}

fn find(wanted: &str, tables: &[(String, String)], path: &str) -> Result<(String, String)> {
    let same = |(schema, table): &&(String, String)| {
        table.eq_ignore_ascii_case(wanted) || format!("{schema}.{table}").eq_ignore_ascii_case(wanted)
    };
    tables.iter().find(same).cloned().ok_or_else(|| {
        let known: Vec<&str> = tables.iter().map(|(_, t)| t.as_str()).collect();
        StoreError::new(ErrorKind::Catalog, format!("{path} has no table {wanted}"))
            .hint(format!("its tables: {}", known.join(", ")))
    })
}
