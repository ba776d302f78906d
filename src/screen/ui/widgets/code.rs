//! Source text with highlighting, line numbers, a diagnostic under its span, and the editor's cursor
//! and selection. Positions are (line, character), both counted from 0, as the edit engine has them.

mod highlight;
mod markdown;
mod toml;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::widgets::Widget;
use unicode_segmentation::UnicodeSegmentation;

pub use highlight::{CodeSpan, Highlighter, Language};

use super::text;
use crate::screen::ui::theme::{Role, Theme};

/// A diagnostic at a place. `len` counts characters; 0 marks one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CodeError {
    pub line: usize,
    pub column: usize,
    pub len: usize,
    pub message: String,
}

/// The widget. `spans` may be empty or shorter than `lines` (not highlighted yet): plain until then.
pub struct Code<'a, S: AsRef<str>> {
    pub lines: &'a [S],
    pub spans: &'a [Vec<CodeSpan>],
    /// First line and first column shown; moved when the cursor would not be seen.
    pub top: usize,
    pub left: usize,
    pub line_numbers: bool,
    pub error: Option<&'a CodeError>,
    pub cursor: Option<(usize, usize)>,
    /// Ordered or not; the end is exclusive.
    pub selection: Option<((usize, usize), (usize, usize))>,
    pub focused: bool,
    pub theme: &'a Theme,
}

const TAB: usize = 4;
/// Lines that a diagnostic may take under its span.
const MESSAGE_LINES: usize = 6;

/// A grapheme as it stands on screen.
struct Glyphs {
    /// Character index in the line, and how many characters it stands for.
    at: usize,
    chars: usize,
    byte: usize,
    column: usize,
    width: usize,
    shown: String,
    hidden: bool,
}

/// Graphemes of a line from left to right, made harmless; characters that must not be shown become a
/// bullet, so that the cursor can stand on them and the reader sees them. Stops after `last` columns.
fn glyphs(line: &str, last: usize) -> impl Iterator<Item = Glyphs> + '_ {
    let (mut at, mut column) = (0, 0);
    line.grapheme_indices(true).map_while(move |(byte, grapheme)| {
        if column > last {
            return None;
        }
        let chars = grapheme.chars().count();
        let mut hidden = false;
        let shown = match grapheme {
            "\t" => " ".repeat(TAB - column % TAB),
            _ => text::clean_string(grapheme),
        };
        let mut width = text::width(&shown, 64);
        let shown = if width == 0 {
            hidden = true;
            width = 1;
            "•".to_string()
        } else {
            shown
        };
        let glyph = Glyphs { at, chars, byte, column, width, shown, hidden };
        at += chars;
        column += width;
        Some(glyph)
    })
}

/// Screen column of a character position.
fn column_of(line: &str, char_at: usize) -> usize {
    let mut end = 0;
    for glyph in glyphs(line, usize::MAX - 1) {
        if glyph.at + glyph.chars > char_at {
            return glyph.column;
        }
        end = glyph.column + glyph.width;
    }
    end
}

