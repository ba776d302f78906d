//! Leaving: by wish, by signal, for a while.

use crate::protocol::Request;
use crate::screen::app::menu::{Item, Purpose};
use crate::screen::app::{App, Effect, FileTask, Menu, Mode};

pub fn ask(app: &mut App, effects: &mut Vec<Effect>) {
    if !app.is_dirty_enough() && !app.is_running() {
        return leave(app, effects);
    }
    let item = |value: &str, label: &str, detail: &str| Item {
        value: value.into(),
        label: label.into(),
        detail: detail.into(),
        side: String::new(),
    };
    let mut items = Vec::new();
    if app.is_dirty() {
        items.push(item("save", "save and leave", ""));
        items.push(item("discard", "leave without saving", "What you changed since the last save is lost."));
    } else {
        items.push(item("discard", "stop and leave", "Finished results are kept."));
    }
    items.push(item("stay", "stay", ""));
    let title = if app.is_running() { "something runs; leave?" } else { "the notebook is not saved" };
    app.mode = Mode::Menu(Menu::new(Purpose::Quit, title, items));
}

pub fn answered(app: &mut App, value: &str, effects: &mut Vec<Effect>) {
    match value {
        "save" => {
            app.quit_after_save = true;
            super::save::save(app, effects);
        }
        "discard" => {
            effects.push(Effect::File(FileTask::ForgetJournal));
            leave(app, effects);
        }
        _ => {}
    }
}

pub fn leave(app: &mut App, effects: &mut Vec<Effect>) {
    app.quitting = true;
    effects.push(Effect::Send(Request::Shutdown));
    effects.push(Effect::Quit);
}

/// No question can be asked: save where that overwrites nobody, keep safe in any case, go.
pub fn terminate(app: &mut App, effects: &mut Vec<Effect>) {
    let text = app.live_text();
    if app.is_dirty_enough() && !app.sessions.watching {
        let on_disk = app.on_disk.clone();
        effects.push(Effect::File(FileTask::Journal { text: text.clone(), on_disk }));
        if let Some(path) = app.path.clone() {
            effects.push(Effect::File(FileTask::Save {
                path,
                text,
                on_disk: app.on_disk.clone(),
                force: false,
            }));
        }
    }
    leave(app, effects);
}

pub fn suspend(_: &mut App, effects: &mut Vec<Effect>) {
    effects.push(Effect::Suspend);
}

pub fn repaint(_: &mut App, effects: &mut Vec<Effect>) {
    effects.push(Effect::Repaint);
}
