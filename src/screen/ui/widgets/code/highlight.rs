//! Which role each stretch of source plays. SQL through syntect, Markdown through pulldown-cmark, TOML
//! by a small lexer of our own (syntect's default set has none). Loading takes tens of milliseconds: do
//! it in a thread, never on the way to the first frame.

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};

use crate::screen::ui::theme::Role;

/// A stretch of one line, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeSpan {
    pub start: usize,
    pub end: usize,
    pub role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    Sql,
    Toml,
    Markdown,
}

/// Longer lines, and lines beyond this many, stay plain: they are data, not code.
const LONGEST_LINE: usize = 2_000;
const MOST_LINES: usize = 3_000;

/// Loaded grammars; may be shared between threads.
pub struct Highlighter {
    syntaxes: SyntaxSet,
    rules: Vec<(Scope, Role)>,
}

/// The first rule whose scope begins the innermost matching scope wins, so special ones come first.
const RULES: &[(&str, Role)] = &[
    ("comment", Role::CodeComment),
    ("punctuation.definition.comment", Role::CodeComment),
    ("string.quoted.double.sql", Role::CodeName),
    ("string", Role::CodeString),
    ("punctuation.definition.string", Role::CodeString),
    ("constant.numeric", Role::CodeNumber),
    ("constant", Role::CodeNumber),
    ("keyword.operator", Role::CodeOperator),
    ("keyword", Role::CodeKeyword),
    ("storage", Role::CodeKeyword),
    ("support.function", Role::CodeFunction),
    ("entity.name.function", Role::CodeFunction),
];

/// What DuckDB has beyond the grammar's own list, upper case, sorted.
const MORE_SQL: &[&str] = &[
    "ANTI",
    "ANY",
    "ASC",
    "ASOF",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "CROSS",
    "CUBE",
    "DESC",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXCLUDE",
    "EXISTS",
    "FILTER",
    "FIRST",
    "FULL",
    "GROUP",
    "GROUPING",
    "ILIKE",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "LAST",
    "LATERAL",
    "LEFT",
    "LIMIT",
    "MATERIALIZED",
    "NOT",
    "NULLS",
    "OFFSET",
    "ON",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "PIVOT",
    "POSITIONAL",
    "QUALIFY",
    "RANGE",
    "RECURSIVE",
    "REPLACE",
    "RIGHT",
    "ROLLUP",
    "ROWS",
    "SAMPLE",
    "SEMI",
    "SETS",
    "SUMMARIZE",
    "TABLESAMPLE",
    "THEN",
    "UNION",
    "UNNEST",
    "UNPIVOT",
    "USING",
    "VALUES",
    "WHEN",
    "WINDOW",
    "WITH",
];

/// What most texts hold. Expressions compile when they are first met, which takes longer than a key
/// may wait for its frame.
const SAMPLE: [&str; 2] =
    ["SELECT a, 'b' AS \"c\", count(*) / 1.5 FROM t WHERE x <= 1 AND y LIKE 'z' -- d", "/* e */ ORDER BY 1;"];

impl Highlighter {
    /// Ready for any text: the grammars are loaded and have been used.
    pub fn load() -> Highlighter {
        let highlighter = Self::loaded();
        highlighter.highlight(Language::Sql, &SAMPLE);
        highlighter
    }

    fn loaded() -> Highlighter {
        let rules = RULES.iter().filter_map(|(scope, role)| Some((Scope::new(scope).ok()?, *role))).collect();
        Highlighter { syntaxes: SyntaxSet::load_defaults_newlines(), rules }
    }

    /// One list of spans per line, in order and without overlap. Never fails: what cannot be parsed
    /// stays plain.
    pub fn highlight<S: AsRef<str>>(&self, language: Language, lines: &[S]) -> Vec<Vec<CodeSpan>> {
        let mut spans = match language {
            Language::Toml => super::toml::highlight(lines),
            Language::Sql => self.parse("sql", lines),
            Language::Markdown => super::markdown::highlight(lines),
        };
        for (line, spans) in lines.iter().zip(spans.iter_mut()) {
            let line = line.as_ref();
            if line.len() > LONGEST_LINE {
                continue;
            }
            if language == Language::Sql {
                name_words(line, spans);
            }
            overlay_params(line, spans);
        }
        spans
    }

