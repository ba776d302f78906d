//! The notebook's cells as a list: state glyph, kind, name, rows and time; headings indent what
//! follows them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

use super::text;
use crate::screen::ui::theme::{Role, Theme};

/// How a cell is doing. Each state has its own glyph and word; colour only repeats them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Glyph {
    /// Never run.
    #[default]
    Idle,
    Queued,
    /// A phase of the spinner, any number.
    Running(u8),
    Paused,
    Partial,
    Done,
    /// Result older than its inputs.
    Stale,
    Failed,
    Cancelled,
    /// Not run because one above failed.
    Skipped,
    /// Cannot be run: its text is broken.
    Broken,
}

const SPINNER: [&str; 8] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠇"];

impl Glyph {
    pub fn symbol(self) -> &'static str {
        match self {
            Glyph::Idle => "·",
            Glyph::Queued => "…",
            Glyph::Running(phase) => SPINNER.get(usize::from(phase) % SPINNER.len()).copied().unwrap_or("⠋"),
            Glyph::Paused => "‖",
            Glyph::Partial => "◐",
            Glyph::Done => "✓",
            Glyph::Stale => "○",
            Glyph::Failed => "✗",
            Glyph::Cancelled => "■",
            Glyph::Skipped => "↷",
            Glyph::Broken => "!",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Glyph::Idle => "not run",
            Glyph::Queued => "queued",
            Glyph::Running(_) => "running",
            Glyph::Paused => "paused",
            Glyph::Partial => "partial",
            Glyph::Done => "done",
            Glyph::Stale => "stale",
            Glyph::Failed => "failed",
            Glyph::Cancelled => "cancelled",
            Glyph::Skipped => "skipped",
            Glyph::Broken => "broken",
        }
    }

    pub fn role(self) -> Role {
        match self {
            Glyph::Idle | Glyph::Queued | Glyph::Skipped => Role::Muted,
            Glyph::Running(_) => Role::Running,
            Glyph::Paused => Role::Warning,
            Glyph::Partial => Role::Partial,
            Glyph::Done => Role::Ok,
            Glyph::Stale => Role::Stale,
            Glyph::Failed | Glyph::Broken => Role::Failed,
            Glyph::Cancelled => Role::Warning,
        }
    }
}

/// One line of the outline.
#[derive(Debug, Clone, PartialEq)]
pub enum OutlineItem {
    /// `level` counts from 1, as in Markdown.
    Heading { level: u8, text: String },
    /// A line of prose, shown muted.
    Prose(String),
    /// Prose that holds something that was meant to be a cell.
    Fault(String),
    /// `right` stands at the right edge: rows and time, progress, or the state's word. Of several
    /// wordings, the longest first, the first that leaves room for the name is shown; else the last.
    Cell { glyph: Glyph, kind: String, name: String, right: Vec<String> },
}

/// The widget.
pub struct Outline<'a> {
    /// All of them, or those that can be seen: then `level` and `kinds` tell what the others are like.
    pub items: &'a [OutlineItem],
    /// Of the heading that the first item stands under; 0: none.
    pub level: u8,
    /// Letters of the longest kind among items that are not here.
    pub kinds: usize,
    pub selected: Option<usize>,
    /// First item shown; moved when `selected` would not be seen.
    pub top: usize,
    pub focused: bool,
    pub theme: &'a Theme,
}

/// Index of the first of `count` items drawn in `height` lines.
pub fn first_of(count: usize, top: usize, selected: Option<usize>, height: u16) -> usize {
    let end = count.saturating_sub(usize::from(height));
    let selected = selected.unwrap_or(top) as u64;
    (super::grid::keep_visible(top as u64, selected, height) as usize).min(end)
}

/// Kinds line up, as wide as the widest and a blank; a stranger's long word is cut.
const WIDEST_KIND: usize = 12;

impl Outline<'_> {
    /// Index of the first item drawn in `height` lines.
    pub fn first(&self, height: u16) -> usize {
        first_of(self.items.len(), self.top, self.selected, height)
    }

    fn kind_width(&self) -> usize {
        let kinds = self.items.iter().filter_map(|item| match item {
            OutlineItem::Cell { kind, .. } => Some(text::width(kind, WIDEST_KIND) + 1),
            _ => None,
        });
        kinds.max().unwrap_or(0).max(if self.kinds > 0 { self.kinds.min(WIDEST_KIND) + 1 } else { 0 })
    }

    fn draw_item(&self, item: &OutlineItem, depth: u16, line: Rect, under: Style, buf: &mut Buffer) {
        let indent = depth.min(line.width / 3);
        let x = line.x + 1 + indent;
        let room = line.width.saturating_sub(1 + indent);
        match item {
            OutlineItem::Heading { text, .. } => {
                text::put_cut(buf, x, line.y, room, text, self.theme.style(Role::Title).patch(under));
            }
            OutlineItem::Prose(words) => {
                text::put_cut(buf, x, line.y, room, words, self.theme.style(Role::Muted).patch(under));
            }
            OutlineItem::Fault(words) => {
                let style = self.theme.style(Role::Failed).patch(under);
                let x = text::put(buf, x, line.y, room, Glyph::Broken.symbol(), style).saturating_add(1);
                text::put_cut(buf, x, line.y, line.right().saturating_sub(x), words, style);
            }
            OutlineItem::Cell { glyph, kind, name, right } => {
                let state = self.theme.style(glyph.role()).patch(under);
                let x = text::put(buf, x, line.y, room, glyph.symbol(), state).saturating_add(1);
                let room = line.right().saturating_sub(x);
                let width = self.kind_width().min(usize::from(room) / 2).saturating_sub(1);
                let kind = text::pad(kind, width, text::Align::Left) + " ";
                let wanted = text::width(name, 64) + width + 2;
                let fits = |right: &&String| wanted + text::width(right, 24) <= usize::from(room);
                let right = right.iter().find(fits).or(right.last()).map_or("", String::as_str);
                let right_room = (text::width(right, 24) as u16).min(room / 2);
                let left_room = room.saturating_sub(right_room + u16::from(right_room > 0));
                let x2 =
                    text::put(buf, x, line.y, left_room, &kind, self.theme.style(Role::Muted).patch(under));
                let name_room = (x + left_room).saturating_sub(x2);
                text::put_cut(buf, x2, line.y, name_room, name, self.theme.style(Role::Text).patch(under));
                let start = line.right().saturating_sub(right_room);
                text::put_right(buf, start, line.y, right_room, right, state);
            }
        }
    }
}

