//! COMMANDS: the one table of what can be done. It drives the keymap, the hints at the bottom, the
//! `?` help, the `:` palette and `recscope docs keys`. A new verb is a row here and a file in
//! `update/`.

use super::keys::Key;
use super::update::verbs as v;
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

fn always(_: &App) -> bool {
    true
}

fn on_cell(app: &App) -> bool {
    app.focused_cell().is_some()
}

fn has_rows(app: &App) -> bool {
    app.focused_run().and_then(|r| r.table.as_ref()).is_some_and(|t| t.rows() > 0)
}

fn running(app: &App) -> bool {
    app.is_running()
}

fn recoverable(app: &App) -> bool {
    app.has_recovered()
}

macro_rules! command {
    ($id:literal, $name:literal, [$($key:literal),*], $places:expr, $hint:literal, $when:expr, $run:expr, $doc:literal) => {
        Command { id: $id, name: $name, doc: $doc, keys: &[$($key),*], places: $places, hint: $hint, available: $when, run: $run }
    };
}

/// In the order of the help: within a family, what is used most comes first.
pub const COMMANDS: &[Command] = &[
    // Running
    command!(
        "run.cell",
        "run",
        ["r", "ctrl-r", "f5", "alt-enter"],
        PANES.and(EDITOR),
        2,
        on_cell,
        v::run::cell,
        "Run the cell in focus, and first what it reads where that is missing or stale."
    ),
    command!(
        "run.all",
        "run all",
        ["R"],
        PANES,
        6,
        always,
        v::run::all,
        "Run every cell; unchanged ones come from the cache."
    ),
    command!(
        "run.below",
        "run from here",
        ["b"],
        PANES,
        0,
        on_cell,
        v::run::below,
        "Run the cell in focus and every cell below it."
    ),
    command!(
        "run.stale",
        "run stale",
        ["."],
        PANES,
        0,
        always,
        v::run::stale,
        "Run what is stale or has not run."
    ),
    command!(
        "run.cancel",
        "stop",
        ["ctrl-c"],
        EVERYWHERE,
        1,
        running,
        v::cancel::cancel,
        "Stop what runs. Partial scores are kept and marked. Never quits while something runs."
    ),
    // The path
    command!(
        "open",
        "open",
        ["enter"],
        OUTLINE,
        1,
        always,
        v::open::block,
        "Show the cell's result, or edit it where there is none yet; edit prose."
    ),
    command!(
        "drill",
        "rows / why",
        ["enter"],
        RESULT,
        1,
        has_rows,
        v::drill::enter,
        "Follow the row: a slice or metric to its rows, a scored row to the words that moved its score."
    ),
    command!(
        "back",
        "back",
        ["esc", "backspace"],
        PANES,
        7,
        always,
        v::back::back,
        "Back to where you came from."
    ),
    command!(
        "score",
        "score",
        ["s"],
        RESULT,
        3,
        has_rows,
        v::score::score,
        "Score the marked rows (or the row in focus) with a model of your choice, as a cell."
    ),
    command!(
        "explain",
        "explain",
        ["e"],
        RESULT,
        4,
        has_rows,
        v::explain::explain,
        "Which words moved this row's score, as a cell."
    ),
    command!(
        "mark",
        "mark",
        ["space"],
        RESULT,
        2,
        has_rows,
        v::mark::toggle,
        "Mark the row, or take the mark off, and go to the next."
    ),
    command!(
        "mark.range",
        "mark range",
        ["v"],
        RESULT,
        0,
        has_rows,
        v::mark::range,
        "Begin a range of marks; again ends it."
    ),
    command!("mark.none", "unmark all", ["V"], RESULT, 0, has_rows, v::mark::none, "Take every mark off."),
    command!(
        "sort",
        "sort",
        ["o"],
        RESULT,
        6,
        has_rows,
        v::sort::cycle,
        "Sort by the column: descending, ascending, as it was."
    ),
    command!(
        "find",
        "find",
        ["/"],
        RESULT,
        5,
        always,
        v::find::ask,
        "Show only rows that contain these words; an empty answer shows all again."
    ),
    command!(
        "go.row",
        "go to row",
        ["ctrl-g"],
        RESULT,
        0,
        has_rows,
        v::rows::ask,
        "Go to a row by its number."
    ),
    command!(
        "copy",
        "copy",
        ["y"],
        RESULT.and(DETAIL),
        0,
        always,
        v::copy::value,
        "Copy the value in focus; in the detail pane, the whole record. Says which way it went."
    ),
    command!(
        "copy.row",
        "copy row",
        ["Y"],
        RESULT,
        0,
        has_rows,
        v::copy::row,
        "Copy the row as tab-separated values."
    ),
    // Writing
    command!(
        "edit",
        "edit",
        ["e", "i"],
        OUTLINE,
        3,
        always,
        v::edit::begin,
        "Edit the cell or prose in place."
    ),
    command!(
        "edit.detail",
        "edit",
        ["i"],
        RESULT.and(DETAIL),
        0,
        always,
        v::edit::begin,
        "Edit the cell in focus."
    ),
    command!(
        "edit.done",
        "done",
        ["esc"],
        EDITOR,
        1,
        always,
        v::edit::finish,
        "Leave the editor; what was written stays."
    ),
    command!(
        "edit.complete",
        "complete",
        ["tab"],
        EDITOR,
        3,
        always,
        v::complete::ask,
        "Complete the word: tables, columns, keys and values."
    ),
    command!("edit.undo", "undo", ["alt-u"], EDITOR, 4, always, v::edit::undo, "Undo inside the editor."),
    command!("edit.redo", "redo", ["ctrl-y"], EDITOR, 0, always, v::edit::redo, "Redo inside the editor."),
    command!(
        "cell.add",
        "add",
        ["a"],
        OUTLINE,
        4,
        always,
        v::cells::ask_kind,
        "Add a cell or prose below the one in focus."
    ),
    command!(
        "cell.delete",
        "delete",
        ["d d"],
        OUTLINE,
        0,
        always,
        v::cells::delete,
        "Delete the block in focus; `u` brings it back."
    ),
    command!("cell.rename", "rename", ["n"], OUTLINE, 0, on_cell, v::cells::ask_name, "Rename the cell."),
    command!(
        "cell.down",
        "move down",
        ["J", "alt-down"],
        OUTLINE,
        0,
        always,
        v::cells::down,
        "Move the block below the next one."
    ),
    command!(
        "cell.up",
        "move up",
        ["K", "alt-up"],
        OUTLINE,
        0,
        always,
        v::cells::up,
        "Move the block above the one before."
    ),
    command!("undo", "undo", ["u"], PANES, 0, always, v::undo::undo, "Undo the last change of the notebook."),
    command!("redo", "redo", ["ctrl-y", "U"], PANES, 0, always, v::undo::redo, "Redo what was undone."),
    command!(
        "save",
        "save",
        ["ctrl-s"],
        EVERYWHERE,
        0,
        always,
        v::save::save,
        "Save the notebook; what was not touched stays byte for byte."
    ),
    command!("save.as", "save as", [], PANES, 0, always, v::save::ask_path, "Save under another name."),
    command!(
        "recover",
        "recover",
        [],
        PANES,
        0,
        recoverable,
        v::save::recover,
        "Take over the unsaved text of an earlier session; `u` goes back."
    ),
    // Moving
    command!("up", "up", ["up", "k"], PANES, 0, always, v::go::up, "One line up."),
    command!("down", "down", ["down", "j"], PANES, 0, always, v::go::down, "One line down."),
    command!("page.up", "page up", ["pageup", "ctrl-u"], PANES, 0, always, v::go::page_up, "One page up."),
    command!(
        "page.down",
        "page down",
        ["pagedown", "ctrl-d"],
        PANES,
        0,
        always,
        v::go::page_down,
        "One page down."
    ),
    command!("first", "first", ["g", "home"], PANES, 0, always, v::go::first, "To the first line."),
    command!("last", "last", ["G", "end"], PANES, 0, always, v::go::last, "To the last line."),
    command!(
        "left",
        "column left",
        ["left", "h"],
        RESULT.and(DETAIL),
        0,
        always,
        v::go::left,
        "One column left; in the detail pane, the explanation before."
    ),
    command!(
        "right",
        "column right",
        ["right", "l"],
        RESULT.and(DETAIL),
        0,
        always,
        v::go::right,
        "One column right; in the detail pane, the next explanation."
    ),
    command!("pane.next", "pane", ["tab"], PANES, 7, always, v::go::next_pane, "To the next pane."),
    command!(
        "pane.back",
        "pane back",
        ["backtab"],
        PANES,
        0,
        always,
        v::go::pane_before,
        "To the pane before."
    ),
    // The rest
    command!(
        "palette",
        "command",
        [":"],
        PANES,
        8,
        always,
        v::palette::open,
        "Every command by a few of its letters."
    ),
    command!("help", "help", ["?", "f1"], PANES, 9, always, v::help::open, "Every key and what it does."),
    command!(
        "repaint",
        "repaint",
        ["ctrl-l"],
        EVERYWHERE,
        0,
        always,
        v::quit::repaint,
        "Draw the screen again."
    ),
    command!(
        "suspend",
        "suspend",
        ["ctrl-z"],
        EVERYWHERE,
        0,
        always,
        v::quit::suspend,
        "Back to the shell; `fg` returns. Jobs go on."
    ),
    command!(
        "engine.restart",
        "restart engine",
        [],
        PANES,
        0,
        always,
        v::engine::restart,
        "End the engine and start a new one; finished results come back from the cache."
    ),
    command!(
        "quit",
        "quit",
        ["q", "ctrl-q"],
        PANES,
        10,
        always,
        v::quit::ask,
        "Leave; asks where something is unsaved or runs."
    ),
];

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
        for keys in command.keys.iter().filter_map(|k| Key::parse_sequence(k)) {
            if keys == typed {
                return Found::Command(command);
            }
            prefix |= keys.starts_with(typed);
        }
    }
    if prefix { Found::Prefix } else { Found::Nothing }
}

