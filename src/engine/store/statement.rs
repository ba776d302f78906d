//! The gate for text that a cell holds: exactly one statement, and one that only reads.
//!
//! DuckDB's own parser decides (`json_serialize_sql`), never a look-alike: preparing would already
//! run every statement but the last. A dynamic PIVOT is the one query that DuckDB itself expands to
//! several statements; it passes only without any `;`, and only inside `FROM (...)`.

use super::params::{Rewritten, rewrite};
use super::{Connection, ErrorKind, Params, Result, StoreError};
use crate::util::cancel::Cancel;
use crate::util::lexis::{before_semicolon, first_word, start};

/// Functions that a query may call and that do not only read: raw pointers, logging to files,
/// checkpoints, and the two that run further SQL out of a string.
const FORBIDDEN: &[&str] = &[
    "arrow_scan",
    "arrow_scan_dumb",
    "pandas_scan",
    "python_map_function",
    "checkpoint",
    "force_checkpoint",
    "enable_logging",
    "disable_logging",
    "enable_profiling",
    "disable_profiling",
    "truncate_duckdb_logs",
    "write_log",
    "query",
    "json_execute_serialized_sql",
];

/// From this length on, a text's parse can be cancelled.
const WATCHED: usize = 16 << 10;

/// A cell's text that has passed the gate.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    text: String,
    rewritten: Rewritten,
    /// Stands where only a table can stand, e.g. DESCRIBE.
    wrap: bool,
}

impl Checked {
    /// The whole statement with `prefix` before the query, and where the query begins in it.
    pub(crate) fn after(&self, prefix: &str) -> (String, usize) {
        if self.wrap {
            let body = before_semicolon(&self.rewritten.sql);
            let head = format!("{prefix}\nFROM (\n");
            (format!("{head}{body}\n)"), head.len())
        } else {
            let head = format!("{prefix}\n");
            (format!("{head}{}", self.rewritten.sql), head.len())
        }
    }

    /// Puts an error's place into the cell's own text.
    pub(crate) fn place(&self, error: StoreError, begins: usize) -> StoreError {
        match error.position {
            Some(at) if at >= begins => {
                let original = self.rewritten.original(at - begins);
                error.located(&self.text, original)
            }
            _ => error,
        }
    }
}

impl Connection {
    /// Lets one reading statement through; anything else is an error placed in `text`.
    pub(crate) fn check(&self, text: &str, params: &Params, cancel: &Cancel) -> Result<Checked> {
        if text.contains('\0') {
            return Err(StoreError::new(ErrorKind::Usage, "the text holds a NUL character"));
        }
        let rewritten = rewrite(text, params)?;
        let word = first_word(&rewritten.sql);
        let wrap =
            matches!(word.as_str(), "DESCRIBE" | "DESC" | "SUMMARIZE" | "SHOW" | "PIVOT" | "PIVOT_WIDER");
        let checked = Checked { text: text.to_owned(), rewritten, wrap };
        let parse = self.parse(&checked.rewritten.sql, cancel)?;
        if !parse.error {
            return one_query(checked, &parse);
        }
        if parse.message.starts_with("Only SELECT") {
            return dynamic_pivot(checked, &word);
        }
        let error = StoreError::new(ErrorKind::Parser, parse.message);
        Err(match parse.position {
            Some(at) => error.located(&checked.text, checked.rewritten.original(at)),
            None => error,
        })
    }

    /// Lets one reading expression through; gives it with `{{param}}`s as `$param`s.
    pub(crate) fn check_expr(&self, text: &str, params: &Params, cancel: &Cancel) -> Result<String> {
        let rewritten = rewrite(text, params)?;
        let head = "SELECT (\n";
        let whole = format!("{head}{text}\n)");
        let checked = self.check(&whole, params, cancel).map_err(|mut e| {
            // The head is a line of its own.
            e.line = e.line.filter(|line| *line > 1).map(|line| line - 1);
            if e.line.is_some() { e } else { e.unplaced() }
        })?;
        let parse = self.parse(&checked.rewritten.sql, cancel)?;
        if parse.items != 1 || parse.source.as_deref() != Some("EMPTY") {
            return Err(StoreError::new(ErrorKind::Usage, "this is not one expression")
                .hint("write a condition, e.g. clicked = false AND position <= 3"));
        }
        Ok(rewritten.sql)
    }

    fn parse(&self, sql: &str, cancel: &Cancel) -> Result<Parse> {
        let query = super::query("store/parse")?.text();
        let work = || -> Result<Parse> {
            // Asked for every cell, and planning it takes longer than running it.
            let mut statement = self.raw.prepare_cached(&query)?;
            let parse = statement.query_row([sql], |row| {
                Ok(Parse {
                    error: row.get(0)?,
                    message: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                    position: row.get::<_, Option<u64>>(2)?.map(|at| at as usize),
                    statements: row.get(3)?,
                    functions: row.get(4)?,
                    items: row.get(5)?,
                    source: row.get(6)?,
                })
            });
            Ok(parse?)
        };
        match sql.len() {
            // Over before a watcher would look for the first time.
            0..WATCHED => {
                cancel.check()?;
                work()
            }
            _ => self.under_watch(cancel, work),
        }
    }
}

