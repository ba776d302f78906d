//! The notebook pane: prose and cells in order, each cell with its state, rows and time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::{Look, has_keys, pane_box};
use crate::notebook::Cell;
use crate::protocol::{RowCount, percent};
use crate::screen::app::stops::Stop;
use crate::screen::app::{App, CellRun, Pane, RunState};
use crate::screen::ui::widgets::outline::{Glyph, Outline, OutlineItem, first_of};
use crate::util::figures;

pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    let inner = pane_box(app, look, Pane::Outline, "notebook", area, buf);
    let stops = app.doc.stops();
    let selected = app.doc.stop_of(app.focus);
    // Only what can be seen is put together: a notebook may have thousands of cells.
    let first = first_of(stops.len(), 0, selected, inner.height);
    let shown = stops.get(first..).unwrap_or_default();
    let shown = shown.get(..usize::from(inner.height)).unwrap_or(shown);
    let items: Vec<OutlineItem> = shown.iter().map(|stop| item(app, stop)).collect();
    Outline {
        items: &items,
        level: shown.first().map_or(0, |stop| stop.under),
        kinds: app.doc.widest_kind(),
        selected: selected.and_then(|selected| selected.checked_sub(first)),
        top: 0,
        focused: has_keys(app, Pane::Outline),
        theme: &look.theme,
    }
    .render(inner, buf);
}

fn item(app: &App, stop: &Stop) -> OutlineItem {
    let Some(cell) = app.doc.cell_at(stop.block) else {
        let text = stop.title.clone();
        return match stop.level {
            _ if stop.broken => OutlineItem::Fault(text),
            Some(level) => OutlineItem::Heading { level, text },
            None => OutlineItem::Prose(text),
        };
    };
    let glyph = glyph(app, cell);
    let right = right(app.run(&cell.name), glyph, app.place_in_queue(&cell.name));
    OutlineItem::Cell { glyph, kind: cell.kind.name().into(), name: cell.name.clone(), right }
}

pub fn glyph(app: &App, cell: &Cell) -> Glyph {
    let broken = app.doc.is_broken(&cell.name);
    let Some(run) = app.run(&cell.name) else {
        return if broken { Glyph::Broken } else { Glyph::Idle };
    };
    match &run.state {
        RunState::Queued if run.is_partial() => Glyph::Partial,
        RunState::Queued => Glyph::Queued,
        RunState::Running(_) => Glyph::Running((app.frame % 8) as u8),
        RunState::Paused(_) => Glyph::Paused,
        _ if broken => Glyph::Broken,
        RunState::Idle => Glyph::Idle,
        RunState::Failed(_) => Glyph::Failed,
        RunState::Cancelled => Glyph::Cancelled,
        RunState::Skipped(_) => Glyph::Skipped,
        RunState::Done if run.stale => Glyph::Stale,
        RunState::Done if run.is_partial() => Glyph::Partial,
        RunState::Done if failed_checks(run) => Glyph::Failed,
        RunState::Done => Glyph::Done,
    }
}

fn failed_checks(run: &CellRun) -> bool {
    run.outcome.as_ref().is_some_and(|o| o.checks.iter().any(|c| c.ok != Some(true)))
}

/// Rows and time, progress, the place in the queue, or the state's word; shorter wordings after longer
/// ones.
fn right(run: Option<&CellRun>, glyph: Glyph, place: Option<usize>) -> Vec<String> {
    let word = || vec![glyph.word().to_owned(), String::new()];
    let Some(run) = run else {
        return if glyph == Glyph::Broken { word() } else { Vec::new() };
    };
    match &run.state {
        RunState::Running(p) => {
            let share = p.total.map(|total| format!("{} %", percent(p.done, total)));
            match (share, p.left()) {
                (Some(share), Some(left)) => vec![format!("{share} {left}"), share],
                (Some(share), None) => vec![share],
                (None, _) => vec![figures::clock(p.elapsed_ms), String::new()],
            }
        }
        RunState::Paused(p) => {
            let share = p.total.map_or_else(String::new, |total| format!("{} %", percent(p.done, total)));
            vec![format!("paused {share}"), share]
        }
        RunState::Queued if glyph == Glyph::Queued => match place.map(figures::ordinal) {
            Some(place) => vec![format!("queued, {place}"), place],
            None => word(),
        },
        RunState::Done if glyph == Glyph::Failed => vec!["check".into(), String::new()],
        RunState::Done if glyph == Glyph::Done => done(run),
        RunState::Idle => Vec::new(),
        _ => word(),
    }
}

fn done(run: &CellRun) -> Vec<String> {
    let Some(outcome) = &run.outcome else { return Vec::new() };
    let time = if outcome.cached { "cached".into() } else { figures::clock(outcome.elapsed_ms) };
    let Some(rows) = run.rows() else { return vec![time, String::new()] };
    let (sign, n) = match rows {
        RowCount::Exact(n) => ("", n),
        RowCount::AtLeast(n) => ("≥", n),
    };
    let rows = format!("{sign}{}", figures::thousands(n.into()));
    vec![format!("{rows} {time}"), rows, format!("{sign}{}", figures::compact(n)), String::new()]
}
