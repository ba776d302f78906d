//! Words that a bi-encoder was trained to see before a query and before a text ("query: ",
//! "passage: "): as the folder declares them, or as the user does. They are put before the texts as
//! they stand; no space is added.

use std::path::Path;

use serde_json::Value;

use super::error::ModelError;
use super::folder::read_json;
use super::score::ScoreInputs;
use super::tokens::Encoded;

/// What comes before the query side's and the text side's texts in embed mode; may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefixes {
    pub query: String,
    pub text: String,
}

/// The file in which sentence-transformers keeps its prompts.
pub(super) const FILE: &str = "config_sentence_transformers.json";

impl Prefixes {
    /// From `prompts` of `config_sentence_transformers.json`, by the names under which
    /// sentence-transformers looks for them: `query`, and the first of `document`, `passage`,
    /// `corpus`; a side without one takes the prompt named by `default_prompt_name`.
    pub fn read(dir: &Path) -> Result<Self, ModelError> {
        let Some(config) = read_json(&dir.join(FILE))? else { return Ok(Self::default()) };
        let prompts = config.get("prompts").and_then(Value::as_object);
        let named = |name: &str| prompts.and_then(|all| all.get(name)).and_then(Value::as_str);
        let default = config.get("default_prompt_name").and_then(Value::as_str).and_then(named);
        let first = |names: &[&str]| {
            names.iter().find_map(|name| named(name)).or(default).unwrap_or_default().to_owned()
        };
        Ok(Self { query: first(&["query"]), text: first(&["document", "passage", "corpus"]) })
    }

    pub fn is_empty(&self) -> bool {
        self.query.is_empty() && self.text.is_empty()
    }

    /// The two columns of embed mode with their prefixes; a blank text stays blank.
    pub(super) fn before(&self, queries: &[Option<String>], texts: &[Option<String>]) -> Prefixed {
        let add = |prefix: &str, column: &[Option<String>]| -> Vec<Option<String>> {
            column
                .iter()
                .map(|text| Some(put(prefix, text.as_deref().filter(|t| !t.trim().is_empty())?)))
                .collect()
        };
        Prefixed { queries: add(&self.query, queries), texts: add(&self.text, texts) }
    }
}

impl Prefixed {
    pub(super) fn into_columns(self) -> (Vec<Option<String>>, Vec<Option<String>>) {
        (self.queries, self.texts)
    }
}

/// Columns with prefixes in them.
pub(super) struct Prefixed {
    queries: Vec<Option<String>>,
    texts: Vec<Option<String>>,
}

impl Prefixed {
    pub fn inputs(&self) -> ScoreInputs<'_> {
        ScoreInputs::Embed(&self.queries, &self.texts)
    }
}

pub(super) fn put(prefix: &str, text: &str) -> String {
    format!("{prefix}{text}")
}

/// Lets an input that was encoded with a prefix speak of the text alone: the prefix's tokens become
/// special ones, which are no words and are never left out, and offsets count from the text's start.
pub(super) fn hide(encoded: &mut Encoded, prefix: &str) {
    let n = prefix.len();
    for (offsets, special) in encoded.offsets.iter_mut().zip(&mut encoded.special) {
        if *special {
            continue;
        }
        *special = offsets.1 <= n;
        *offsets = if *special { (0, 0) } else { (offsets.0.saturating_sub(n), offsets.1 - n) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Prefixes {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(FILE), text).unwrap();
        Prefixes::read(dir.path()).unwrap()
    }

    #[test]
    fn prompts_are_found_by_the_names_that_sentence_transformers_uses() {
        let of = |query: &str, text: &str| Prefixes { query: query.into(), text: text.into() };
        assert_eq!(
            read(r#"{"prompts": {"query": "query: ", "passage": "passage: "}}"#),
            of("query: ", "passage: ")
        );
        assert_eq!(
            read(r#"{"prompts": {"query": "为这个句子生成表示：", "other": "x"}}"#),
            of("为这个句子生成表示：", "")
        );
        assert_eq!(
            read(r#"{"prompts": {"query": "q ", "all": "a "}, "default_prompt_name": "all"}"#),
            of("q ", "a ")
        );
        assert_eq!(read(r#"{"__version__": {}}"#), Prefixes::default());
        assert!(Prefixes::read(Path::new("/nowhere")).unwrap().is_empty());
    }

    #[test]
    fn a_hidden_prefix_is_no_word_and_offsets_are_the_texts_own() {
        // "q: 跑鞋" as [CLS] q : 跑鞋 [SEP]; then a piece that begins with the prefix's last space.
        for start in [3, 2] {
            let mut encoded = Encoded {
                special: vec![true, false, false, false, true],
                offsets: vec![(0, 0), (0, 1), (1, 2), (start, 9), (0, 0)],
                ..Default::default()
            };
            hide(&mut encoded, "q: ");
            assert_eq!(encoded.special, [true, true, true, false, true]);
            assert_eq!(encoded.offsets[3], (0, 6));
        }
    }
}
