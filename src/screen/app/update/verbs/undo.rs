//! Undo and redo of the notebook's changes.

use super::run;
use crate::screen::app::{App, Effect, Tone};

pub fn undo(app: &mut App, effects: &mut Vec<Effect>) {
    match app.doc.undo() {
        Some(changed) => {
            app.say(Tone::Info, "undone");
            run::changed(app, changed, effects);
        }
        None => app.say(Tone::Info, "nothing to undo"),
    }
}

pub fn redo(app: &mut App, effects: &mut Vec<Effect>) {
    match app.doc.redo() {
        Some(changed) => {
            app.say(Tone::Info, "done again");
            run::changed(app, changed, effects);
        }
        None => app.say(Tone::Info, "nothing to redo"),
    }
}
