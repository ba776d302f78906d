//! Sorting by the column in focus.

use crate::screen::app::{App, Effect, Tone};

pub fn cycle(app: &mut App, _: &mut Vec<Effect>) {
    let Some(run) = app.focused_cell().map(str::to_owned).and_then(|n| app.runs.get_mut(&n)) else { return };
    let Some(table) = &run.table else { return };
    let Some(column) = table.columns.get(run.grid.column_of(table)).map(|c| c.name.clone()) else { return };
    run.grid.sort = match run.grid.sort.take() {
        Some((name, true)) if name == column => Some((name, false)),
        Some((name, false)) if name == column => None,
        _ => Some((column, true)),
    };
    let said = match &run.grid.sort {
        Some((name, true)) => format!("sorted by {name}, largest first"),
        Some((name, false)) => format!("sorted by {name}, smallest first"),
        None => "in the result's own order".to_owned(),
    };
    super::find::look(app);
    app.say(Tone::Info, said);
}
