//! The rows of COMMANDS.

use super::super::update::verbs as v;
use super::{Command, DETAIL, EDITOR, EVERYWHERE, OUTLINE, PANES, RESULT};
use crate::notebook::Kind;
use crate::screen::app::App;

fn always(_: &App) -> bool {
    true
}

fn on_cell(app: &App) -> bool {
    app.focused_cell().is_some()
}

fn has_rows(app: &App) -> bool {
    app.focused_run().and_then(|r| r.table.as_ref()).is_some_and(|t| t.rows() > 0)
}

/// Is the row in focus a value that SQL can make?
fn has_value(app: &App) -> bool {
    let kind = app.doc.cell_at(app.focus).map(|cell| cell.kind);
    has_rows(app) && matches!(kind, Some(Kind::Metrics | Kind::Fairness | Kind::Slices))
}

fn holdable(app: &App) -> bool {
    app.holdable().is_some()
}

fn active(app: &App) -> bool {
    app.focused_run().is_some_and(|r| r.is_active())
}

fn running(app: &App) -> bool {
    app.is_running()
}

/// Is there another session, or was there one that this one still watches?
fn shared(app: &App) -> bool {
    app.sessions.watching || !app.sessions.others.is_empty()
}

fn takeable(app: &App) -> bool {
    app.sessions.watching || app.sessions.writer().is_some()
}

fn changed_outside(app: &App) -> bool {
    app.sessions.outside.is_some()
}

macro_rules! command {
    ($id:literal, $name:literal, [$($key:literal),*], $places:expr, $hint:literal, $when:expr, $run:expr, $doc:literal) => {
        Command { id: $id, name: $name, doc: $doc, keys: &[$($key),*], places: $places, hint: $hint, available: $when, run: $run }
    };
}

