//! Unsaved texts of other sessions: shown, taken, discarded. Each stays on disk until it was taken and
//! saved, or discarded in words.

use super::{run, sessions};
use crate::screen::app::menu::{Item, Purpose};
use crate::screen::app::sessions::Taken;
use crate::screen::app::{About, App, Effect, FileTask, KeptText, Menu, Mode, Tone};

/// The choice of a menu that means every kept text.
const ALL: &str = "all";

pub fn ask(app: &mut App, effects: &mut Vec<Effect>) {
    effects.push(Effect::File(FileTask::FindKept { now: app.live_text(), discard: false }));
}

pub fn ask_discard(app: &mut App, effects: &mut Vec<Effect>) {
    effects.push(Effect::File(FileTask::FindKept { now: app.live_text(), discard: true }));
}

pub fn found(app: &mut App, kept: Vec<KeptText>, left_out: usize, discard: bool, effects: &mut Vec<Effect>) {
    app.sessions.kept = kept;
    if left_out > 0 {
        app.say(Tone::Bad, format!("{left_out} more could not be shown: damaged, too large or too many"));
    }
    // Asked for something else meanwhile: no key may land in a menu that it was not meant for.
    if app.mode != Mode::Normal {
        return;
    }
    match app.sessions.kept.as_slice() {
        [] if left_out == 0 => app.say(Tone::Info, "no unsaved text of another session is kept"),
        [] => {}
        [one] if discard => {
            let name = one.name.clone();
            ask_surely(app, &name);
        }
        [one] => compare(app, one.clone(), effects),
        _ => choose(app, discard),
    }
}

/// Several, newest first.
fn choose(app: &mut App, discard: bool) {
    let item = |kept: &KeptText| {
        let file = if kept.file_changed { ", from an older file" } else { "" };
        Item {
            side: format!("+{} −{}", kept.added, kept.removed),
            ..Item::new(&kept.name, &kept.words, format!("{}{file}", equal(kept)))
        }
    };
    let mut items: Vec<Item> = app.sessions.kept.iter().map(item).collect();
    let (purpose, title) = match discard {
        true => (Purpose::Discard, "unsaved texts: which one is to be discarded?"),
        false => (Purpose::Recover, "unsaved texts, newest first: which one is to be shown?"),
    };
    if discard {
        items.push(Item::new(ALL, format!("all {} of them", items.len()), ""));
    }
    app.mode = Mode::Menu(Menu::new(purpose, title, items));
    app.redraw = true;
}

fn equal(kept: &KeptText) -> &'static str {
    if (kept.added, kept.removed) == (0, 0) { "as the text here" } else { "" }
}

pub fn chosen(app: &mut App, name: &str, effects: &mut Vec<Effect>) {
    if let Some(kept) = app.sessions.kept.iter().find(|kept| kept.name == name).cloned() {
        compare(app, kept, effects);
    }
}

fn compare(app: &mut App, kept: KeptText, effects: &mut Vec<Effect>) {
    let (from, to) = (app.live_text(), kept.text.clone());
    effects.push(Effect::File(FileTask::Compare { about: About::Kept(kept), from, to }));
}

/// Takes a kept text; what is unsaved here is laid aside first.
pub fn take(app: &mut App, kept: KeptText, effects: &mut Vec<Effect>) {
    if !sessions::may_write(app) {
        return;
    }
    if app.is_dirty_enough() && app.live_text() != kept.text {
        let (text, on_disk) = (app.live_text(), app.on_disk.clone());
        effects.push(Effect::File(FileTask::SetAside { text, on_disk }));
    }
    let before = app.doc.text();
    let changed = app.doc.change(kept.text.clone());
    // It may have been shipped with the notebook: nothing of it runs by itself.
    run::outdated(app, &changed, effects);
    app.sessions.taken = Some(Taken { kept, before, stands: true });
    app.say(Tone::Good, "recovered; `u` goes back, Ctrl-S saves it; it is kept until then");
}

/// Undo and redo lead away from what was taken, and back to it.
pub fn undone(app: &mut App) {
    let text = app.doc.text();
    if let Some(taken) = &mut app.sessions.taken {
        taken.stands = match text {
            text if text == taken.kept.text => true,
            text if text == taken.before => false,
            _ => taken.stands,
        };
    }
}

/// What was taken is in the file now: it is kept no longer.
pub fn saved(app: &mut App, effects: &mut Vec<Effect>) {
    if let Some(taken) = app.sessions.taken.take_if(|taken| taken.stands) {
        effects.push(Effect::File(FileTask::Discard { kept: vec![taken.kept], asked: false }));
    }
}

/// The question before something is gone for good.
pub fn ask_surely(app: &mut App, which: &str) {
    let title = match app.sessions.kept.iter().find(|kept| kept.name == which) {
        Some(kept) => format!("discard the unsaved text, {}?", kept.words),
        None => format!("discard all {} unsaved texts?", app.sessions.kept.len()),
    };
    let items = vec![
        Item::new("", "keep it", "It is offered again."),
        Item::new(which, "discard it", "For good: nothing brings it back."),
    ];
    app.mode = Mode::Menu(Menu::new(Purpose::DiscardSurely, title, items));
    app.redraw = true;
}

pub fn discard(app: &mut App, which: &str, effects: &mut Vec<Effect>) {
    let asked = |kept: &&KeptText| which == ALL || kept.name == which;
    let kept: Vec<KeptText> = app.sessions.kept.iter().filter(asked).cloned().collect();
    if !kept.is_empty() {
        effects.push(Effect::File(FileTask::Discard { kept, asked: true }));
    }
}

pub fn discarded(app: &mut App, result: Result<usize, String>) {
    match result {
        Ok(1) => app.say(Tone::Info, "the unsaved text was discarded"),
        Ok(n) => app.say(Tone::Info, format!("{n} unsaved texts were discarded")),
        Err(why) => app.say(Tone::Bad, format!("a kept text could not be removed: {why}")),
    }
}
