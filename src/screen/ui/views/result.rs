//! The result pane: the rows of the cell in focus, with what must be said about them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Widget;

use super::{Look, has_keys, pane_box};
use crate::protocol::{Body, CheckOutcome, Outcome, Progress as Done, RowCount};
use crate::screen::app::grid::row_key;
use crate::screen::app::layout;
use crate::screen::app::table::Table;
use crate::screen::app::{App, CellRun, EngineState, Pane, RunState};
use crate::screen::ui::theme::Role;
use crate::screen::ui::widgets::grid::{Grid, GridBanner, GridPage, GridView, plan};
use crate::screen::ui::widgets::progress::Progress;
use crate::screen::ui::widgets::text;
use crate::util::figures;

const NOT_TRUSTED: &str = "not run: the notebook is not trusted (`:trust` says what it would read)";

pub fn draw(app: &App, look: &Look, area: Rect, buf: &mut Buffer) {
    let cell = app.doc.cell_at(app.focus);
    let run = app.focused_run();
    let title = match (cell, run) {
        (Some(cell), Some(run)) => title(&format!("{} · {}", cell.name, cell.kind), run),
        (Some(cell), None) => format!("{} · {}", cell.name, cell.kind),
        (None, _) => "result".into(),
    };
    let inner = pane_box(app, look, Pane::Result, &title, area, buf);
    let Some(run) = run.filter(|_| cell.is_some()) else {
        let words = match cell {
            None => "prose has no result",
            Some(_) if app.engine == EngineState::Off => NOT_TRUSTED,
            Some(_) => "not run yet: `r` runs it, `R` runs everything",
        };
        return say(look, inner, words, Role::Muted, buf);
    };
    match &run.table {
        Some(table) if !table.columns.is_empty() => rows(app, look, run, table, inner, buf),
        _ => without_rows(app, look, run, inner, buf),
    }
}

fn title(name: &str, run: &CellRun) -> String {
    let Some(table) = &run.table else { return name.to_owned() };
    let count = match table.total {
        RowCount::Exact(1) => "1 row".to_owned(),
        RowCount::Exact(n) => format!("{} rows", figures::thousands(n.into())),
        RowCount::AtLeast(n) => format!("at least {} rows", figures::thousands(n.into())),
    };
    let find = run.grid.find.as_ref().map(|f| format!(" with “{f}”")).unwrap_or_default();
    let marks = match run.grid.marks.len() {
        0 => String::new(),
        n => format!(" · {n} marked"),
    };
    format!("{name} · {count}{find}{marks}")
}

fn say(look: &Look, area: Rect, words: &str, role: Role, buf: &mut Buffer) {
    let lines = text::wrap(words, usize::from(area.width.saturating_sub(2)), usize::from(area.height));
    for (line, words) in lines.iter().enumerate() {
        if let Some(y) = text::row(area, line) {
            text::put(buf, area.x + 1, y, area.width.saturating_sub(1), words, look.theme.style(role));
        }
    }
}

fn without_rows(app: &App, look: &Look, run: &CellRun, area: Rect, buf: &mut Buffer) {
    match &run.state {
        RunState::Running(done) => progress(look, done, &done.phase, area, buf),
        RunState::Paused(done) => {
            progress(look, done, "paused", area, buf);
            let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
            say(look, below, "`p` goes on; Ctrl-C stops it and keeps what is scored", Role::Muted, buf);
        }
        RunState::Queued if matches!(app.engine, EngineState::Starting) => {
            say(look, area, "waits for the engine to start", Role::Muted, buf);
        }
        RunState::Queued => say(look, area, &turn(app), Role::Muted, buf),
        RunState::Failed(problem) => {
            let hint = problem.hint.as_ref().map(|h| format!("\n\n{h}")).unwrap_or_default();
            let place = problem.line.map(|line| format!("line {line}: ")).unwrap_or_default();
            say(look, area, &format!("{place}{}{hint}", problem.message), Role::Failed, buf);
        }
        RunState::Cancelled => say(look, area, "stopped before there were rows", Role::Warning, buf),
        RunState::Skipped(because) => {
            say(look, area, &format!("not run, because {because} failed or was stopped"), Role::Muted, buf);
        }
        RunState::Idle if app.engine == EngineState::Off => {
            say(look, area, NOT_TRUSTED, Role::Muted, buf);
        }
        RunState::Idle => {
            let why = run.outdated.as_ref().map_or_else(|| "not run yet".into(), ToString::to_string);
            say(look, area, &format!("{why}: `r` runs it"), Role::Muted, buf);
        }
        RunState::Done => match &run.outcome {
            Some(outcome) => notes(look, outcome, area, buf),
            None => say(look, area, "done", Role::Muted, buf),
        },
    }
}

