//! Writing in a block: begin, leave, undo inside.

use super::{run, sessions};
use crate::screen::app::{App, Edit, Editor, Effect, Mode, Pane, RunState, Tone};

pub fn begin(app: &mut App, _: &mut Vec<Effect>) {
    if !sessions::may_write(app) {
        return;
    }
    let block = app.focus;
    let mut editor = Editor::new(&app.doc.editable(block));
    // Straight to where the last run or the parser found a fault.
    if let Some(cell) = app.doc.cell_at(block) {
        let failed = match app.run(&cell.name).map(|r| &r.state) {
            Some(RunState::Failed(problem)) => problem.line.map(|l| (l, problem.column.unwrap_or(1))),
            _ => None,
        };
        let wrong = app.doc.diagnostics().iter().find(|d| d.cell.as_deref() == Some(cell.name.as_str()));
        let wrong = wrong.and_then(|d| d.cell_line.map(|l| (l, d.column)));
        if let Some((line, column)) = failed.or(wrong) {
            editor.go_to(line, column);
        }
    }
    app.mode = Mode::Edit(Box::new(Edit { block, editor, completions: None, asked: 0 }));
    app.detail_scroll = 0;
}

/// Takes what was written into the notebook and goes on editing.
pub fn commit(app: &mut App, effects: &mut Vec<Effect>) {
    let Mode::Edit(edit) = &app.mode else { return };
    let text = app.doc.text_with(edit.block, &edit.editor.text());
    let changed = app.doc.change(text);
    run::changed(app, changed, effects);
    let focus = app.focus;
    if let Mode::Edit(edit) = &mut app.mode {
        // Prose may have been cut into other blocks: stay with what is in focus.
        if edit.block != focus {
            app.mode = Mode::Normal;
        }
    }
}

pub fn finish(app: &mut App, effects: &mut Vec<Effect>) {
    commit(app, effects);
    app.mode = Mode::Normal;
    app.pane = Pane::Outline;
    let here = app.focused_cell();
    let wrong = app.doc.diagnostics().iter().find(|d| here.is_some() && d.cell.as_deref() == here);
    if let Some(wrong) = wrong.map(ToString::to_string) {
        app.say(Tone::Bad, wrong);
    }
}

pub fn undo(app: &mut App, _: &mut Vec<Effect>) {
    if let Mode::Edit(edit) = &mut app.mode
        && !edit.editor.undo()
    {
        app.say(Tone::Info, "nothing more to undo here");
    }
}

pub fn redo(app: &mut App, _: &mut Vec<Effect>) {
    if let Mode::Edit(edit) = &mut app.mode
        && !edit.editor.redo()
    {
        app.say(Tone::Info, "nothing to redo here");
    }
}
