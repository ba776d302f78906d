//! Parameters: `{{k}}` in TOML strings is filled in, in SQL it is bound as a value. Values and their
//! places; who runs the SQL is elsewhere.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Diagnostic;
use crate::terms::SqlValue;

impl SqlValue {
    /// As it stands inside a text.
    pub fn to_text(&self) -> String {
        match self {
            SqlValue::Null => String::new(),
            SqlValue::Bool(value) => value.to_string(),
            SqlValue::Int(value) => value.to_string(),
            SqlValue::Float(value) => value.to_string(),
            SqlValue::Text(value) => value.clone(),
        }
    }

    /// Reads `text` as the same type; a parameter without a value takes what the text looks like.
    fn same_type(&self, text: &str) -> Result<SqlValue, &'static str> {
        match self {
            SqlValue::Text(_) => Ok(SqlValue::Text(text.into())),
            SqlValue::Bool(_) => text.parse().map(SqlValue::Bool).map_err(|_| "true or false"),
            SqlValue::Int(_) => text.parse().map(SqlValue::Int).map_err(|_| "a whole number"),
            SqlValue::Float(_) => finite(text).map(SqlValue::Float).ok_or("a number"),
            SqlValue::Null => Ok(guess(text)),
        }
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|value| value.is_finite())
}

fn guess(text: &str) -> SqlValue {
    if let Ok(value) = text.parse() {
        SqlValue::Int(value)
    } else if let Some(value) = finite(text) {
        SqlValue::Float(value)
    } else if let Ok(value) = text.parse() {
        SqlValue::Bool(value)
    } else {
        SqlValue::Text(text.into())
    }
}

/// A notebook's parameters by name, in the order of the front matter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Params {
    values: Vec<(String, SqlValue)>,
    /// Place of each name; of two alike the first. Names never change, values may.
    index: Arc<HashMap<String, usize>>,
}

impl Params {
    pub fn new(values: &[(String, SqlValue)]) -> Self {
        let mut index = HashMap::with_capacity(values.len());
        for (at, (name, _)) in values.iter().enumerate() {
            index.entry(name.clone()).or_insert(at);
        }
        Self { values: values.to_vec(), index: Arc::new(index) }
    }

    pub fn get(&self, name: &str) -> Option<&SqlValue> {
        self.values.get(*self.index.get(name)?).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &SqlValue)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Puts `--set` values over the defaults, each read as its default's type.
    pub fn with_overrides(mut self, overrides: &[(String, String)]) -> (Self, Vec<Diagnostic>) {
        let mut faults = Vec::new();
        for (key, text) in overrides {
            let Some((_, value)) = self.index.get(key).and_then(|at| self.values.get_mut(*at)) else {
                let fault = Diagnostic::error(1, 1, format!("the notebook has no parameter `{key}`"));
                faults.push(fault.suggest_from(key, self.iter().map(|(name, _)| name)));
                continue;
            };
            match value.same_type(text) {
                Ok(new) => *value = new,
                Err(wanted) => faults.push(
                    Diagnostic::error(1, 1, format!("parameter `{key}` takes {wanted}, not `{text}`"))
                        .suggest(format!("its default is {}", value.to_text())),
                ),
            }
        }
        (self, faults)
    }

    /// Replaces every `{{name}}` by its value. `Err` names the first unknown one.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let mut filled = String::with_capacity(text.len());
        let mut at = 0;
        for slot in slots(text) {
            filled.push_str(&text[at..slot.start]);
            filled.push_str(&self.get(slot.name).ok_or_else(|| slot.name.to_string())?.to_text());
            at = slot.end;
        }
        filled.push_str(&text[at..]);
        Ok(filled)
    }
}

/// One `{{name}}` of a text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot<'a> {
    pub name: &'a str,
    pub start: usize,
    pub end: usize,
}

/// Every `{{name}}`, blanks inside allowed; anything else in double braces is not a parameter.
pub fn slots(text: &str) -> Vec<Slot<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = text[at..].find("{{").map(|i| at + i) {
        let inner = open + 2;
        // Looked for nearby only, so that a text full of braces stays cheap.
        let near = &text.as_bytes()[inner..text.len().min(inner + 200)];
        let close = near.windows(2).position(|w| w == b"}}").map(|i| inner + i);
        let name = close.and_then(|close| text.get(inner..close)).map(|name| name.trim_matches(' '));
        match (close, name) {
            (Some(close), Some(name)) if is_param_name(name) => {
                found.push(Slot { name, start: open, end: close + 2 });
                at = close + 2;
            }
            _ => at = inner,
        }
    }
    found
}

