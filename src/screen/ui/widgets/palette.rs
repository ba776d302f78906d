//! The command palette: fuzzy search over names, matched characters emphasised, and the chosen entry's
//! key and meaning beside it.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use unicode_segmentation::UnicodeSegmentation;

use super::menu::draw_box;
use super::prompt::Prompt;
use super::text;
use crate::screen::ui::theme::{Role, Theme};

/// Something that can be chosen. Only `name` and `words` are searched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaletteItem {
    pub name: String,
    /// What it does, in a few words.
    pub words: String,
    /// Its key, if any.
    pub key: String,
}

/// One hit: which item, and which graphemes of its name matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub index: usize,
    pub matched: Vec<u32>,
}

/// Items that match `input`, best first; all of them, in their order, for an empty input. A name that
/// matches counts more than a meaning that does.
pub fn search(items: &[PaletteItem], input: &str) -> Vec<Hit> {
    if input.trim().is_empty() {
        return (0..items.len()).map(|index| Hit { index, matched: Vec::new() }).collect();
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(input, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut hits: Vec<(u32, Hit)> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let mut matched = Vec::new();
        let name = pattern.indices(Utf32Str::new(&item.name, &mut buffer), &mut matcher, &mut matched);
        let score = match name {
            Some(score) => score.saturating_mul(2),
            None => {
                matched.clear();
                let all = format!("{} {}", item.name, item.words);
                match pattern.score(Utf32Str::new(&all, &mut buffer), &mut matcher) {
                    Some(score) => score,
                    None => continue,
                }
            }
        };
        matched.sort_unstable();
        matched.dedup();
        hits.push((score, Hit { index, matched }));
    }
    hits.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.index.cmp(&b.1.index)));
    hits.into_iter().map(|(_, hit)| hit).collect()
}

/// The widget: clears its area and draws a box with the input line and the hits.
pub struct Palette<'a> {
    pub title: &'a str,
    pub items: &'a [PaletteItem],
    /// From [`search`], computed when the input changes, not per frame.
    pub hits: &'a [Hit],
    pub input: &'a str,
    /// In characters.
    pub cursor: usize,
    /// Index into `hits`.
    pub selected: usize,
    pub theme: &'a Theme,
}

impl Palette<'_> {
    /// The input line within the box; for the terminal's own cursor.
    pub fn prompt(&self) -> Prompt<'_> {
        Prompt {
            label: ": ",
            input: self.input,
            cursor: self.cursor,
            hint: "type to search",
            error: None,
            theme: self.theme,
        }
    }

    /// Where the prompt's line lies for a box over `area`.
    pub fn prompt_area(area: Rect) -> Rect {
        Rect {
            x: area.x.saturating_add(2),
            y: area.y.saturating_add(1),
            width: area.width.saturating_sub(4),
            height: u16::from(area.height > 2),
        }
    }

    fn draw_name(&self, item: &PaletteItem, matched: &[u32], spot: Rect, under: Style, buf: &mut Buffer) {
        let plain = self.theme.style(Role::Text).patch(under);
        let hit = plain.patch(self.theme.style(Role::Match));
        let mut x = spot.x;
        for (i, grapheme) in item.name.graphemes(true).enumerate() {
            let room = spot.right().saturating_sub(x);
            if room == 0 {
                break;
            }
            let is_hit = u32::try_from(i).is_ok_and(|i| matched.binary_search(&i).is_ok());
            x = text::put(buf, x, spot.y, room, grapheme, if is_hit { hit } else { plain });
        }
    }
}

impl Widget for Palette<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        let inner = draw_box(area, self.title, true, self.theme, buf);
        if inner.is_empty() {
            return;
        }
        self.prompt().render(Self::prompt_area(area), buf);
        let list = Rect {
            x: inner.x,
            y: inner.y.saturating_add(1),
            width: inner.width,
            height: inner.height.saturating_sub(1),
        };
        if self.hits.is_empty() && list.height > 0 {
            let words = "nothing matches";
            let room = list.width.saturating_sub(1);
            text::put_cut(buf, list.x + 1, list.y, room, words, self.theme.style(Role::Muted));
        }
        let names = self.items.iter().map(|i| text::width(&i.name, 40)).max().unwrap_or(0) as u16;
        let top = super::grid::keep_visible(0, self.selected as u64, list.height) as usize;
        for (at, (index, hit)) in self.hits.iter().enumerate().skip(top).enumerate() {
            let Some(y) = text::row(list, at) else { break };
            let Some(item) = self.items.get(hit.index) else { continue };
            let chosen = index == self.selected;
            let under = if chosen { self.theme.style(Role::Focus) } else { Style::new() };
            if chosen {
                let line = Rect { y, height: 1, ..list };
                text::fill(buf, line, self.theme.over(Role::Text, Role::Focus));
                text::put(buf, list.x, y, 1, "▸", self.theme.style(Role::Key).patch(under));
            }
            let x = list.x + 1;
            let room = list.width.saturating_sub(1);
            let name_room = names.min(room);
            self.draw_name(item, &hit.matched, Rect { x, y, width: name_room, height: 1 }, under, buf);
            let key = (text::width(&item.key, 16) as u16).min(room.saturating_sub(name_room) / 2);
            let key_style = self.theme.style(Role::Key).patch(under);
            text::put_right(buf, list.right() - key, y, key, &item.key, key_style);
            let x2 = x + name_room + 2;
            let words_room = (list.right() - key).saturating_sub(x2 + 1);
            text::put_cut(buf, x2, y, words_room, &item.words, self.theme.style(Role::Muted).patch(under));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::ui::theme::Depth;
    use crate::screen::ui::widgets::testing::lines;

    fn items() -> Vec<PaletteItem> {
        let item = |name: &str, words: &str, key: &str| PaletteItem {
            name: name.into(),
            words: words.into(),
            key: key.into(),
        };
        vec![
            item("run-cell", "run the cell under the cursor", "Ctrl-R"),
            item("run-all", "run every cell", ""),
            item("评分", "score the marked rows", "s"),
        ]
    }

    #[test]
    fn names_before_meanings() {
        let items = items();
        assert_eq!(search(&items, "").len(), 3);
        let hits = search(&items, "rall");
        assert_eq!(hits[0], Hit { index: 1, matched: vec![0, 4, 5, 6] });
        assert_eq!(search(&items, "评")[0].index, 2);
        assert_eq!(search(&items, "score")[0].index, 2);
        assert!(search(&items, "zzz").is_empty());
    }

    #[test]
    fn matched_characters_stand_out_without_colour() {
        let items = items();
        let hits = search(&items, "rall");
        let theme = Theme::builtin("dark", Depth::None).unwrap();
        let mut buf = Buffer::empty(Rect::new(0, 0, 50, 6));
        let palette = Palette {
            title: "command",
            items: &items,
            hits: &hits,
            input: "rall",
            cursor: 4,
            selected: 0,
            theme: &theme,
        };
        palette.render(*buf.area(), &mut buf);
        let got = lines(&buf);
        assert!(got[1].starts_with("┃ : rall"), "{got:?}");
        assert!(got[2].starts_with("┃▸run-all   run every cell"), "{got:?}");
        let has = |x| buf.cell((x, 2)).unwrap().modifier.contains(ratatui::style::Modifier::UNDERLINED);
        assert!(has(2) && !has(3) && has(6), "r of run, a of all");
    }
}
