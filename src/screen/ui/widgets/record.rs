//! A whole record as names and values, values wrapped; what is NULL says so.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::text;
use crate::screen::ui::theme::{Role, Theme};

/// The widget. `None` is NULL.
pub struct Record<'a> {
    pub fields: &'a [(String, Option<String>)],
    /// A field to point at.
    pub selected: Option<usize>,
    /// Lines scrolled off the top.
    pub scroll: usize,
    /// Lines that one value may take.
    pub value_lines: usize,
    pub theme: &'a Theme,
}

enum Line<'a> {
    /// Field index, its name (only on its first line), a line of its value, whether that is NULL.
    Field(usize, &'a str, String, bool),
}

impl Record<'_> {
    /// Lines needed at this width.
    pub fn height(&self, width: u16) -> usize {
        self.lines(width).len()
    }

    fn name_width(&self, width: u16) -> u16 {
        let widest = self.fields.iter().map(|(name, _)| text::width(name, 24)).max().unwrap_or(0);
        (widest as u16).min(width / 3)
    }

    fn lines(&self, width: u16) -> Vec<Line<'_>> {
        let room = usize::from(width.saturating_sub(self.name_width(width) + 3)).max(1);
        let mut lines = Vec::new();
        for (index, (name, value)) in self.fields.iter().enumerate() {
            let Some(value) = value else {
                lines.push(Line::Field(index, name, "∅".into(), true));
                continue;
            };
            let wrapped = text::wrap(value, room, self.value_lines.max(1));
            let mut label = name.as_str();
            for words in wrapped {
                lines.push(Line::Field(index, label, words, false));
                label = "";
            }
        }
        lines
    }
}

impl Widget for Record<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        if area.is_empty() {
            return;
        }
        text::fill(buf, area, self.theme.style(Role::Text));
        if self.fields.is_empty() {
            text::put_cut(
                buf,
                area.x + 1,
                area.y,
                area.width - 1,
                "no record",
                self.theme.style(Role::Muted),
            );
        }
        let names = self.name_width(area.width);
        for (at, line) in self.lines(area.width).into_iter().skip(self.scroll).enumerate() {
            let Some(y) = text::row(area, at) else { break };
            let Line::Field(index, name, value, null) = line;
            let chosen = self.selected == Some(index);
            let under = if chosen { self.theme.style(Role::Focus) } else { Default::default() };
            if chosen {
                text::fill(buf, Rect { y, height: 1, ..area }, self.theme.over(Role::Text, Role::Focus));
                if !name.is_empty() {
                    text::put(buf, area.x, y, 1, "▸", self.theme.style(Role::Key).patch(under));
                }
            }
            let name_style = self.theme.style(Role::Muted).patch(under);
            text::put_cut(buf, area.x + 1, y, names.min(area.width - 1), name, name_style);
            let role = if null { Role::Null } else { Role::Text };
            let x = area.x.saturating_add(names + 3);
            let room = area.right().saturating_sub(x);
            text::put_cut(buf, x, y, room, &value, self.theme.style(role).patch(under));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::ui::theme::Depth;
    use crate::screen::ui::widgets::testing::lines;

    #[test]
    fn values_wrap_and_null_is_said() {
        let fields = vec![
            ("query".to_string(), Some("跑鞋 男".to_string())),
            ("title".to_string(), Some("Men's Hiking Boots Waterproof".to_string())),
            ("brand".to_string(), None),
            ("bad".to_string(), Some("a\u{1b}[2Jb".to_string())),
        ];
        let theme = Theme::builtin("dark", Depth::None).unwrap();
        let record = Record { fields: &fields, selected: Some(1), scroll: 0, value_lines: 5, theme: &theme };
        assert_eq!(record.height(24), 5);
        let mut buf = Buffer::empty(Rect::new(0, 0, 24, 6));
        record.render(*buf.area(), &mut buf);
        assert_eq!(
            lines(&buf),
            [
                " query  跑鞋 男",
                "▸title  Men's Hiking",
                "        Boots Waterproof",
                " brand  ∅",
                " bad    a␛[2Jb",
                ""
            ]
        );
    }
}
