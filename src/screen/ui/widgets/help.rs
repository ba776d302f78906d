//! Keys and what they do, in as many columns as fit; and the line of hints at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::text;
use crate::screen::ui::theme::{Role, Theme};

/// A group of keys under a heading. Rows are (keys, meaning).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelpSection {
    pub title: String,
    pub rows: Vec<(String, String)>,
}

/// The widget: fills its area; `scroll` counts lines.
pub struct Help<'a> {
    pub sections: &'a [HelpSection],
    pub scroll: usize,
    pub theme: &'a Theme,
}

enum Line<'a> {
    Title(&'a str),
    Row(&'a str, &'a str),
    Blank,
}

const COLUMN: u16 = 38;
const KEYS: usize = 16;

impl Help<'_> {
    fn lines(&self) -> Vec<Line<'_>> {
        let mut lines = Vec::new();
        for section in self.sections {
            if !lines.is_empty() {
                lines.push(Line::Blank);
            }
            lines.push(Line::Title(&section.title));
            lines.extend(section.rows.iter().map(|(keys, words)| Line::Row(keys, words)));
        }
        lines
    }

    fn columns(width: u16) -> u16 {
        (width / COLUMN).max(1)
    }

    /// Lines that the longest column needs at this width.
    pub fn height(&self, width: u16) -> usize {
        self.lines().len().div_ceil(usize::from(Self::columns(width)))
    }

    fn key_width(&self) -> u16 {
        let widest = self.sections.iter().flat_map(|s| &s.rows).map(|(k, _)| text::width(k, KEYS)).max();
        widest.unwrap_or(0) as u16
    }
}

impl Widget for Help<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        if area.is_empty() {
            return;
        }
        let columns = Self::columns(area.width);
        let each = area.width / columns;
        let per_column = self.height(area.width).max(usize::from(area.height.min(1)));
        let keys = self.key_width().min(each / 2);
        for (i, line) in self.lines().into_iter().enumerate() {
            let (column, at) = (i / per_column.max(1), i % per_column.max(1));
            let Some(y) = at.checked_sub(self.scroll).and_then(|at| text::row(area, at)) else { continue };
            let x = area.x.saturating_add((column as u16).saturating_mul(each));
            let room = each.saturating_sub(1).min(area.right().saturating_sub(x));
            match line {
                Line::Blank => {}
                Line::Title(words) => {
                    text::put_cut(buf, x, y, room, words, self.theme.style(Role::Header));
                }
                Line::Row(key, words) => {
                    text::put_cut(buf, x, y, keys.min(room), key, self.theme.style(Role::Key));
                    let x2 = x + keys + 2;
                    let room = (x + room).saturating_sub(x2);
                    text::put_cut(buf, x2, y, room, words, self.theme.style(Role::Text));
                }
            }
        }
    }
}

/// One line of `key meaning` pairs, as many as fit whole; `right` keeps its place at the right edge.
pub struct Hints<'a> {
    pub keys: &'a [(&'a str, &'a str)],
    pub right: &'a str,
    pub theme: &'a Theme,
}

impl Widget for Hints<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        if area.is_empty() {
            return;
        }
        let bar = self.theme.style(Role::Bar);
        text::fill(buf, Rect { height: 1, ..area }, bar);
        let right = (text::width(self.right, 60) as u16).min(area.width / 2);
        let end = area.right() - right - u16::from(right > 0);
        let mut x = area.x + 1;
        for (key, words) in self.keys {
            let need = (text::width(key, 20) + 1 + text::width(words, 40)) as u16;
            if x.saturating_add(need) > end {
                break;
            }
            x = text::put(buf, x, area.y, need, key, bar.patch(self.theme.style(Role::Key)));
            x = text::put(buf, x + 1, area.y, need, words, bar) + 2;
        }
        text::put_right(buf, area.right() - right, area.y, right, self.right, bar);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::ui::widgets::testing::lines;

    #[test]
    fn columns_fill_from_the_left() {
        let row = |k: &str, w: &str| (k.to_string(), w.to_string());
        let sections = [
            HelpSection { title: "Cells".into(), rows: vec![row("Enter", "rows"), row("Ctrl-R F5", "run")] },
            HelpSection { title: "移动".into(), rows: vec![row("j k", "down, up")] },
        ];
        let theme = Theme::default();
        let help = Help { sections: &sections, scroll: 0, theme: &theme };
        assert_eq!(help.height(80), 3);
        let mut buf = Buffer::empty(Rect::new(0, 0, 80, 3));
        help.render(*buf.area(), &mut buf);
        let got = lines(&buf);
        assert!(got[0].starts_with("Cells") && got[1].starts_with("Enter      rows"), "{got:?}");
        assert!(got[1].contains("移动") && got[2].contains("j k        down, up"), "{got:?}");
    }

    #[test]
    fn hints_are_never_cut_in_half() {
        let theme = Theme::default();
        let mut buf = Buffer::empty(Rect::new(0, 0, 30, 1));
        Hints {
            keys: &[("Enter", "rows"), ("s", "score"), ("e", "explain")],
            right: "? help",
            theme: &theme,
        }
        .render(*buf.area(), &mut buf);
        assert_eq!(lines(&buf), [" Enter rows  s score    ? help"]);
    }
}
