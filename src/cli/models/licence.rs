//! Under which licence a model folder says it is: a file of its own, and the model card's word.

use std::io::Read;
use std::path::Path;

use crate::engine::model::is_licence;
use crate::util::sanitise;

/// A model card's front matter is short; its prose may be long.
const MAX_CARD_BYTES: u64 = 64 << 10;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Licence {
    /// `LICENSE.txt`.
    pub file: Option<String>,
    /// `apache-2.0`, as README.md has it.
    pub id: Option<String>,
}

impl Licence {
    pub fn of(folder: &Path) -> Self {
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        Self { file: names.filter(|name| is_licence(name)).min(), id: from_card(&folder.join("README.md")) }
    }

    /// For people: the id, else the file, else that there is none.
    pub fn short(&self) -> String {
        match (&self.id, &self.file) {
            (Some(text), _) | (None, Some(text)) => sanitise::excerpt(text, 20),
            (None, None) => "not named".into(),
        }
    }
}

fn from_card(card: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(card).ok()?.take(MAX_CARD_BYTES).read_to_end(&mut bytes).ok()?;
    id_of(&String::from_utf8_lossy(&bytes))
}

/// `license: mit` or, below `license:`, `- mit`; for `other` the name beside it.
fn id_of(card: &str) -> Option<String> {
    let head = card.trim_start_matches('\u{feff}').strip_prefix("---")?;
    let head = head.split("\n---").next()?;
    let value = |key: &str| {
        let mut lines = head.lines().skip_while(|line| !line.starts_with(key));
        let same = lines.next()?.strip_prefix(key)?.trim();
        let text = if same.is_empty() { lines.next()?.trim().strip_prefix("- ")? } else { same };
        let text = text.trim_matches(['"', '\'', '[', ']', ' ']);
        (!text.is_empty()).then(|| text.chars().take(100).collect::<String>())
    };
    let id = value("license:")?;
    if id == "other" { value("license_name:").or(Some(id)) } else { Some(id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cards_word_is_read() {
        for (card, id) in [
            ("---\nlanguage: en\nlicense: apache-2.0\n---\n# x", Some("apache-2.0")),
            ("---\r\nlicense: \"mit\"\r\n---\r\n", Some("mit")),
            ("---\nlicense:\n- mit\n---\n", Some("mit")),
            ("---\nlicense: other\nlicense_name: acme-research\n---\n", Some("acme-research")),
            ("---\nlicense: other\n---\n", Some("other")),
            ("---\ntags: [x]\n---\nlicense: mit\n", None),
            ("license: mit\n", None),
            ("", None),
        ] {
            assert_eq!(id_of(card).as_deref(), id, "{card:?}");
        }
    }

    #[test]
    fn a_hostile_card_shows_no_escape_sequences() {
        let licence = Licence { file: None, id: id_of("---\nlicense: a\u{1b}[2Jb\n---\n") };
        assert_eq!(licence.short(), "a␛[2Jb");
    }
}
