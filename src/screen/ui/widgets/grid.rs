//! A window over Arrow pages, drawn as a table. Only visible cells become text; a thousand columns or
//! a hundred million rows cost the same as a screenful. Pages are decoded once, by the caller.

mod cell;
mod column;
mod layout;

use arrow::record_batch::RecordBatch;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;

pub use column::{Format, GridColumn, plan};

use super::text::{self, Align};
use crate::screen::ui::theme::{Role, Theme};
use crate::util::figures;

/// Rows of one page; `offset` is the first row's number, counted from 0.
#[derive(Debug, Clone, Copy)]
pub struct GridPage<'a> {
    pub offset: u64,
    pub batch: &'a RecordBatch,
}

/// What is shown of the table and what is chosen in it. `col` and `left` count displayed columns
/// (see [`plan`]), rows count from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GridView {
    pub top: u64,
    /// First displayed column after the frozen ones; moved when `col` would not be seen.
    pub left: usize,
    pub row: Option<u64>,
    pub col: Option<usize>,
}

/// Said in the table's last line, so that a number is never taken for more than it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GridBanner<'a> {
    /// Older than its inputs; the text says why.
    Stale(&'a str),
    /// Rows are still to come; the text says how many are there.
    Partial(&'a str),
    /// Anything else that must be read, e.g. "below support (50): west*tablet 31".
    Note(&'a str),
}

/// The widget. `total` is the number of rows of the whole relation; rows that no page holds are drawn
/// as dots.
pub struct Grid<'a> {
    pub columns: &'a [GridColumn],
    pub pages: &'a [GridPage<'a>],
    pub total: u64,
    pub view: GridView,
    /// Row numbers (counted from 0) that are marked.
    pub marked: &'a dyn Fn(u64) -> bool,
    /// Displayed column and whether descending.
    pub sort: Option<(usize, bool)>,
    pub banner: Option<GridBanner<'a>>,
    /// A second header line with types and roles.
    pub show_notes: bool,
    pub row_numbers: bool,
    /// Leading columns that stay when scrolling sideways.
    pub frozen: usize,
    /// Whether keys go here: only then is a cell cursor drawn.
    pub focused: bool,
    pub theme: &'a Theme,
}

/// Lines of a table of `height` lines that hold rows.
pub fn body_rows(height: u16, show_notes: bool, banner: bool) -> u16 {
    let header = 1 + u16::from(show_notes && height > 3);
    height.saturating_sub(header).saturating_sub(u16::from(banner && height > 3))
}

/// The first row to show so that `selected` is among `rows` shown, moving as little as possible.
pub fn keep_visible(top: u64, selected: u64, rows: u16) -> u64 {
    let rows = u64::from(rows.max(1));
    if selected < top {
        selected
    } else if selected >= top.saturating_add(rows) {
        selected.saturating_sub(rows - 1)
    } else {
        top
    }
}

impl Widget for Grid<'_> {
    fn render(self, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(*buf.area());
        if area.is_empty() {
            return;
        }
        text::fill(buf, area, self.theme.style(Role::Text));
        let rows = body_rows(area.height, self.show_notes, self.banner.is_some());
        if self.columns.is_empty() || self.total == 0 {
            self.draw_empty(area, buf);
        }
        let gutter = self.gutter_width(rows);
        let body =
            Rect { x: area.x + gutter.min(area.width), width: area.width.saturating_sub(gutter), ..area };
        let shown = layout::lay_out(&self, body.width, rows);
        self.draw_header(body, buf, &shown);
        self.draw_more_columns(area, buf, &shown);
        let first_line =
            area.height.saturating_sub(rows).saturating_sub(u16::from(self.has_banner_line(area)));
        for line in 0..rows {
            let row = self.view.top.saturating_add(u64::from(line));
            if row < self.total {
                let y = area.y + first_line + line;
                self.draw_row(Rect { y, height: 1, ..area }, body, buf, &shown, row, line);
            }
        }
        self.draw_banner(area, buf);
    }
}

