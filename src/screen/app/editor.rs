//! The text being edited: lines, a cursor, undo. Pure; who draws it and where it goes on commit is
//! not known here.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Undo steps kept per edit.
const HISTORY: usize = 200;

/// Where the cursor is: line and byte offset inside it (always on a grapheme boundary).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cursor {
    pub line: usize,
    pub byte: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    lines: Vec<String>,
    cursor: Cursor,
    /// Columns from the left that up and down try to keep.
    goal: usize,
    undo: Vec<(Vec<String>, Cursor)>,
    redo: Vec<(Vec<String>, Cursor)>,
    /// Typing into one word is one undo step.
    typing: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    Left,
    Right,
    Up(usize),
    Down(usize),
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    Start,
    End,
}

impl Editor {
    /// Opens with the cursor on the first character. A last line break stays a last empty line.
    pub fn new(text: &str) -> Self {
        Self {
            lines: text.split('\n').map(str::to_owned).collect(),
            cursor: Cursor::default(),
            goal: 0,
            undo: Vec::new(),
            redo: Vec::new(),
            typing: false,
        }
    }

    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Terminal columns left of the cursor.
    pub fn column(&self) -> usize {
        self.line().get(..self.cursor.byte).map_or(0, UnicodeWidthStr::width)
    }

    /// Byte offset of the cursor in [`Self::text`].
    pub fn offset(&self) -> usize {
        self.lines.iter().take(self.cursor.line).map(|l| l.len() + 1).sum::<usize>() + self.cursor.byte
    }

    pub fn set_offset(&mut self, offset: usize) {
        let mut left = offset;
        for (line, text) in self.lines.iter().enumerate() {
            if left <= text.len() {
                let byte = (0..=left).rev().find(|b| text.is_char_boundary(*b)).unwrap_or(0);
                self.cursor = Cursor { line, byte };
                break;
            }
            left -= text.len() + 1;
        }
        self.goal = self.column();
    }

    /// Moves to a line and character, both counted from 1, as problems name them.
    pub fn go_to(&mut self, line: u32, column: u32) {
        let line = (line.max(1) as usize - 1).min(self.lines.len().saturating_sub(1));
        let text = self.lines.get(line).map_or("", String::as_str);
        let byte = text.char_indices().nth(column.max(1) as usize - 1).map_or(text.len(), |(b, _)| b);
        self.cursor = Cursor { line, byte };
        self.goal = self.column();
    }

    fn line(&self) -> &str {
        self.lines.get(self.cursor.line).map_or("", String::as_str)
    }

    fn remember(&mut self, typing: bool) {
        if !(typing && self.typing) {
            self.undo.push((self.lines.clone(), self.cursor));
            if self.undo.len() > HISTORY {
                self.undo.remove(0);
            }
        }
        self.typing = typing;
        self.redo.clear();
    }

    /// Inserts text (typed, pasted or completed) at the cursor.
    pub fn insert(&mut self, text: &str) {
        let typing = text.chars().count() == 1 && text.chars().all(char::is_alphanumeric);
        self.remember(typing);
        let Cursor { line, byte } = self.cursor;
        let Some(current) = self.lines.get_mut(line) else { return };
        let tail = current.split_off(byte.min(current.len()));
        let mut pieces = text.split('\n').map(|p| p.trim_end_matches('\r'));
        current.push_str(pieces.next().unwrap_or_default());
        let mut at = line;
        for piece in pieces {
            at += 1;
            self.lines.insert(at, piece.to_owned());
        }
        if let Some(last) = self.lines.get_mut(at) {
            self.cursor = Cursor { line: at, byte: last.len() };
            last.push_str(&tail);
        }
        self.goal = self.column();
    }

    /// A line break that keeps the indentation.
    pub fn newline(&mut self) {
        let indent: String =
            self.line()[..self.cursor.byte].chars().take_while(|c| *c == ' ' || *c == '\t').collect();
        self.insert(&format!("\n{indent}"));
    }

    /// Replaces the bytes from `from` (an offset in the text) to the cursor.
    pub fn replace_before(&mut self, from: usize, with: &str) {
        let to = self.offset();
        if from <= to {
            self.remember(false);
            let text = self.text();
            if let (Some(head), Some(tail)) = (text.get(..from), text.get(to..)) {
                let joined = format!("{head}{with}{tail}");
                self.lines = joined.split('\n').map(str::to_owned).collect();
                self.set_offset(from + with.len());
            }
        }
    }

    pub fn backspace(&mut self) {
        let end = self.cursor;
        self.step(Motion::Left);
        self.remove_to(end);
    }

    pub fn delete(&mut self) {
        let start = self.cursor;
        self.step(Motion::Right);
        let end = std::mem::replace(&mut self.cursor, start);
        self.remove_to(end);
    }

    pub fn delete_word(&mut self) {
        let end = self.cursor;
        self.step(Motion::WordLeft);
        self.remove_to(end);
    }

    /// Removes to the end of the line, or the line break when already there.
    pub fn kill(&mut self) {
        let start = self.cursor;
        let motion = if start.byte == self.line().len() { Motion::Right } else { Motion::LineEnd };
        self.step(motion);
        let end = std::mem::replace(&mut self.cursor, start);
        self.remove_to(end);
    }

    /// Removes from the cursor to `end`, which does not lie before it.
    fn remove_to(&mut self, end: Cursor) {
        let start = self.cursor;
        if start == end {
            return;
        }
        self.remember(false);
        let tail = self.lines.get(end.line).and_then(|l| l.get(end.byte..)).unwrap_or_default().to_owned();
        if let Some(line) = self.lines.get_mut(start.line) {
            line.truncate(start.byte);
            line.push_str(&tail);
        }
        if end.line > start.line {
            self.lines.drain(start.line + 1..=end.line.min(self.lines.len() - 1));
        }
        self.goal = self.column();
    }

