//! Adding, deleting, moving and renaming blocks.

use super::{edit, run, sessions};
use crate::notebook::{BlockKind, Kind, cells};
use crate::protocol::Column;
use crate::screen::app::menu::{Item, Line, Purpose, Question};
use crate::screen::app::{App, Effect, Menu, Mode, Pane, Prompt, Tone};

/// The menu value for a block of prose.
const PROSE: &str = "prose";

pub fn ask_kind(app: &mut App, _: &mut Vec<Effect>) {
    if !sessions::may_write(app) {
        return;
    }
    let kinds = cells::CELLS.iter().filter(|def| def.kind.is_ready());
    let mut items: Vec<Item> = kinds
        .map(|def| Item {
            value: def.kind.name().into(),
            label: def.kind.name().into(),
            detail: def.summary.into(),
            side: String::new(),
        })
        .collect();
    items.push(Item {
        value: PROSE.into(),
        label: PROSE.into(),
        detail: "A paragraph of Markdown.".into(),
        side: String::new(),
    });
    app.mode = Mode::Menu(Menu::new(Purpose::AddCell, "add below", items));
}

pub fn add(app: &mut App, value: &str, effects: &mut Vec<Effect>) {
    if !sessions::may_write(app) {
        return;
    }
    let after = app.focus;
    let text = match Kind::parse(value) {
        Some(kind) => {
            let name = app.doc.notebook().unique_name(&format!("{value}_cell"));
            let body = template(app, kind);
            let after = (!app.doc.blocks().is_empty()).then_some(after);
            let text = app.doc.text_with_cell(after, kind, &name, &body);
            take(app, text, effects);
            app.focus = app.doc.block_of(&name).unwrap_or(app.focus);
            return edit::begin(app, effects);
        }
        None => app.doc.text_with_prose(after, "…\n"),
    };
    take(app, text, effects);
    app.focus = app.doc.stop_from(after, 1);
    edit::begin(app, effects);
}

/// A body to start from: reads the cell in focus where that gives rows.
fn template(app: &App, kind: Kind) -> String {
    let from = app.focused_cell().map(str::to_owned);
    let source = || app.doc.notebook().front().sources.first().map(|s| s.name.clone());
    let from = from.or_else(source).unwrap_or_else(|| "rows".into());
    if kind.is_sql() {
        return format!("SELECT *\nFROM {from}\nLIMIT 100");
    }
    let Some(def) = cells::CELLS.iter().find(|def| def.kind == kind) else { return String::new() };
    let lines = def.keys().filter(|key| key.required).map(|key| match key.name {
        "from" => format!("from = {}", toml::Value::String(from.clone())),
        "slices" => format!("slices = {}", slices(app).unwrap_or_else(|| key.value.to_owned())),
        name => format!("{name} = {}", key.value),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A column of the rows in focus that could divide them: a text that has no role of its own.
fn slices(app: &App) -> Option<String> {
    let relation = app.focused_run()?.outcome.as_ref()?.relation.as_ref()?;
    let is_id = |name: &str| name.to_lowercase().ends_with("id");
    let divides = |c: &&Column| c.role.is_none() && c.sql_type == "VARCHAR" && !is_id(&c.name);
    let column = relation.columns.iter().find(divides)?;
    Some(toml::Value::Array(vec![toml::Value::String(column.name.clone())]).to_string())
}

pub fn delete(app: &mut App, effects: &mut Vec<Effect>) {
    if !sessions::may_write(app) {
        return;
    }
    let what = match app.doc.blocks().get(app.focus).map(|b| &b.kind) {
        None => return,
        Some(BlockKind::Front) => "front matter".to_owned(),
        Some(BlockKind::Prose) => "prose".to_owned(),
        Some(BlockKind::Cell(cell)) => {
            let name = cell.name.clone();
            app.runs.remove(&name);
            name
        }
    };
    let text = app.doc.text_without(app.focus);
    take(app, text, effects);
    app.say(Tone::Info, format!("deleted {what}; `u` brings it back"));
}

pub fn up(app: &mut App, effects: &mut Vec<Effect>) {
    shift(app, true, effects);
}

pub fn down(app: &mut App, effects: &mut Vec<Effect>) {
    shift(app, false, effects);
}

fn shift(app: &mut App, up: bool, effects: &mut Vec<Effect>) {
    if !sessions::may_write(app) {
        return;
    }
    let Some(name) = app.focused_cell().map(str::to_owned) else {
        return app.say(Tone::Info, "cells move; prose stays where it is");
    };
    match app.doc.text_moved(app.focus, up) {
        Some(text) => {
            take(app, text, effects);
            app.focus = app.doc.block_of(&name).unwrap_or(app.focus);
        }
        None => app.say(Tone::Info, if up { "already the first" } else { "already the last" }),
    }
}

pub fn ask_name(app: &mut App, _: &mut Vec<Effect>) {
    if !sessions::may_write(app) {
        return;
    }
    let name = app.focused_cell().unwrap_or_default().to_owned();
    app.mode = Mode::Prompt(Prompt {
        question: Question::RenameCell,
        title: "rename to".into(),
        typed: Line::new(name),
    });
}

pub fn renamed(app: &mut App, name: &str, effects: &mut Vec<Effect>) {
    if !sessions::may_write(app) {
        return;
    }
    let Some(old) = app.focused_cell().map(str::to_owned) else { return };
    if name == old || name.is_empty() {
        return;
    }
    if app.doc.notebook().cell(name).is_some() {
        return app.say(Tone::Bad, format!("there is a cell {name} already"));
    }
    match app.doc.text_renamed(app.focus, name) {
        Some(text) => take(app, text, effects),
        None => app.say(Tone::Bad, "a name is letters, digits and _, and does not begin with a digit"),
    }
}

/// Takes a new text and goes on from the notebook pane.
fn take(app: &mut App, text: String, effects: &mut Vec<Effect>) {
    let changed = app.doc.change(text);
    app.pane = Pane::Outline;
    app.crumbs.clear();
    run::changed(app, changed, effects);
}
