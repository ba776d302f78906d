//! Copying what is in focus.

use crate::screen::app::{App, Effect, Pane, Tone, detail};

pub fn value(app: &mut App, effects: &mut Vec<Effect>) {
    if app.pane == Pane::Detail {
        let record = detail::record(app);
        if record.is_empty() {
            return app.say(Tone::Info, "there is no record here to copy");
        }
        let lines: Vec<String> = record.iter().map(|(name, value)| format!("{name}\t{value}")).collect();
        effects.push(Effect::Copy(lines.join("\n")));
        return;
    }
    let value = app.focused_run().and_then(|r| {
        let table = r.table.as_ref()?;
        table.value(r.grid.row, r.grid.column_of(table))
    });
    match value {
        Some(value) => effects.push(Effect::Copy(value.shown())),
        None => app.say(Tone::Info, "this row has not arrived yet"),
    }
}

pub fn row(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(run) = app.focused_run() else { return };
    let Some(table) = &run.table else { return };
    let values: Option<Vec<String>> =
        (0..table.columns.len()).map(|c| table.value(run.grid.row, c).map(|v| v.shown())).collect();
    match values {
        Some(values) => {
            // A tab or line break inside a value would read as another cell.
            let line =
                values.iter().map(|v| v.replace(['\t', '\n', '\r'], " ")).collect::<Vec<_>>().join("\t");
            effects.push(Effect::Copy(line));
        }
        None => app.say(Tone::Info, "this row has not arrived yet"),
    }
}
