//! Two texts compared, line by line: signs before what would go and what would come.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::text;
use crate::screen::app::{Comparison, DiffLine};
use crate::screen::ui::theme::{Role, Theme};

/// The widget: fills its area; `scroll` counts lines of the comparison, of which a long one takes several
/// rows.
pub struct DiffView<'a> {
    pub comparison: &'a Comparison,
    pub scroll: usize,
    pub theme: &'a Theme,
}

impl Widget for DiffView<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        let room = area.width.saturating_sub(4);
        if room == 0 {
            return;
        }
        let muted = self.theme.style(Role::Muted);
        if self.comparison.lines.is_empty() {
            text::put_cut(buf, area.x + 1, area.y, room + 2, "nothing differs", muted);
            return;
        }
        let mut row = 0;
        for line in self.comparison.lines.iter().skip(self.scroll) {
            let (sign, words, role) = match line {
                DiffLine::Same(words) => (" ", words.clone(), Role::Muted),
                DiffLine::Added(words) => ("+", words.clone(), Role::Ok),
                DiffLine::Removed(words) => ("−", words.clone(), Role::Failed),
                DiffLine::Gap(1) => ("⋯", "1 line as it was".into(), Role::LineNumber),
                DiffLine::Gap(n) => ("⋯", format!("{n} lines as they were"), Role::LineNumber),
            };
            let style = self.theme.style(role);
            let most = usize::from(area.height).saturating_sub(row).max(1);
            for (at, piece) in text::wrap(&words, usize::from(room), most).iter().enumerate() {
                let Some(y) = text::row(area, row) else { return };
                let sign = if at == 0 { sign } else { "" };
                text::put(buf, area.x + 1, y, 1, sign, style);
                text::put_cut(buf, area.x + 3, y, room, piece, style);
                row += 1;
            }
        }
        if let (Some(y), 1..) = (text::row(area, row), self.comparison.left_out) {
            let words = format!("{} more lines are not shown", self.comparison.left_out);
            text::put_cut(buf, area.x + 1, y, room + 2, &words, muted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::ui::widgets::testing::lines;

    #[test]
    fn signs_stand_before_lines_and_long_ones_are_wrapped() {
        let comparison = Comparison {
            lines: vec![
                DiffLine::Gap(7),
                DiffLine::Same("a".into()),
                DiffLine::Removed("SELECT\u{1b}[2J 1".into()),
                DiffLine::Added("跑鞋男士跑鞋男士".into()),
            ],
            added: 1,
            removed: 1,
            left_out: 3,
        };
        let theme = Theme::default();
        let mut buf = Buffer::empty(Rect::new(0, 0, 16, 6));
        DiffView { comparison: &comparison, scroll: 1, theme: &theme }.render(*buf.area(), &mut buf);
        let got = lines(&buf);
        assert_eq!(got[0], "   a");
        assert!(got[1].starts_with(" − SELECT␛[2J"), "{got:?}");
        assert_eq!(got[2..4], [" + 跑鞋男士跑鞋", "   男士"]);
        assert_eq!(got[4], " 3 more lines …");
        let mut none = Buffer::empty(Rect::new(0, 0, 20, 1));
        DiffView { comparison: &Comparison::default(), scroll: 0, theme: &theme }
            .render(*none.area(), &mut none);
        assert_eq!(lines(&none), [" nothing differs"]);
    }
}
