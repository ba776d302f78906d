//! An SQL text cut into words and the few signs that tell where tables stand. What literals and comments
//! are is `util::lexis`'s business, for the whole program.

use crate::util::lexis::skip_quoted;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Word(Word),
    LParen,
    RParen,
    Comma,
    Semicolon,
    Period,
    /// A literal, a number, a parameter, an operator.
    Other,
}

/// A keyword or a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    /// Without quotes.
    pub value: String,
    pub quoted: bool,
}

/// A token and its bytes in the text.
pub(super) struct Spanned {
    pub token: Token,
    pub start: usize,
    pub end: usize,
}

/// The tokens that are not blanks or comments.
pub(super) fn tokens(sql: &str) -> Vec<Spanned> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = sql.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &sql[at..];
        let (token, end) = if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        } else if let Some(end) = skip_quoted(sql, at) {
            if rest.starts_with("--") || rest.starts_with("/*") {
                at = end;
                continue;
            }
            (quoted(&sql[at..end]), end)
        } else if is_of_word(c) || c == '$' {
            let length = rest.find(|c| !is_of_word(c) && c != '$').unwrap_or(rest.len());
            word(&rest[..length], sql, at + length)
        } else {
            (sign(c), at + c.len_utf8())
        };
        found.push(Spanned { token, start: at, end });
        at = end;
    }
    found
}

/// Letters of any script, digits, `_`.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || (!c.is_ascii() && !c.is_whitespace())
}

/// `"a ""b"""` is a name, anything else in quotes a literal. An open quote is no name yet.
fn quoted(text: &str) -> Token {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(name) => Token::Word(Word { value: name.replace("\"\"", "\""), quoted: true }),
        None => Token::Other,
    }
}

/// What letters and digits up to `end` are, and where it really ends.
fn word(text: &str, sql: &str, end: usize) -> (Token, usize) {
    // `E'\''` is one literal.
    if text.eq_ignore_ascii_case("e") && sql[end..].starts_with('\'') {
        return (Token::Other, skip_quoted(sql, end).unwrap_or(end));
    }
    if text.starts_with(|c: char| c.is_ascii_digit() || c == '$') {
        return (Token::Other, end);
    }
    (Token::Word(Word { value: text.to_owned(), quoted: false }), end)
}

fn sign(c: char) -> Token {
    match c {
        '(' => Token::LParen,
        ')' => Token::RParen,
        ',' => Token::Comma,
        ';' => Token::Semicolon,
        '.' => Token::Period,
        _ => Token::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words as they are, quoted ones in brackets, signs, `?` for the rest.
    fn told(sql: &str) -> String {
        let told = |spanned: &Spanned| match &spanned.token {
            Token::Word(word) if word.quoted => format!("[{}]", word.value),
            Token::Word(word) => word.value.clone(),
            Token::Other => "?".into(),
            _ => sql[spanned.start..spanned.end].to_owned(),
        };
        tokens(sql).iter().map(told).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_signs_and_the_rest() {
        assert_eq!(told("a.b,\"c \"\"d\"\"\"(跑鞋);"), "a . b , [c \"d\"] ( 跑鞋 ) ;");
        assert_eq!(told("x>=1.5e3 -- no\n/* /* no */ */ ＋ y$1"), "x ? ? ? . ? ＋ y$1");
        assert_eq!(told("'a''b' E'\\'' e'x' $$ FROM $$ $t$ ; $t$ $k x'ff'"), "? ? ? ? ? ? x ?");
        assert_eq!(told("FROM t\u{3000}WHERE a = 'open FROM u"), "FROM t WHERE a ? ?");
        assert_eq!(told("FROM \"open"), "FROM ?");
        assert_eq!(told("\""), "?");
        assert_eq!(told(""), "");
    }
}