    pub fn undo(&mut self) -> bool {
        self.typing = false;
        let Some((lines, cursor)) = self.undo.pop() else { return false };
        self.redo.push((std::mem::replace(&mut self.lines, lines), self.cursor));
        self.cursor = cursor;
        true
    }

    pub fn redo(&mut self) -> bool {
        self.typing = false;
        let Some((lines, cursor)) = self.redo.pop() else { return false };
        self.undo.push((std::mem::replace(&mut self.lines, lines), self.cursor));
        self.cursor = cursor;
        true
    }

    pub fn move_by(&mut self, motion: Motion) {
        self.typing = false;
        self.step(motion);
    }

    fn step(&mut self, motion: Motion) {
        let Cursor { line, byte } = self.cursor;
        let last = self.lines.len().saturating_sub(1);
        match motion {
            Motion::Left => {
                if let Some((at, _)) = self.line()[..byte].grapheme_indices(true).next_back() {
                    self.cursor.byte = at;
                } else if line > 0 {
                    self.cursor = Cursor { line: line - 1, byte: self.lines[line - 1].len() };
                }
            }
            Motion::Right => {
                if let Some(g) = self.line()[byte..].graphemes(true).next() {
                    self.cursor.byte = byte + g.len();
                } else if line < last {
                    self.cursor = Cursor { line: line + 1, byte: 0 };
                }
            }
            Motion::Up(n) => return self.go_to_line(line.saturating_sub(n)),
            Motion::Down(n) => return self.go_to_line((line + n).min(last)),
            Motion::WordLeft => {
                let before = &self.line()[..byte];
                let word = before.split_word_bound_indices().rfind(|(_, w)| !w.trim().is_empty());
                match word {
                    Some((at, _)) => self.cursor.byte = at,
                    None if byte > 0 => self.cursor.byte = 0,
                    None => return self.step(Motion::Left),
                }
            }
            Motion::WordRight => {
                let after = &self.line()[byte..];
                let word = after.split_word_bound_indices().find(|(_, w)| !w.trim().is_empty());
                match word {
                    Some((at, w)) => self.cursor.byte = byte + at + w.len(),
                    None if !after.is_empty() => self.cursor.byte = byte + after.len(),
                    None => return self.step(Motion::Right),
                }
            }
            Motion::LineStart => {
                let indent = self.line().len() - self.line().trim_start().len();
                self.cursor.byte = if byte == indent { 0 } else { indent };
            }
            Motion::LineEnd => self.cursor.byte = self.line().len(),
            Motion::Start => self.cursor = Cursor::default(),
            Motion::End => {
                self.cursor = Cursor { line: last, byte: self.lines.last().map_or(0, String::len) }
            }
        }
        self.goal = self.column();
    }

    fn go_to_line(&mut self, line: usize) {
        let text = self.lines.get(line).map_or("", String::as_str);
        let (mut width, mut byte) = (0, 0);
        for g in text.graphemes(true) {
            width += g.width();
            if width > self.goal {
                break;
            }
            byte += g.len();
        }
        self.cursor = Cursor { line, byte };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_undo_and_redo() {
        let mut e = Editor::new("SELECT 1");
        e.move_by(Motion::LineEnd);
        for c in ["a", "b"] {
            e.insert(c);
        }
        e.newline();
        e.insert("跑鞋");
        assert_eq!(e.text(), "SELECT 1ab\n跑鞋");
        assert_eq!((e.cursor().line, e.column(), e.offset()), (1, 4, 17));
        assert!(e.undo() && e.undo() && e.undo());
        assert_eq!(e.text(), "SELECT 1", "two typed letters are one step");
        assert!(!e.undo());
        assert!(e.redo());
        assert_eq!(e.text(), "SELECT 1ab");
    }

    #[test]
    fn deletes_across_lines_and_graphemes() {
        let mut e = Editor::new("ab\n  cd e\u{301}f");
        e.move_by(Motion::End);
        e.backspace();
        e.backspace();
        assert_eq!(e.text(), "ab\n  cd ", "an accent goes with its letter");
        e.delete_word();
        assert_eq!(e.text(), "ab\n  ");
        e.move_by(Motion::LineStart);
        e.backspace();
        assert_eq!(e.text(), "ab  ");
        e.move_by(Motion::Start);
        e.kill();
        assert_eq!(e.text(), "");
        e.delete();
        e.backspace();
        assert_eq!(e.text(), "");
    }

    #[test]
    fn up_and_down_keep_the_column_over_wide_letters() {
        let mut e = Editor::new("abcdef\n跑鞋\nabcdef");
        e.go_to(1, 6);
        e.move_by(Motion::Down(1));
        assert_eq!(e.column(), 4);
        e.move_by(Motion::Down(1));
        assert_eq!(e.column(), 5);
        e.move_by(Motion::Up(99));
        assert_eq!(e.cursor(), Cursor { line: 0, byte: 5 });
    }

    #[test]
    fn completion_replaces_the_word_before_the_cursor() {
        let mut e = Editor::new("SELECT * FROM impr WHERE");
        e.set_offset(18);
        e.replace_before(14, "impressions");
        assert_eq!(e.text(), "SELECT * FROM impressions WHERE");
        assert_eq!(e.offset(), 25);
    }
}
