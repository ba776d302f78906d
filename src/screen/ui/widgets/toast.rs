//! A short message over the screen's lower right corner; how long it stays is the caller's affair.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::text;
use crate::screen::ui::theme::{Role, Theme};

/// What kind of news it is; said by a sign as well as by colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToastKind {
    Done,
    Info,
    Warning,
    Error,
}

/// The widget: place it over the whole screen, it takes its corner.
pub struct Toast<'a> {
    pub kind: ToastKind,
    pub message: &'a str,
    pub theme: &'a Theme,
}

const WIDEST: u16 = 60;
const MOST_LINES: usize = 6;

impl Widget for Toast<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        if area.width < 4 || area.height < 2 {
            return;
        }
        let (sign, role) = match self.kind {
            ToastKind::Done => ("✓", Role::Toast),
            ToastKind::Info => ("i", Role::Toast),
            ToastKind::Warning => ("!", Role::Toast),
            ToastKind::Error => ("✗", Role::Failed),
        };
        let room = area.width.min(WIDEST) - 4;
        let most = MOST_LINES.min(usize::from(area.height) - 1);
        let lines = text::wrap(self.message, usize::from(room).max(1), most);
        let widest = lines.iter().map(|l| text::width(l, usize::from(room))).max().unwrap_or(0) as u16;
        let width = widest + 4;
        let height = lines.len() as u16;
        // Above the line of keys.
        let spot = Rect { x: area.right() - width, y: area.bottom() - 1 - height, width, height };
        let style = self.theme.style(Role::Text).patch(self.theme.style(role));
        text::fill(buf, spot, style);
        for (i, line) in lines.iter().enumerate() {
            let Some(y) = text::row(spot, i) else { break };
            let lead = if i == 0 { sign } else { " " };
            text::put(buf, spot.x + 1, y, 1, lead, style);
            text::put(buf, spot.x + 3, y, widest, line, style);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::ui::widgets::testing::lines;

    #[test]
    fn sits_above_the_keys() {
        let theme = Theme::default();
        let mut buf = Buffer::empty(Rect::new(0, 0, 30, 4));
        Toast { kind: ToastKind::Done, message: "saved 笔记.md", theme: &theme }
            .render(*buf.area(), &mut buf);
        assert_eq!(lines(&buf), ["", "", "              ✓ saved 笔记.md", ""]);
    }
}
