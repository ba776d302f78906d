//! `{{name}}` in a cell's SQL becomes the bound parameter `$name`: outside of string literals,
//! quoted identifiers and comments. Values are never pasted into the text.

use std::collections::HashSet;

use super::{ErrorKind, Params, Result, StoreError};
use crate::util::lexis::skip_quoted;

/// SQL with `$name` parameters, and the way back to the text that it was made from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rewritten {
    pub(crate) sql: String,
    /// (offset in `sql`, offset in the original) after each replacement, ascending.
    shifts: Vec<(usize, usize)>,
}

impl Rewritten {
    /// The offset in the original text for one in `sql`.
    pub(crate) fn original(&self, at: usize) -> usize {
        match self.shifts.iter().rev().find(|(new, _)| *new <= at) {
            Some((new, old)) => old + (at - new),
            None => at,
        }
    }
}

/// Rewrites every `{{name}}`; one that has no value is an error at its place.
pub(crate) fn rewrite(text: &str, params: &Params) -> Result<Rewritten> {
    let mut out = Rewritten { sql: String::with_capacity(text.len()), shifts: Vec::new() };
    let mut at = 0;
    // Made for the first placeholder: a text may hold thousands.
    let mut known: Option<HashSet<String>> = None;
    while at < text.len() {
        if let Some(end) = skip_quoted(text, at) {
            out.sql.push_str(&text[at..end]);
            at = end;
        } else if text[at..].starts_with("{{") {
            let (name, end) = placeholder(text, at)?;
            let known =
                known.get_or_insert_with(|| params.iter().map(|(n, _)| n.to_ascii_lowercase()).collect());
            if !known.contains(&name.to_ascii_lowercase()) {
                return Err(unknown(name, params).located(text, at));
            }
            // Where the placeholder touches a word, keep the two apart.
            out.shifts.push((out.sql.len(), at));
            out.sql.push_str(&format!("${name}"));
            if text[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_') {
                out.sql.push(' ');
            }
            at = end;
            out.shifts.push((out.sql.len(), at));
        } else {
            let c = text[at..].chars().next().map_or(1, char::len_utf8);
            out.sql.push_str(&text[at..at + c]);
            at += c;
        }
    }
    Ok(out)
}

/// The name in the placeholder at `at`, and where the placeholder ends.
fn placeholder(text: &str, at: usize) -> Result<(&str, usize)> {
    let inside = &text[at + 2..];
    let bad = |why: &str| {
        StoreError::new(ErrorKind::Usage, format!("{why} in a {{{{parameter}}}}"))
            .hint("a parameter is written {{name}}: letters, digits and _")
            .located(text, at)
    };
    let close = inside.find("}}").ok_or_else(|| bad("the closing }} is missing"))?;
    let name = inside[..close].trim();
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(bad("this is not a name"));
    }
    Ok((name, at + 2 + close + 2))
}

fn unknown(name: &str, params: &Params) -> StoreError {
    let known: Vec<&str> = params.iter().map(|(n, _)| n.as_str()).collect();
    let error = StoreError::new(ErrorKind::Usage, format!("the parameter {{{{{name}}}}} has no value"));
    match known.is_empty() {
        true => error.hint(format!("give it in the front matter: `params: {{ {name}: ... }}`")),
        false => error.hint(format!("known parameters: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::SqlValue;
    use super::*;

    fn params() -> Vec<(String, SqlValue)> {
        vec![("k".into(), SqlValue::Int(1)), ("名_1".into(), SqlValue::Null)]
    }

    #[test]
    fn only_code_is_rewritten() {
        let text = "SELECT '{{k}}', \"{{k}}\", {{k}} -- {{k}}\n/* {{k}} /* {{k}} */ */ LIMIT {{ k }}";
        let sql = rewrite(text, &params()).unwrap().sql;
        assert_eq!(sql, "SELECT '{{k}}', \"{{k}}\", $k -- {{k}}\n/* {{k}} /* {{k}} */ */ LIMIT $k");
    }

    #[test]
    fn offsets_lead_back() {
        let text = "SELECT {{k}}, {{k}} + 跑鞋";
        let done = rewrite(text, &params()).unwrap();
        let at = done.sql.find('跑').unwrap();
        assert_eq!(done.original(at), text.find('跑').unwrap());
        assert_eq!(done.original(0), 0);
        assert_eq!(done.original(7), 7);
    }

    #[test]
    fn unknown_and_broken_are_placed() {
        let e = rewrite("SELECT 1,\n 跑 {{q}}", &params()).unwrap_err();
        assert_eq!((e.line, e.column), (Some(2), Some(4)));
        assert!(e.hint.unwrap().contains('k'));
        assert!(rewrite("SELECT {{k", &params()).is_err());
        assert!(rewrite("SELECT {{k; DROP}}", &params()).is_err());
    }
}