/// In the order of the help: within a family, what is used most comes first.
// One row, two lines: a table is read across.
#[rustfmt::skip]
pub const COMMANDS: &[Command] = &[
    // Running
    command!("run.cell", "run", ["r", "ctrl-r", "f5", "alt-enter"], PANES.and(EDITOR), 2, on_cell, v::run::cell,
        "Run the cell in focus, and first what it reads where that is missing or stale."),
    command!("run.all", "run all", ["R"], PANES, 7, always, v::run::all,
        "Run every cell; unchanged ones come from the cache."),
    command!("run.below", "run from here", ["b"], PANES, 0, on_cell, v::run::below,
        "Run the cell in focus and every cell below it."),
    command!("run.stale", "run stale", ["."], PANES, 0, always, v::run::stale,
        "Run what is stale or has not run."),
    command!("run.cancel", "stop", ["ctrl-c"], EVERYWHERE, 1, running, v::cancel::cancel,
        "Stop what runs. Partial scores are kept and marked. Never quits while something runs."),
    command!("run.pause", "pause", ["p"], PANES, 2, holdable, v::pause::toggle,
        "Pause the scoring that runs, and go on with it. Paused, it takes no processor; what needs no model and does not read it still runs."),
    command!("run.drop", "stop this", ["x"], PANES, 0, active, v::cancel::focused,
        "Stop only the job of the cell in focus: what runs stops, what waits leaves the queue."),
    // The path
    command!("open", "open", ["enter"], OUTLINE, 1, always, v::open::block,
        "Show the cell's result, or edit it where there is none yet; read prose."),
    command!("drill", "follow", ["enter"], RESULT, 1, has_rows, v::drill::enter,
        "Follow the row: a slice or metric to its rows, a scored row to the words that moved its score."),
    command!("recipe", "as SQL", ["O"], RESULT, 8, has_value, v::recipe::ask,
        "Open the value, gap or slice as an SQL cell that makes it: to see, check or change how it comes about."),
    command!("back", "back", ["esc", "backspace"], PANES, 5, always, v::back::back,
        "Back to where you came from."),
    command!("score", "score", ["s"], RESULT, 3, has_rows, v::score::score,
        "Score the marked rows (or the row in focus) with a model of your choice, as a cell."),
    command!("explain", "explain", ["e"], RESULT, 4, has_rows, v::explain::explain,
        "Which words moved this row's score, as a cell."),
    command!("mark", "mark", ["space"], RESULT, 2, has_rows, v::mark::toggle,
        "Mark the row, or take the mark off, and go to the next."),
    command!("mark.range", "mark range", ["v"], RESULT, 0, has_rows, v::mark::range,
        "Begin a range of marks; again ends it."),
    command!("mark.none", "unmark all", ["V"], RESULT, 0, has_rows, v::mark::none, "Take every mark off."),
    command!("sort", "sort", ["o"], RESULT, 7, has_rows, v::sort::cycle,
        "Sort by the column: descending, ascending, as it was."),
    command!("find", "find", ["/"], RESULT, 5, always, v::find::ask,
        "Show only rows that contain these words; an empty answer shows all again."),
    command!("go.row", "go to row", ["ctrl-g"], RESULT, 0, has_rows, v::rows::ask,
        "Go to a row by its number."),
    command!("copy", "copy", ["y"], RESULT.and(DETAIL), 0, always, v::copy::value,
        "Copy the value in focus; in the detail pane, the whole record. Says which way it went."),
    command!("copy.row", "copy row", ["Y"], RESULT, 0, has_rows, v::copy::row,
        "Copy the row as tab-separated values; a formula gets a ' in front."),
    // Writing
    command!("edit", "edit", ["e", "i"], OUTLINE, 3, always, v::edit::begin,
        "Edit the cell or prose in place."),
    command!("edit.detail", "edit", ["i"], RESULT.and(DETAIL), 0, always, v::edit::begin,
        "Edit the cell in focus."),
    command!("edit.done", "done", ["esc"], EDITOR, 1, always, v::edit::finish,
        "Leave the editor; what was written stays."),
    command!("edit.complete", "complete", ["tab"], EDITOR, 3, always, v::complete::ask,
        "Complete the word: tables, columns, keys and values."),
    command!("edit.undo", "undo", ["alt-u"], EDITOR, 4, always, v::edit::undo, "Undo inside the editor."),
    command!("edit.redo", "redo", ["ctrl-y"], EDITOR, 0, always, v::edit::redo, "Redo inside the editor."),
    command!("cell.add", "add", ["a"], OUTLINE, 4, always, v::cells::ask_kind,
        "Add a cell or prose below the one in focus."),
    command!("cell.delete", "delete", ["d d"], OUTLINE, 0, always, v::cells::delete,
        "Delete the block in focus; `u` brings it back."),
    command!("cell.rename", "rename", ["n"], OUTLINE, 0, on_cell, v::cells::ask_name, "Rename the cell."),
    command!("cell.down", "move down", ["J", "alt-down"], OUTLINE, 0, always, v::cells::down,
        "Move the block below the next one."),
    command!("cell.up", "move up", ["K", "alt-up"], OUTLINE, 0, always, v::cells::up,
        "Move the block above the one before."),
    command!("undo", "undo", ["u"], PANES, 0, always, v::undo::undo, "Undo the last change of the notebook."),
    command!("redo", "redo", ["ctrl-y", "U"], PANES, 0, always, v::undo::redo, "Redo what was undone."),
    command!("save", "save", ["ctrl-s"], EVERYWHERE, 0, always, v::save::save,
        "Save the notebook; what was not touched stays byte for byte."),
    command!("save.as", "save as", [], PANES, 0, always, v::save::ask_path, "Save under another name."),
    command!("recover", "recover", [], PANES, 0, always, v::recover::ask,
        "Show what other sessions left unsaved and how it differs; take it or leave it."),
    command!("recover.discard", "discard", [], PANES, 0, always, v::recover::ask_discard,
        "Discard recovered text: what earlier sessions left unsaved. Asks first."),
    command!("file", "changed file", [], PANES, 0, changed_outside, v::outside::ask,
        "Another program wrote the file: see what differs, keep yours, take theirs."),
    command!("sessions", "sessions", [], PANES, 0, shared, v::sessions::ask,
        "Who else has this notebook open: watch, take over, go on beside."),
    command!("sessions.take", "take over", [], PANES, 0, takeable, v::sessions::take_over,
        "Write here; the session that writes now becomes read only, its unsaved text is kept."),
    // Moving
    command!("up", "up", ["up", "k"], PANES, 0, always, v::go::up, "One line up."),
    command!("down", "down", ["down", "j"], PANES, 0, always, v::go::down, "One line down."),
    command!("page.up", "page up", ["pageup", "ctrl-u"], PANES, 0, always, v::go::page_up, "One page up."),
    command!("page.down", "page down", ["pagedown", "ctrl-d"], PANES, 0, always, v::go::page_down,
        "One page down."),
    command!("first", "first", ["g", "home"], PANES, 0, always, v::go::first, "To the first line."),
    command!("last", "last", ["G", "end"], PANES, 0, always, v::go::last, "To the last line."),
    command!("left", "column left", ["left", "h"], RESULT.and(DETAIL), 0, always, v::go::left,
        "One column left; in the detail pane, the explanation before."),
    command!("right", "column right", ["right", "l"], RESULT.and(DETAIL), 0, always, v::go::right,
        "One column right; in the detail pane, the next explanation."),
    command!("pane.next", "pane", ["tab"], PANES, 9, always, v::go::next_pane, "To the next pane."),
    command!("pane.back", "pane back", ["backtab"], PANES, 0, always, v::go::pane_before,
        "To the pane before."),
    // The rest
    command!("palette", "command", [":"], PANES, 8, always, v::palette::open,
        "Every command by a few of its letters."),
    command!("help", "help", ["?", "f1"], PANES, 6, always, v::help::open, "Every key and what it does."),
    command!("repaint", "repaint", ["ctrl-l"], EVERYWHERE, 0, always, v::quit::repaint,
        "Draw the screen again."),
    command!("suspend", "suspend", ["ctrl-z"], EVERYWHERE, 0, always, v::quit::suspend,
        "Back to the shell; `fg` returns. Jobs go on."),
    command!("trust", "trust", [], PANES, 0, always, v::trust::ask,
        "What this notebook would read and write, and whether it may: run it once within that, or trust it."),
    command!("engine.restart", "restart engine", [], PANES, 0, always, v::engine::restart,
        "End the engine and start a new one; finished results come back from the cache."),
    command!("quit", "quit", ["q", "ctrl-q"], PANES, 10, always, v::quit::ask,
        "Leave; asks where something is unsaved or runs."),
];
