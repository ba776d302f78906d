//! Which words moved a row's score: an `explain` cell over the row in focus.

use super::drill;
use crate::notebook::Kind;
use crate::screen::app::grid::{predicate, row_key};
use crate::screen::app::{App, Effect, Pane, Tone};

pub fn explain(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(cell) = app.focused_cell().map(str::to_owned) else { return };
    if app.doc.graph().score_ancestor(&cell).is_none() {
        return app.say(Tone::Info, "no model has scored these rows yet: `s` scores the marked ones");
    }
    let key = app.focused_run().and_then(|r| row_key(r.table.as_ref()?, r.grid.row));
    let Some(key) = key else {
        return app.say(Tone::Info, "this row has not arrived yet");
    };
    let body = format!(
        "from  = {}\nwhere = {}\nlimit = 1",
        toml::Value::String(cell.clone()),
        toml::Value::String(predicate(&[key])),
    );
    let name = format!("{}_why", base(&cell));
    drill::follow(app, &cell, Kind::Explain, &name, &body, Pane::Detail, effects);
}

/// The name that a chain of steps began with.
pub fn base(cell: &str) -> &str {
    cell.strip_suffix("_rows").or_else(|| cell.strip_suffix("_scored")).unwrap_or(cell)
}
