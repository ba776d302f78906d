//! Undo and redo of the notebook's changes.

use super::{recover, run, sessions};
use crate::screen::app::{App, Effect, Tone};

pub fn undo(app: &mut App, effects: &mut Vec<Effect>) {
    if !sessions::may_write(app) {
        return;
    }
    match app.doc.undo() {
        Some(changed) => {
            app.say(Tone::Info, "undone");
            recover::undone(app);
            run::changed(app, changed, effects);
        }
        None => app.say(Tone::Info, "nothing to undo"),
    }
}

pub fn redo(app: &mut App, effects: &mut Vec<Effect>) {
    if !sessions::may_write(app) {
        return;
    }
    match app.doc.redo() {
        Some(changed) => {
            app.say(Tone::Info, "done again");
            recover::undone(app);
            run::changed(app, changed, effects);
        }
        None => app.say(Tone::Info, "nothing to redo"),
    }
}
