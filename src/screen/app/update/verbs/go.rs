//! Moving: through the notebook, the rows, the detail.

use super::rows;
use crate::screen::app::{App, Effect, Pane, detail, layout};

pub fn up(app: &mut App, _: &mut Vec<Effect>) {
    step(app, -1);
}

pub fn down(app: &mut App, _: &mut Vec<Effect>) {
    step(app, 1);
}

pub fn page_up(app: &mut App, _: &mut Vec<Effect>) {
    let page = page(app);
    step(app, -page);
}

pub fn page_down(app: &mut App, _: &mut Vec<Effect>) {
    let page = page(app);
    step(app, page);
}

pub fn first(app: &mut App, _: &mut Vec<Effect>) {
    step(app, isize::MIN / 4);
}

pub fn last(app: &mut App, _: &mut Vec<Effect>) {
    step(app, isize::MAX / 4);
}

pub fn left(app: &mut App, _: &mut Vec<Effect>) {
    sideways(app, -1);
}

pub fn right(app: &mut App, _: &mut Vec<Effect>) {
    sideways(app, 1);
}

fn page(app: &App) -> isize {
    let lines = match app.pane {
        Pane::Outline => layout::outline_rows(app),
        Pane::Result => layout::grid_rows(app) as usize,
        Pane::Detail => layout::detail_rows(app),
    };
    (lines.max(2) - 1) as isize
}

fn step(app: &mut App, by: isize) {
    match app.pane {
        Pane::Outline => {
            let to = app.doc.stop_from(app.focus, by);
            if to != app.focus {
                app.focus = to;
                app.crumbs.clear();
                app.detail_scroll = 0;
            }
        }
        Pane::Result => rows::step(app, by as i64),
        Pane::Detail => {
            let last = detail::height(app).saturating_sub(layout::detail_rows(app));
            app.detail_scroll = app.detail_scroll.saturating_add_signed(by).min(last);
        }
    }
}

fn sideways(app: &mut App, by: isize) {
    let detail = app.pane == Pane::Detail;
    let Some(name) = app.focused_cell().map(str::to_owned) else { return };
    let Some(run) = app.runs.get_mut(&name) else { return };
    if detail {
        let count = detail::explanations(run).len();
        run.shown = run.shown.saturating_add_signed(by).min(count.saturating_sub(1));
        app.detail_scroll = 0;
        return;
    }
    let Some(table) = &run.table else { return };
    let shown = table.shown_columns();
    let here = run.grid.column_of(table);
    let at = shown.iter().position(|c| *c == here).unwrap_or(0);
    let to = at.saturating_add_signed(by).min(shown.len().saturating_sub(1));
    run.grid.column = shown.get(to).copied();
}

pub fn next_pane(app: &mut App, _: &mut Vec<Effect>) {
    app.pane = match app.pane {
        Pane::Outline => Pane::Result,
        Pane::Result => Pane::Detail,
        Pane::Detail => Pane::Outline,
    };
}

pub fn pane_before(app: &mut App, _: &mut Vec<Effect>) {
    app.pane = match app.pane {
        Pane::Outline => Pane::Detail,
        Pane::Result => Pane::Outline,
        Pane::Detail => Pane::Result,
    };
}
