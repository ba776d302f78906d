//! From a key to a verb: what the mode takes for itself, and what COMMANDS says of the rest.

use super::verbs as v;
use crate::screen::app::commands::{self, Found};
use crate::screen::app::editor::Motion;
use crate::screen::app::menu::Line;
use crate::screen::app::{App, Code, Effect, Key, Mode, Tone};

pub fn press(app: &mut App, key: Key, effects: &mut Vec<Effect>) {
    app.redraw = true;
    app.status = None;
    if key == Key::ctrl('c') && !matches!(app.mode, Mode::Normal | Mode::Edit(_)) {
        app.mode = Mode::Normal;
        return v::cancel::cancel_if_running(app, effects);
    }
    if v::complete::key(app, key) {
        return;
    }
    match app.mode {
        Mode::Menu(_) => v::menu::key(app, key, effects),
        Mode::Prompt(_) => prompt(app, key, effects),
        Mode::Help { .. } => v::help::key(app, key),
        Mode::Diff(_) => v::diff::key(app, key, effects),
        Mode::Trust { .. } => v::trust::key(app, key, effects),
        Mode::Edit(_) | Mode::Normal => command(app, key, effects),
    }
}

pub fn paste(app: &mut App, text: &str) {
    app.redraw = true;
    match &mut app.mode {
        Mode::Edit(edit) => {
            edit.completions = None;
            edit.editor.insert(&text.replace("\r\n", "\n").replace('\r', "\n"));
        }
        Mode::Menu(menu) => menu.typed.insert(text),
        Mode::Prompt(prompt) => prompt.typed.insert(text),
        Mode::Normal | Mode::Help { .. } | Mode::Diff(_) | Mode::Trust { .. } => {
            app.say(Tone::Info, "paste goes into the editor: `e` opens it")
        }
    }
}

fn command(app: &mut App, key: Key, effects: &mut Vec<Effect>) {
    let mut typed = std::mem::take(&mut app.pending);
    typed.push(key);
    match commands::find(commands::place(app), &typed) {
        Found::Command(command) if (command.available)(app) => (command.run)(app, effects),
        Found::Command(command) => {
            let why = if command.id == "run.cancel" { "nothing runs; `q` leaves" } else { "not here" };
            app.say(Tone::Info, format!("{}: {why}", command.name));
        }
        Found::Prefix => app.pending = typed,
        Found::Nothing if typed.len() > 1 => command(app, key, effects),
        Found::Nothing => write(app, key),
    }
}

/// Keys that write or move inside the editor.
fn write(app: &mut App, key: Key) {
    let page = crate::screen::app::layout::detail_rows(app).max(2) - 1;
    let Mode::Edit(edit) = &mut app.mode else { return };
    let editor = &mut edit.editor;
    match (key.code, key.ctrl, key.alt) {
        (Code::Char(c), false, false) => editor.insert(&c.to_string()),
        (Code::Char('a'), true, _) => editor.move_by(Motion::LineStart),
        (Code::Char('e'), true, _) => editor.move_by(Motion::LineEnd),
        (Code::Char('k'), true, _) => editor.kill(),
        (Code::Char('w'), true, _) | (Code::Backspace, _, true) => editor.delete_word(),
        (Code::Enter, ..) => editor.newline(),
        (Code::Backspace, ..) => editor.backspace(),
        (Code::Delete, ..) => editor.delete(),
        (Code::Left, true, _) | (Code::Left, _, true) => editor.move_by(Motion::WordLeft),
        (Code::Right, true, _) | (Code::Right, _, true) => editor.move_by(Motion::WordRight),
        (Code::Left, ..) => editor.move_by(Motion::Left),
        (Code::Right, ..) => editor.move_by(Motion::Right),
        (Code::Up, ..) => editor.move_by(Motion::Up(1)),
        (Code::Down, ..) => editor.move_by(Motion::Down(1)),
        (Code::PageUp, ..) => editor.move_by(Motion::Up(page)),
        (Code::PageDown, ..) => editor.move_by(Motion::Down(page)),
        (Code::Home, true, _) => editor.move_by(Motion::Start),
        (Code::End, true, _) => editor.move_by(Motion::End),
        (Code::Home, ..) => editor.move_by(Motion::LineStart),
        (Code::End, ..) => editor.move_by(Motion::LineEnd),
        _ => {}
    }
}

fn prompt(app: &mut App, key: Key, effects: &mut Vec<Effect>) {
    let Mode::Prompt(prompt) = &mut app.mode else { return };
    match key.code {
        Code::Esc => app.mode = Mode::Normal,
        Code::Enter => {
            let (question, answer) = (prompt.question, prompt.typed.text.trim().to_owned());
            app.mode = Mode::Normal;
            v::menu::answer(app, question, answer, effects);
        }
        _ => {
            line(&mut prompt.typed, key);
        }
    }
}

/// Edits a line; `true` when its text changed.
pub fn line(line: &mut Line, key: Key) -> bool {
    match (key.code, key.ctrl) {
        (Code::Char('u'), true) => line.clear(),
        (Code::Char(c), false) if !key.alt => line.insert(&c.to_string()),
        (Code::Backspace, _) => line.backspace(),
        (Code::Left, _) => line.left(),
        (Code::Right, _) => line.right(),
        (Code::Home, _) => line.home(),
        (Code::End, _) => line.end(),
        _ => return false,
    }
    !matches!(key.code, Code::Left | Code::Right | Code::Home | Code::End)
}
