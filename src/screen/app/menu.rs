//! Lists to choose from, by typing a few letters, and one-line questions.

use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// What a choice is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Purpose {
    /// The item's value is a command's id.
    Command,
    /// The item's value is a cell kind to add.
    AddCell,
    /// The item's value is a model path; a typed one is taken too.
    Model,
    /// What to do with unsaved work before leaving.
    Quit,
    /// The file on disk is not what was read.
    Overwrite,
    /// Another program changed the file while something here is unsaved.
    Outside,
    /// Another session has the notebook.
    Holder,
    /// The item's value is a kept text's name.
    Recover,
    /// The same, or `all`.
    Discard,
    /// The item's value is what is to be discarded; empty: nothing.
    DiscardSurely,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    pub value: String,
    pub label: String,
    pub detail: String,
    /// Shown at the right: keys, or where it came from.
    pub side: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    pub purpose: Purpose,
    pub title: String,
    pub items: Vec<Item>,
    pub typed: Line,
    /// Index into [`Menu::matches`].
    pub selected: usize,
    /// What was typed is a choice of its own.
    pub free: bool,
}

impl Item {
    pub fn new(value: impl Into<String>, label: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), detail: detail.into(), side: String::new() }
    }
}

impl Menu {
    pub fn new(purpose: Purpose, title: impl Into<String>, items: Vec<Item>) -> Self {
        Self { purpose, title: title.into(), items, typed: Line::default(), selected: 0, free: false }
    }

    /// Indices of the items that match what was typed, best first.
    pub fn matches(&self) -> Vec<usize> {
        if self.typed.text.trim().is_empty() {
            return (0..self.items.len()).collect();
        }
        let mut matcher = Matcher::new(Config::DEFAULT);
        let pattern = Pattern::parse(&self.typed.text, CaseMatching::Ignore, Normalization::Smart);
        let words =
            Pattern::new(&self.typed.text, CaseMatching::Ignore, Normalization::Smart, AtomKind::Substring);
        let mut scored: Vec<(u32, usize)> = Vec::new();
        let mut chars = Vec::new();
        for (index, item) in self.items.iter().enumerate() {
            let mut score = |p: &Pattern, text: &str| p.score(Utf32Str::new(text, &mut chars), &mut matcher);
            // A hit in the name is worth more than one in the explanation, which must hold the very words.
            let best = score(&pattern, &item.label).map(|s| s * 2).max(score(&words, &item.detail));
            scored.extend(best.map(|s| (s, index)));
        }
        scored.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
        scored.into_iter().map(|(_, index)| index).collect()
    }

    /// The value of the selected item, or the typed text where that is a choice.
    pub fn choice(&self) -> Option<String> {
        let matches = self.matches();
        match matches.get(self.selected).and_then(|i| self.items.get(*i)) {
            Some(item) => Some(item.value.clone()),
            None if self.free && !self.typed.text.trim().is_empty() => {
                Some(self.typed.text.trim().to_owned())
            }
            None => None,
        }
    }

    pub fn step(&mut self, by: isize) {
        let count = self.matches().len();
        if count > 0 {
            self.selected = (self.selected as isize + by).rem_euclid(count as isize) as usize;
        }
    }
}

/// What the answer of a prompt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    Find,
    SavePath,
    GoToRow,
    RenameCell,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    pub question: Question,
    pub title: String,
    pub typed: Line,
}

/// A line of text with a cursor, in bytes on a character boundary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    pub text: String,
    pub cursor: usize,
}

impl Line {
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { cursor: text.len(), text }
    }

    pub fn insert(&mut self, text: &str) {
        let clean: String = text.chars().filter(|c| !c.is_control()).collect();
        if self.text.is_char_boundary(self.cursor) {
            self.text.insert_str(self.cursor, &clean);
            self.cursor += clean.len();
        }
    }

    pub fn backspace(&mut self) {
        if let Some((at, _)) = self.text.get(..self.cursor).and_then(|t| t.char_indices().next_back()) {
            self.text.remove(at);
            self.cursor = at;
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn left(&mut self) {
        if let Some((at, _)) = self.text.get(..self.cursor).and_then(|t| t.char_indices().next_back()) {
            self.cursor = at;
        }
    }

    pub fn right(&mut self) {
        if let Some(c) = self.text.get(self.cursor..).and_then(|t| t.chars().next()) {
            self.cursor += c.len_utf8();
        }
    }

    pub fn home(&mut self) {
        self.cursor = 0;
    }

    pub fn end(&mut self) {
        self.cursor = self.text.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu(labels: &[&str]) -> Menu {
        let item = |l: &&str| Item { value: (*l).into(), label: (*l).into(), ..Item::default() };
        Menu::new(Purpose::Command, "", labels.iter().map(item).collect())
    }

    #[test]
    fn a_few_letters_find_the_item() {
        let mut m = menu(&["run cell", "run all", "sort by column", "评分"]);
        m.typed.insert("ral");
        assert_eq!(m.choice().as_deref(), Some("run all"));
        m.typed = Line::new("评");
        assert_eq!(m.choice().as_deref(), Some("评分"));
        m.typed = Line::new("zzz");
        assert_eq!(m.choice(), None);
        m.free = true;
        assert_eq!(m.choice().as_deref(), Some("zzz"));
    }

    #[test]
    fn a_line_edits_chinese() {
        let mut l = Line::new("跑鞋");
        l.left();
        l.insert("步\u{7}");
        assert_eq!(l.text, "跑步鞋");
        l.backspace();
        l.right();
        l.backspace();
        assert_eq!(l.text, "跑");
        l.home();
        l.backspace();
        assert_eq!(l.text, "跑");
    }
}
