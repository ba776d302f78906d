//! Which files an SQL text names, by tokens alone: to be shown to a reader before anything runs. What
//! holds a statement to its limits is the database, not this list.

use super::tokens::{Token, tokens};

/// A file that a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRef {
    /// As written, without quotes; `None`: the name is computed when the statement runs.
    pub path: Option<String>,
    /// Byte of the literal, or of the function, in the text.
    pub start: usize,
}

/// The files among the tables of FROM and JOIN, and in calls of functions that read files.
pub fn files(sql: &str) -> Vec<FileRef> {
    let mut found = Vec::new();
    // One per open parenthesis.
    let mut levels = vec![Level::default()];
    // The word that stands directly before, and whether a table may stand here.
    let (mut before, mut table): (Option<(String, usize)>, bool) = (None, false);
    for spanned in &tokens(sql) {
        let (mut word, mut table_next) = (None, false);
        match &spanned.token {
            Token::LParen => {
                let call = before.as_ref().filter(|(name, _)| reads_files(name));
                let call = call.map(|(_, start)| Call { start: *start, named: false });
                table_next = table;
                levels.push(Level { call, tables: table });
            }
            Token::RParen => {
                let closed = if levels.len() > 1 { levels.pop() } else { None };
                if let Some(Call { start, named: false }) = closed.and_then(|level| level.call) {
                    found.push(FileRef { path: None, start });
                }
            }
            Token::Comma => table_next = levels.last().is_some_and(|level| level.tables),
            Token::Other => {
                let path = literal(&sql[spanned.start..spanned.end]);
                found.extend(path.and_then(|path| named(&mut levels, table, path, spanned.start)));
            }
            // DuckDB takes `"x.csv"` for a file where no table has that name, and for a text in such calls.
            Token::Word(name) if name.quoted => {
                let like_a_file = name.value.contains(['/', '.', '*', ':']);
                found.extend(named(&mut levels, table && like_a_file, name.value.clone(), spanned.start));
                word = Some((name.value.to_lowercase(), spanned.start));
            }
            Token::Word(name) => {
                let name = name.value.to_lowercase();
                table_next = BEFORE_TABLES.contains(&name.as_str());
                if let Some(level) = levels.last_mut() {
                    level.tables = (level.tables || table_next) && !BEHIND_TABLES.contains(&name.as_str());
                }
                word = Some((name, spanned.start));
            }
            Token::Semicolon => levels = vec![Level::default()],
            Token::Period => {}
        }
        (before, table) = (word, table_next);
    }
    found
}

/// Words that a table follows.
const BEFORE_TABLES: [&str; 7] = ["from", "join", "describe", "summarize", "pivot", "unpivot", "table"];
/// Words with which the tables of a FROM are at their end.
const BEHIND_TABLES: [&str; 15] = [
    "where",
    "group",
    "order",
    "having",
    "limit",
    "offset",
    "select",
    "union",
    "intersect",
    "except",
    "window",
    "qualify",
    "values",
    "set",
    "returning",
];

#[derive(Default)]
struct Level {
    /// The call of a function that reads files.
    call: Option<Call>,
    /// A table may stand behind a comma.
    tables: bool,
}

struct Call {
    start: usize,
    /// A literal stood in it.
    named: bool,
}

/// A literal, if it is a file: as a table, or within a call that reads files.
fn named(levels: &mut [Level], table: bool, path: String, start: usize) -> Option<FileRef> {
    let call = levels.iter_mut().rev().find_map(|level| level.call.as_mut());
    let is_file = table || call.is_some();
    if let Some(call) = call {
        call.named = true;
    }
    is_file.then_some(FileRef { path: Some(path), start })
}

/// DuckDB's table functions over files: `read_csv`, `parquet_scan`, `glob`, `sniff_csv` and the like.
fn reads_files(function: &str) -> bool {
    function.starts_with("read_")
        || function.starts_with("parquet_")
        || function.starts_with("st_read")
        || function.ends_with("_scan")
        || ["glob", "sniff_csv", "which_secret"].contains(&function)
}

/// The text of a plain literal; `None` for numbers, operators, parameters.
fn literal(token: &str) -> Option<String> {
    let inner = match token.strip_prefix(['e', 'E']).unwrap_or(token).strip_prefix('\'') {
        Some(rest) => rest.strip_suffix('\'').unwrap_or(rest).replace("''", "'"),
        None => {
            let tag_end = token.strip_prefix('$')?.find('$')? + 2;
            let (tag, rest) = token.split_at(tag_end);
            rest.strip_suffix(tag)?.to_owned()
        }
    };
    Some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Vec<String> {
        files(sql).into_iter().map(|f| f.path.unwrap_or_else(|| "?".into())).collect()
    }

    #[test]
    fn files_are_named_behind_from_and_in_calls() {
        assert_eq!(
            read("SELECT * FROM '日志.csv' JOIN 'b''s.parquet' USING (x)"),
            ["日志.csv", "b's.parquet"]
        );
        assert_eq!(read("FROM read_csv(['a.csv', \"x\", 'b.csv'], header = true)"), ["a.csv", "x", "b.csv"]);
        assert_eq!(
            read("FROM read_csv(\"/etc/passwd\") JOIN \"日志/a.parquet\" ON true JOIN \"t\""),
            ["/etc/passwd", "日志/a.parquet"]
        );
        assert_eq!(read("SELECT (SELECT content FROM read_text($$/etc/passwd$$))"), ["/etc/passwd"]);
        assert_eq!(read("FROM parquet_scan('x') t, glob('/home/*')"), ["x", "/home/*"]);
        assert_eq!(read("FROM READ_JSON(E'a')"), ["a"]);
        assert_eq!(
            read(
                "SELECT 'x', 'y' FROM t AS \"u\", 'a.csv' AS z, LATERAL (FROM 'b.csv'), \"c.csv\" WHERE v IN ('d')"
            ),
            ["a.csv", "b.csv", "c.csv"]
        );
        assert_eq!(
            read("FROM ('a.csv' JOIN 'b.csv' ON x = 'y'), 'c.csv' SELECT 'd', 'e'"),
            ["a.csv", "b.csv", "c.csv"]
        );
        assert_eq!(
            read("SUMMARIZE 'a.csv'; DESCRIBE 'b.csv'; PIVOT 'c.csv' ON d"),
            ["a.csv", "b.csv", "c.csv"]
        );
    }

    #[test]
    fn a_name_that_is_computed_is_said_to_be() {
        assert_eq!(read("FROM read_text(getvariable(x))"), ["?"]);
        assert_eq!(read("FROM read_text(concat('/ho', 'me'))"), ["/ho", "me"], "its parts are shown");
        assert_eq!(read("FROM read_text({{p}})"), ["?"]);
    }

    #[test]
    fn other_literals_are_no_files() {
        assert!(read("SELECT 'a/b.csv' FROM t WHERE x = 'read_csv' -- FROM 'c.csv'").is_empty());
        assert!(read("SELECT count(*), trim(' a ') FROM x").is_empty());
        assert!(read("FROM (VALUES ('a', 'b'), ('c', 'd')) t ORDER BY 'e', 'f'").is_empty());
        assert!(read("FROM").is_empty() && read(") ( '").is_empty());
    }
}
