//! Finding rows by words.

use crate::screen::app::menu::{Line, Question};
use crate::screen::app::{App, Effect, Mode, Pane, Prompt};

pub fn ask(app: &mut App, _: &mut Vec<Effect>) {
    let before = app.focused_run().and_then(|r| r.grid.find.clone()).unwrap_or_default();
    app.mode = Mode::Prompt(Prompt {
        question: Question::Find,
        title: "rows that contain".into(),
        typed: Line::new(before),
    });
}

pub fn answered(app: &mut App, answer: String) {
    let Some(run) = app.focused_cell().map(str::to_owned).and_then(|n| app.runs.get_mut(&n)) else { return };
    run.grid.find = Some(answer).filter(|a| !a.is_empty());
    app.pane = Pane::Result;
    look(app);
}

/// Shows the rows through the grid's filter and order, from the top.
pub fn look(app: &mut App) {
    let Some(run) = app.focused_cell().map(str::to_owned).and_then(|n| app.runs.get_mut(&n)) else { return };
    let Some(table) = &mut run.table else { return };
    let (filter, order) = (run.grid.filter_sql(table), run.grid.order_sql());
    if filter.is_none()
        && let Some(rows) = run.outcome.as_ref().and_then(|o| o.relation.as_ref()).map(|r| r.rows)
    {
        table.total = rows;
    }
    table.look_through(filter, order);
    (run.grid.row, run.grid.top, run.grid.anchor) = (0, 0, None);
    app.redraw = true;
}