    fn parse<S: AsRef<str>>(&self, extension: &str, lines: &[S]) -> Vec<Vec<CodeSpan>> {
        let Some(syntax) = self.syntaxes.find_syntax_by_extension(extension) else {
            return vec![Vec::new(); lines.len()];
        };
        let mut state = ParseState::new(syntax);
        let mut stack = ScopeStack::new();
        let mut out = Vec::with_capacity(lines.len());
        for line in lines.iter().take(MOST_LINES) {
            out.push(self.parse_line(line.as_ref(), &mut state, &mut stack));
        }
        out.resize(lines.len(), Vec::new());
        out
    }

    fn parse_line(&self, line: &str, state: &mut ParseState, stack: &mut ScopeStack) -> Vec<CodeSpan> {
        let mut spans = Vec::new();
        if line.len() > LONGEST_LINE {
            return spans;
        }
        let Ok(ops) = state.parse_line(&format!("{line}\n"), &self.syntaxes) else { return spans };
        let mut from = 0;
        for (at, op) in ops {
            let at = at.min(line.len());
            if at > from
                && let Some(role) = self.role(stack)
            {
                spans.push(CodeSpan { start: from, end: at, role });
            }
            from = at;
            if stack.apply(&op).is_err() {
                return Vec::new();
            }
        }
        if line.len() > from
            && let Some(role) = self.role(stack)
        {
            spans.push(CodeSpan { start: from, end: line.len(), role });
        }
        spans
    }

    fn role(&self, stack: &ScopeStack) -> Option<Role> {
        stack.as_slice().iter().rev().find_map(|scope| {
            self.rules.iter().find(|(prefix, _)| prefix.is_prefix_of(*scope)).map(|(_, role)| *role)
        })
    }
}

/// Words that the grammar left plain: DuckDB's further keywords, and names before a parenthesis.
fn name_words(line: &str, spans: &mut Vec<CodeSpan>) {
    let mut found = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let Some(c) = line.get(at..).and_then(|rest| rest.chars().next()) else { break };
        if !(c.is_alphabetic() || c == '_') {
            at += c.len_utf8();
            continue;
        }
        let word = line.get(at..).unwrap_or_default();
        let len = word.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(word.len());
        let end = at + len;
        let upper = word.get(..len).unwrap_or_default().to_uppercase();
        let role = if MORE_SQL.binary_search(&upper.as_str()).is_ok() {
            Some(Role::CodeKeyword)
        } else if line.get(end..).unwrap_or_default().trim_start().starts_with('(') {
            Some(Role::CodeFunction)
        } else {
            None
        };
        let taken = spans.iter().any(|s| s.start < end && at < s.end);
        if let (Some(role), false) = (role, taken) {
            found.push(CodeSpan { start: at, end, role });
        }
        at = end;
    }
    spans.extend(found);
    spans.sort_by_key(|s| s.start);
}

/// `{{name}}` is a parameter in every language, strings included.
fn overlay_params(line: &str, spans: &mut Vec<CodeSpan>) {
    let mut at = 0;
    while let Some(start) = line.get(at..).and_then(|rest| rest.find("{{")).map(|i| at + i) {
        let Some(end) = line.get(start..).and_then(|rest| rest.find("}}")).map(|i| start + i + 2) else {
            break;
        };
        let mut cut = Vec::with_capacity(spans.len() + 2);
        for span in spans.iter() {
            if span.start < start {
                cut.push(CodeSpan { end: span.end.min(start), ..*span });
            }
            if span.end > end {
                cut.push(CodeSpan { start: span.start.max(end), ..*span });
            }
        }
        cut.push(CodeSpan { start, end, role: Role::CodeParam });
        cut.sort_by_key(|s| s.start);
        *spans = cut;
        at = end;
    }
}
