//! One JSON object in one line: its members as they are written, so that a row is passed on byte for
//! byte and a number never changes its text. Pure.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// A line that is a JSON object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Object<'a> {
    /// The line up to the closing brace, that one left out.
    pub body: &'a str,
    /// It has no members.
    pub empty: bool,
}

impl<'a> Object<'a> {
    /// Checks the whole line; otherwise why it is no object, to be read behind "line 7".
    pub fn parse(line: &'a str) -> Result<Self, String> {
        if let Err(error) = serde_json::from_str::<IgnoredAny>(line) {
            let text = error.to_string();
            // serde_json counts lines of its own.
            let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
            return Err(format!("is not JSON: {what} (column {})", error.column()));
        }
        let line = line.trim_end();
        let Some(body) = line.strip_suffix('}').filter(|_| line.trim_start().starts_with('{')) else {
            return Err(format!("{}, and a row is an object", kind(line.trim_start())));
        };
        let empty = body.trim_start().strip_prefix('{').is_none_or(|rest| rest.trim().is_empty());
        Ok(Self { body, empty })
    }

    /// Keys and values as they are written, in their order.
    pub fn members(&self) -> Members<'a> {
        let at = self.body.find('{').map_or(self.body.len(), |brace| brace + 1);
        Members { text: self.body, at }
    }
}

/// Walks over a body that [`Object::parse`] has found sound.
pub(super) struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        let key_at = skip(bytes, self.at, |b| b.is_ascii_whitespace() || b == b',');
        let key_end = value_end(bytes, key_at);
        let key = self.text.get(key_at..key_end).filter(|key| !key.is_empty())?;
        let at = skip(bytes, key_end, |b| b.is_ascii_whitespace() || b == b':');
        self.at = value_end(bytes, at);
        Some((key, self.text.get(at..self.at)?))
    }
}

fn skip(bytes: &[u8], at: usize, over: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|b| !over(*b)).unwrap_or(rest.len())
}

/// Behind the value that begins at `at`.
fn value_end(bytes: &[u8], at: usize) -> usize {
    let mut depth = 0usize;
    let mut at = at;
    loop {
        match bytes.get(at) {
            None => return at,
            Some(b'"') => at = string_end(bytes, at),
            Some(b'{' | b'[') => (depth, at) = (depth + 1, at + 1),
            Some(b'}' | b']') => (depth, at) = (depth.saturating_sub(1), at + 1),
            Some(b) if depth > 0 && (b.is_ascii_whitespace() || matches!(b, b',' | b':')) => at += 1,
            Some(_) => {
                at = skip(bytes, at, |b| !b.is_ascii_whitespace() && !b",:]}\"".contains(&b));
            }
        }
        if depth == 0 {
            return at;
        }
    }
}

/// Behind the closing quote of the string that begins at `at`.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Whether a written key is this name.
pub(super) fn is_key(written: &str, name: &str) -> bool {
    match written.contains('\\') {
        false => written.get(1..written.len().saturating_sub(1)) == Some(name),
        true => serde_json::from_str::<String>(written).is_ok_and(|key| key == name),
    }
}

/// A value as the model reads it: numbers and booleans as they are written, `None` for null; otherwise
/// why it is no text, to be read behind its name.
pub(super) fn text(value: &str) -> Result<Option<Cow<'_, str>>, String> {
    match value.as_bytes().first() {
        Some(b'"') if !value.contains('\\') => {
            Ok(value.get(1..value.len().saturating_sub(1)).map(Cow::Borrowed))
        }
        // Half a surrogate pair is JSON, and no character.
        Some(b'"') => match serde_json::from_str::<String>(value) {
            Ok(text) => Ok(Some(Cow::Owned(text))),
            Err(_) => Err("holds an escape that is no character".into()),
        },
        Some(b'{' | b'[') => Err(format!("{}, not a text", kind(value))),
        _ if value == "null" => Ok(None),
        _ => Ok(Some(Cow::Borrowed(value))),
    }
}

fn kind(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'[') => "is a list",
        Some(b'{') => "is an object",
        Some(b'"') => "is a text",
        Some(b't' | b'f') => "is true or false",
        Some(b'n') => "is null",
        _ => "is a number",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn members_are_as_written() {
        let line = " { \"a\" : 1.50 ,\"\\u0062\":\"x\\\"},{\" , \"跑\":[1,{\"a\":\"]\"} , []],\"n\":null,\"big\":123456789012345678901234567890 } ";
        let object = Object::parse(line).unwrap();
        let members: Vec<_> = object.members().collect();
        assert_eq!(
            members,
            [
                ("\"a\"", "1.50"),
                ("\"\\u0062\"", "\"x\\\"},{\""),
                ("\"跑\"", "[1,{\"a\":\"]\"} , []]"),
                ("\"n\"", "null"),
                ("\"big\"", "123456789012345678901234567890"),
            ]
        );
        assert!(is_key(members[1].0, "b") && is_key(members[2].0, "跑") && !is_key(members[0].0, "b"));
        assert_eq!(text(members[0].1).unwrap().unwrap(), "1.50");
        assert_eq!(text(members[1].1).unwrap().unwrap(), "x\"},{");
        assert!(text(members[2].1).unwrap_err().contains("list"));
        assert_eq!(text(members[3].1).unwrap(), None);
        assert!(text("\"\\ud83d\"").is_err());
        assert!(!object.empty && object.body.ends_with("7890 "));
    }

    #[test]
    fn what_is_no_object_says_what_it_is() {
        for (line, word) in [
            ("[1]", "is a list"),
            ("\"a\"", "is a text"),
            ("12", "is a number"),
            ("null", "is null"),
            ("{\"a\":1", "column 6"),
            ("{\"a\":1} x", "trailing characters (column 9)"),
            ("{'a':1}", "column 2"),
            ("{\"a\":NaN}", "not JSON"),
            ("{\"a\":\"\u{1}\"}", "control character"),
        ] {
            let why = Object::parse(line).unwrap_err();
            assert!(why.contains(word), "{line}: {why}");
        }
        assert!(Object::parse("{ }").unwrap().empty);
        assert_eq!(Object::parse("{}").unwrap().members().count(), 0);
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Object::parse(&deep).unwrap().members().count(), 1);
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,8}|[\"\\\\\\n\\t{}:,跑\\[\\]]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map("\\PC{0,4}|[\"\\\\:,{}]{0,3}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn members_mean_what_the_whole_means(
            members in prop::collection::hash_map("\\PC{0,5}|[\"\\\\:,{}\\]]{0,3}", json(), 0..6),
            pretty in any::<bool>(),
        ) {
            let whole = Value::Object(members.into_iter().collect::<Map<_, _>>());
            let line = match pretty {
                true => serde_json::to_string_pretty(&whole).unwrap().replace('\n', " "),
                false => whole.to_string(),
            };
            let object = Object::parse(&line).unwrap();
            let read: Map<String, Value> = object
                .members()
                .map(|(key, value)| (serde_json::from_str(key).unwrap(), serde_json::from_str(value).unwrap()))
                .collect();
            prop_assert_eq!(object.empty, read.is_empty());
            let again: Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(Value::Object(read), again);
            let added = format!("{}{}\"score\":1}}", object.body, if object.empty { "" } else { "," });
            let added: Value = serde_json::from_str(&added).unwrap();
            prop_assert_eq!(&added["score"], 1);
        }
    }
}
