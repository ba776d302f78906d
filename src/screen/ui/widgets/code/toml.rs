//! Just enough of TOML to colour it: comments, keys, strings (also over several lines), numbers,
//! booleans, table headings. Wrong TOML is coloured as far as it goes.

use super::highlight::CodeSpan;
use crate::screen::ui::theme::Role;

pub fn highlight<S: AsRef<str>>(lines: &[S]) -> Vec<Vec<CodeSpan>> {
    let mut open: Option<&'static str> = None;
    lines.iter().map(|line| one_line(line.as_ref(), &mut open)).collect()
}

fn one_line(line: &str, open: &mut Option<&'static str>) -> Vec<CodeSpan> {
    let mut spans = Vec::new();
    let mut at = 0;
    let mut in_value = false;
    let mut tables = 0usize;
    if let Some(quote) = *open {
        match line.find(quote) {
            Some(end) => {
                at = end + quote.len();
                *open = None;
                in_value = true;
            }
            None => at = line.len(),
        }
        spans.push(CodeSpan { start: 0, end: at, role: Role::CodeString });
    } else if line.trim_start().starts_with('[') {
        let end = line.find('#').unwrap_or(line.len());
        spans.push(CodeSpan { start: 0, end, role: Role::CodeHeading });
        at = end;
    }
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let (len, role) = token(rest, in_value, open);
        if let Some(role) = role {
            spans.push(CodeSpan { start: at, end: at + len, role });
        }
        match rest.chars().next() {
            Some('=') => in_value = true,
            // Inside an inline table the next word is a key again.
            Some('{') => {
                tables += 1;
                in_value = false;
            }
            Some('}') => tables = tables.saturating_sub(1),
            Some(',') => in_value = tables == 0,
            _ => {}
        }
        at += len;
    }
    spans
}

/// Length in bytes (at least 1) and role of what `rest` begins with.
fn token(rest: &str, in_value: bool, open: &mut Option<&'static str>) -> (usize, Option<Role>) {
    let first = rest.chars().next().unwrap_or(' ');
    for quote in ["\"\"\"", "'''"] {
        if let Some(body) = rest.strip_prefix(quote) {
            return match body.find(quote) {
                Some(end) => (end + 2 * quote.len(), Some(Role::CodeString)),
                None => {
                    *open = Some(quote);
                    (rest.len(), Some(Role::CodeString))
                }
            };
        }
    }
    match first {
        '#' => (rest.len(), Some(Role::CodeComment)),
        '"' | '\'' => {
            let role = if in_value { Role::CodeString } else { Role::CodeKeyword };
            (quoted(rest, first), Some(role))
        }
        '=' | '{' | '}' | '[' | ']' | ',' => (1, Some(Role::CodeOperator)),
        c if c.is_alphanumeric() || c == '_' || c == '-' || c == '+' => {
            let len =
                rest.find(|c: char| !(c.is_alphanumeric() || "_-+.:".contains(c))).unwrap_or(rest.len());
            let word = rest.get(..len).unwrap_or_default();
            let role = match word {
                _ if !in_value => Some(Role::CodeKeyword),
                "true" | "false" | "inf" | "nan" => Some(Role::CodeNumber),
                _ if first.is_ascii_digit() || first == '-' || first == '+' => Some(Role::CodeNumber),
                _ => None,
            };
            (len, role)
        }
        c => (c.len_utf8(), None),
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            c if c == quote => return i + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}
