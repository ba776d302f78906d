//! The text being edited: lines, a cursor, undo. Pure; who draws it and where it goes on commit is
//! not known here.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::revision::Revision;

/// Undo steps kept per edit, and bytes in them; the last step is kept whatever it costs.
const HISTORY: usize = 200;
const HISTORY_BYTES: usize = 32 << 20;

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
    undo: Vec<Step>,
    redo: Vec<Step>,
    /// Typing into one word is one undo step.
    typing: bool,
    revision: Revision,
}

/// Lines as they were before a change of them alone: those from `first` on, up to the last `rest`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    first: usize,
    rest: usize,
    lines: Vec<String>,
    cursor: Cursor,
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
            revision: Revision::new(),
        }
    }

    /// Another one after every change of the text.
    pub fn revision(&self) -> Revision {
        self.revision
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
        if let Some(place) = self.place(offset) {
            self.cursor = place;
        }
        self.goal = self.column();
    }

    /// Where a byte offset of the text lies.
    fn place(&self, offset: usize) -> Option<Cursor> {
        let mut left = offset;
        for (line, text) in self.lines.iter().enumerate() {
            if left <= text.len() {
                let byte = (0..=left).rev().find(|b| text.is_char_boundary(*b)).unwrap_or(0);
                return Some(Cursor { line, byte });
            }
            left -= text.len() + 1;
        }
        None
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

    /// Keeps the lines from `first` to `last`, which are about to be changed.
    fn remember(&mut self, typing: bool, first: usize, last: usize) {
        self.revision = Revision::new();
        if !(typing && self.typing) {
            let lines = self.lines.get(first..=last).unwrap_or_default().to_vec();
            let rest = self.lines.len().saturating_sub(last + 1);
            self.undo.push(Step { first, rest, lines, cursor: self.cursor });
            self.forget_oldest();
        }
        self.typing = typing;
        self.redo.clear();
    }

    fn forget_oldest(&mut self) {
        let mut bytes: usize = self.undo.iter().map(Step::bytes).sum();
        let surplus = self.undo.len().saturating_sub(HISTORY);
        let mut gone = 0;
        while gone + 1 < self.undo.len() && (gone < surplus || bytes > HISTORY_BYTES) {
            bytes -= self.undo.get(gone).map_or(0, Step::bytes);
            gone += 1;
        }
        self.undo.drain(..gone);
    }

    /// Puts a step's lines back; gives the step that undoes that.
    fn take_back(&mut self, step: Step) -> Step {
        self.revision = Revision::new();
        let end = self.lines.len().saturating_sub(step.rest).max(step.first);
        let Step { first, rest, lines, cursor } = step;
        let lines = self.lines.splice(first..end, lines).collect();
        Step { first, rest, lines, cursor: std::mem::replace(&mut self.cursor, cursor) }
    }

    /// Inserts text (typed, pasted or completed) at the cursor.
    pub fn insert(&mut self, text: &str) {
        let typing = text.chars().count() == 1 && text.chars().all(char::is_alphanumeric);
        self.remember(typing, self.cursor.line, self.cursor.line);
        self.put(text);
    }

    fn put(&mut self, text: &str) {
        let Cursor { line, byte } = self.cursor;
        let Some(current) = self.lines.get_mut(line) else { return };
        let tail = current.split_off(byte.min(current.len()));
        let mut pieces = text.split('\n').map(|p| p.trim_end_matches('\r'));
        current.push_str(pieces.next().unwrap_or_default());
        let more: Vec<String> = pieces.map(str::to_owned).collect();
        let at = line + more.len();
        self.lines.splice(line + 1..line + 1, more);
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
        let end = self.cursor;
        let Some(start) = self.place(from).filter(|start| (start.line, start.byte) <= (end.line, end.byte))
        else {
            return;
        };
        self.remember(false, start.line, end.line);
        self.cut(start, end);
        self.put(with);
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
        self.remember(false, start.line, end.line);
        self.cut(start, end);
        self.goal = self.column();
    }

    fn cut(&mut self, start: Cursor, end: Cursor) {
        let tail = self.lines.get(end.line).and_then(|l| l.get(end.byte..)).unwrap_or_default().to_owned();
        if let Some(line) = self.lines.get_mut(start.line) {
            line.truncate(start.byte);
            line.push_str(&tail);
        }
        if end.line > start.line {
            self.lines.drain(start.line + 1..=end.line.min(self.lines.len() - 1));
        }
        self.cursor = start;
    }

    pub fn undo(&mut self) -> bool {
        self.typing = false;
        let Some(step) = self.undo.pop() else { return false };
        let back = self.take_back(step);
        self.redo.push(back);
        true
    }

    pub fn redo(&mut self) -> bool {
        self.typing = false;
        let Some(step) = self.redo.pop() else { return false };
        let back = self.take_back(step);
        self.undo.push(back);
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

impl Step {
    fn bytes(&self) -> usize {
        self.lines.iter().map(|line| line.len() + std::mem::size_of::<String>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edit_goes_back_and_forth_and_keeps_only_its_lines() {
        let mut e = Editor::new(&"one\n两 two\nthree\n\n".repeat(500));
        let mut texts = vec![e.text()];
        let edits: [&dyn Fn(&mut Editor); 8] = [
            &|e| e.insert("a\nb\r\nc"),
            &|e| e.backspace(),
            &|e| e.delete_word(),
            &|e| e.kill(),
            &|e| e.delete(),
            &|e| e.newline(),
            &|e| e.replace_before(e.offset().saturating_sub(9), "x\ny"),
            &|e| e.insert(""),
        ];
        for round in 0..5 {
            for edit in edits {
                e.go_to(2 + round * 37, 2);
                edit(&mut e);
                if texts.last() != Some(&e.text()) {
                    texts.push(e.text());
                }
            }
        }
        assert!(e.undo.iter().map(Step::bytes).sum::<usize>() < 5_000);
        for before in texts.iter().rev().skip(1) {
            while e.text() != *before {
                assert!(e.undo(), "undo leads there");
            }
        }
        while e.redo() {}
        assert_eq!(Some(&e.text()), texts.last());
    }

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
