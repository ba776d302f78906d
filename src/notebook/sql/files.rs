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

/// The files behind FROM and JOIN, and in calls of functions that read files.
pub fn files(sql: &str) -> Vec<FileRef> {
    let tokens = tokens(sql);
    let mut found = Vec::new();
    // One level per open parenthesis: of the function that reads files, if it is its call.
    let mut levels: Vec<Option<Call>> = Vec::new();
    let mut before: Option<(String, usize)> = None;
    for spanned in &tokens {
        let word = match &spanned.token {
            Token::Word(word) => Some((word.value.to_lowercase(), spanned.start)),
            _ => None,
        };
        match &spanned.token {
            Token::LParen => {
                let call = before.as_ref().filter(|(name, _)| reads_files(name));
                levels.push(call.map(|(_, start)| Call { start: *start, named: false }));
            }
            Token::RParen => {
                if let Some(Some(call)) = levels.pop()
                    && !call.named
                {
                    found.push(FileRef { path: None, start: call.start });
                }
            }
            Token::Other => {
                let behind_from = before.as_ref().is_some_and(|(name, _)| name == "from" || name == "join");
                let text = literal(&sql[spanned.start..spanned.end]);
                let call = levels.iter_mut().rev().find_map(Option::as_mut);
                if let Some(path) = text.filter(|_| behind_from || call.is_some()) {
                    if let Some(call) = call {
                        call.named = true;
                    }
                    found.push(FileRef { path: Some(path), start: spanned.start });
                }
            }
            // DuckDB takes `"x.csv"` for a file where no table has that name, and for a text in such calls.
            Token::Word(word) if word.quoted => {
                let behind_from = before.as_ref().is_some_and(|(name, _)| name == "from" || name == "join");
                let call = levels.iter_mut().rev().find_map(Option::as_mut);
                let like_a_file = word.value.contains(['/', '.', '*', ':']);
                if call.is_some() || (behind_from && like_a_file) {
                    if let Some(call) = call {
                        call.named = true;
                    }
                    found.push(FileRef { path: Some(word.value.clone()), start: spanned.start });
                }
            }
            Token::Word(_) | Token::Comma | Token::Semicolon | Token::Period => {}
        }
        before = word;
    }
    found
}

struct Call {
    start: usize,
    /// A literal stood in it.
    named: bool,
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

    fn named(sql: &str) -> Vec<String> {
        files(sql).into_iter().map(|f| f.path.unwrap_or_else(|| "?".into())).collect()
    }

    #[test]
    fn files_are_named_behind_from_and_in_calls() {
        assert_eq!(
            named("SELECT * FROM '日志.csv' JOIN 'b''s.parquet' USING (x)"),
            ["日志.csv", "b's.parquet"]
        );
        assert_eq!(named("FROM read_csv(['a.csv', \"x\", 'b.csv'], header = true)"), ["a.csv", "x", "b.csv"]);
        assert_eq!(
            named("FROM read_csv(\"/etc/passwd\") JOIN \"日志/a.parquet\" ON true JOIN \"t\""),
            ["/etc/passwd", "日志/a.parquet"]
        );
        assert_eq!(named("SELECT (SELECT content FROM read_text($$/etc/passwd$$))"), ["/etc/passwd"]);
        assert_eq!(named("FROM parquet_scan('x') t, glob('/home/*')"), ["x", "/home/*"]);
        assert_eq!(named("FROM READ_JSON(E'a')"), ["a"]);
    }

    #[test]
    fn a_name_that_is_computed_is_said_to_be() {
        assert_eq!(named("FROM read_text(getvariable(x))"), ["?"]);
        assert_eq!(named("FROM read_text(concat('/ho', 'me'))"), ["/ho", "me"], "its parts are shown");
        assert_eq!(named("FROM read_text({{p}})"), ["?"]);
    }

    #[test]
    fn other_literals_are_no_files() {
        assert!(named("SELECT 'a/b.csv' FROM t WHERE x = 'read_csv' -- FROM 'c.csv'").is_empty());
        assert!(named("SELECT count(*), trim(' a ') FROM x").is_empty());
        assert!(named("FROM").is_empty() && named(") ( '").is_empty());
    }
}
