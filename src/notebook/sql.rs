//! Which tables an SQL text reads, by tokens alone: no grammar to lag behind the database's. What
//! cannot be told for sure is left out; the database has the last word.

mod files;
mod tokens;

use super::params;
pub use files::{FileRef, files};
use tokens::{Spanned, Token, Word, tokens};

/// A table that a statement names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRef {
    /// Without quotes. Of `a.b` the first part.
    pub name: String,
    /// `a.b`: the name is a schema, a database or a source.
    pub qualified: bool,
    /// Bytes of the name in the text.
    pub start: usize,
    pub end: usize,
}

/// The tables a statement (or several) reads, in order, names of CTEs left out. An open quote runs to
/// the end of the text.
pub fn tables(sql: &str) -> Vec<TableRef> {
    scan(sql, Place::Elsewhere)
}

/// The tables that a predicate or ORDER BY list reads in its subqueries.
pub fn tables_in_expression(sql: &str) -> Vec<TableRef> {
    scan(sql, Place::Elsewhere)
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// Behind FROM, JOIN or a comma between tables: a name here is a table.
    Table,
    /// In a FROM clause behind a table: alias, ON...
    AfterTable,
    Elsewhere,
}

/// One level of parentheses.
struct Level {
    place: Place,
    /// `extract(year FROM ts)`: FROM here is not a clause.
    function: bool,
}

/// A CTE: its name is a table only behind its definition (inside too when recursive).
struct Cte {
    name: String,
    from: usize,
}

fn scan(sql: &str, place: Place) -> Vec<TableRef> {
    let bound = params::bind(sql).sql;
    let tokens = tokens(&bound);
    let ctes = ctes(&tokens);
    let mut levels = vec![Level { place, function: false }];
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(Spanned { token, start, end }) = tokens.get(at) {
        let next = tokens.get(at + 1).map(|t| &t.token);
        match token {
            Token::LParen => {
                let before = at.checked_sub(1).and_then(|i| tokens.get(i)).and_then(|t| word(&t.token));
                let function = before
                    .is_some_and(|w| is_any(w, &["extract", "substring", "trim", "overlay", "position"]));
                // `FROM (a JOIN b)`: still a place for tables.
                let place = match levels.last() {
                    Some(Level { place: Place::Table, .. }) => Place::Table,
                    _ => Place::Elsewhere,
                };
                after_table(&mut levels);
                levels.push(Level { place, function });
            }
            Token::RParen if levels.len() > 1 => {
                levels.pop();
            }
            Token::Semicolon => {
                levels = vec![Level { place: Place::Elsewhere, function: false }];
            }
            Token::Comma => {
                if let Some(level) = levels.last_mut().filter(|level| level.place == Place::AfterTable) {
                    level.place = Place::Table;
                }
            }
            Token::Word(w) => {
                let in_table = levels.last().is_some_and(|level| level.place == Place::Table);
                let keyword = (!w.quoted).then(|| w.value.to_lowercase());
                match keyword.as_deref() {
                    Some("from") => begin_from(&mut levels, &tokens[..at]),
                    Some(
                        "join" | "table" | "describe" | "summarize" | "pivot" | "unpivot" | "pivot_wider",
                    ) if !in_table => {
                        set(&mut levels, Place::Table);
                    }
                    Some("lateral" | "only" | "into") if in_table => {}
                    Some(
                        "select" | "where" | "group" | "order" | "having" | "limit" | "union" | "except"
                        | "intersect" | "qualify" | "window" | "offset" | "values" | "with" | "set",
                    ) => {
                        set(&mut levels, Place::Elsewhere);
                    }
                    _ if in_table && !matches!(next, Some(Token::LParen)) => {
                        let qualified = matches!(next, Some(Token::Period));
                        let is_cte = !qualified
                            && ctes.iter().any(|c| c.from <= at && c.name == w.value.to_lowercase());
                        if !is_cte {
                            found.push(TableRef {
                                name: w.value.clone(),
                                qualified,
                                start: *start,
                                end: *end,
                            });
                        }
                        while matches!(tokens.get(at + 1).map(|t| &t.token), Some(Token::Period)) {
                            at += 2;
                        }
                        after_table(&mut levels);
                    }
                    _ => after_table(&mut levels),
                }
            }
            _ => after_table(&mut levels),
        }
        at += 1;
    }
    found
}

fn set(levels: &mut [Level], place: Place) {
    if let Some(level) = levels.last_mut() {
        level.place = place;
    }
}

fn after_table(levels: &mut [Level]) {
    if let Some(level) = levels.last_mut().filter(|level| level.place == Place::Table) {
        level.place = Place::AfterTable;
    }
}

fn begin_from(levels: &mut [Level], before: &[Spanned]) {
    let earlier =
        |back: usize| before.len().checked_sub(back).and_then(|i| before.get(i)).and_then(|t| word(&t.token));
    // `a IS [NOT] DISTINCT FROM b`
    let distinct = earlier(1).is_some_and(|w| is_any(w, &["distinct"]))
        && earlier(2).is_some_and(|w| is_any(w, &["is", "not"]));
    if !distinct && levels.last().is_some_and(|level| !level.function) {
        set(levels, Place::Table);
    }
}

