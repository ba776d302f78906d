//! What the first line of a fence says: a cell, something that was meant to be one, or none of our
//! business. A gate that is switched off by a slip of the pen must not pass in silence, so what begins
//! with the name of a kind and is no cell is a fault. Where fences stand is `fences.rs`.

use super::document::{identifier, is_identifier};
use super::{Diagnostic, Kind};
use crate::util::nearest::edit_distance;

/// A well-formed info string: `KIND NAME [key=value ...]`.
#[derive(Debug)]
pub(super) struct Header {
    pub kind: Kind,
    pub name: String,
    pub attrs: Vec<(String, String)>,
}

/// What an info string is.
#[derive(Debug)]
pub(super) enum Head {
    Cell(Header),
    Meant(Meant),
    /// Code of another language, or prose.
    Other,
}

/// An info string that was meant to begin a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meant {
    pub kind: Kind,
    pub message: String,
    /// A name made of what stands there; `None`: there is none.
    pub name: Option<String>,
}

/// Languages that are written behind fences and lie within one letter of a kind. `sql` itself is one, see
/// [`read`].
const LANGUAGES: &[&str] = &[
    "aql", "bsql", "char", "chat", "cql", "dql", "eql", "esql", "fql", "gql", "gsql", "hql", "hsql", "isql",
    "jsql", "kql", "ksql", "lql", "mql", "msql", "nql", "oql", "pql", "psql", "ql", "rql", "sbl", "sdl",
    "sil", "sl", "sml", "sol", "soql", "spl", "sqf", "sqlj", "sqlx", "ssl", "stl", "tsql", "usql", "vql",
    "xql", "yql",
];

/// Names of languages that only a name behind them makes a slip.
const EITHER: &[&str] = &["scope", "slice"];

/// Signs that may stick to a kind, `check:gate`. A `.`, `-` or `_` makes another word (`train.py`).
const SEPARATORS: &[char] = &[':', ',', '{', '}', '(', ')', '[', ']', '=', ';', '|', '"', '\'', '<', '#'];

impl Header {
    pub(super) fn read(info: &str) -> Option<Header> {
        let mut words = info.split_whitespace();
        let kind = Kind::parse(words.next()?)?;
        let name = words.next().filter(|name| is_identifier(name))?.to_string();
        let attrs = words
            .map(|word| word.split_once('=').filter(|(key, _)| is_identifier(key)))
            .map(|pair| pair.map(|(key, value)| (key.to_string(), value.to_string())))
            .collect::<Option<Vec<_>>>()?;
        Some(Header { kind, name, attrs })
    }
}

/// What an info string is. ```` ```sql ```` with no name behind it is how Markdown shows SQL everywhere:
/// that is no slip, and [`unnamed_sql`] tells it from a cell.
pub(super) fn read(info: &str) -> Head {
    if let Some(header) = Header::read(info) {
        return Head::Cell(header);
    }
    // A text of a megabyte behind a fence is no head.
    let plain: String = info.chars().take(400).filter_map(plain).collect();
    let plain = plain.trim_start_matches(|c: char| c == '.' || SEPARATORS.contains(&c) || c.is_whitespace());
    let (first, rest) = plain.split_once(char::is_whitespace).unwrap_or((plain, ""));
    let (word, glued) = first.split_at(first.find(SEPARATORS).unwrap_or(first.len()));
    let Some((kind, exact)) = kind_of(word) else { return Head::Other };
    let rest = rest.trim();
    let language = kind.is_sql() || EITHER.contains(&word.to_lowercase().as_str());
    if language && !(glued.is_empty() && looks_like_a_name(rest)) {
        return Head::Other;
    }
    Head::Meant(meant(info, kind, exact, glued, rest))
}

/// ```` ```sql ```` without a name: shown, never run.
pub(super) fn unnamed_sql(info: &str) -> bool {
    info.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("sql"))
        && matches!(read(info), Head::Other)
}

