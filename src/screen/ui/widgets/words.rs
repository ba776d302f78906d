//! Attribution: the words of query and text, each with what it did to the score. Sign by hue and by
//! `+`/`−`, strength by intensity and by the bar beneath, so that it reads without any colour.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::text;
use crate::screen::ui::theme::{Role, Theme};
use crate::util::figures;

/// One word and its attribution, in the model's own unit (logit or cosine).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WordMark {
    pub text: String,
    /// 0 query, 1 text.
    pub side: u8,
    pub value: f64,
    pub std_error: Option<f64>,
}

/// The widget; see [`Words::height`] for how many lines it wants.
pub struct Words<'a> {
    pub marks: &'a [WordMark],
    /// What the sides are called, e.g. `["query", "title"]`.
    pub sides: [&'a str; 2],
    /// e.g. "integrated gradients".
    pub method: &'a str,
    /// Completeness gap as a share, where the method has one.
    pub delta: Option<f64>,
    pub passes: u64,
    /// A word to point at (index into `marks`).
    pub selected: Option<usize>,
    /// Lines scrolled off the top.
    pub scroll: usize,
    pub theme: &'a Theme,
}

/// Strength of a value against the largest of its explanation: 0 (under a fiftieth) to 4.
pub fn strength(value: f64, largest: f64) -> u8 {
    let share = (value / largest).abs();
    match share {
        s if s.is_nan() || s < 0.02 => 0,
        s if s < 0.15 => 1,
        s if s < 0.4 => 2,
        s if s < 0.7 => 3,
        _ => 4,
    }
}

const BARS: [char; 5] = ['·', '░', '▒', '▓', '█'];
/// A word longer than this is cut; its neighbours matter too.
const LONGEST_WORD: usize = 24;

struct Placed {
    index: usize,
    x: u16,
    width: u16,
}

/// A line of words: the words above, their bars and figures beneath.
struct WordLine {
    label: Option<usize>,
    words: Vec<Placed>,
}

impl Words<'_> {
    /// Lines needed at this width, footer included.
    pub fn height(&self, width: u16) -> u16 {
        let lines = self.lines(width).len();
        u16::try_from(lines * 2 + 1).unwrap_or(u16::MAX)
    }

    fn largest(&self) -> f64 {
        self.marks.iter().map(|m| m.value.abs()).filter(|v| v.is_finite()).fold(0.0, f64::max)
    }

    fn label_width(&self, width: u16) -> u16 {
        let widest = self.sides.iter().map(|s| text::width(s, 12)).max().unwrap_or(0) as u16;
        if width >= 40 && widest > 0 { widest + 2 } else { 0 }
    }

    /// The figure under a word: bar, signed value, standard error.
    fn figure(&self, mark: &WordMark, largest: f64) -> String {
        let level = usize::from(strength(mark.value, largest));
        let bar: String =
            std::iter::repeat_n(BARS.get(level).copied().unwrap_or('·'), level.max(1)).collect();
        let decimals = if largest >= 10.0 { 1 } else { 2 };
        // A value that rounds to nothing is nothing beside the others.
        let least = 0.5 * 0.1f64.powi(decimals as i32);
        let value = if mark.value.abs() < least { 0.0 } else { mark.value };
        let mut out = format!("{bar}{}", figures::signed(value, decimals));
        if let Some(error) = mark.std_error {
            out += &format!("±{}", figures::share(error, decimals));
        }
        out
    }

    fn lines(&self, width: u16) -> Vec<WordLine> {
        let label = self.label_width(width);
        let room = width.saturating_sub(label);
        let largest = self.largest();
        let mut lines: Vec<WordLine> = Vec::new();
        let mut used = 0u16;
        let mut side = None;
        for (index, mark) in self.marks.iter().enumerate() {
            let word = text::width(&mark.text, LONGEST_WORD);
            let figure = text::width(&self.figure(mark, largest), LONGEST_WORD);
            let w = (word.max(figure).max(1) as u16).min(room.max(1));
            let new_side = side != Some(mark.side);
            if new_side || used.saturating_add(w) > room {
                lines.push(WordLine { label: new_side.then_some(usize::from(mark.side)), words: Vec::new() });
                side = Some(mark.side);
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.words.push(Placed { index, x: label + used, width: w });
            }
            used = used.saturating_add(w + 1);
        }
        lines
    }

    fn footer(&self) -> String {
        let mut parts = vec![self.method.to_string()];
        if let Some(delta) = self.delta {
            parts.push(format!(
                "gap δ {} %",
                figures::number((delta * 1e4).round() / 100.0).replace('-', "−")
            ));
        }
        if self.passes > 0 {
            let plural = if self.passes == 1 { "pass" } else { "passes" };
            parts.push(format!("{} {plural}", figures::thousands(i128::from(self.passes))));
        }
        parts.join(" · ")
    }

    fn draw_line(&self, line: &WordLine, area: Rect, y: u16, largest: f64, buf: &mut Buffer) {
        if let Some(name) = line.label.and_then(|side| self.sides.get(side)) {
            let columns = self.label_width(area.width).saturating_sub(2);
            text::put_cut(buf, area.x, y, columns, name, self.theme.style(Role::Muted));
        }
        for placed in &line.words {
            let Some(mark) = self.marks.get(placed.index) else { continue };
            let x = area.x.saturating_add(placed.x);
            let room = placed.width.min(area.right().saturating_sub(x));
            let style = self.theme.signed(mark.value, strength(mark.value, largest));
            let shown = text::truncate(&mark.text, usize::from(room).min(LONGEST_WORD));
            let word_style =
                if self.selected == Some(placed.index) { self.theme.style(Role::Cursor) } else { style };
            text::put(buf, x, y, room, &shown, word_style);
            if y + 1 < area.bottom() {
                let role = if strength(mark.value, largest) == 0 { Role::Muted } else { Role::Text };
                let figure = self.figure(mark, largest);
                text::put_cut(buf, x, y + 1, room, &figure, self.theme.style(role));
            }
        }
    }
}

