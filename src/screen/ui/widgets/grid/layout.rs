//! Which columns fit and how wide each is, from what is visible in them. Frozen columns first, then
//! from the scroll position on; the chosen column is always among them.

use super::super::text;
use super::Grid;
use super::cell::{CellWords, column_cells};

/// A displayed column: where it stands (relative to the table's body) and its cells from the top.
pub struct Shown {
    pub index: usize,
    pub x: u16,
    pub width: u16,
    pub cells: Vec<CellWords>,
}

/// Blank columns between two columns.
const GAP: u16 = 2;
const NARROWEST: usize = 3;
/// A column is this wide at most while others wait for room.
const COMFORT: usize = 32;
/// A title alone makes a column this wide at most while others wait for room.
const TITLE: usize = 16;
const WIDEST: usize = 200;

struct Measured {
    index: usize,
    /// To show everything.
    natural: u16,
    /// To be read well beside others.
    comfortable: u16,
    cells: Vec<CellWords>,
}

pub fn title(grid: &Grid<'_>, index: usize) -> String {
    let name = grid.columns.get(index).map(|c| c.name.as_str()).unwrap_or_default();
    match grid.sort {
        Some((sorted, descending)) if sorted == index => {
            format!("{} {}", text::truncate(name, WIDEST), if descending { '▼' } else { '▲' })
        }
        _ => text::truncate(name, WIDEST),
    }
}

/// Columns from left to right that fit into `width`; at least one where there is any room.
pub fn lay_out(grid: &Grid<'_>, width: u16, rows: u16) -> Vec<Shown> {
    let count = grid.columns.len();
    if width == 0 || count == 0 {
        return Vec::new();
    }
    let mut chosen: Vec<Measured> = Vec::new();
    let mut room = width;
    for index in 0..grid.frozen.min(count) {
        let column = measure(grid, index, rows);
        // Frozen columns may take half of the width; the rest must stay able to scroll.
        if column.comfortable + GAP > room || width - room + column.comfortable > width / 2 {
            break;
        }
        room -= column.comfortable + GAP;
        chosen.push(column);
    }
    let frozen = chosen.len();
    chosen.extend(window(grid, frozen, room, rows));
    place(chosen, width)
}

/// The scrolling columns: from `left` on, or later where `col` would fall off the right edge.
fn window(grid: &Grid<'_>, frozen: usize, room: u16, rows: u16) -> Vec<Measured> {
    let last = grid.columns.len() - 1;
    let mut first = grid.view.left.clamp(frozen.min(last), last);
    let wanted = grid.view.col.map(|c| c.min(last)).filter(|c| *c >= frozen);
    if let Some(col) = wanted {
        first = first.min(col);
    }
    let mut shown = forwards(grid, first, room, rows);
    let seen = |shown: &[Measured], col: usize| shown.iter().any(|m| m.index == col);
    if let Some(col) = wanted
        && !seen(&shown, col)
    {
        shown = backwards(grid, col, frozen, room, rows);
    }
    shown
}

fn forwards(grid: &Grid<'_>, first: usize, room: u16, rows: u16) -> Vec<Measured> {
    let mut left = room;
    let mut shown = Vec::new();
    for index in first..grid.columns.len() {
        let column = measure(grid, index, rows);
        let need = column.comfortable;
        if need > left && !shown.is_empty() {
            // A last, cut column is worth showing unless the cursor stands on it.
            if left >= 8 && grid.view.col != Some(index) {
                shown.push(column);
            }
            break;
        }
        left = left.saturating_sub(need + GAP);
        shown.push(column);
        if left == 0 {
            break;
        }
    }
    shown
}

fn backwards(grid: &Grid<'_>, col: usize, frozen: usize, room: u16, rows: u16) -> Vec<Measured> {
    let mut left = room;
    let mut shown = Vec::new();
    for index in (frozen..=col).rev() {
        let column = measure(grid, index, rows);
        let need = column.comfortable;
        if need > left && !shown.is_empty() {
            break;
        }
        left = left.saturating_sub(need + GAP);
        shown.push(column);
    }
    shown.reverse();
    shown
}

fn measure(grid: &Grid<'_>, index: usize, rows: u16) -> Measured {
    let cells = grid.columns.get(index).map(|c| column_cells(grid, c, rows)).unwrap_or_default();
    let note = if grid.show_notes { grid.columns.get(index).map_or("", |c| c.note.as_str()) } else { "" };
    let widest = cells
        .iter()
        .map(|c| text::width(&c.text, WIDEST))
        .chain([text::width(note, COMFORT)])
        .max()
        .unwrap_or(0);
    let title = text::width(&title(grid, index), WIDEST);
    let natural = widest.max(title).clamp(NARROWEST, WIDEST) as u16;
    let comfortable = natural.min(widest.max(title.min(TITLE)).min(COMFORT) as u16);
    Measured { index, natural, comfortable: comfortable.max(NARROWEST as u16), cells }
}

/// Positions; room that is left over goes to the columns that had to be cut.
fn place(chosen: Vec<Measured>, width: u16) -> Vec<Shown> {
    let gaps = GAP * u16::try_from(chosen.len().saturating_sub(1)).unwrap_or(0);
    let used: u16 = chosen.iter().map(|column| column.comfortable).fold(gaps, u16::saturating_add);
    let mut spare = width.saturating_sub(used);
    let mut x = 0;
    let mut shown = Vec::with_capacity(chosen.len());
    for column in chosen {
        if x >= width {
            break;
        }
        let extra = (column.natural - column.comfortable).min(spare);
        spare -= extra;
        let w = (column.comfortable + extra).min(width - x);
        shown.push(Shown { index: column.index, x, width: w, cells: column.cells });
        x = x.saturating_add(w).saturating_add(GAP);
    }
    shown
}
