//! Enter on a row: from a slice or metric to its rows, from a scored row to its words, else to the
//! whole record. Each step is a cell of the notebook, written again when the step is taken again.

mod compared;

use super::{run, sessions};
use crate::notebook::Kind;
use crate::notebook::spec::{CellSpec, Input};
use crate::screen::app::grid::Grid;
use crate::screen::app::value::Value;
use crate::screen::app::{App, Crumb, Effect, Pane, Tone};

pub fn enter(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(cell) = app.focused_cell().map(str::to_owned) else { return };
    let Some(kind) = app.doc.cell_at(app.focus).map(|c| c.kind) else { return };
    match kind {
        Kind::Fairness | Kind::Slices | Kind::Metrics => rows_behind(app, &cell, effects),
        Kind::Compare => compared::closer(app, &cell, effects),
        _ if is_explanation(app, &cell) => show_explanation(app, &cell),
        _ if app.doc.graph().score_ancestor(&cell).is_some() => super::explain::explain(app, effects),
        _ => record(app),
    }
}

fn is_explanation(app: &App, cell: &str) -> bool {
    app.run(cell).is_some_and(|r| !crate::screen::app::detail::explanations(r).is_empty())
}

/// In a table of words: the explanation that the word belongs to.
fn show_explanation(app: &mut App, cell: &str) {
    let shown = app.run(cell).and_then(|r| {
        let table = r.table.as_ref()?;
        let row = table.value(r.grid.row, table.column("row")?)?.number()?;
        crate::screen::app::detail::explanations(r).iter().position(|e| e.row as f64 == row)
    });
    if let (Some(shown), Some(run)) = (shown, app.runs.get_mut(cell)) {
        run.shown = shown;
    }
    record(app);
}

/// The whole record of the row in focus.
fn record(app: &mut App) {
    leave_crumb(app);
    app.pane = Pane::Detail;
    app.detail_scroll = 0;
}

/// Remembers where we are, to come back to with Esc.
pub fn leave_crumb(app: &mut App) {
    let Some(cell) = app.focused_cell().map(str::to_owned) else { return };
    let (row, top) = app.focused_run().map_or((0, 0), |r| (r.grid.row, r.grid.top));
    app.crumbs.push(Crumb { cell, pane: app.pane, row, top });
}

/// From a row of a metric, fairness or slices table to the rows it was computed from.
fn rows_behind(app: &mut App, cell: &str, effects: &mut Vec<Effect>) {
    let (params, _) = app.doc.notebook().params(&app.params);
    let spec = match app.doc.notebook().spec(cell, &params) {
        Ok(spec) => spec,
        Err(faults) => {
            let why = faults.first().map_or_else(String::new, ToString::to_string);
            return app.say(Tone::Bad, format!("{cell} cannot be followed: {why}"));
        }
    };
    let found = match &spec {
        CellSpec::Fairness(f) => slice(app, cell).map(|(p, what)| (&f.input, p, what)),
        CellSpec::Slices(s) => slice(app, cell).map(|(p, what)| (&s.input, p, what)),
        CellSpec::Metrics(m) => group(app, cell, &m.by).map(|(p, what)| (&m.input, p, what)),
        _ => None,
    };
    let Some((input, predicate, what)) = found else {
        return app.say(Tone::Info, "this row has not arrived yet");
    };
    let sql = rows_sql(cell, input, &predicate, &what);
    let name = format!("{cell}_rows");
    follow(app, cell, Kind::Sql, &name, &sql, Pane::Result, effects);
}

/// The predicate of a row of a fairness or slices table, and the slice in words.
pub(super) fn slice(app: &App, cell: &str) -> Option<(String, String)> {
    let run = app.run(cell)?;
    let table = run.table.as_ref()?;
    let text = |name: &str| match table.value(run.grid.row, table.column(name)?)? {
        Value::Text(text) => Some(text),
        _ => None,
    };
    let slice = text("slice").unwrap_or_default();
    // A found slice says its values itself.
    let words = text("value_of").map_or(slice.clone(), |value| format!("{slice} = {value}"));
    Some((text("predicate")?, words))
}

/// The predicate of a metric row: its values of the columns that the table is broken down by.
pub(super) fn group(app: &App, cell: &str, by: &[String]) -> Option<(String, String)> {
    let run = app.run(cell)?;
    let table = run.table.as_ref()?;
    let mut predicates = Vec::new();
    let mut words = Vec::new();
    for name in by {
        let value = table.value(run.grid.row, table.column(name)?)?;
        predicates.push(value.equals(name));
        words.push(format!("{name} = {}", value.shown()));
    }
    if predicates.is_empty() {
        return Some((String::new(), "all rows".into()));
    }
    Some((predicates.join(" AND "), words.join(", ")))
}

fn rows_sql(cell: &str, input: &Input, predicate: &str, what: &str) -> String {
    let wheres: Vec<String> = [input.filter.as_deref().unwrap_or_default(), predicate]
        .iter()
        .filter(|p| !p.trim().is_empty())
        .map(|p| if p.to_lowercase().contains(" or ") { format!("({p})") } else { (*p).to_owned() })
        .collect();
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut sql = format!("-- rows behind {cell}: {what}\nSELECT *\nFROM {}", relation(&input.from));
    if !wheres.is_empty() {
        sql += &format!("\nWHERE {}", wheres.join("\n  AND "));
    }
    sql
}

/// A relation's name as SQL takes it.
fn relation(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.chars().next().is_some_and(|c| !c.is_ascii_digit());
    if plain { name.to_owned() } else { crate::terms::quote_ident(name) }
}

/// Writes a cell after the one in focus (or over the one that an earlier step wrote), runs it, and
/// goes there.
pub fn follow(
    app: &mut App,
    from: &str,
    kind: Kind,
    name: &str,
    body: &str,
    pane: Pane,
    effects: &mut Vec<Effect>,
) {
    if !sessions::may_write(app) {
        return;
    }
    leave_crumb(app);
    let crumbs = app.crumbs.clone();
    let notebook = app.doc.notebook();
    let reusable = notebook.cell(name).filter(|c| c.kind == kind && c.name != from);
    let (name, text) = match reusable {
        Some(cell) => (cell.name.clone(), app.doc.text_with(cell.block, body)),
        None => {
            let free = notebook.unique_name(name);
            let text = app.doc.text_with_cell(app.doc.block_of(from), kind, &free, body);
            (free, text)
        }
    };
    let changed = app.doc.change(text);
    let is_new = !changed.is_empty();
    run::changed(app, changed, effects);
    app.crumbs = crumbs;
    if let Some(block) = app.doc.block_of(&name) {
        app.focus = block;
    }
    app.pane = pane;
    app.detail_scroll = 0;
    let run = app.runs.entry(name.clone()).or_default();
    if is_new {
        // Other rows than before: the place in the old ones means nothing.
        run.grid = Grid::default();
        run.table = None;
        run.outcome = None;
        run.shown = 0;
    }
    if !run.is_active() && !run.is_fresh() {
        run::with_ancestors(app, &[name], effects);
    }
}
