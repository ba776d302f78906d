//! What the detail pane is about: words, a record, a fault, a cell's source. Chosen here, drawn in
//! `ui`, so that keys and screen agree.

use super::run_state::{CellRun, RunState};
use super::{App, Mode, Pane};
use crate::notebook::Kind;
use crate::protocol::{Body, Explanation, Problem, TrainReport};

#[derive(Debug, Clone, PartialEq)]
pub enum Content<'a> {
    /// The block is being written.
    Editor,
    Explanation {
        explanation: &'a Explanation,
        number: usize,
        of: usize,
    },
    Train(&'a TrainReport),
    /// Name and value of every column of the row in focus.
    Record {
        row: u64,
        fields: Vec<(String, String)>,
    },
    /// Why the cell failed, and its text.
    Fault {
        problem: &'a Problem,
        kind: Kind,
        body: &'a str,
    },
    Source {
        kind: Kind,
        body: &'a str,
    },
    Prose(&'a str),
    Empty,
}

pub fn content(app: &App) -> Content<'_> {
    if matches!(app.mode, Mode::Edit(_)) {
        return Content::Editor;
    }
    let Some(block) = app.doc.blocks().get(app.focus) else { return Content::Empty };
    let Some(cell) = block.cell() else { return Content::Prose(&block.text) };
    let source = Content::Source { kind: cell.kind, body: &cell.body };
    let Some(run) = app.run(&cell.name) else { return source };
    if let RunState::Failed(problem) = &run.state {
        return Content::Fault { problem, kind: cell.kind, body: &cell.body };
    }
    let all = explanations(run);
    if let Some(explanation) = all.get(run.shown.min(all.len().saturating_sub(1))) {
        return Content::Explanation { explanation, number: run.shown + 1, of: all.len() };
    }
    if let Some(Body::Train(report)) = run.outcome.as_ref().map(|o| &o.body) {
        return Content::Train(report);
    }
    if app.pane == Pane::Outline {
        return source;
    }
    match fields(run) {
        fields if fields.is_empty() => source,
        fields => Content::Record { row: run.grid.row, fields },
    }
}

pub fn explanations(run: &CellRun) -> &[Explanation] {
    match run.outcome.as_ref().map(|o| &o.body) {
        Some(Body::Explain(all)) => all,
        _ => &[],
    }
}

/// The record that the detail pane shows.
pub fn record(app: &App) -> Vec<(String, String)> {
    match content(app) {
        Content::Explanation { explanation, .. } => {
            let null = || "NULL".to_owned();
            explanation.record.iter().map(|(n, v)| (n.clone(), v.clone().unwrap_or_else(null))).collect()
        }
        Content::Record { fields, .. } => fields,
        _ => Vec::new(),
    }
}

fn fields(run: &CellRun) -> Vec<(String, String)> {
    let Some(table) = &run.table else { return Vec::new() };
    let value = |(at, column): (usize, &crate::protocol::Column)| {
        Some((column.name.clone(), table.value(run.grid.row, at)?.shown()))
    };
    table.columns.iter().enumerate().filter_map(value).collect()
}

/// About how many lines the pane would need; scrolling ends there.
pub fn height(app: &App) -> usize {
    let width = super::layout::areas(app).detail.map_or(80, |a| usize::from(a.width.max(20)) - 4);
    let lines = |text: &str| text.lines().map(|l| l.chars().count() * 2 / width + 1).sum::<usize>();
    let record = |fields: &[(String, String)]| {
        fields.iter().map(|(_, v)| (v.chars().count() * 2 / width + 1).min(12)).sum::<usize>()
    };
    match content(app) {
        Content::Editor | Content::Empty => 0,
        Content::Explanation { explanation: e, .. } => {
            e.words.len() * 16 / width * 2 + 8 + record(&self::record(app))
        }
        Content::Train(report) => report.epochs.len() + 6,
        Content::Record { fields, .. } => record(&fields) + 1,
        Content::Fault { problem, body, .. } => lines(&problem.message) + 4 + lines(body),
        Content::Source { body, .. } => lines(body) + 8,
        Content::Prose(text) => app.doc.long_rows(app.focus).map_or_else(|| lines(text), |rows| rows.count),
    }
}
