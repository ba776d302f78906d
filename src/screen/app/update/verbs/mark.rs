//! Marking rows.

use super::rows;
use crate::screen::app::grid::{Mark, row_key};
use crate::screen::app::{App, Effect, Tone};

pub fn toggle(app: &mut App, _: &mut Vec<Effect>) {
    let Some(run) = app.focused_cell().map(str::to_owned).and_then(|n| app.runs.get_mut(&n)) else { return };
    let Some(key) = run.table.as_ref().and_then(|t| row_key(t, run.grid.row)) else {
        return app.say(Tone::Info, "this row has not arrived yet");
    };
    match run.grid.marks.iter().position(|m| m.key == key) {
        Some(at) => {
            run.grid.marks.remove(at);
        }
        None => run.grid.marks.push(Mark { key }),
    }
    rows::step(app, 1);
}

pub fn range(app: &mut App, _: &mut Vec<Effect>) {
    let Some(run) = app.focused_cell().map(str::to_owned).and_then(|n| app.runs.get_mut(&n)) else { return };
    let Some(anchor) = run.grid.anchor.take() else {
        run.grid.anchor = Some(run.grid.row);
        return app.say(Tone::Info, "range begun: move, then `v` marks everything between");
    };
    let (first, last) = (anchor.min(run.grid.row), anchor.max(run.grid.row));
    let Some(table) = &run.table else { return };
    let mut missing = 0u64;
    for row in first..=last {
        match row_key(table, row) {
            Some(key) if run.grid.marks.iter().any(|m| m.key == key) => {}
            Some(key) => run.grid.marks.push(Mark { key }),
            None => missing += 1,
        }
    }
    if missing > 0 {
        app.say(
            Tone::Bad,
            format!("{missing} rows between were never shown and are not marked; scroll over them"),
        );
    }
}

pub fn none(app: &mut App, _: &mut Vec<Effect>) {
    if let Some(run) = app.focused_cell().map(str::to_owned).and_then(|n| app.runs.get_mut(&n)) {
        run.grid.marks.clear();
        run.grid.anchor = None;
    }
}