/// The first key of a command as it is shown.
pub fn shown_key(command: &Command) -> String {
    command.keys.first().map_or(String::new(), |k| shown_keys(k))
}

fn shown_keys(keys: &str) -> String {
    let keys = Key::parse_sequence(keys).unwrap_or_default();
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Every key of a command as shown.
pub fn all_keys(command: &Command) -> String {
    command.keys.iter().map(|k| shown_keys(k)).collect::<Vec<_>>().join(", ")
}

/// Key and name of what can be done here, most useful first.
pub fn hints(app: &App) -> Vec<(String, &'static str)> {
    let place = place(app);
    let mut here: Vec<&Command> =
        COMMANDS.iter().filter(|c| c.hint > 0 && c.places.contains(place) && (c.available)(app)).collect();
    here.sort_by_key(|c| c.hint);
    here.into_iter().map(|c| (shown_key(c), c.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_written_right_and_means_one_thing_in_a_place() {
        for place in [OUTLINE, RESULT, DETAIL, EDITOR] {
            let mut seen: Vec<(Vec<Key>, &str)> = Vec::new();
            for command in COMMANDS.iter().filter(|c| c.places.contains(place)) {
                for text in command.keys {
                    let keys = Key::parse_sequence(text).unwrap_or_else(|| panic!("{}: {text}", command.id));
                    for (other, id) in &seen {
                        assert!(
                            !other.starts_with(&keys) && !keys.starts_with(other),
                            "{text} means {id} and {} in {}",
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