/// When the cell in focus will run, and after which.
fn turn(app: &App) -> String {
    let place = app.focused_cell().and_then(|cell| app.place_in_queue(cell));
    let before = place.and_then(|place| app.queue().nth(place.checked_sub(2)?));
    match (place.map(figures::ordinal), before) {
        (Some(place), Some(before)) => format!("waits for its turn: {place} in the queue, after {before}"),
        (Some(place), None) => format!("waits for its turn: {place} in the queue"),
        (None, _) => "waits for its turn".into(),
    }
}

fn progress(look: &Look, done: &Done, phase: &str, area: Rect, buf: &mut Buffer) {
    let line =
        Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: area.height.min(1), ..area };
    Progress { phase, progress: done, theme: &look.theme }.render(line, buf);
}

fn rows(app: &App, look: &Look, run: &CellRun, table: &Table, inner: Rect, buf: &mut Buffer) {
    let shape = layout::grid_shape(app);
    let area = Rect { height: shape.height.min(inner.height), ..inner };
    let batches: Vec<_> = table.batches().collect();
    let pages: Vec<GridPage<'_>> =
        batches.iter().map(|(offset, batch)| GridPage { offset: *offset, batch }).collect();
    if let Some(problem) = &table.problem {
        let hint = problem.hint.as_ref().map(|h| format!("\n{h}")).unwrap_or_default();
        say(look, area, &format!("the rows cannot be shown: {}{hint}", problem.message), Role::Failed, buf);
    } else if let Some(page) = pages.first() {
        grid(app, look, run, table, page.batch.schema_ref(), &pages, area, buf);
    } else if table.rows() == 0 {
        let words = if run.grid.find.is_some() { "no row contains this" } else { "0 rows" };
        say(look, area, words, Role::Muted, buf);
    } else {
        say(look, area, "…", Role::Muted, buf);
    }
    let below = Rect { y: area.bottom(), height: inner.height - area.height, ..inner };
    if let Some(outcome) = &run.outcome {
        notes(look, outcome, below, buf);
    }
}

