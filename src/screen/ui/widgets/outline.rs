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
    /// `right` stands at the right edge: rows and time, progress, or the state's word. Of several
    /// wordings, the longest first, the first that leaves room for the name is shown; else the last.
    Cell { glyph: Glyph, kind: String, name: String, right: Vec<String> },
}

/// The widget.
pub struct Outline<'a> {
    pub items: &'a [OutlineItem],
    pub selected: Option<usize>,
    /// First item shown; moved when `selected` would not be seen.
    pub top: usize,
    pub focused: bool,
    pub theme: &'a Theme,
}

/// Kinds line up, as wide as the widest and a blank; a stranger's long word is cut.
const WIDEST_KIND: usize = 12;

impl Outline<'_> {
    /// Index of the first item drawn in `height` lines.
    pub fn first(&self, height: u16) -> usize {
        let selected = self.selected.unwrap_or(self.top) as u64;
        let end = self.items.len().saturating_sub(usize::from(height));
        (super::grid::keep_visible(self.top as u64, selected, height) as usize).min(end)
    }

    fn kind_width(&self) -> usize {
        let kinds = self.items.iter().filter_map(|item| match item {
            OutlineItem::Cell { kind, .. } => Some(text::width(kind, WIDEST_KIND) + 1),
            _ => None,
        });
        kinds.max().unwrap_or(0)
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
fn depths(items: &[OutlineItem]) -> Vec<u16> {
    let mut level = 0u16;
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
        let depths = depths(self.items);
        for (index, item) in self.items.iter().enumerate().skip(self.first(area.height)) {
            let Some(y) = text::row(area, index - self.first(area.height)) else { break };
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
        Outline { items, selected, top: 0, focused: true, theme: &theme }.render(*buf.area(), &mut buf);
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
