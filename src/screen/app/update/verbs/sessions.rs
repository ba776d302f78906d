//! Other sessions on the notebook: who they are, watching them, taking over, being taken over from.

use super::{diff, outside, quit, recover, run};
use crate::screen::app::menu::{Item, Purpose};
use crate::screen::app::sessions::Ask;
use crate::screen::app::{App, Effect, FileTask, Holder, Menu, Mode, News, Tone};

/// What was found when the notebook was opened.
pub fn open(app: &mut App, others: Vec<Holder>, kept: usize, unkept: Option<String>) {
    app.sessions.others = others;
    app.sessions.watching = app.sessions.writer().is_some();
    if app.sessions.watching {
        app.sessions.ask = Some(Ask::Holder);
    }
    if kept > 0 {
        let what = match kept {
            1 => "unsaved work of an earlier session is kept: `:recover` shows it".to_owned(),
            n => format!("{n} unsaved texts of earlier sessions are kept: `:recover` lists them"),
        };
        app.say(Tone::Info, what);
    }
    if let Some(why) = unkept {
        app.say(Tone::Bad, format!("unsaved work cannot be kept safe: {why}"));
        app.sessions.unkept = Some(why);
    }
    ask_if_due(app);
}

/// Asks what is to be asked as soon as no key is meant for anything else.
pub fn ask_if_due(app: &mut App) {
    if app.mode != Mode::Normal || app.quitting || !app.pending.is_empty() {
        return;
    }
    match app.sessions.ask.take() {
        Some(Ask::Holder) => menu(app),
        Some(Ask::File) => outside::menu(app),
        None => {}
    }
}

pub fn ask(app: &mut App, _: &mut Vec<Effect>) {
    menu(app);
}

fn menu(app: &mut App) {
    let title = match app.sessions.writer() {
        Some(writer) => format!("{} writes here", writer.words),
        None => "no other session writes here".into(),
    };
    let items = vec![
        Item::new("watch", "watch", "Read only; shows what is saved there."),
        Item::new("over", "take over", "The other becomes read only; its unsaved text is kept."),
        Item::new("beside", "go on beside", "Both write; a save of one is noticed by the other."),
        Item::new("leave", "leave", ""),
    ];
    app.mode = Mode::Menu(Menu::new(Purpose::Holder, title, items));
    app.redraw = true;
}

pub fn answered(app: &mut App, value: &str, effects: &mut Vec<Effect>) {
    match value {
        "watch" if !app.sessions.watching => {
            effects.push(Effect::File(FileTask::Watch));
            watch(app, effects);
            app.say(Tone::Info, "read only: `:take over` writes again");
        }
        "watch" => app.say(Tone::Info, "read only: what is saved there is shown here; `:take over` writes"),
        "over" => take_over(app, effects),
        "beside" => {
            app.sessions.watching = false;
            effects.push(Effect::File(FileTask::Write));
            app.say(Tone::Info, "both sessions write: a save of one is noticed by the other");
        }
        "leave" => quit::ask(app, effects),
        _ => {}
    }
}

pub fn take_over(_: &mut App, effects: &mut Vec<Effect>) {
    effects.push(Effect::File(FileTask::TakeOver));
}

/// Whether the text may be changed; says why not.
pub fn may_write(app: &mut App) -> bool {
    if app.sessions.watching {
        let why = match app.sessions.writer() {
            // What to do comes first: a small screen cuts the rest.
            Some(writer) => format!("read only; `:take over` writes here: {} writes now", writer.words),
            None => "read only; `:take over` writes here".into(),
        };
        app.say(Tone::Info, why);
    }
    !app.sessions.watching
}

/// Becomes read only, showing the file. What is unsaved is laid aside; says whether something was.
fn watch(app: &mut App, effects: &mut Vec<Effect>) -> bool {
    let dirty = app.is_dirty_enough();
    let text = app.live_text();
    if dirty {
        effects.push(Effect::File(FileTask::SetAside { text: text.clone(), on_disk: app.on_disk.clone() }));
    }
    app.mode = Mode::Normal;
    app.sessions.watching = true;
    let changed = app.doc.change(text.clone());
    run::outdated(app, &changed, effects);
    let file = app.sessions.outside.clone().or_else(|| app.on_disk.clone());
    match file.filter(|_| dirty) {
        Some(file) => outside::show(app, file, effects),
        None => app.journaled = Some(text),
    }
    dirty
}

pub fn take(app: &mut App, news: News, effects: &mut Vec<Effect>) {
    match news {
        News::Others { now, left_text } => others(app, now, left_text),
        News::TakenOver(by) => taken_over(app, by, effects),
        News::TookOver(Ok(())) => {
            app.sessions.watching = false;
            app.say(Tone::Good, "you write now; what the other had not saved is kept: `:recover`");
        }
        News::TookOver(Err(why)) => app.say(Tone::Bad, format!("not taken over: {why}")),
        News::Moved(others) => {
            app.sessions.watching = false;
            app.sessions.others = others;
            if let Some(words) = app.sessions.writer().map(|writer| writer.words.clone()) {
                app.say(Tone::Info, format!("saved, but {words} has this file open too: `:sessions`"));
            }
        }
        News::File(now) => outside::changed(app, now, effects),
        News::Kept { kept, left_out, discard } => recover::found(app, kept, left_out, discard, effects),
        News::Compared { about, comparison } => diff::open(app, about, comparison),
        News::Discarded(result) => recover::discarded(app, result),
    }
}

fn others(app: &mut App, now: Vec<Holder>, left_text: bool) {
    let before = std::mem::replace(&mut app.sessions.others, now);
    let wrote = |id: &str| before.iter().any(|other| other.id == id && !other.watches);
    let came = app.sessions.others.iter().find(|other| !other.watches && !wrote(&other.id));
    let kept = if left_text { "; what it had not saved is kept: `:recover`" } else { "" };
    app.redraw = true;
    if let Some(words) = came.map(|other| other.words.clone()) {
        app.say(Tone::Info, format!("{words} writes in this notebook too: `:sessions`"));
    } else if app.sessions.watching && app.sessions.writer().is_none() && before.iter().any(|o| !o.watches) {
        app.say(Tone::Info, format!("nobody else writes any more: `:take over` writes here{kept}"));
    } else if left_text {
        app.say(Tone::Info, format!("the other session has ended{kept}"));
    }
}

fn taken_over(app: &mut App, by: Holder, effects: &mut Vec<Effect>) {
    let kept = if watch(app, effects) { "; what you had not saved is kept, see `:recover`" } else { "" };
    app.say(Tone::Bad, format!("taken over{kept}: {} writes now", by.words));
    app.sessions.others.retain(|other| other.id != by.id);
    app.sessions.others.push(by);
    app.sessions.ask = Some(Ask::Holder);
}
