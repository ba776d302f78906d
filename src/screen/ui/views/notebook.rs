//! The notebook pane: prose and cells in order, each cell with its state, rows and time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::{Look, has_keys, pane_box};
use crate::notebook::{Block, BlockKind, Cell};
use crate::protocol::{Progress, RowCount};
use crate::screen::app::document::prose_title;
use crate::screen::app::{App, CellRun, Pane, RunState};
use crate::screen::ui::widgets::outline::{Glyph, Outline, OutlineItem};
use crate::screen::ui::widgets::progress::percent;
use crate::util::figures;

pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    let inner = pane_box(app, look, Pane::Outline, "notebook", area, buf);
    let mut items = Vec::new();
    let mut selected = None;
    for (index, block) in app.doc.blocks().iter().enumerate().filter(|(i, _)| app.doc.is_stop(*i)) {
        if index == app.focus {
            selected = Some(items.len());
        }
        items.push(item(app, block, inner.width < ROOMY));
    }
    let focused = has_keys(app, Pane::Outline);
    Outline { items: &items, selected, top: 0, focused, theme: &look.theme }.render(inner, buf);
}

/// From this width on there is room for rows and times beside the names.
const ROOMY: u16 = 28;

fn item(app: &App, block: &Block, narrow: bool) -> OutlineItem {
    match &block.kind {
        BlockKind::Front => OutlineItem::Prose("settings".into()),
        BlockKind::Prose => {
            let level = block
                .text
                .lines()
                .find(|l| l.starts_with('#'))
                .map(|l| l.bytes().take_while(|b| *b == b'#').count());
            let text = prose_title(&block.text);
            match level {
                Some(level) => OutlineItem::Heading { level: level.min(6) as u8, text },
                None => OutlineItem::Prose(text),
            }
        }
        BlockKind::Cell(cell) => {
            let glyph = glyph(app, cell);
            let run = app.run(&cell.name);
            let right = match run.map(|r| &r.state) {
                Some(RunState::Running(Progress { done, total: Some(total), .. })) if narrow => {
                    format!("{} %", percent(*done, *total))
                }
                _ if narrow => String::new(),
                _ => right(run, glyph),
            };
            OutlineItem::Cell { glyph, kind: cell.kind.name().into(), name: cell.name.clone(), right }
        }
    }
}

pub fn glyph(app: &App, cell: &Cell) -> Glyph {
    let name = Some(cell.name.as_str());
    let broken = app.doc.diagnostics().iter().any(|d| d.is_error() && d.cell.as_deref() == name);
    let Some(run) = app.run(&cell.name) else {
        return if broken { Glyph::Broken } else { Glyph::Idle };
    };
    match &run.state {
        RunState::Queued if run.is_partial() => Glyph::Partial,
        RunState::Queued => Glyph::Queued,
        RunState::Running(_) => Glyph::Running((app.frame % 8) as u8),
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

/// Rows and time, progress, or the state's word.
fn right(run: Option<&CellRun>, glyph: Glyph) -> String {
    let Some(run) = run else {
        return if glyph == Glyph::Broken { glyph.word().into() } else { String::new() };
    };
    match &run.state {
        RunState::Running(p) => {
            let left = p.eta_ms.map(|ms| format!(" {}", figures::clock(ms))).unwrap_or_default();
            match p.total {
                Some(total) => format!("{} %{left}", percent(p.done, total)),
                None => figures::clock(p.elapsed_ms),
            }
        }
        RunState::Done if glyph == Glyph::Failed => "check".into(),
        RunState::Done if glyph == Glyph::Done => done(run),
        RunState::Idle => String::new(),
        _ => glyph.word().into(),
    }
}

fn done(run: &CellRun) -> String {
    let Some(outcome) = &run.outcome else { return String::new() };
    let rows = run.rows().map(|rows| match rows {
        RowCount::Exact(n) => figures::thousands(n.into()),
        RowCount::AtLeast(n) => format!("≥{}", figures::thousands(n.into())),
    });
    let time = if outcome.cached { "cached".into() } else { figures::clock(outcome.elapsed_ms) };
    rows.into_iter().chain([time]).collect::<Vec<_>>().join(" ")
}
