//! How far a job is: as much of its story as fits, a bar where there is room beside it; a moving mark
//! where the total is unknown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::text;
use crate::protocol;
use crate::screen::ui::theme::{Role, Theme};

/// The widget: one line, whatever the area's height.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    pub phase: &'a str,
    pub progress: &'a protocol::Progress,
    pub theme: &'a Theme,
}

const EIGHTHS: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];
/// Narrower bars say nothing.
const NARROWEST_BAR: u16 = 6;

impl Progress<'_> {
    fn draw_bar(&self, x: u16, y: u16, width: u16, buf: &mut Buffer) {
        let rest = self.theme.style(Role::ProgressRest);
        let done = self.theme.style(Role::ProgressDone);
        text::put(buf, x, y, width, &"─".repeat(usize::from(width)), rest);
        let told = self.progress;
        let Some(total) = told.total.filter(|t| *t > 0) else {
            let at = (told.elapsed_ms / 120 % u64::from(width.max(1))) as u16;
            text::put(buf, x + at, y, 1, "█", done);
            return;
        };
        let eighths = u128::from(told.done.min(total)) * u128::from(width) * 8 / u128::from(total);
        let (full, part) = ((eighths / 8) as u16, (eighths % 8) as usize);
        let end = text::put(buf, x, y, full.min(width), &"█".repeat(usize::from(full)), done);
        if full < width && part > 0 {
            text::put(buf, end, y, 1, EIGHTHS.get(part).copied().unwrap_or(""), done);
        }
    }
}

impl Widget for Progress<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        if area.is_empty() {
            return;
        }
        let y = area.y;
        text::fill(buf, Rect { height: 1, ..area }, self.theme.style(Role::Text));
        let mut x =
            text::put_cut(buf, area.x, y, area.width / 3, self.phase, self.theme.style(Role::Running));
        x += u16::from(x > area.x && x < area.right());
        let room = area.right().saturating_sub(x);
        let words = self.progress.words(usize::from(room), |words| text::width(words, usize::from(u16::MAX)));
        let need = text::width(&words, usize::from(room)) as u16;
        let bar = room.saturating_sub(need + 1).min(30);
        if bar >= NARROWEST_BAR {
            self.draw_bar(x, y, bar, buf);
            x += bar + 1;
        }
        let room = area.right().saturating_sub(x);
        text::put_cut(buf, x, y, room, &words, self.theme.style(Role::Text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::ui::widgets::testing::lines;

    fn draw(done: u64, total: Option<u64>, width: u16) -> String {
        let theme = Theme::default();
        let mut buf = Buffer::empty(Rect::new(0, 0, width, 1));
        let progress = protocol::Progress {
            done,
            total,
            unit: "rows".into(),
            per_second: 1340.0,
            elapsed_ms: 9_100,
            eta_ms: total.map(|_| 6_000),
            ..protocol::Progress::default()
        };
        Progress { phase: "scoring", progress: &progress, theme: &theme }.render(*buf.area(), &mut buf);
        lines(&buf).remove(0)
    }

    #[test]
    fn the_whole_story_on_one_line() {
        assert_eq!(
            draw(12_200, Some(20_000), 80),
            "scoring █████████▊────── 61 % · 12,200 of 20,000 rows · 1,340 rows/s · 6.0s left"
        );
        assert_eq!(draw(12_200, None, 50), "scoring ───█──── 12,200 rows · 1,340 rows/s · 9.1s");
        assert!(draw(1, Some(0), 60).contains("0 %"));
    }
}
