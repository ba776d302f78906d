//! What a DuckDB file holds that runs when it is read: its views and macros, as texts. Nothing of them is
//! run, and no table is read.

use std::path::Path;

use super::{FileLimits, Result, Store, StoreOptions, quote_text};

/// A view or macro of a DuckDB file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// `view` or `macro`.
    pub kind: String,
    pub name: String,
    pub text: String,
}

/// The views and macros of the file at `path`, opened read-only by an instance that may read nothing else.
pub fn views_of(path: &Path) -> Result<Vec<Stored>> {
    let file = path.display().to_string();
    let limits = FileLimits { base: "/".into(), sources: vec![file.clone()], folders: Vec::new() };
    let options = StoreOptions { limits: Some(limits), threads: 1, ..StoreOptions::default() };
    let connection = Store::open(&options)?.connect()?;
    let attach = format!("ATTACH {} AS inspected (READ_ONLY)", quote_text(&file));
    connection.raw.execute_batch(&attach)?;
    let mut statement = connection.raw.prepare(&super::query("store/views_of")?.text())?;
    let mut rows = statement.query(["inspected"])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let text: Option<String> = row.get(2)?;
        found.push(Stored { kind: row.get(0)?, name: row.get(1)?, text: text.unwrap_or_default() });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_and_macros_are_read_and_not_run() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("日志.duckdb");
        let maker = duckdb::Connection::open(&file).unwrap();
        maker
            .execute_batch(
                "CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW v AS SELECT * FROM t; CREATE MACRO m(x) AS x + 1; \
                 CREATE MACRO f() AS TABLE SELECT * FROM read_text('/etc/passwd')",
            )
            .unwrap();
        drop(maker);
        let found = views_of(&file).unwrap();
        let names: Vec<&str> = found.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["v", "f", "m"]);
        assert!(found[1].kind == "macro" && found[1].text.contains("/etc/passwd"), "{found:?}");
        assert!(views_of(&folder.path().join("none.duckdb")).is_err());
    }
}
