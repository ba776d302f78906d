//! COMMANDS: the one table of what can be done. It drives the keymap, the hints at the bottom, the
//! `?` help, the `:` palette and `recscope docs keys`. A new verb is a row here and a file in
//! `update/`.

mod table;

pub use table::COMMANDS;

use super::keys::Key;
use super::{App, Effect, Mode, Pane};

/// Where a command's keys are heard; a set of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places(u8);

pub const OUTLINE: Places = Places(1);
pub const RESULT: Places = Places(2);
pub const DETAIL: Places = Places(4);
pub const EDITOR: Places = Places(8);
pub const PANES: Places = Places(7);
pub const EVERYWHERE: Places = Places(15);

impl Places {
    pub fn contains(self, other: Places) -> bool {
        self.0 & other.0 != 0
    }

    pub fn covers(self, other: Places) -> bool {
        self.0 & other.0 == other.0
    }

    const fn and(self, other: Places) -> Places {
        Places(self.0 | other.0)
    }

    /// The words of the help.
    pub fn names(self) -> String {
        let names = [(OUTLINE, "notebook"), (RESULT, "result"), (DETAIL, "detail"), (EDITOR, "editor")];
        match self {
            EVERYWHERE => "everywhere".into(),
            PANES => "every pane".into(),
            _ => {
                let here = names.iter().filter(|(p, _)| self.contains(*p)).map(|(_, n)| *n);
                here.collect::<Vec<_>>().join(", ")
            }
        }
    }
}

/// One thing that can be done.
pub struct Command {
    pub id: &'static str,
    /// One or two words, for hints and the palette.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Default keys; `d d` is a sequence.
    pub keys: &'static [&'static str],
    pub places: Places,
    /// Order among the hints at the bottom; 0 is never hinted.
    pub hint: u8,
    pub available: fn(&App) -> bool,
    pub run: fn(&mut App, &mut Vec<Effect>),
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Command").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Where keys are heard now.
pub fn place(app: &App) -> Places {
    match (&app.mode, app.pane) {
        (Mode::Edit(_), _) => EDITOR,
        (_, Pane::Outline) => OUTLINE,
        (_, Pane::Result) => RESULT,
        (_, Pane::Detail) => DETAIL,
    }
}

pub fn by_id(id: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|c| c.id == id)
}

/// What a sequence of keys means in a place.
#[derive(Debug)]
pub enum Found {
    Command(&'static Command),
    /// The beginning of a longer sequence.
    Prefix,
    Nothing,
}

pub fn find(place: Places, typed: &[Key]) -> Found {
    let mut prefix = false;
    for command in COMMANDS.iter().filter(|c| c.places.contains(place)) {
        for keys in keys_in(command, place) {
            if keys == typed {
                return Found::Command(command);
            }
            prefix |= keys.starts_with(typed);
        }
    }
    if prefix { Found::Prefix } else { Found::Nothing }
}

/// The keys of a command that are heard in a place: in the editor, what types a character types it.
fn keys_in(command: &Command, place: Places) -> impl Iterator<Item = Vec<Key>> {
    let sequences = command.keys.iter().filter_map(|k| Key::parse_sequence(k));
    sequences.filter(move |keys| place != EDITOR || keys.first().is_some_and(|k| k.typed().is_none()))
}

/// The first key of a command in a place, as it is shown.
pub fn shown_key(command: &Command, place: Places) -> String {
    keys_in(command, place)
        .next()
        .map_or(String::new(), |keys| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
}

/// What a command is called here: Enter leads to different places, a paused job can be resumed.
fn name_here(app: &App, command: &Command) -> &'static str {
    use crate::notebook::Kind::{Compare, Fairness, Metrics, Slices};
    if command.id == "run.pause" && app.jobs.iter().any(|job| job.held) {
        return "resume";
    }
    if command.id != "drill" {
        return command.name;
    }
    match app.doc.cell_at(app.focus) {
        Some(cell) if matches!(cell.kind, Fairness | Metrics | Slices) => "its rows",
        Some(cell) if cell.kind == Compare => "what moved",
        Some(cell) if app.doc.graph().score_ancestor(&cell.name).is_some() => "why",
        _ => "record",
    }
}

/// Going back is no hint where there is nowhere to go.
fn leads_somewhere(app: &App, command: &Command) -> bool {
    command.id != "back" || app.pane != Pane::Outline || !app.crumbs.is_empty()
}

/// The first two keys of a command in a place, as they are shown.
pub fn keys_here(command: &Command, place: Places) -> String {
    let shown = keys_in(command, place).map(|keys| {
        let keys = keys.iter().map(ToString::to_string);
        keys.collect::<Vec<_>>().join(" ")
    });
    shown.take(2).collect::<Vec<_>>().join(", ")
}

/// Key and name of what can be done here, most useful first.
pub fn hints(app: &App) -> Vec<(String, &'static str)> {
    let place = place(app);
    let mut here: Vec<&Command> =
        COMMANDS.iter().filter(|c| c.hint > 0 && c.places.contains(place) && (c.available)(app)).collect();
    here.sort_by_key(|c| c.hint);
    here.retain(|c| leads_somewhere(app, c));
    here.into_iter().map(|c| (shown_key(c, place), name_here(app, c))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_written_right_and_means_one_thing_in_a_place() {
        for place in [OUTLINE, RESULT, DETAIL, EDITOR] {
            let mut seen: Vec<(Vec<Key>, &str)> = Vec::new();
            for command in COMMANDS.iter().filter(|c| c.places.contains(place)) {
                assert!(command.keys.iter().all(|k| Key::parse_sequence(k).is_some()), "{}", command.id);
                for keys in keys_in(command, place) {
                    for (other, id) in &seen {
                        assert!(
                            !other.starts_with(&keys) && !keys.starts_with(other),
                            "{keys:?} means {id} and {} in {}",
                            command.id,
                            place.names()
                        );
                    }
                    seen.push((keys, command.id));
                }
            }
        }
    }

    #[test]
    fn commands_describe_themselves() {
        for (index, command) in COMMANDS.iter().enumerate() {
            assert!(command.doc.ends_with('.') && command.doc.len() > 10, "{}", command.id);
            assert!(!command.name.is_empty() && command.name.len() < 16, "{}", command.id);
            assert!(COMMANDS[..index].iter().all(|c| c.id != command.id), "{} twice", command.id);
        }
    }

    #[test]
    fn running_a_cell_has_the_keys_that_every_terminal_sends() {
        let run = by_id("run.cell").unwrap();
        for key in ["ctrl-r", "f5", "alt-enter"] {
            assert!(run.keys.contains(&key));
            assert!(run.places.contains(EDITOR));
        }
    }
}
