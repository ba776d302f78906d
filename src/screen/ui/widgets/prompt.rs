//! A single line of input with its cursor, for filters, names and the command palette.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::Widget;
use unicode_segmentation::UnicodeSegmentation;

use super::text;
use crate::screen::ui::theme::{Role, Theme};

/// The widget. `cursor` counts characters.
#[derive(Debug, Clone, Copy)]
pub struct Prompt<'a> {
    /// e.g. `filter: ` or `:`.
    pub label: &'a str,
    pub input: &'a str,
    pub cursor: usize,
    /// Shown while the input is empty.
    pub hint: &'a str,
    /// What is wrong with the input, at the right edge.
    pub error: Option<&'a str>,
    pub theme: &'a Theme,
}

impl Prompt<'_> {
    fn label_width(&self, area: Rect) -> u16 {
        text::width(self.label, usize::from(area.width / 2)) as u16
    }

    /// Columns before the cursor, and columns of the character under it.
    fn cursor_columns(&self) -> (usize, usize) {
        let (mut at, mut column) = (0, 0);
        for grapheme in self.input.graphemes(true) {
            let w = shown(grapheme).1;
            let chars = grapheme.chars().count();
            if at + chars > self.cursor {
                return (column, w);
            }
            at += chars;
            column += w;
        }
        (column, 1)
    }

    /// Columns scrolled off the left so that the cursor is seen in `room`.
    fn offset(&self, room: u16) -> usize {
        let (column, w) = self.cursor_columns();
        (column + w).saturating_sub(usize::from(room.max(1)))
    }

    /// Where the terminal's own cursor belongs.
    pub fn cursor_cell(&self, area: Rect) -> Position {
        let label = self.label_width(area);
        let room = area.width.saturating_sub(label);
        let x = self.cursor_columns().0.saturating_sub(self.offset(room)) as u16;
        Position::new(
            area.x.saturating_add(label).saturating_add(x).min(area.right().saturating_sub(1)),
            area.y,
        )
    }

    fn draw_input(&self, x0: u16, room: u16, y: u16, buf: &mut Buffer) -> u16 {
        let offset = self.offset(room);
        let (mut at, mut column, mut end) = (0, 0, x0);
        let mut cursor_drawn = false;
        for grapheme in self.input.graphemes(true) {
            let (words, w) = shown(grapheme);
            let chars = grapheme.chars().count();
            let under_cursor = (at..at + chars).contains(&self.cursor);
            at += chars;
            if column >= offset {
                let x = x0.saturating_add((column - offset).min(usize::from(u16::MAX)) as u16);
                if x.saturating_add(w as u16) > x0.saturating_add(room) {
                    break;
                }
                let role = if under_cursor { Role::Cursor } else { Role::Text };
                cursor_drawn |= under_cursor;
                end = text::put(buf, x, y, w as u16, &words, self.theme.style(role));
            }
            column += w;
        }
        if !cursor_drawn && end < x0.saturating_add(room) {
            end = text::put(buf, end, y, 1, " ", self.theme.style(Role::Cursor));
        }
        end
    }
}

/// A grapheme as shown, never without a width.
fn shown(grapheme: &str) -> (String, usize) {
    let clean = text::clean_string(grapheme);
    match text::width(&clean, 64) {
        0 => ("•".into(), 1),
        w => (clean, w),
    }
}

impl Widget for Prompt<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        if area.is_empty() {
            return;
        }
        let y = area.y;
        text::fill(buf, Rect { height: 1, ..area }, self.theme.style(Role::Text));
        let label = self.label_width(area);
        text::put_cut(buf, area.x, y, label, self.label, self.theme.style(Role::Prompt));
        let x = area.x + label;
        let end = self.draw_input(x, area.width - label, y, buf);
        let rest = area.right().saturating_sub(end).saturating_sub(1);
        if let Some(error) = self.error {
            text::put_right(buf, end + 1, y, rest, error, self.theme.style(Role::Failed));
        } else if self.input.is_empty() {
            text::put_cut(buf, end + 1, y, rest, self.hint, self.theme.style(Role::Muted));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::ui::widgets::testing::lines;

    fn draw(input: &str, cursor: usize, width: u16) -> (String, Position) {
        let theme = Theme::default();
        let prompt =
            Prompt { label: "filter: ", input, cursor, hint: "price > 10", error: None, theme: &theme };
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
        let at = prompt.cursor_cell(*buf.area());
        prompt.render(*buf.area(), &mut buf);
        (lines(&buf).remove(0), at)
    }

    #[test]
    fn the_cursor_is_always_seen() {
        assert_eq!(draw("", 0, 30), ("filter:   price > 10".into(), Position::new(8, 0)));
        assert_eq!(draw("跑鞋", 1, 30), ("filter: 跑鞋".into(), Position::new(10, 0)));
        let (line, at) = draw("abcdefghijklmnop", 16, 18);
        assert_eq!((line.as_str(), at.x), ("filter: hijklmnop", 17));
        let (_, at) = draw("跑鞋跑鞋跑鞋跑鞋", 8, 17);
        assert!(at.x < 17);
    }

    #[test]
    fn hostile_input_is_shown_harmless() {
        assert_eq!(draw("a\u{1b}b\u{202e}c", 0, 30).0, "filter: a␛b•c");
    }
}