#[allow(clippy::too_many_arguments, reason = "one call, every part of the picture")]
fn grid(
    app: &App,
    look: &Look,
    run: &CellRun,
    table: &Table,
    schema: &arrow::datatypes::Schema,
    pages: &[GridPage<'_>],
    area: Rect,
    buf: &mut Buffer,
) {
    let shape = layout::grid_shape(app);
    let note = |at: usize| table.columns.get(at).map_or_else(String::new, column_note);
    let shown = table.shown_columns();
    let place = |source: usize| shown.iter().position(|s| *s == source);
    let mut columns: Vec<_> =
        plan(schema, true, &note).into_iter().filter(|c| place(c.source).is_some()).collect();
    columns.sort_by_key(|c| place(c.source));
    let displayed = |source: usize| columns.iter().position(|c| c.source == source);
    let sort = run.grid.sort.as_ref().and_then(|(name, d)| Some((displayed(table.column(name)?)?, *d)));
    let between = |row: u64| {
        run.grid.anchor.is_some_and(|a| (a.min(run.grid.row)..=a.max(run.grid.row)).contains(&row))
    };
    let marked = |row: u64| between(row) || (!run.grid.marks.is_empty() && is_marked(run, table, row));
    let banner = banner(run, area.width);
    Grid {
        columns: &columns,
        pages,
        total: table.rows(),
        view: GridView {
            top: run.grid.top,
            left: 0,
            row: Some(run.grid.row),
            col: displayed(run.grid.column_of(table)),
        },
        marked: &marked,
        sort,
        banner: banner.as_ref().map(|(words, stale)| match stale {
            true => GridBanner::Stale(words),
            false => GridBanner::Partial(words),
        }),
        show_notes: shape.types,
        row_numbers: table.rows() > 1,
        frozen: 0,
        focused: has_keys(app, Pane::Result),
        theme: &look.theme,
    }
    .render(area, buf);
}

fn is_marked(run: &CellRun, table: &Table, row: u64) -> bool {
    row_key(table, row).is_some_and(|key| run.grid.marks.iter().any(|m| m.key == key))
}

fn column_note(column: &crate::protocol::Column) -> String {
    match &column.role {
        Some(role) if column.guessed => format!("{role}?"),
        Some(role) => role.clone(),
        None => String::new(),
    }
}

/// Why these rows are not the last word, and whether that is because they are old.
fn banner(run: &CellRun, width: u16) -> Option<(String, bool)> {
    if !layout::needs_banner(run) {
        return None;
    }
    // What stands before it: the banner's own word and this one.
    let with = |before: &str, progress: &Done| {
        let taken = "partial:  ".len() + before.len();
        let room = usize::from(width).saturating_sub(taken);
        format!("{before}{}", progress.words(room, |words| text::width(words, usize::from(u16::MAX))))
    };
    Some(match &run.state {
        RunState::Running(p) if run.is_partial() => (with("", p), false),
        RunState::Running(p) => (with("running again · ", p), true),
        RunState::Paused(p) if run.is_partial() => (with("paused · ", p), false),
        RunState::Paused(p) => (with("paused · ", p), true),
        RunState::Queued if run.is_partial() => ("what it reads is still running".into(), false),
        RunState::Queued => ("waits to run again".into(), true),
        RunState::Cancelled if run.is_partial() => ("stopped; these rows were finished".into(), false),
        RunState::Cancelled => ("the last run was stopped".into(), true),
        RunState::Failed(problem) if run.is_partial() => {
            (format!("{}; these rows were finished", problem.message), false)
        }
        RunState::Failed(problem) => (format!("the last run failed: {}", problem.message), true),
        RunState::Skipped(because) => (format!("{because} failed or was stopped"), true),
        _ if run.is_partial() => ("rows are missing".into(), false),
        _ => match &run.outdated {
            Some(why) => (format!("{why}; `r` runs it"), true),
            None => ("its text or something above it changed; `r` runs it".into(), true),
        },
    })
}

/// Checks, the summary of a scoring, and sentences that a reader must see.
fn notes(look: &Look, outcome: &Outcome, area: Rect, buf: &mut Buffer) {
    let mut lines: Vec<(String, Role)> = outcome.checks.iter().map(check).collect();
    if let Body::Score(s) = &outcome.body {
        let mut words = vec![
            s.model.clone(),
            format!("{} {}", s.device, s.dtype),
            format!(
                "{} rows, {} different",
                figures::thousands(s.rows.into()),
                figures::thousands(s.unique_inputs.into())
            ),
        ];
        if s.cached_inputs > 0 {
            words.push(format!("{} from the cache", figures::thousands(s.cached_inputs.into())));
        }
        if s.tokens > 0 || s.cached_inputs == 0 {
            words.push(format!("{} tokens/s", figures::thousands(s.tokens_per_second.round() as i128)));
        }
        for (count, what) in [(s.truncated, "cut"), (s.empty, "empty"), (s.nan, "NaN")] {
            if count > 0 {
                words.push(format!("{} {what}", figures::thousands(count.into())));
            }
        }
        lines.push((words.join(" · "), Role::Muted));
    }
    lines.extend(outcome.notes.iter().map(|n| (n.clone(), Role::Muted)));
    let columns = usize::from(area.width.saturating_sub(1));
    // What does not fit into its line goes on in the next, as far as there are lines to spare.
    let mut spare = usize::from(area.height).saturating_sub(lines.len());
    let mut at = 0;
    for (index, (words, role)) in lines.iter().enumerate() {
        let hidden = lines.len() - index - 1;
        let last = at + 1 >= usize::from(area.height);
        let more = if hidden > 0 && last { format!(" (+{hidden} more)") } else { String::new() };
        let parts = text::wrap(&format!("{words}{more}"), columns, 1 + spare);
        spare -= parts.len().saturating_sub(1);
        for part in parts {
            let Some(y) = text::row(area, at) else { return };
            text::put_cut(buf, area.x + 1, y, area.width.saturating_sub(1), &part, look.theme.style(*role));
            at += 1;
        }
    }
}

fn check(check: &CheckOutcome) -> (String, Role) {
    let value = check.value.map(|v| format!(" — it is {}", figures::number(v))).unwrap_or_default();
    let reason = check.reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default();
    match check.ok {
        Some(true) => (format!("✓ {}{value}", check.text), Role::Ok),
        Some(false) => (format!("✗ {}{value}{reason}", check.text), Role::Failed),
        None => (format!("✗ {} — n/a{reason}", check.text), Role::Failed),
    }
}