impl Grid<'_> {
    fn has_banner_line(&self, area: Rect) -> bool {
        self.banner.is_some() && area.height > 3
    }

    /// Mark, row number, blank.
    fn gutter_width(&self, rows: u16) -> u16 {
        if !self.row_numbers {
            return 1;
        }
        let last = self.view.top.saturating_add(u64::from(rows)).min(self.total);
        u16::try_from(figures::thousands(i128::from(last)).len() + 2).unwrap_or(1)
    }

    fn draw_empty(&self, area: Rect, buf: &mut Buffer) {
        let words = if self.columns.is_empty() { "no columns" } else { "no rows" };
        if let Some(y) = text::row(area, usize::from(area.height.min(3).saturating_sub(1))) {
            text::put_cut(
                buf,
                area.x + 1,
                y,
                area.width.saturating_sub(1),
                words,
                self.theme.style(Role::Muted),
            );
        }
    }

    fn draw_header(&self, body: Rect, buf: &mut Buffer, shown: &[layout::Shown]) {
        for column in shown {
            let Some(meta) = self.columns.get(column.index) else { continue };
            let x = body.x + column.x;
            let mut style = self.theme.style(Role::Header);
            if self.focused && self.view.col == Some(column.index) {
                style = style.patch(self.theme.style(Role::Match));
            }
            let title = text::truncate_middle(&layout::title(self, column.index), usize::from(column.width));
            write_cell(buf, (x, body.y), column.width, &title, meta.align(), style);
            if let (true, Some(y)) = (self.show_notes && body.height > 3, text::row(body, 1)) {
                write_cell(
                    buf,
                    (x, y),
                    column.width,
                    &meta.note,
                    meta.align(),
                    self.theme.style(Role::Muted),
                );
            }
        }
    }

    /// In the head line: that there are columns further left or right.
    fn draw_more_columns(&self, area: Rect, buf: &mut Buffer, shown: &[layout::Shown]) {
        let style = self.theme.style(Role::Key);
        if shown.first().is_some_and(|column| column.index > self.frozen) {
            text::put(buf, area.x, area.y, 1, "‹", style);
        }
        if shown.last().is_some_and(|column| column.index + 1 < self.columns.len()) {
            text::put(buf, area.right() - 1, area.y, 1, "›", style);
        }
    }

    fn draw_row(
        &self,
        line_area: Rect,
        body: Rect,
        buf: &mut Buffer,
        shown: &[layout::Shown],
        row: u64,
        line: u16,
    ) {
        let y = line_area.y;
        let selected = self.view.row == Some(row);
        let marked = (self.marked)(row);
        if selected {
            text::fill(buf, line_area, self.theme.over(Role::Text, Role::Focus));
        }
        let under = if selected { self.theme.style(Role::Focus) } else { Style::new() };
        self.draw_gutter(line_area, body, buf, row, (selected, marked), under);
        for column in shown {
            let Some(meta) = self.columns.get(column.index) else { continue };
            let value = column.cells.get(usize::from(line));
            let role = value.map_or(Role::Muted, |v| v.role);
            let mut style = self.theme.style(role).patch(under);
            if marked {
                style = style.patch(self.theme.style(Role::Marked));
            }
            if selected && self.focused && self.view.col == Some(column.index) {
                style = self.theme.style(Role::Cursor);
            }
            let words = value.map_or("·", |v| v.text.as_str());
            write_cell(buf, (body.x + column.x, y), column.width, words, meta.align(), style);
        }
    }

    fn draw_gutter(
        &self,
        line: Rect,
        body: Rect,
        buf: &mut Buffer,
        row: u64,
        (selected, marked): (bool, bool),
        under: Style,
    ) {
        let glyph = match (selected, marked) {
            (true, true) => "◆",
            (true, false) => "▸",
            (false, true) => "●",
            (false, false) => " ",
        };
        let role = if marked { Role::Marked } else { Role::Key };
        text::put(buf, line.x, line.y, 1, glyph, self.theme.style(role).patch(under));
        if self.row_numbers {
            let width = body.x.saturating_sub(line.x).saturating_sub(2);
            let number = figures::thousands(i128::from(row) + 1);
            let style = self.theme.style(Role::LineNumber).patch(under);
            text::put_right(buf, line.x + 1, line.y, width, &number, style);
        }
    }

    fn draw_banner(&self, area: Rect, buf: &mut Buffer) {
        if !self.has_banner_line(area) {
            return;
        }
        let (words, role) = match self.banner {
            Some(GridBanner::Stale(why)) => (format!("stale: {why}"), Role::Stale),
            Some(GridBanner::Partial(what)) => (format!("partial: {what}"), Role::Partial),
            Some(GridBanner::Note(note)) => (note.to_string(), Role::Muted),
            None => return,
        };
        text::put_cut(buf, area.x + 1, area.bottom() - 1, area.width - 1, &words, self.theme.style(role));
    }
}

fn write_cell(buf: &mut Buffer, (x, y): (u16, u16), width: u16, words: &str, align: Align, style: Style) {
    text::put(buf, x, y, width, &text::pad(words, usize::from(width), align), style);
}

#[cfg(test)]
#[path = "grid/tests.rs"]
mod tests;