impl Meant {
    /// The fault, with a name that is free.
    pub(super) fn fault(&self, line: u32, free: impl FnOnce(&str) -> String) -> Diagnostic {
        let name = match &self.name {
            Some(name) => free(name),
            None => free(&format!("{}_cell", self.kind)),
        };
        Diagnostic::error(line, 1, &*self.message).suggest(format!("write `{} {name}`", self.kind))
    }
}

/// Wide letters as plain ones; what cannot be seen is left out.
fn plain(c: char) -> Option<char> {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        _ if is_invisible(c) => None,
        _ => Some(c),
    }
}

fn is_invisible(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}')
}

/// The kind that a word is or nearly is; the flag says that it is written as it must be.
fn kind_of(word: &str) -> Option<(Kind, bool)> {
    if let Some(kind) = Kind::parse(word) {
        return Some((kind, true));
    }
    let lower = word.to_lowercase();
    if let Some(kind) = Kind::parse(&lower) {
        return Some((kind, false));
    }
    let letters = lower.chars().count();
    if letters > 20 || LANGUAGES.contains(&lower.as_str()) {
        return None;
    }
    let near =
        |kind: &Kind| letters.abs_diff(kind.name().len()) <= 1 && edit_distance(&lower, kind.name()) <= 1;
    Kind::ALL.into_iter().find(near).map(|kind| (kind, false))
}

/// Behind `sql`: something that somebody might call a cell, not `{1,3}` or `title="..."`.
fn looks_like_a_name(rest: &str) -> bool {
    let first = rest.split_whitespace().next().unwrap_or_default();
    first.starts_with(|c: char| c.is_alphanumeric() || c == '_') && !first.contains('=')
}

fn meant(info: &str, kind: Kind, exact: bool, glued: &str, rest: &str) -> Meant {
    let shown: String = info.chars().take(60).filter(|c| !is_invisible(*c)).collect();
    let hidden = info.chars().find(|c| is_invisible(*c));
    let words: Vec<&str> = rest.split_whitespace().collect();
    let named = words.first().copied().unwrap_or_default();
    let reason = if let Some(c) = hidden {
        format!("it holds a character that cannot be seen (U+{:04X})", u32::from(c))
    } else if !exact {
        let first = info.split_whitespace().next().unwrap_or_default();
        format!("there is no cell kind `{}`", first.chars().take(30).collect::<String>())
    } else if !glued.is_empty() {
        format!("a blank must stand between `{kind}` and the name")
    } else if named.is_empty() || named.contains('=') {
        "it has no name".into()
    } else if !is_identifier(named) {
        format!("`{}` is no name: {}", named.chars().take(30).collect::<String>(), why_no_name(named))
    } else {
        let odd = words.iter().skip(1).find(|word| !is_attribute(word)).copied().unwrap_or_default();
        format!("`{}` behind the name is not key=value", odd.chars().take(30).collect::<String>())
    };
    Meant { kind, message: format!("`{shown}` is not a cell: {reason}"), name: name_of(glued, &words) }
}

fn is_attribute(word: &str) -> bool {
    word.split_once('=').is_some_and(|(key, _)| is_identifier(key))
}

fn why_no_name(name: &str) -> String {
    if name.chars().count() > 120 {
        return "it is longer than 120 letters".into();
    }
    match name.chars().find(|c| !(c.is_alphanumeric() || *c == '_')) {
        Some(c) => format!("`{c}` is not a letter, digit or _"),
        None => "a name does not begin with a digit".into(),
    }
}

