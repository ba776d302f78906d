//! Completion in the editor.

use crate::notebook::complete::Known;
use crate::protocol::Request;
use crate::screen::app::{App, Code, Completions, Effect, EngineState, Key, Mode, Tone};

/// Choices kept; more than fit on any screen help nobody.
const MOST: usize = 50;

pub fn ask(app: &mut App, effects: &mut Vec<Effect>) {
    let seq = app.next_seq();
    let Mode::Edit(edit) = &mut app.mode else { return };
    let block = edit.block;
    let before = edit.editor.lines().get(edit.editor.cursor().line).map_or("", String::as_str);
    let before = before.get(..edit.editor.cursor().byte).unwrap_or_default();
    if before.trim().is_empty() {
        edit.editor.insert("  ");
        return;
    }
    let (text, cursor) = (edit.editor.text(), edit.editor.offset());
    edit.asked = seq;
    match app.doc.cell_at(block) {
        Some(cell) if cell.kind.is_sql() => {
            if !matches!(app.engine, EngineState::Ready { .. }) {
                return app.say(Tone::Info, "completion needs the engine, which is not there yet");
            }
            effects.push(Effect::Send(Request::Complete { seq, sql: text, cursor }));
        }
        Some(_) => {
            let (from, items) = app.doc.complete(block, &text, cursor, &known(app));
            offer(app, seq, from, items);
        }
        None => app.say(Tone::Info, "there is nothing to complete in prose"),
    }
}

/// Names that the screen has seen.
fn known(app: &App) -> Known {
    let notebook = app.doc.notebook();
    let mut columns: Vec<String> = app
        .runs
        .values()
        .filter_map(|r| r.table.as_ref())
        .flat_map(|t| t.columns.iter().map(|c| c.name.clone()))
        .collect();
    columns.sort();
    columns.dedup();
    let cells = notebook.cells().map(|c| c.name.clone());
    Known {
        relations: cells.chain(notebook.front().sources.iter().map(|s| s.name.clone())).collect(),
        columns,
        models: app.models.iter().map(|m| m.path.clone()).collect(),
        params: notebook.front().params.iter().map(|(name, _)| name.clone()).collect(),
        metrics: app.metrics.clone(),
    }
}

pub fn offer(app: &mut App, seq: u64, from: usize, mut items: Vec<String>) {
    let Mode::Edit(edit) = &mut app.mode else { return };
    if edit.asked != seq || from > edit.editor.offset() {
        return;
    }
    items.truncate(MOST);
    app.redraw = true;
    match items.as_slice() {
        [] => app.say(Tone::Info, "no completion"),
        [only] => edit.editor.replace_before(from, only),
        _ => edit.completions = Some(Completions { from, items, selected: 0 }),
    }
}

/// Keys while choices are offered; `true` when the key was for them.
pub fn key(app: &mut App, key: Key) -> bool {
    let Mode::Edit(edit) = &mut app.mode else { return false };
    let Some(offered) = &mut edit.completions else { return false };
    let count = offered.items.len().max(1);
    match key.code {
        Code::Down | Code::Tab => offered.selected = (offered.selected + 1) % count,
        Code::Up | Code::BackTab => offered.selected = (offered.selected + count - 1) % count,
        Code::Enter => {
            if let Some(item) = offered.items.get(offered.selected) {
                edit.editor.replace_before(offered.from, item);
            }
            edit.completions = None;
        }
        Code::Esc => edit.completions = None,
        _ => {
            edit.completions = None;
            return false;
        }
    }
    true
}
