//! Copying what is in focus.

use crate::screen::app::{App, Effect, Pane, Tone, detail};
use crate::util::csv;

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
            effects.push(Effect::Copy(between_tabs(&values)));
        }
        None => app.say(Tone::Info, "this row has not arrived yet"),
    }
}

/// A row as spreadsheets take it from the clipboard: nothing in it runs there, and a tab or line break
/// inside of a value does not read as another cell.
fn between_tabs(values: &[String]) -> String {
    let cell = |value: &String| csv::guard(&value.replace(['\t', '\n', '\r'], " ")).into_owned();
    values.iter().map(cell).collect::<Vec<_>>().join("\t")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_row_is_one_row_and_runs_nothing() {
        let values = ["跑\t鞋\n", "\n=1+1", "＝x", "-3.5"].map(String::from);
        assert_eq!(between_tabs(&values), "跑 鞋 \t' =1+1\t'＝x\t-3.5");
    }
}
