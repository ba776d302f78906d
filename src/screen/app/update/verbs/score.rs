//! Scoring the marked rows with a model of the user's choice: a `score` cell over them.

use super::{drill, explain};
use crate::notebook::Kind;
use crate::notebook::spec::{CellSpec, TextInput};
use crate::screen::app::grid::{RowKey, predicate, row_key};
use crate::screen::app::menu::{Item, Purpose};
use crate::screen::app::table::Table;
use crate::screen::app::{App, Effect, Menu, Mode, ModelChoice, Pane, Tone};

pub fn score(app: &mut App, effects: &mut Vec<Effect>) {
    if keys(app).is_empty() {
        return app.say(Tone::Info, "this row has not arrived yet");
    }
    effects.push(Effect::FindModels);
    let count = keys(app).len();
    let title = if count == 1 { "score 1 row with".to_owned() } else { format!("score {count} rows with") };
    let mut menu = Menu::new(Purpose::Model, title, items(app));
    menu.free = true;
    app.mode = Mode::Menu(menu);
}

/// Model folders found on disk join the menu that is open.
pub fn found(app: &mut App, models: Vec<ModelChoice>) {
    app.models = models;
    let items = items(app);
    if let Mode::Menu(menu) = &mut app.mode
        && menu.purpose == Purpose::Model
    {
        menu.items = items;
        app.redraw = true;
    }
}

/// Models that the notebook uses, then those on disk.
fn items(app: &App) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for (cell, model, _) in used(app) {
        if items.iter().all(|i| i.value != model) {
            let side = format!("in {cell}");
            items.push(Item { value: model.clone(), label: model, detail: String::new(), side });
        }
    }
    for model in &app.models {
        if items.iter().all(|i| i.value != model.path) {
            let detail = if model.embeds { "compares embeddings" } else { "reads the pair" };
            items.push(Item {
                value: model.path.clone(),
                label: model.path.clone(),
                detail: detail.into(),
                side: model.origin.clone(),
            });
        }
    }
    items
}

/// Score cells of the notebook: name, model, what it reads.
fn used(app: &App) -> Vec<(String, String, TextInput)> {
    let notebook = app.doc.notebook();
    let (params, _) = notebook.params(&app.params);
    let cells = notebook.cells().filter(|c| c.kind == Kind::Score);
    cells
        .filter_map(|c| match notebook.read_cell(c, &params).0 {
            Some(CellSpec::Score(spec)) => Some((c.name.clone(), spec.model, spec.text)),
            _ => None,
        })
        .collect()
}

/// The marked rows, else the row in focus.
fn keys(app: &App) -> Vec<RowKey> {
    let Some(run) = app.focused_run() else { return Vec::new() };
    if !run.grid.marks.is_empty() {
        return run.grid.marks.iter().map(|m| m.key.clone()).collect();
    }
    run.table.as_ref().and_then(|t| row_key(t, run.grid.row)).into_iter().collect()
}

pub fn with_model(app: &mut App, model: &str, effects: &mut Vec<Effect>) {
    let Some(cell) = app.focused_cell().map(str::to_owned) else { return };
    let keys = keys(app);
    if keys.is_empty() {
        return app.say(Tone::Info, "the rows are gone; choose again");
    }
    let text = text_input(app, model);
    let string = |s: &str| toml::Value::String(s.to_owned()).to_string();
    let input = match &text {
        TextInput::Pair(a, b) => format!("pair  = [{}, {}]", string(a), string(b)),
        TextInput::Embed(a, b) => format!("embed = [{}, {}]", string(a), string(b)),
        TextInput::Text(a) => format!("text  = {}", string(a)),
    };
    let body = format!(
        "from  = {}\nwhere = {}\nmodel = {}\n{input}",
        string(&cell),
        string(&predicate(&keys)),
        string(model),
    );
    let name = format!("{}_scored", explain::base(&cell));
    drill::follow(app, &cell, Kind::Score, &name, &body, Pane::Result, effects);
}

/// What the model is to read: as another score cell has it, else by role, else by name.
fn text_input(app: &App, model: &str) -> TextInput {
    let table = app.focused_run().and_then(|r| r.table.as_ref());
    let has = |c: &String| table.is_none_or(|t| t.column(c).is_some());
    let fits = |text: &TextInput| match text {
        TextInput::Pair(a, b) | TextInput::Embed(a, b) => has(a) && has(b),
        TextInput::Text(a) => has(a),
    };
    let others: Vec<(String, TextInput)> =
        used(app).into_iter().map(|(_, m, t)| (m, t)).filter(|(_, t)| fits(t)).collect();
    if let Some((_, text)) = others.iter().find(|(m, _)| m == model) {
        return text.clone();
    }
    let embeds = app.models.iter().any(|m| m.path == model && m.embeds);
    let pair = others.into_iter().find_map(|(_, t)| match t {
        TextInput::Pair(a, b) | TextInput::Embed(a, b) => Some((a, b)),
        TextInput::Text(_) => None,
    });
    let (query, title) =
        pair.or_else(|| by_role(app, table)).unwrap_or_else(|| ("query".into(), "title".into()));
    if embeds { TextInput::Embed(query, title) } else { TextInput::Pair(query, title) }
}

/// The text columns of the schema, else columns whose names say it.
fn by_role(app: &App, table: Option<&Table>) -> Option<(String, String)> {
    let schema = &app.doc.notebook().front().schema;
    if let [a, b, ..] = schema.text.as_slice() {
        return Some((a.clone(), b.clone()));
    }
    let table = table?;
    let named = |names: &[&str]| {
        let column =
            names.iter().find_map(|n| table.columns.iter().find(|c| c.name.to_lowercase().contains(n)));
        column.filter(|c| c.sql_type.starts_with("VARCHAR")).map(|c| c.name.clone())
    };
    let by =
        |role: &str| table.columns.iter().find(|c| c.role.as_deref() == Some(role)).map(|c| c.name.clone());
    let title =
        schema.text.first().cloned().or_else(|| by("text")).or_else(|| named(&["title", "name", "text"]))?;
    let query = named(&["query", "search", "keyword"]).or_else(|| by("query"))?;
    Some((query, title))
}
