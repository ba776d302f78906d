//! `view(&App)`: what is where, and which widget shows it. Changes nothing; all choices of what to
//! show are the app's.

mod detail;
mod footer;
mod header;
mod notebook;
mod overlay;
mod result;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::theme::{Role, Theme};
use super::widgets::code::{CodeSpan, Highlighter, Language};
use super::widgets::{menu, text};
use crate::screen::app::layout::{self, Area};
use crate::screen::app::prose::LONG;
use crate::screen::app::{App, Document, Mode, Pane};

/// Highlighted texts kept; one per cell that was looked at is plenty.
const TEXTS_KEPT: usize = 64;

/// Highlighting of every line of a text.
type Spans = Rc<Vec<Vec<CodeSpan>>>;

/// How things look, and the highlighted texts that were drawn before.
pub struct Look {
    pub theme: Theme,
    highlighter: Option<Arc<Highlighter>>,
    /// By language, number of the first line that was looked at, and the text from there.
    spans: RefCell<HashMap<(Language, usize, String), Spans>>,
}

impl Look {
    pub fn new(theme: Theme) -> Self {
        Self { theme, highlighter: None, spans: RefCell::default() }
    }

    /// Grammars take a while to load; until then text is plain.
    pub fn set_highlighter(&mut self, highlighter: Arc<Highlighter>) {
        self.highlighter = Some(highlighter);
    }

    /// Of the lines from `top` on that can be seen; those of other lines may be empty.
    fn spans(&self, language: Language, lines: &[impl AsRef<str>], top: usize, height: u16) -> Spans {
        let Some(highlighter) = &self.highlighter else { return Rc::default() };
        let seen = seen(lines.len(), top, height);
        let part = lines.get(seen.clone()).unwrap_or_default();
        let text = part.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\n");
        let key = (language, seen.start, text);
        if let Some(spans) = self.spans.borrow().get(&key) {
            return Rc::clone(spans);
        }
        let mut spans = vec![Vec::new(); seen.start];
        spans.extend(highlighter.highlight(language, part));
        let spans = Rc::new(spans);
        let mut kept = self.spans.borrow_mut();
        if kept.len() >= TEXTS_KEPT {
            kept.clear();
        }
        kept.insert(key, Rc::clone(&spans));
        spans
    }
}

/// Texts of so many lines are highlighted whole.
const WHOLE: usize = 300;
/// In longer ones, so many lines above what is seen tell in what it lies: a comment that began further up is
/// not seen as one, and a key in a text of ten thousand lines is answered at once.
const ABOVE: usize = 100;

/// Which lines to highlight so that those from `top` on look right.
fn seen(lines: usize, top: usize, height: u16) -> std::ops::Range<usize> {
    if lines <= WHOLE {
        return 0..lines;
    }
    let end = lines.min(top.saturating_add(usize::from(height)));
    top.saturating_sub(ABOVE).min(end)..end
}

/// Draws the whole screen; gives the place of the terminal's own cursor, if it shows.
pub fn view(app: &App, look: &Look, buf: &mut Buffer) -> Option<Position> {
    let screen = *buf.area();
    text::fill(buf, screen, look.theme.style(Role::Text));
    if screen.width < 12 || screen.height < 3 {
        text::put_cut(buf, screen.x, screen.y, screen.width, "too small", look.theme.style(Role::Muted));
        return None;
    }
    let areas = layout::areas(app);
    header::draw(app, look, rect(areas.header), buf);
    if let Some(area) = areas.outline {
        notebook::draw(app, look, rect(area), buf);
    }
    if let Some(area) = areas.result {
        result::draw(app, look, rect(area), buf);
    }
    let mut cursor = None;
    if let Some(area) = areas.detail {
        cursor = detail::draw(app, look, rect(area), buf);
    }
    cursor = footer::draw(app, look, rect(areas.footer), buf).or(cursor);
    overlay::draw(app, look, screen, buf).or(cursor)
}

fn rect(area: Area) -> Rect {
    Rect { x: area.x, y: area.y, width: area.width, height: area.height }
}

/// Whether keys go to this pane.
fn has_keys(app: &App, pane: Pane) -> bool {
    match app.mode {
        Mode::Normal => app.pane == pane,
        Mode::Edit(_) => pane == Pane::Detail,
        Mode::Menu(_) | Mode::Prompt(_) | Mode::Help { .. } => false,
    }
}

/// A pane's box; gives the inside.
fn pane_box(app: &App, look: &Look, pane: Pane, title: &str, area: Rect, buf: &mut Buffer) -> Rect {
    menu::draw_box(area, title, has_keys(app, pane), &look.theme, buf)
}

/// The texts of a notebook as they will be highlighted.
pub fn texts(doc: &Document) -> Vec<(Language, String)> {
    let blocks = doc.blocks().iter().enumerate().take(TEXTS_KEPT);
    blocks
        .filter(|(_, block)| block.text.len() < LONG)
        .map(|(at, block)| {
            (block.cell().map_or(Language::Markdown, |cell| language(cell.kind)), doc.editable(at))
        })
        .collect()
}

/// The language of a cell's body.
fn language(kind: crate::notebook::Kind) -> Language {
    if kind.is_sql() { Language::Sql } else { Language::Toml }
}

#[cfg(test)]
mod tests;
