//! Saving, and not overwriting what somebody else wrote.

use std::path::PathBuf;

use super::{edit, outside, recover, sessions};
use crate::screen::app::menu::{Item, Line, Purpose, Question};
use crate::screen::app::trust::Level;
use crate::screen::app::{App, Effect, FileTask, Menu, Mode, NEW_NAME, Prompt, SaveError, Tone};
use crate::trust::Scope;

/// Where the notebook is or would be saved.
pub fn path(app: &App) -> PathBuf {
    app.path.clone().unwrap_or_else(|| app.base.join(NEW_NAME))
}

pub fn save(app: &mut App, effects: &mut Vec<Effect>) {
    match app.path.clone() {
        Some(_) if !sessions::may_write(app) => {}
        Some(path) => write(app, path, false, effects),
        None => ask_path(app, effects),
    }
}

pub fn ask_path(app: &mut App, effects: &mut Vec<Effect>) {
    // The question takes the editor's place: what is written there must not go with it.
    edit::commit(app, effects);
    let offered = path(app).display().to_string();
    app.mode = Mode::Prompt(Prompt {
        question: Question::SavePath,
        title: "save as".into(),
        typed: Line::new(offered),
    });
}

pub fn path_answered(app: &mut App, answer: &str, effects: &mut Vec<Effect>) {
    if answer.is_empty() {
        app.quit_after_save = false;
        return;
    }
    let path = app.base.join(answer);
    if app.path.as_ref() == Some(&path) && !sessions::may_write(app) {
        return;
    }
    write(app, path, false, effects);
}

fn write(app: &mut App, path: PathBuf, force: bool, effects: &mut Vec<Effect>) {
    let text = app.live_text();
    // Under another name nothing may be there yet.
    let on_disk = app.on_disk.clone().filter(|_| app.path.as_ref() == Some(&path));
    app.saving_to = Some(path.clone());
    effects.push(Effect::File(FileTask::Save { path, text, on_disk, force }));
}

pub fn saved(app: &mut App, text: String, result: Result<PathBuf, SaveError>, effects: &mut Vec<Effect>) {
    match result {
        Ok(path) => {
            // What was typed meanwhile is kept at the next tick; until then the journal holds enough.
            if app.live_text() == text {
                effects.push(Effect::File(FileTask::ForgetJournal));
            }
            recover::saved(app, effects);
            app.journaled = Some(text.clone());
            if (app.on_disk.is_none() || !is_own(app)) && app.trust.level == Level::Full {
                // What recscope itself made is trusted, whatever folder it lies in.
                let task = FileTask::Trust { path: path.clone(), scope: Scope::Notebook, asked: false };
                effects.push(Effect::File(task));
            }
            app.on_disk = Some(text);
            app.sessions.outside = None;
            app.say(Tone::Good, format!("saved {}", path.display()));
            app.path = Some(path);
            if app.quit_after_save {
                super::quit::leave(app, effects);
            }
        }
        Err(SaveError::ChangedOutside) => {
            edit::commit(app, effects);
            let title = match is_own(app) {
                true => "the file was changed by another program",
                false => "there is a file of this name already",
            };
            app.mode = Mode::Menu(Menu::new(Purpose::Overwrite, title, overwrite_items(app)));
            // This is the question that would have come.
            app.sessions.ask = None;
            app.redraw = true;
        }
        Err(SaveError::Failed(why)) => {
            app.quit_after_save = false;
            app.say(Tone::Bad, format!("not saved: {why}"));
        }
    }
}

/// Whether the save was to the notebook's own file.
fn is_own(app: &App) -> bool {
    app.path.is_some() && app.saving_to == app.path
}

fn overwrite_items(app: &App) -> Vec<Item> {
    let mut items = vec![
        Item::new("as", "save under another name", "Keeps both."),
        Item::new("over", "overwrite it", "What is in the file is lost."),
    ];
    if app.sessions.outside.is_some() && is_own(app) {
        items.push(Item::new("see", "see what differs", ""));
        items.push(Item::new("theirs", "take theirs", outside::TAKE_THEIRS));
    }
    items.push(Item::new("no", "do nothing", "Your text stays here, unsaved but kept safe."));
    items
}

pub fn overwrite_answered(app: &mut App, value: &str, effects: &mut Vec<Effect>) {
    match value {
        "over" => {
            let path = app.saving_to.clone().unwrap_or_else(|| path(app));
            write(app, path, true, effects);
        }
        "as" => ask_path(app, effects),
        other => {
            app.quit_after_save = false;
            outside::answered(app, other, effects);
        }
    }
}