/// What DuckDB's parser makes of a text; the columns of `store/parse`.
struct Parse {
    error: bool,
    message: String,
    position: Option<usize>,
    statements: u64,
    functions: String,
    items: u64,
    source: Option<String>,
}

/// Checks DuckDB's parse: one statement, no forbidden function.
fn one_query(checked: Checked, parse: &Parse) -> Result<Checked> {
    match parse.statements {
        0 => {
            Err(StoreError::new(ErrorKind::Usage, "the cell is empty")
                .hint("write a query, e.g. FROM my_source"))
        }
        1 => match forbidden(parse.functions.split(' ')) {
            Some(name) => Err(forbidden_error(&checked, name)),
            None => Ok(checked),
        },
        _ => Err(several(&checked)),
    }
}

fn several(checked: &Checked) -> StoreError {
    let sql = &checked.rewritten.sql;
    let second = before_semicolon(sql).len() + 1;
    let skipped = sql.get(second..).map_or(0, |rest| rest.len() - rest.trim_start().len());
    StoreError::new(ErrorKind::Usage, "a cell holds one query; this is a second statement")
        .hint("put it into a cell of its own; a cell's result is a table with the cell's name")
        .located(&checked.text, checked.rewritten.original(second + skipped))
}

/// A PIVOT without IN is several statements to DuckDB. Without `;` there can be no other one.
fn dynamic_pivot(checked: Checked, word: &str) -> Result<Checked> {
    let upper = checked.rewritten.sql.to_ascii_uppercase();
    let query = matches!(word, "PIVOT" | "PIVOT_WIDER" | "WITH" | "FROM" | "SELECT" | "(");
    if !query || !upper.contains("PIVOT") {
        return Err(not_a_query(&checked, word));
    }
    let body = checked.rewritten.sql.trim_end().trim_end_matches(';');
    if body.contains(';') {
        return Err(StoreError::new(ErrorKind::Usage, "a PIVOT without IN (...) cannot stand beside a `;`")
            .hint("name the values: PIVOT ... ON column IN ('a', 'b'), or remove the semicolon"));
    }
    match forbidden(body.split(|c: char| !(c.is_alphanumeric() || c == '_'))) {
        Some(name) => Err(forbidden_error(&checked, name)),
        None => Ok(Checked { wrap: true, ..checked }),
    }
}

fn not_a_query(checked: &Checked, word: &str) -> StoreError {
    let at = start(&checked.text);
    StoreError::new(ErrorKind::Usage, format!("{word} is not a query: a cell only reads"))
        .hint("start with SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE or PIVOT; sources belong in the front matter")
        .located(&checked.text, at)
}

fn forbidden_error(checked: &Checked, name: &str) -> StoreError {
    let at = checked.text.to_ascii_lowercase().find(name).unwrap_or(0);
    StoreError::new(ErrorKind::Usage, format!("{name}() does more than read and is not allowed in a cell"))
        .hint("write the query itself")
        .located(&checked.text, at)
}

/// A forbidden function that a text names, wherever: for views and macros, which no gate has seen.
pub(super) fn forbidden_in(text: &str) -> Option<&'static str> {
    forbidden(text.split(|c: char| !(c.is_alphanumeric() || c == '_')))
}

/// The first of these names that is a forbidden function.
fn forbidden<'n>(mut names: impl Iterator<Item = &'n str>) -> Option<&'static str> {
    names.find_map(|name| FORBIDDEN.iter().find(|f| f.eq_ignore_ascii_case(name)).copied())
}

#[cfg(test)]
mod tests {
    use super::super::{SqlValue, Store, StoreOptions};
    use super::*;

    #[test]
    fn an_expression_is_one_and_only_reads() {
        let store = Store::open(&StoreOptions::default()).unwrap();
        let c = store.connect().unwrap();
        let params = [("k".to_owned(), SqlValue::Int(3))];
        let check = |text: &str| c.check_expr(text, &params, &Cancel::new());
        assert_eq!(
            check("clicked = false AND n < {{k}} -- few").unwrap(),
            "clicked = false AND n < $k -- few"
        );
        for good in ["TRUE", "query IN (SELECT query FROM bad)", "标题 LIKE '%;%'", "(a, b) = (1, 2)"] {
            check(good).unwrap_or_else(|e| panic!("{good}: {e}"));
        }
        for bad in [
            "",
            "1) FROM secrets WHERE (true",
            "1); DROP TABLE x; SELECT (1",
            "1) UNION SELECT (2",
            "1), (2",
            "a =",
            "{{nope}}",
            "checkpoint()",
            "/* open",
        ] {
            assert!(check(bad).is_err(), "{bad} passed");
        }
        let e = check("a = 1\n AND AND b").unwrap_err();
        assert_eq!((e.line, e.column), (Some(2), Some(6)));
    }
}