/// A name of the words that stand there, up to the first attribute.
fn name_of(glued: &str, words: &[&str]) -> Option<String> {
    let words = words.iter().copied().take_while(|word| !word.contains('='));
    let said = std::iter::once(glued).chain(words).collect::<Vec<_>>().join(" ");
    let said = said.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
    (!said.is_empty()).then(|| identifier(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(info: &str) -> String {
        match read(info) {
            Head::Cell(header) => format!("cell {} {}", header.kind, header.name),
            Head::Meant(meant) => meant.fault(1, str::to_owned).to_string(),
            Head::Other => String::new(),
        }
    }

    #[test]
    fn heads_that_are_cells() {
        // A tab, a wide blank and a no-break blank part words as a blank does.
        for info in ["check gate", "check\tgate", "check\u{3000}gate", "check\u{a0}gate", "check gate a=b"] {
            assert_eq!(said(info), "cell check gate", "{info:?}");
        }
        assert_eq!(said("sql 坏查询"), "cell sql 坏查询");
    }

    #[test]
    fn every_kind_that_is_misspelt_or_has_no_right_name_is_a_fault() {
        for kind in Kind::ALL.into_iter().filter(|kind| !kind.is_sql()) {
            let name = kind.name();
            let mut swapped: Vec<char> = name.chars().collect();
            swapped.swap(2, 3);
            let swapped: String = swapped.into_iter().collect();
            let capital = name[..1].to_uppercase() + &name[1..];
            for head in [
                name.to_owned(),
                format!("{name} my-gate"),
                format!("{name} my.gate"),
                format!("{name} 1gate"),
                format!("{name} gate on fire"),
                format!("{name} gate key = value"),
                format!("{name}:gate"),
                format!("{name}，gate"),
                format!("{{{name} gate}}"),
                format!("{capital} gate"),
                format!("{} gate", &name[1..]),
                format!("{name}s gate"),
                format!("{swapped} gate"),
                format!("{}x gate", &name[..name.len() - 1]),
                format!("\u{feff}{name} gate"),
                format!("{name}\u{200b} gate"),
                format!("{name} gate\u{200b}"),
            ] {
                let said = said(&head);
                assert!(said.contains("is not a cell") && said.contains("(write `"), "{head:?}: {said}");
            }
        }
    }

    #[test]
    fn faults_say_what_to_write() {
        assert!(said("check my-gate").contains("`-` is not a letter, digit or _ (write `check my_gate`)"));
        assert!(said("check").contains("it has no name (write `check check_cell`)"));
        assert!(said("chekc gate").contains("no cell kind `chekc` (write `check gate`)"));
        assert!(said("Check gate").contains("(write `check gate`)"));
        assert!(
            said("check my gate").contains("`gate` behind the name is not key=value (write `check my_gate`)")
        );
        assert!(said("check 2nd").contains("does not begin with a digit (write `check c_2nd`)"));
        assert!(said("check：gate").contains("(write `check gate`)"));
        assert!(said("check gate\u{feff}").contains("U+FEFF"));
        assert!(said("sql my-query").contains("(write `sql my_query`)"));
        assert!(said("slice by_region").contains("(write `slices by_region`)"));
        assert!(said("SQL q").contains("(write `sql q`)") && said("sqll q").contains("(write `sql q`)"));
    }

    #[test]
    fn other_languages_are_left_alone() {
        for info in [
            "",
            "sql",
            "SQL",
            "sql title=\"a b\"",
            "sql {1,3}",
            "sql{1,3}",
            "{sql, connection=db}",
            "sql:a.sql",
            "psql",
            "tsql",
            "gql",
            "ql",
            "sml",
            "sol",
            "mysql",
            "sqlite",
            "plsql",
            "python",
            "text",
            "plaintext",
            "json",
            "scss",
            "chart.js",
            "train.py",
            "train.py x",
            "toml",
            "rust ignore",
            "bash",
            "sh",
            "diff",
            "mermaid",
            "yaml",
            "css",
            "latex",
            "robot",
            "check-list",
            "scope",
            "slice",
            "{r name}",
            "=html",
            "c++",
            "chat",
        ] {
            assert_eq!(said(info), "", "{info:?}");
        }
        assert!(unnamed_sql("SQL") && unnamed_sql("sql title=\"x\"") && !unnamed_sql("sql a-b"));
        assert!(!unnamed_sql("psql") && !unnamed_sql("sql a"));
    }

    #[test]
    fn languages_are_sorted_and_no_kinds() {
        assert!(LANGUAGES.is_sorted());
        assert!(LANGUAGES.iter().all(|word| Kind::parse(word).is_none()));
    }
}
