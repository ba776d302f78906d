//! Another program changed the notebook's file: it is shown at once where nothing here would be lost, else
//! there is a choice.

use super::{run, save};
use crate::screen::app::menu::{Item, Purpose};
use crate::screen::app::sessions::Ask;
use crate::screen::app::{About, App, Document, Edit, Editor, Effect, FileNow, FileTask, Menu, Mode, Tone};

pub const TAKE_THEIRS: &str = "Your text is laid aside; `:recover` brings it back.";

pub fn changed(app: &mut App, now: FileNow, effects: &mut Vec<Effect>) {
    match now {
        FileNow::Text(text) => other_text(app, text, effects),
        FileNow::Gone => {
            (app.on_disk, app.sessions.outside, app.journaled) = (None, None, None);
            // Even a text that nobody touched is in no file any more.
            app.opened.clear();
            app.say(Tone::Bad, "another program removed the file; Ctrl-S writes your text again");
        }
        FileNow::Unreadable(why) => {
            app.say(Tone::Bad, format!("another program changed the file: {why}; saving asks first"));
        }
    }
}

fn other_text(app: &mut App, text: String, effects: &mut Vec<Effect>) {
    app.redraw = true;
    if app.on_disk.as_ref() == Some(&text) {
        app.sessions.outside = None;
        return;
    }
    if app.live_text() == text {
        // The same words by another way: nothing is unsaved, nothing needs a journal.
        (app.on_disk, app.sessions.outside, app.journaled) = (Some(text), None, None);
        return;
    }
    if app.sessions.watching || (!app.is_dirty_enough() && can_go_on(app, &text)) {
        show(app, text, effects);
        return app.say(Tone::Info, "the file was changed by another program: shown as it is now");
    }
    app.sessions.outside = Some(text);
    app.sessions.ask = Some(Ask::File);
    app.say(Tone::Bad, "another program changed the file, and your text is not saved: `:changed file`");
}

/// Whether what is being edited is there in the other text: keys must not suddenly mean something else.
fn can_go_on(app: &App, text: &str) -> bool {
    let Mode::Edit(edit) = &app.mode else { return true };
    let next = Document::with_params(text, app.params.clone());
    match app.doc.cell_at(edit.block) {
        Some(cell) => next.block_of(&cell.name).is_some(),
        None => {
            next.cell_at(edit.block).is_none() && next.editable(edit.block) == app.doc.editable(edit.block)
        }
    }
}

/// Shows another text as what the file holds. Nothing of it runs by itself.
pub fn show(app: &mut App, text: String, effects: &mut Vec<Effect>) {
    let focused = app.focused_cell().map(str::to_owned);
    let edited = match &app.mode {
        Mode::Edit(edit) => Some((edit.block, edit.editor.offset())),
        _ => None,
    };
    app.on_disk = Some(text.clone());
    app.journaled = Some(text.clone());
    app.opened = text.clone();
    (app.sessions.outside, app.sessions.ask) = (None, None);
    let changed = app.doc.change(text);
    run::outdated(app, &changed, effects);
    let block = focused.and_then(|name| app.doc.block_of(&name));
    app.focus = block.unwrap_or(app.focus);
    if let Some((before, offset)) = edited {
        let block = block.unwrap_or(before);
        let mut editor = Editor::new(&app.doc.editable(block));
        editor.set_offset(offset);
        app.mode = Mode::Edit(Box::new(Edit { block, editor, completions: None, asked: 0 }));
    }
}

pub fn ask(app: &mut App, _: &mut Vec<Effect>) {
    menu(app);
}

pub fn menu(app: &mut App) {
    if app.sessions.outside.is_none() {
        return;
    }
    let items = vec![
        Item::new("see", "see what differs", ""),
        Item::new("mine", "keep mine", "Unsaved, but kept safe; saving asks before it overwrites."),
        Item::new("theirs", "take theirs", TAKE_THEIRS),
        Item::new("as", "save mine under another name", "Keeps both."),
    ];
    let title = "another program changed the file; your text is not saved";
    app.mode = Mode::Menu(Menu::new(Purpose::Outside, title, items));
    app.redraw = true;
}

pub fn answered(app: &mut App, value: &str, effects: &mut Vec<Effect>) {
    match value {
        "see" => {
            if let Some(to) = app.sessions.outside.clone() {
                let from = app.live_text();
                effects.push(Effect::File(FileTask::Compare { about: About::File, from, to }));
            }
        }
        "theirs" => theirs(app, effects),
        "as" => save::ask_path(app, effects),
        "mine" => app.say(Tone::Info, "your text stays, unsaved; saving asks before it overwrites"),
        _ => {}
    }
}

fn theirs(app: &mut App, effects: &mut Vec<Effect>) {
    let Some(text) = app.sessions.outside.clone() else { return };
    let mine = FileTask::SetAside { text: app.live_text(), on_disk: app.on_disk.clone() };
    effects.push(Effect::File(mine));
    show(app, text, effects);
    app.say(Tone::Good, "the file as it is now; `u` or `:recover` brings your text back");
}
