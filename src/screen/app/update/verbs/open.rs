//! Enter in the notebook: look at the result, read prose, write where there is nothing yet.

use crate::screen::app::{App, Effect, Pane};

pub fn block(app: &mut App, effects: &mut Vec<Effect>) {
    let looked_at = app.focused_run().is_some_and(|r| r.table.is_some() || r.is_active());
    let failed =
        app.focused_run().is_some_and(|r| matches!(r.state, crate::screen::app::RunState::Failed(_)));
    match app.focused_cell() {
        Some(_) if failed => super::edit::begin(app, effects),
        Some(_) if looked_at => app.pane = Pane::Result,
        Some(_) if app.focused_run().is_some_and(|r| r.outcome.is_some()) => app.pane = Pane::Detail,
        Some(_) => super::edit::begin(app, effects),
        None if app.doc.blocks().is_empty() => super::edit::begin(app, effects),
        None => app.pane = Pane::Detail,
    }
    app.detail_scroll = 0;
}
