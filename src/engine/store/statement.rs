//! The gate for text that a cell holds: exactly one statement, and one that only reads.
//!
//! DuckDB's own parser decides (`json_serialize_sql`), never a look-alike: preparing would already
//! run every statement but the last. A dynamic PIVOT is the one query that DuckDB itself expands to
//! several statements; it passes only without any `;`, and only inside `FROM (...)`.

use super::params::{Rewritten, rewrite};
use super::{Connection, ErrorKind, Params, Result, StoreError};
use crate::util::cancel::Cancel;

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
        self.under_watch(cancel, || {
            let mut statement = self.raw.prepare(&query)?;
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
        })
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

/// The first of these names that is a forbidden function.
fn forbidden<'n>(mut names: impl Iterator<Item = &'n str>) -> Option<&'static str> {
    names.find_map(|name| FORBIDDEN.iter().find(|f| f.eq_ignore_ascii_case(name)).copied())
}

/// Where the first word begins, behind blanks and comments.
fn start(sql: &str) -> usize {
    let mut at = 0;
    loop {
        let rest = &sql[at..];
        at += rest.len() - rest.trim_start().len();
        let comment = sql[at..].starts_with("--") || sql[at..].starts_with("/*");
        match (comment, skip_quoted(sql, at)) {
            (true, Some(end)) => at = end,
            _ => return at,
        }
    }
}

/// The first keyword in capitals, or `(`.
fn first_word(sql: &str) -> String {
    let rest = &sql[start(sql)..];
    if rest.starts_with('(') {
        return "(".into();
    }
    rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>().to_uppercase()
}

/// The text up to the first `;` that is code.
pub(crate) fn before_semicolon(sql: &str) -> &str {
    let mut at = 0;
    while at < sql.len() {
        if let Some(end) = skip_quoted(sql, at) {
            at = end;
        } else if sql[at..].starts_with(';') {
            return &sql[..at];
        } else {
            at += sql[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    sql
}

/// If a literal, quoted identifier or comment begins at `at`: where it ends.
pub(crate) fn skip_quoted(sql: &str, at: usize) -> Option<usize> {
    let rest = &sql[at..];
    let to_end = |found: Option<usize>| found.map_or(sql.len(), |i| at + i);
    if rest.starts_with("--") {
        return Some(to_end(rest.find('\n')));
    }
    if rest.starts_with("/*") {
        return Some(at + block_comment(rest));
    }
    if rest.starts_with('\'') {
        let before = &sql[..at];
        let escapes = before.ends_with(['e', 'E'])
            && !before[..at - 1].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        return Some(at + literal(rest, '\'', escapes));
    }
    if rest.starts_with('"') {
        return Some(at + literal(rest, '"', false));
    }
    if rest.starts_with('$') {
        let tag_end = rest[1..].find('$')? + 2;
        let tag = &rest[..tag_end];
        let name = &tag[1..tag_end - 1];
        if name.starts_with(|c: char| c.is_ascii_digit())
            || !name.chars().all(|c| c.is_alphanumeric() || c == '_')
        {
            return None;
        }
        return Some(to_end(rest[tag_end..].find(tag).map(|i| i + 2 * tag_end)));
    }
    None
}

/// Length of a nested block comment that `rest` starts with.
fn block_comment(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut i) = (0, 0);
    while i + 1 < bytes.len() {
        match &bytes[i..i + 2] {
            b"/*" => (depth, i) = (depth + 1, i + 2),
            b"*/" => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    rest.len()
}

/// Length of the quoted piece that `rest` starts with; a doubled quote is part of it.
fn literal(rest: &str, quote: char, escapes: bool) -> usize {
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((i, c)) = chars.next() {
        if escapes && c == '\\' {
            chars.next();
        } else if c == quote {
            if chars.peek().is_some_and(|(_, next)| *next == quote) {
                chars.next();
            } else {
                return i + 1;
            }
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_in_quotes_are_text() {
        let sql = "SELECT ';', \";\", $$;$$, $x$;$x$, E'\\';' /* ; /* ; */ */ -- ;\n, 1; DROP";
        assert_eq!(before_semicolon(sql), &sql[..sql.len() - 6]);
        assert_eq!(before_semicolon("SELECT ';"), "SELECT ';", "an open literal runs to the end");
        assert_eq!(before_semicolon("a$b; c$d"), "a$b; c$d".split(';').next().unwrap());
    }

    #[test]
    fn first_word_behind_comments() {
        assert_eq!(first_word(" -- x\n/* y */ select 1"), "SELECT");
        assert_eq!(first_word("(select 1)"), "(");
        assert_eq!(first_word(""), "");
        assert_eq!(first_word("/* open"), "");
    }
}