/// ASCII letters, digits and `_`: what a bound parameter of DuckDB may be called.
pub fn is_param_name(name: &str) -> bool {
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    starts && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// SQL with every `{{name}}` written as `$name`, padded to the same width so that the positions of
/// the database's messages still fit the text, and the names used, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoundSql {
    pub sql: String,
    pub names: Vec<String>,
}

/// Rewrites parameters for binding. Inside quotes and comments `{{name}}` is text and stays.
pub fn bind(sql: &str) -> BoundSql {
    let mut bound = BoundSql::default();
    let mut at = 0;
    let mut seen = HashSet::new();
    for (slot, quoted) in placed_slots(sql) {
        if quoted {
            continue;
        }
        bound.sql.push_str(&sql[at..slot.start]);
        let padding = slot.end - slot.start - slot.name.len() - 1;
        bound.sql.push('$');
        bound.sql.push_str(slot.name);
        bound.sql.extend(std::iter::repeat_n(' ', padding));
        if seen.insert(slot.name) {
            bound.names.push(slot.name.to_string());
        }
        at = slot.end;
    }
    bound.sql.push_str(&sql[at..]);
    bound
}

/// Every slot, and whether it lies in a string, a quoted identifier or a comment.
pub fn placed_slots(sql: &str) -> impl Iterator<Item = (Slot<'_>, bool)> {
    // Both go from left to right, so that a text is walked once.
    let mut quotes = Quotes { bytes: sql.as_bytes(), at: 0, end: 0 };
    slots(sql).into_iter().map(move |slot| {
        let quoted = quotes.hold(slot.start);
        (slot, quoted)
    })
}

/// The quotes and comments of a text, walked from left to right.
struct Quotes<'a> {
    bytes: &'a [u8],
    /// Outside of quotes up to here, but for those that end at `end`.
    at: usize,
    end: usize,
}

impl Quotes<'_> {
    /// Whether an offset, not before one asked for earlier, is inside.
    fn hold(&mut self, offset: usize) -> bool {
        while offset >= self.end && self.at < offset && self.at < self.bytes.len() {
            let end = match &self.bytes[self.at..] {
                [b'\'', ..] => closing(self.bytes, self.at + 1, b"'"),
                [b'"', ..] => closing(self.bytes, self.at + 1, b"\""),
                [b'-', b'-', ..] => closing(self.bytes, self.at + 2, b"\n"),
                [b'/', b'*', ..] => closing(self.bytes, self.at + 2, b"*/"),
                _ => {
                    self.at += 1;
                    continue;
                }
            };
            (self.at, self.end) = (end, end);
        }
        offset < self.end
    }
}

fn closing(bytes: &[u8], from: usize, mark: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.windows(mark.len()).position(|w| w == mark).map_or(bytes.len(), |i| from + i + mark.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> Params {
        Params::new(&[
            ("k".into(), SqlValue::Int(10)),
            ("who".into(), SqlValue::Text("跑鞋".into())),
            ("share".into(), SqlValue::Float(0.5)),
        ])
    }

    #[test]
    fn texts_are_filled() {
        assert_eq!(params().fill("ndcg@{{k}} {{ who }} {x} {{1}}").unwrap(), "ndcg@10 跑鞋 {x} {{1}}");
        assert_eq!(params().fill("{{kk}}").unwrap_err(), "kk");
    }

    #[test]
    fn sql_is_bound_outside_quotes_at_the_same_width() {
        let bound = bind("LIMIT {{k}} -- {{k}}\nWHERE a = '{{k}}' AND b = {{ who }} AND {{k}}");
        assert_eq!(bound.sql, "LIMIT $k    -- {{k}}\nWHERE a = '{{k}}' AND b = $who      AND $k   ");
        assert_eq!(bound.names, ["k", "who"]);
        assert_eq!(bind("'it''s' {{k}}").names, ["k"]);
    }

    #[test]
    fn overrides_take_the_type_of_the_default() {
        let set = |key: &str, value: &str| params().with_overrides(&[(key.into(), value.into())]);
        assert_eq!(set("k", "5").0.get("k"), Some(&SqlValue::Int(5)));
        assert_eq!(set("who", "5").0.get("who"), Some(&SqlValue::Text("5".into())));
        assert!(set("k", "x").1[0].message.contains("whole number"));
        assert!(set("share", "nan").1[0].message.contains("number"));
        assert_eq!(set("shar", "1").1[0].suggestion.as_deref(), Some("did you mean `share`?"));
    }
}
