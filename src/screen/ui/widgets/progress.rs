//! How far a job is: bar, share, rate and the time left; a moving mark where the total is unknown.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::text;
use crate::screen::ui::theme::{Role, Theme};
use crate::util::figures;

/// The widget: one line, whatever the area's height.
#[derive(Debug, Clone)]
pub struct Progress<'a> {
    pub phase: &'a str,
    pub done: u64,
    pub total: Option<u64>,
    pub unit: &'a str,
    pub per_second: f64,
    pub elapsed_ms: u64,
    pub eta_ms: Option<u64>,
    pub theme: &'a Theme,
}

const EIGHTHS: [&str; 9] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"];
/// Narrower bars say nothing.
const NARROWEST_BAR: u16 = 6;

/// Share done in percent; a running job never reads 100 %.
pub fn percent(done: u64, total: u64) -> u64 {
    match total {
        0 => 0,
        _ if done >= total => 100,
        _ => (u128::from(done) * 100 / u128::from(total)) as u64,
    }
}

impl Progress<'_> {
    /// `61 % · 12,200 of 20,000 rows · 1,340 rows/s · 0:06 left`
    pub fn words(&self) -> String {
        let mut parts = Vec::new();
        let count = figures::thousands(i128::from(self.done));
        match self.total {
            Some(total) => {
                parts.push(format!("{} %", percent(self.done, total)));
                parts.push(format!("{count} of {} {}", figures::thousands(i128::from(total)), self.unit));
            }
            None => parts.push(format!("{count} {}", self.unit)),
        }
        if self.per_second.is_finite() && self.per_second > 0.0 {
            let rate = if self.per_second >= 100.0 {
                figures::thousands(self.per_second.round() as i128)
            } else {
                figures::number((self.per_second * 10.0).round() / 10.0)
            };
            parts.push(format!("{rate} {}/s", self.unit));
        }
        match self.eta_ms {
            Some(ms) => parts.push(format!("{} left", figures::clock(ms))),
            None => parts.push(figures::clock(self.elapsed_ms)),
        }
        parts.join(" · ")
    }

    fn draw_bar(&self, x: u16, y: u16, width: u16, buf: &mut Buffer) {
        let rest = self.theme.style(Role::ProgressRest);
        let done = self.theme.style(Role::ProgressDone);
        text::put(buf, x, y, width, &"─".repeat(usize::from(width)), rest);
        let Some(total) = self.total.filter(|t| *t > 0) else {
            let at = (self.elapsed_ms / 120 % u64::from(width.max(1))) as u16;
            text::put(buf, x + at, y, 1, "█", done);
            return;
        };
        let eighths = u128::from(self.done.min(total)) * u128::from(width) * 8 / u128::from(total);
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
        let words = self.words();
        let room = area.right().saturating_sub(x);
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
        Progress {
            phase: "scoring",
            done,
            total,
            unit: "rows",
            per_second: 1340.0,
            elapsed_ms: 9_100,
            eta_ms: total.map(|_| 6_000),
            theme: &theme,
        }
        .render(*buf.area(), &mut buf);
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

    #[test]
    fn almost_done_is_not_done() {
        assert_eq!(percent(999_999, 1_000_000), 99);
        assert_eq!(percent(u64::MAX, u64::MAX), 100);
    }
}