impl Widget for Words<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        if area.is_empty() {
            return;
        }
        let largest = self.largest();
        let lines = self.lines(area.width);
        let footer_lines = u16::from(area.height > 2);
        let body = Rect { height: area.height - footer_lines, ..area };
        if self.marks.is_empty() {
            text::put_cut(
                buf,
                area.x,
                area.y,
                area.width,
                "no words to explain",
                self.theme.style(Role::Muted),
            );
        }
        for (i, line) in lines.iter().skip(self.scroll / 2).enumerate() {
            let Some(y) = text::row(body, i * 2) else { break };
            self.draw_line(line, body, y, largest, buf);
        }
        if footer_lines == 1 {
            let hidden = lines.len().saturating_sub(self.scroll / 2) * 2 > usize::from(body.height);
            let more = if hidden { " · more below" } else { "" };
            let line = self.footer() + more;
            text::put_cut(buf, area.x, area.bottom() - 1, area.width, &line, self.theme.style(Role::Muted));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::ui::theme::Depth;
    use crate::screen::ui::widgets::testing::lines;

    fn mark(text: &str, side: u8, value: f64) -> WordMark {
        WordMark { text: text.into(), side, value, std_error: None }
    }

    fn draw(marks: &[WordMark], width: u16, height: u16, depth: Depth) -> Buffer {
        let theme = Theme::builtin("dark", depth).unwrap();
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        Words {
            marks,
            sides: ["query", "title"],
            method: "integrated gradients",
            delta: Some(0.004),
            passes: 48,
            selected: None,
            scroll: 0,
            theme: &theme,
        }
        .render(*buf.area(), &mut buf);
        buf
    }

    fn boots() -> Vec<WordMark> {
        vec![
            mark("跑", 0, 2.1),
            mark("鞋", 0, 1.2),
            mark("Men's", 1, 0.02),
            mark("Boots", 1, 1.3),
            mark("Waterproof", 1, -0.9),
        ]
    }

    #[test]
    fn reads_without_colour() {
        let got = lines(&draw(&boots(), 60, 5, Depth::None));
        assert_eq!(
            got,
            vec![
                "query  跑        鞋",
                "       ████+2.10 ▓▓▓+1.20",
                "title  Men's  Boots    Waterproof",
                "       ·+0.02 ▓▓▓+1.30 ▓▓▓−0.90",
                "integrated gradients · gap δ 0.4 % · 48 passes",
            ]
        );
    }

    #[test]
    fn sign_is_hue_and_strength_is_intensity() {
        let theme = Theme::builtin("dark", Depth::True).unwrap();
        let buf = draw(&boots(), 60, 5, Depth::True);
        assert_eq!(buf.cell((7, 0)).unwrap().bg, theme.style(Role::Positive4).bg.unwrap());
        assert_eq!(buf.cell((24, 2)).unwrap().bg, theme.style(Role::Negative3).bg.unwrap());
        assert_eq!(strength(f64::NAN, 1.0), 0);
        assert_eq!(strength(0.0, 0.0), 0);
    }

    #[test]
    fn wraps_to_the_width_and_says_what_is_hidden() {
        let marks: Vec<_> = (0..30).map(|i| mark("steel", 1, f64::from(i))).collect();
        let theme = Theme::default();
        let words = Words {
            marks: &marks,
            sides: ["query", "title"],
            method: "leave one out",
            delta: None,
            passes: 1,
            selected: None,
            scroll: 0,
            theme: &theme,
        };
        assert!(words.height(30) > 10);
        let got = lines(&draw(&marks, 30, 5, Depth::None));
        assert!(got.last().unwrap().contains('…'), "{got:?}");
    }

    #[test]
    fn hostile_words_and_errors() {
        let mut marks = boots();
        marks[0].text = "\u{1b}]0;x\u{7}\u{202e}".into();
        marks[1].std_error = Some(0.05);
        marks[2].value = f64::NAN;
        marks[3].value = 4e-3;
        let got = lines(&draw(&marks, 60, 5, Depth::None)).join("\n");
        assert!(got.contains("␛]0;x␇") && got.contains("±.05") && got.contains("NaN"), "{got}");
        assert!(got.contains("·0.00") && !got.contains("e-3"), "{got}");
    }
}