impl<S: AsRef<str>> Code<'_, S> {
    fn line(&self, index: usize) -> &str {
        self.lines.get(index).map_or("", |l| l.as_ref())
    }

    fn gutter(&self) -> u16 {
        if !self.line_numbers {
            return 0;
        }
        u16::try_from(self.lines.len().max(1).to_string().len() + 2).unwrap_or(2)
    }

    /// Lines that the whole text needs at this width, the diagnostic included.
    pub fn height(&self, width: u16) -> u16 {
        let message = self.message_lines(width.saturating_sub(self.gutter())).len();
        u16::try_from(self.lines.len().max(1) + message).unwrap_or(u16::MAX)
    }

    fn message_lines(&self, width: u16) -> Vec<String> {
        match self.error {
            Some(error) => {
                text::wrap(&error.message, usize::from(width).saturating_sub(2).max(1), MESSAGE_LINES)
            }
            None => Vec::new(),
        }
    }

    /// First line and column actually shown in an area, cursor included.
    pub fn window(&self, area: Rect) -> (usize, usize) {
        let width = usize::from(area.width.saturating_sub(self.gutter())).max(1);
        let height = usize::from(area.height).max(1);
        let (mut top, mut left) = (self.top.min(self.lines.len().saturating_sub(1)), self.left);
        if let Some((line, char_at)) = self.cursor {
            top = super::grid::keep_visible(top as u64, line as u64, area.height) as usize;
            let column = column_of(self.line(line), char_at);
            if column < left {
                left = column;
            } else if column >= left + width {
                left = column + 1 - width;
            }
            // Keep a diagnostic above the cursor from pushing the cursor's line off the bottom.
            if let Some(error) = self.error
                && error.line < line
                && error.line >= top
            {
                let shift = self.message_lines(width as u16).len();
                top = top.max((line + 1 + shift).saturating_sub(height)).min(line);
            }
        }
        (top, left)
    }

    /// Where the terminal's own cursor belongs, so that input methods open beside it.
    pub fn cursor_cell(&self, area: Rect) -> Option<Position> {
        let (line, char_at) = self.cursor?;
        let (top, left) = self.window(area);
        let mut y = line.checked_sub(top)?;
        if let Some(error) = self.error
            && (top..line).contains(&error.line)
        {
            y += self.message_lines(area.width.saturating_sub(self.gutter())).len();
        }
        let x = column_of(self.line(line), char_at).checked_sub(left)?;
        let x = u16::try_from(x).ok()?.checked_add(self.gutter())?;
        let y = text::row(area, y)?;
        (x < area.width).then(|| Position::new(area.x + x, y))
    }

    fn selected(&self, line: usize, char_at: usize) -> bool {
        self.selection.is_some_and(|(a, b)| {
            let (from, to) = if a <= b { (a, b) } else { (b, a) };
            (line, char_at) >= from && (line, char_at) < to
        })
    }

    fn style_at(&self, line: usize, glyph: &Glyphs) -> Style {
        let mut style = self.theme.style(Role::CodeName);
        let span = self
            .spans
            .get(line)
            .and_then(|spans| spans.iter().find(|s| s.start <= glyph.byte && glyph.byte < s.end));
        if let Some(span) = span {
            style = self.theme.style(span.role);
        }
        if glyph.hidden {
            style = self.theme.style(Role::Warning);
        }
        if let Some(error) = self.error
            && error.line == line
            && (error.column..error.column + error.len.max(1)).contains(&glyph.at)
        {
            style = style.patch(self.theme.style(Role::CodeError));
        }
        if self.selected(line, glyph.at) {
            style = style.patch(self.theme.style(Role::Selection));
        }
        if self.focused && self.cursor_on(line, glyph) {
            style = self.theme.style(Role::Cursor);
        }
        style
    }

    fn cursor_on(&self, line: usize, glyph: &Glyphs) -> bool {
        self.cursor.is_some_and(|(l, c)| l == line && (glyph.at..glyph.at + glyph.chars.max(1)).contains(&c))
    }

    fn draw_line(&self, index: usize, line: Rect, left: usize, buf: &mut Buffer) {
        let gutter = self.gutter().min(line.width);
        self.draw_gutter(index, line, gutter, buf);
        let (x0, right) = (line.x + gutter, line.right());
        let mut end = 0;
        let mut cursor_drawn = false;
        for glyph in glyphs(self.line(index), left + usize::from(line.width)) {
            end = glyph.column + glyph.width;
            let Some(offset) = glyph.column.checked_sub(left) else { continue };
            let x = x0.saturating_add(u16::try_from(offset).unwrap_or(u16::MAX));
            if x >= right {
                break;
            }
            cursor_drawn |= self.cursor_on(index, &glyph);
            text::put(buf, x, line.y, right - x, &glyph.shown, self.style_at(index, &glyph));
        }
        let at_end = self.focused && !cursor_drawn && self.cursor.is_some_and(|(l, _)| l == index);
        if let (true, Some(offset)) = (at_end, end.checked_sub(left)) {
            let x = x0.saturating_add(u16::try_from(offset).unwrap_or(u16::MAX));
            text::put(buf, x, line.y, u16::from(x < right), " ", self.theme.style(Role::Cursor));
        }
    }

    fn draw_gutter(&self, index: usize, line: Rect, gutter: u16, buf: &mut Buffer) {
        if gutter < 2 {
            return;
        }
        let wrong = self.error.is_some_and(|e| e.line == index);
        let role = if wrong { Role::Failed } else { Role::LineNumber };
        let sign = if wrong { "✗" } else { " " };
        let number = (index + 1).to_string();
        text::put(buf, line.x, line.y, 1, sign, self.theme.style(role));
        text::put_right(buf, line.x + 1, line.y, gutter - 2, &number, self.theme.style(role));
    }

    /// Draws the message under its span; returns how many lines it took.
    fn draw_message(&self, area: Rect, below: usize, left: usize, buf: &mut Buffer) -> usize {
        let Some(error) = self.error else { return 0 };
        let gutter = self.gutter().min(area.width);
        let room = area.width - gutter;
        let lines = self.message_lines(room);
        let column = column_of(self.line(error.line), error.column).saturating_sub(left);
        let widest = lines.iter().map(|l| text::width(l, usize::from(room))).max().unwrap_or(0) + 2;
        let indent = column.min(usize::from(room).saturating_sub(widest)) as u16;
        for (i, words) in lines.iter().enumerate() {
            let Some(y) = text::row(area, below + i) else { break };
            let x = area.x + gutter + indent;
            let lead = if i == 0 { "╰ " } else { "  " };
            let style = self.theme.style(Role::Failed);
            let x = text::put(buf, x, y, room - indent, lead, style);
            text::put_cut(buf, x, y, area.right().saturating_sub(x), words, style);
        }
        lines.len()
    }
}

impl<S: AsRef<str>> Widget for Code<'_, S> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        if area.is_empty() {
            return;
        }
        text::fill(buf, area, self.theme.style(Role::Text));
        let (top, left) = self.window(area);
        let mut at = 0;
        for index in top..self.lines.len().max(1) {
            let Some(y) = text::row(area, at) else { break };
            self.draw_line(index, Rect { y, height: 1, ..area }, left, buf);
            at += 1;
            if self.error.is_some_and(|e| e.line == index) {
                at += self.draw_message(area, at, left, buf);
            }
        }
    }
}

#[cfg(test)]
#[path = "code/tests.rs"]
mod tests;
