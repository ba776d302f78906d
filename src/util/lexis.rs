//! Where literals, quoted identifiers and comments begin and end in DuckDB's SQL, so that slots,
//! parameters, names and semicolons inside of them are left alone. Decides nothing about safety: the
//! store's gate asks DuckDB's own parser.

/// Where the first word begins, behind blanks and comments.
pub(crate) fn start(sql: &str) -> usize {
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
pub(crate) fn first_word(sql: &str) -> String {
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
    if let Some(tagged) = rest.strip_prefix('$') {
        let tag_end = tagged.find('$')? + 2;
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