fn word(token: &Token) -> Option<&Word> {
    match token {
        Token::Word(word) => Some(word),
        _ => None,
    }
}

fn is_any(word: &Word, names: &[&str]) -> bool {
    !word.quoted && names.iter().any(|name| word.value.eq_ignore_ascii_case(name))
}

/// `WITH [RECURSIVE] name [(columns)] AS [[NOT] MATERIALIZED] ( ... )`, and those behind a comma.
fn ctes(tokens: &[Spanned]) -> Vec<Cte> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !tokens.get(at).and_then(|t| word(&t.token)).is_some_and(|w| is_any(w, &["with"])) {
            at += 1;
            continue;
        }
        at += 1;
        let recursive =
            tokens.get(at).and_then(|t| word(&t.token)).is_some_and(|w| is_any(w, &["recursive"]));
        at += usize::from(recursive);
        let first = at;
        while let Some((cte, behind)) = cte(tokens, at, recursive) {
            found.push(cte);
            at = behind;
            if !matches!(tokens.get(at).map(|t| &t.token), Some(Token::Comma)) {
                break;
            }
            at += 1;
        }
        // Definitions may hold a WITH of their own: look into them too.
        at = first;
    }
    found
}

fn cte(tokens: &[Spanned], at: usize, recursive: bool) -> Option<(Cte, usize)> {
    let name = word(&tokens.get(at)?.token)?.value.to_lowercase();
    let mut next = at + 1;
    if matches!(tokens.get(next)?.token, Token::LParen) {
        next = behind_parenthesis(tokens, next);
    }
    let is = |i: usize, names: &[&str]| {
        tokens.get(i).and_then(|t| word(&t.token)).is_some_and(|w| is_any(w, names))
    };
    if !is(next, &["as"]) {
        return None;
    }
    next += 1;
    while is(next, &["not", "materialized"]) {
        next += 1;
    }
    if !matches!(tokens.get(next)?.token, Token::LParen) {
        return None;
    }
    let behind = behind_parenthesis(tokens, next);
    Some((Cte { name, from: if recursive { next } else { behind } }, behind))
}

/// Index behind the parenthesis that closes the one at `at`.
fn behind_parenthesis(tokens: &[Spanned], at: usize) -> usize {
    let mut depth = 0usize;
    for (i, spanned) in tokens.iter().enumerate().skip(at) {
        match spanned.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> String {
        tables(sql).iter().map(|t| t.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tables_stand_behind_from_join_and_commas() {
        assert_eq!(
            names("SELECT a, b FROM t, u x JOIN \"V w\" USING (a, b) WHERE c IN (SELECT d FROM 坏)"),
            "t u V w 坏"
        );
        assert_eq!(names("FROM t SELECT a, b"), "t");
        assert_eq!(names("SELECT * FROM (SELECT 1 FROM a), b LEFT JOIN c ON b.x = c.x, d"), "a b c d");
        assert_eq!(names("SELECT * FROM (a JOIN b ON true) c"), "a b");
        assert_eq!(names("SELECT x FROM s.t ORDER BY x, y"), "s");
        assert_eq!(names("SUMMARIZE t; DESCRIBE u"), "t u");
        assert_eq!(names("PIVOT t ON x USING sum(y)"), "t");
        assert_eq!(names("SELECT 1 FROM a UNION ALL SELECT 2 FROM b LIMIT {{k}}"), "a b");
    }

    #[test]
    fn functions_files_and_words_are_no_tables() {
        assert_eq!(
            names(
                "SELECT extract(year FROM ts), trim(BOTH FROM x) FROM read_csv('a.csv') r, unnest(z), 'f.parquet' f"
            ),
            ""
        );
        assert_eq!(names("SELECT a IS NOT DISTINCT FROM b, c FROM t"), "t");
        assert_eq!(names("SELECT 'FROM x' -- FROM y\nFROM t /* FROM z */"), "t");
        assert_eq!(names("SELECT 'open"), "");
    }

    #[test]
    fn ctes_are_left_out_but_not_what_they_read() {
        assert_eq!(
            names("WITH x AS (SELECT * FROM a), y(c) AS MATERIALIZED (FROM x) SELECT * FROM x, y, b"),
            "a b"
        );
        assert_eq!(names("WITH rel AS (SELECT * FROM rel) SELECT * FROM rel"), "rel");
        assert_eq!(names("WITH RECURSIVE r AS (SELECT 1 UNION SELECT n+1 FROM r) FROM r"), "");
        assert_eq!(names("SELECT * FROM (WITH q AS (FROM t) FROM q)"), "t");
        assert_eq!(names("WITH a AS (WITH b AS (FROM t) FROM b) FROM a"), "t");
    }

    #[test]
    fn bytes_point_at_the_name() {
        let sql = "SELECT '跑鞋' FROM\n  跑, \"坏 词\"";
        let spans: Vec<&str> = tables(sql).iter().map(|t| &sql[t.start..t.end]).collect();
        assert_eq!(spans, ["跑", "\"坏 词\""]);
    }

    #[test]
    fn long_lines_are_cheap() {
        let sql = format!("SELECT 1 FROM t WHERE x IN ({})", "1,".repeat(200_000));
        assert_eq!(names(&sql), "t");
    }
}
