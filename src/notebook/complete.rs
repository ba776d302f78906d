//! Completion inside a cell, from the CELLS table: keys, values, names. SQL bodies are completed by
//! the database; here only what the notebook itself knows.

use super::cells::{self, KeyType};
use super::{Kind, params};

/// What the caller knows beside the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Cells and sources.
    pub relations: Vec<String>,
    /// Columns of the cell's input.
    pub columns: Vec<String>,
    pub metrics: Vec<String>,
    pub models: Vec<String>,
    pub params: Vec<String>,
}

/// Completions replace the text from byte `from` to the cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completions {
    pub from: usize,
    pub items: Vec<Completion>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    pub text: String,
    /// One line: what it is.
    pub doc: String,
}

/// Completes a cell's body at a byte offset.
pub fn complete_cell(kind: Kind, body: &str, cursor: usize, known: &Known) -> Completions {
    let cursor = (0..=cursor.min(body.len())).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
    let before = &body[..cursor];
    if let Some(found) = param(before, known) {
        return found;
    }
    if kind.is_sql() {
        return named(before, &known.relations, "cell or source");
    }
    let line = before.rsplit('\n').next().unwrap_or_default();
    match line.split_once('=') {
        None => keys(kind, body, line, cursor),
        Some((key, value)) => values(kind, key.trim(), value, cursor, known),
    }
}

fn param(before: &str, known: &Known) -> Option<Completions> {
    let open = before.rfind("{{")?;
    let typed = before[open + 2..].trim_start_matches(' ');
    if !(typed.is_empty() || params::is_param_name(typed)) {
        return None;
    }
    let from = before.len() - typed.len();
    Some(matching(from, typed, known.params.iter().map(|p| (p.clone(), "parameter".to_string()))))
}

fn named(before: &str, names: &[String], doc: &str) -> Completions {
    let typed = last_word(before);
    matching(before.len() - typed.len(), typed, names.iter().map(|n| (n.clone(), doc.to_string())))
}

fn keys(kind: Kind, body: &str, line: &str, cursor: usize) -> Completions {
    let typed = line.trim_start();
    let present =
        |key: &str| body.lines().any(|line| line.split_once('=').is_some_and(|(name, _)| name.trim() == key));
    let free = cells::def(kind).keys().filter(|key| !present(key.name));
    matching(cursor - typed.len(), typed, free.map(|key| (format!("{} = ", key.name), key.doc.to_string())))
}

fn values(kind: Kind, key: &str, value: &str, cursor: usize, known: &Known) -> Completions {
    let Some(key) = cells::def(kind).keys().find(|k| k.name == key) else {
        return Completions { from: cursor, items: Vec::new() };
    };
    // Inside quotes the word begins behind the last of `"`, `*` and blanks.
    let quoted = value.matches('"').count() % 2 == 1;
    let typed = match key.ty {
        KeyType::Model | KeyType::Path => value.rsplit('"').next().unwrap_or_default(),
        _ if quoted => last_word(value),
        _ => value.trim_start().trim_start_matches('[').trim_start(),
    };
    let typed = if quoted || typed.is_empty() { typed } else { last_word(typed) };
    let words: Vec<String> = match key.ty {
        KeyType::Relation | KeyType::Relations => known.relations.clone(),
        KeyType::Column | KeyType::Columns | KeyType::Pair | KeyType::Slices | KeyType::Sql => {
            known.columns.clone()
        }
        KeyType::Metric | KeyType::Metrics => known.metrics.clone(),
        KeyType::Checks => known.metrics.iter().chain(&known.relations).cloned().collect(),
        KeyType::Model => known.models.clone(),
        KeyType::Flag => {
            let words = ["true", "false"].map(|word| (word.to_owned(), key.ty.describe()));
            return matching(cursor - typed.len(), typed, words.into_iter());
        }
        KeyType::Choice(words) => words.iter().map(|w| w.to_string()).collect(),
        _ => Vec::new(),
    };
    let doc = key.ty.describe();
    let dress = |word: String| if quoted { word } else { format!("\"{word}\"") };
    matching(cursor - typed.len(), typed, words.into_iter().map(|word| (dress(word), doc.clone())))
}

fn last_word(text: &str) -> &str {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '.');
    let start =
        text.char_indices().rev().take_while(|(_, c)| inside(*c)).last().map_or(text.len(), |(at, _)| at);
    &text[start..]
}

/// Those that begin with what is typed first, then those that contain it.
fn matching(from: usize, typed: &str, items: impl Iterator<Item = (String, String)>) -> Completions {
    let wanted = typed.to_lowercase();
    let bare = |text: &str| text.trim_start_matches('"').to_lowercase();
    let mut items: Vec<Completion> = items
        .filter(|(text, _)| bare(text).contains(&wanted))
        .map(|(text, doc)| Completion { text, doc })
        .collect();
    items.sort_by_key(|item| !bare(&item.text).starts_with(&wanted));
    Completions { from, items }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let list = |words: &[&str]| words.iter().map(|w| w.to_string()).collect();
        Known {
            relations: list(&["impressions", "rel"]),
            columns: list(&["query", "region", "标题"]),
            metrics: list(&["ndcg@10", "mrr"]),
            models: list(&["models/a", "models/b"]),
            params: list(&["k"]),
        }
    }

    fn texts(kind: Kind, body: &str) -> (usize, String) {
        let found = complete_cell(kind, body, body.len(), &known());
        (found.from, found.items.iter().map(|i| i.text.as_str()).collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn keys_come_from_the_table_once() {
        assert_eq!(texts(Kind::Fairness, "sl"), (0, "slices = ".into()));
        assert_eq!(texts(Kind::Fairness, "slices = [\"a\"]\nsl"), (15, "".into()));
        assert!(texts(Kind::Check, "").1.starts_with("check = "));
    }

    #[test]
    fn values_fit_their_key() {
        assert_eq!(texts(Kind::Metrics, "from = \"im"), (8, "impressions".into()));
        assert_eq!(texts(Kind::Metrics, "from = "), (7, "\"impressions\"|\"rel\"".into()));
        assert_eq!(texts(Kind::Metrics, "show = [\"mrr\", \"nd"), (16, "ndcg@10".into()));
        assert_eq!(texts(Kind::Fairness, "slices = [\"region*标"), (18, "标题".into()));
        assert_eq!(texts(Kind::Explain, "method = \"lea"), (10, "leave_one_out".into()));
        assert_eq!(texts(Kind::Score, "model = \"models/"), (9, "models/a|models/b".into()));
        assert_eq!(texts(Kind::Metrics, "show = [\"ndcg@{{"), (16, "k".into()));
        assert_eq!(texts(Kind::Sql, "SELECT * FROM re"), (14, "rel|impressions".into()));
        assert_eq!(texts(Kind::Metrics, "nonsense = \"x"), (13, "".into()));
    }
}
