//! Keys and what they do; and the line of hints at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::text;
use crate::screen::app::help::{HelpLine, KEY_COLUMNS};
use crate::screen::ui::theme::{Role, Theme};

/// The widget: fills its area; `scroll` counts lines.
pub struct Help<'a> {
    pub lines: &'a [HelpLine],
    pub scroll: usize,
    pub theme: &'a Theme,
}

impl Widget for Help<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        let (room, keys) = (area.width.saturating_sub(1), (KEY_COLUMNS as u16).min(area.width / 2));
        for (at, line) in self.lines.iter().skip(self.scroll).enumerate() {
            let Some(y) = text::row(area, at) else { break };
            let x = area.x + 1;
            match line {
                HelpLine::Blank => {}
                HelpLine::Title(words) => {
                    text::put_cut(buf, x, y, room, words, self.theme.style(Role::Header));
                }
                HelpLine::Row { keys: shown, words } => {
                    text::put_cut(buf, x, y, keys.saturating_sub(1), shown, self.theme.style(Role::Key));
                    let room = room.saturating_sub(keys);
                    text::put_cut(buf, x + keys, y, room, words, self.theme.style(Role::Text));
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
    fn keys_stand_before_their_sentences_and_the_rest_is_scrolled_to() {
        let row = |keys: &str, words: &str| HelpLine::Row { keys: keys.into(), words: words.into() };
        let all = [HelpLine::Title("移动"), row("j, k", "Down, up."), row("", "And on."), HelpLine::Blank];
        let theme = Theme::default();
        let mut buf = Buffer::empty(Rect::new(0, 0, 40, 2));
        Help { lines: &all, scroll: 1, theme: &theme }.render(*buf.area(), &mut buf);
        assert_eq!(lines(&buf), [" j, k             Down, up.", "                  And on."]);
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
