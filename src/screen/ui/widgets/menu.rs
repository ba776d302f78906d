//! A short list to choose from in a box: completions, cell kinds, methods, models.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Borders, Widget};

use super::text;
use crate::screen::ui::theme::{Role, Theme};

/// One choice; `key` is a shortcut letter (may be empty), `note` stands at the right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MenuItem {
    pub key: String,
    pub text: String,
    pub note: String,
}

/// The widget: clears its area and draws a box. See [`Menu::size`] and [`place`].
pub struct Menu<'a> {
    pub title: &'a str,
    pub items: &'a [MenuItem],
    pub selected: usize,
    pub theme: &'a Theme,
}

impl Menu<'_> {
    /// Wanted width and height, borders included.
    pub fn size(&self) -> (u16, u16) {
        let key = self.key_width();
        let widest = self
            .items
            .iter()
            .map(|i| {
                text::width(&i.text, 60) + text::width(&i.note, 40) + usize::from(!i.note.is_empty()) * 2
            })
            .max()
            .unwrap_or(0)
            .max(text::width(self.title, 60));
        (widest as u16 + key + 4, u16::try_from(self.items.len()).unwrap_or(u16::MAX).saturating_add(2))
    }

    fn key_width(&self) -> u16 {
        match self.items.iter().map(|i| text::width(&i.key, 10)).max().unwrap_or(0) {
            0 => 0,
            w => w as u16 + 1,
        }
    }
}

/// A box of the wanted size at (x, y) or, where it would not fit, moved to stay inside `screen`.
pub fn place(screen: Rect, x: u16, y: u16, (width, height): (u16, u16)) -> Rect {
    let width = width.min(screen.width);
    let height = height.min(screen.height);
    Rect {
        x: x.min(screen.right().saturating_sub(width)).max(screen.x),
        y: y.min(screen.bottom().saturating_sub(height)).max(screen.y),
        width,
        height,
    }
}

/// A box of the wanted size in the middle of `screen`.
pub fn centre(screen: Rect, (width, height): (u16, u16)) -> Rect {
    let x = screen.x + screen.width.saturating_sub(width) / 2;
    let y = screen.y + screen.height.saturating_sub(height) / 2;
    place(screen, x, y, (width, height))
}

/// A cleared, bordered box with a title; returns the inside.
pub fn draw_box(area: Rect, title: &str, focused: bool, theme: &Theme, buf: &mut Buffer) -> Rect {
    let area = area.intersection(*buf.area());
    if area.is_empty() {
        return area;
    }
    text::fill(buf, area, theme.style(Role::Text));
    let role = if focused { Role::BorderFocus } else { Role::Border };
    let kind = if focused { BorderType::Thick } else { BorderType::Plain };
    let block = Block::new().borders(Borders::ALL).border_type(kind).border_style(theme.style(role));
    let inner = block.inner(area);
    block.render(area, buf);
    if !title.is_empty() && area.width > 6 {
        let shown = format!(" {} ", text::truncate(title, usize::from(area.width) - 6));
        text::put(buf, area.x + 2, area.y, area.width - 4, &shown, theme.style(Role::Title));
    }
    inner
}

impl Widget for Menu<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let inner = draw_box(area, self.title, true, self.theme, buf);
        if inner.is_empty() {
            return;
        }
        let top = super::grid::keep_visible(0, self.selected as u64, inner.height) as usize;
        let keys = self.key_width();
        for (at, (index, item)) in self.items.iter().enumerate().skip(top).enumerate() {
            let Some(y) = text::row(inner, at) else { break };
            let chosen = index == self.selected;
            let under = if chosen { self.theme.style(Role::Focus) } else { Default::default() };
            if chosen {
                let line = Rect { y, height: 1, ..inner };
                text::fill(buf, line, self.theme.over(Role::Text, Role::Focus));
                text::put(buf, inner.x, y, 1, "▸", self.theme.style(Role::Key).patch(under));
            }
            let x = inner.x + 1;
            let room = inner.width.saturating_sub(1);
            text::put_cut(buf, x, y, keys.min(room), &item.key, self.theme.style(Role::Key).patch(under));
            let x = x + keys.min(room);
            let room = inner.right().saturating_sub(x);
            let note = (text::width(&item.note, 40) as u16).min(room / 2);
            let words = room.saturating_sub(note + u16::from(note > 0));
            text::put_cut(buf, x, y, words, &item.text, self.theme.style(Role::Text).patch(under));
            let note_style = self.theme.style(Role::Muted).patch(under);
            text::put_right(buf, inner.right().saturating_sub(note), y, note, &item.note, note_style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::ui::widgets::testing::lines;

    #[test]
    fn a_box_with_keys_and_notes() {
        let item = |key: &str, text: &str, note: &str| MenuItem {
            key: key.into(),
            text: text.into(),
            note: note.into(),
        };
        let items = [item("s", "sql", "a query"), item("e", "explain", "words"), item("", "标签", "")];
        let theme = Theme::default();
        let menu = Menu { title: "add a cell", items: &items, selected: 1, theme: &theme };
        assert_eq!(menu.size(), (20, 5));
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 5));
        menu.render(*buf.area(), &mut buf);
        let got = lines(&buf);
        assert!(got[0].contains("add a cell"), "{got:?}");
        assert_eq!(got[2], "┃▸e explain   words┃");
        assert_eq!(got[3], "┃   标签           ┃");
    }

    #[test]
    fn boxes_stay_on_the_screen() {
        let screen = Rect::new(0, 0, 80, 24);
        assert_eq!(place(screen, 75, 23, (20, 5)), Rect::new(60, 19, 20, 5));
        assert_eq!(place(screen, 0, 0, (200, 99)), screen);
        assert_eq!(centre(screen, (20, 4)), Rect::new(30, 10, 20, 4));
    }
}
