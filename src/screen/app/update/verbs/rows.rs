//! Moving through rows.

use crate::screen::app::menu::{Line, Question};
use crate::screen::app::{App, Effect, Mode, Prompt, Tone, layout};

/// Moves by so many rows, as far as there are any.
pub fn step(app: &mut App, by: i64) {
    let Some(row) = with_grid(app, |grid, _| grid.row) else { return };
    go(app, row.saturating_add_signed(by));
}

pub fn go(app: &mut App, row: u64) {
    let visible = layout::grid_rows(app);
    with_grid(app, |grid, rows| grid.go(row, rows, visible));
}

/// After rows came or went, or the screen changed size.
pub fn keep_inside(app: &mut App) {
    step(app, 0);
}

fn with_grid<T>(
    app: &mut App,
    change: impl FnOnce(&mut crate::screen::app::grid::Grid, u64) -> T,
) -> Option<T> {
    let name = app.focused_cell()?.to_owned();
    let run = app.runs.get_mut(&name)?;
    let rows = run.table.as_ref()?.rows();
    Some(change(&mut run.grid, rows))
}

pub fn ask(app: &mut App, _: &mut Vec<Effect>) {
    let prompt = Prompt { question: Question::GoToRow, title: "go to row".into(), typed: Line::default() };
    app.mode = Mode::Prompt(prompt);
}

pub fn answered(app: &mut App, answer: &str) {
    let digits: String = answer.chars().filter(|c| !matches!(c, ',' | '_' | ' ')).collect();
    match digits.parse::<u64>() {
        Ok(row) => go(app, row.saturating_sub(1)),
        Err(_) if answer.is_empty() => {}
        Err(_) => app.say(Tone::Bad, format!("`{answer}` is no row number")),
    }
}
