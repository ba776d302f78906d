//! Saving, and not overwriting what somebody else wrote.

use std::path::PathBuf;

use super::run;
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
        Some(path) => write(app, path, false, effects),
        None => ask_path(app, effects),
    }
}

pub fn ask_path(app: &mut App, _: &mut Vec<Effect>) {
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
    if app.path.as_ref() != Some(&path) {
        app.on_disk = None;
    }
    write(app, path, false, effects);
}

fn write(app: &mut App, path: PathBuf, force: bool, effects: &mut Vec<Effect>) {
    let text = app.live_text();
    effects.push(Effect::File(FileTask::Save { path, text, on_disk: app.on_disk.clone(), force }));
}

pub fn saved(app: &mut App, text: String, result: Result<PathBuf, SaveError>, effects: &mut Vec<Effect>) {
    match result {
        Ok(path) => {
            effects.push(Effect::File(FileTask::ForgetJournal { path: self::path(app) }));
            app.journaled = Some(text.clone());
            if app.on_disk.is_none() && app.trust.level == Level::Full {
                // What recscope itself made is trusted, whatever folder it lies in.
                let task = FileTask::Trust { path: path.clone(), scope: Scope::Notebook, asked: false };
                effects.push(Effect::File(task));
            }
            app.on_disk = Some(text);
            app.say(Tone::Good, format!("saved {}", path.display()));
            app.path = Some(path);
            if app.quit_after_save {
                super::quit::leave(app, effects);
            }
        }
        Err(SaveError::ChangedOutside) => {
            let item = |value: &str, label: &str, detail: &str| Item {
                value: value.into(),
                label: label.into(),
                detail: detail.into(),
                side: String::new(),
            };
            app.mode = Mode::Menu(Menu::new(
                Purpose::Overwrite,
                "the file was changed by another program",
                vec![
                    item("as", "save under another name", "Keeps both."),
                    item("over", "overwrite it", "What the other program wrote is lost."),
                    item("no", "do nothing", "Your text stays here, unsaved but kept safe."),
                ],
            ));
            app.redraw = true;
        }
        Err(SaveError::Failed(why)) => {
            app.quit_after_save = false;
            app.say(Tone::Bad, format!("not saved: {why}"));
        }
    }
}

pub fn overwrite_answered(app: &mut App, value: &str, effects: &mut Vec<Effect>) {
    match value {
        "over" => {
            let path = path(app);
            write(app, path, true, effects);
        }
        "as" => ask_path(app, effects),
        _ => app.quit_after_save = false,
    }
}

/// Takes over the text that an earlier session could not save.
pub fn recover(app: &mut App, effects: &mut Vec<Effect>) {
    if let Some(text) = app.recovered.take() {
        let changed = app.doc.change(text);
        run::changed(app, changed, effects);
        app.say(Tone::Good, "recovered; `u` goes back to the file, Ctrl-S keeps it");
    }
}
