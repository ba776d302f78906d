//! Esc: back along the way that was followed, then pane by pane to the notebook.

use crate::screen::app::{App, Effect, Pane};

pub fn back(app: &mut App, _: &mut Vec<Effect>) {
    let name = app.focused_cell().map(str::to_owned);
    if app.pane == Pane::Result
        && let Some(run) = name.and_then(|n| app.runs.get_mut(&n))
    {
        if run.grid.anchor.take().is_some() {
            return;
        }
        if run.grid.find.take().is_some() {
            super::find::look(app);
            return;
        }
    }
    app.detail_scroll = 0;
    while let Some(crumb) = app.crumbs.pop() {
        if let Some(block) = app.doc.block_of(&crumb.cell) {
            app.focus = block;
            app.pane = crumb.pane;
            if let Some(run) = app.runs.get_mut(&crumb.cell) {
                (run.grid.row, run.grid.top) = (crumb.row, crumb.top);
            }
            return super::rows::keep_inside(app);
        }
    }
    app.pane = match app.pane {
        Pane::Detail => Pane::Result,
        Pane::Result | Pane::Outline => Pane::Outline,
    };
}