/// Indentation of every item: one step below each heading level in force.
fn depths(items: &[OutlineItem], level: u8) -> Vec<u16> {
    let mut level = u16::from(level);
    items
        .iter()
        .map(|item| match item {
            OutlineItem::Heading { level: l, .. } => {
                level = u16::from((*l).clamp(1, 6));
                level - 1
            }
            _ => level.saturating_sub(1),
        })
        .collect()
}

impl Widget for Outline<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        if area.is_empty() {
            return;
        }
        text::fill(buf, area, self.theme.style(Role::Text));
        if self.items.is_empty() {
            let style = self.theme.style(Role::Muted);
            text::put_cut(buf, area.x + 1, area.y, area.width - 1, "no cells yet", style);
        }
        let depths = depths(self.items, self.level);
        let first = self.first(area.height);
        for (index, item) in self.items.iter().enumerate().skip(first) {
            let Some(y) = text::row(area, index - first) else { break };
            let line = Rect { y, height: 1, ..area };
            let mut under = Style::new();
            if self.selected == Some(index) {
                under = self.theme.style(if self.focused { Role::Focus } else { Role::Text });
                text::fill(buf, line, self.theme.style(Role::Text).patch(under));
                text::put(buf, line.x, y, 1, "▸", self.theme.style(Role::Key).patch(under));
            }
            self.draw_item(item, depths.get(index).copied().unwrap_or(0), line, under, buf);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::ui::theme::Depth;
    use crate::screen::ui::widgets::testing::lines;

    fn items() -> Vec<OutlineItem> {
        let cell = |glyph, kind: &str, name: &str, right: &str| OutlineItem::Cell {
            glyph,
            kind: kind.into(),
            name: name.into(),
            right: right.split('|').map(String::from).collect(),
        };
        vec![
            OutlineItem::Heading { level: 1, text: "Why did \"running shoes\" show boots?".into() },
            cell(Glyph::Done, "sql", "bad_queries", "200 0.1s"),
            OutlineItem::Heading { level: 2, text: "评分".into() },
            cell(Glyph::Running(2), "score", "rel", "61 % 1:12"),
            cell(Glyph::Stale, "explain", "worst", "stale"),
        ]
    }

    fn draw(items: &[OutlineItem], selected: Option<usize>, width: u16, height: u16) -> Vec<String> {
        let theme = Theme::builtin("dark", Depth::None).unwrap();
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        Outline { items, level: 0, kinds: 0, selected, top: 0, focused: true, theme: &theme }
            .render(*buf.area(), &mut buf);
        lines(&buf)
    }

    #[test]
    fn looks_as_in_the_design() {
        assert_eq!(
            draw(&items(), Some(3), 34, 5),
            vec![
                " Why did \"running shoes\" show boo…",
                " ✓ sql     bad_queries    200 0.1s",
                "  评分",
                "▸ ⠹ score   rel          61 % 1:12",
                "  ○ explain worst            stale",
            ]
        );
    }

    #[test]
    fn a_part_looks_as_it_does_in_the_whole() {
        let theme = Theme::builtin("dark", Depth::None).unwrap();
        let mut buf = Buffer::empty(Rect::new(0, 0, 34, 2));
        let items = &items()[3..];
        Outline { items, level: 2, kinds: 7, selected: Some(0), top: 0, focused: true, theme: &theme }
            .render(*buf.area(), &mut buf);
        assert_eq!(lines(&buf), draw(&self::items(), Some(3), 34, 5)[3..]);
        let fault = OutlineItem::Fault("```check my-gate".into());
        assert_eq!(draw(&[fault], None, 34, 1)[0].trim_end(), " ! ```check my-gate");
    }

    #[test]
    fn names_stay_whole_and_figures_give_way() {
        let cell = |right: &str| OutlineItem::Cell {
            glyph: Glyph::Done,
            kind: "sql".into(),
            name: "bad_queries".into(),
            right: right.split('|').map(String::from).collect(),
        };
        let figures = "1,204,600 0.1s|1,204,600|1.2M|";
        let shown = |width| draw(&[cell(figures)], None, width, 1).remove(0);
        assert_eq!(shown(33), " ✓ sql bad_queries 1,204,600 0.1s");
        assert_eq!(shown(32), " ✓ sql bad_queries     1,204,600");
        assert_eq!(shown(27), " ✓ sql bad_queries     1.2M");
        assert_eq!(shown(21), " ✓ sql bad_queries   ".trim_end());
        assert_eq!(shown(16), " ✓ sql bad_quer…");
    }

    #[test]
    fn the_selected_cell_is_always_seen() {
        let got = draw(&items(), Some(4), 34, 2);
        assert!(got[1].contains("worst"), "{got:?}");
        assert_eq!(draw(&[], None, 34, 2)[0], " no cells yet");
    }
}
