//! Running cells: what is needed, in which order, as one job.

use std::collections::HashSet;

use crate::protocol::Request;
use crate::screen::app::run_state::RunState;
use crate::screen::app::{App, Effect, EngineState, Job, Mode, Tone};

pub fn cell(app: &mut App, effects: &mut Vec<Effect>) {
    if matches!(app.mode, Mode::Edit(_)) {
        super::edit::commit(app, effects);
    }
    let Some(name) = app.focused_cell().map(str::to_owned) else {
        return app.say(Tone::Info, "this is prose; there is nothing to run");
    };
    with_ancestors(app, &[name], effects);
}

pub fn all(app: &mut App, effects: &mut Vec<Effect>) {
    let cells = app.doc.run_order();
    start(app, cells, effects);
}

pub fn below(app: &mut App, effects: &mut Vec<Effect>) {
    let from = app.focus;
    let cells: Vec<String> =
        app.doc.notebook().cells().filter(|c| c.block >= from).map(|c| c.name.clone()).collect();
    with_ancestors(app, &cells, effects);
}

pub fn stale(app: &mut App, effects: &mut Vec<Effect>) {
    let fresh = |c: &String| app.run(c).is_some_and(|r| r.is_fresh());
    let cells: Vec<String> = app.doc.run_order().into_iter().filter(|c| !fresh(c)).collect();
    if cells.is_empty() {
        return app.say(Tone::Good, "everything is up to date");
    }
    start(app, cells, effects);
}

/// Runs these cells, and first whatever they read that is missing, stale or partial. What is cheap
/// below them and was run before follows, so that no table stays behind the rows it is made of.
pub fn with_ancestors(app: &mut App, cells: &[String], effects: &mut Vec<Effect>) {
    let names: Vec<&str> = cells.iter().map(String::as_str).collect();
    let mut wanted: HashSet<String> = cells.iter().cloned().collect();
    for above in app.doc.graph().order_for(&names) {
        if !app.run(&above).is_some_and(|r| r.is_fresh() || r.is_active()) {
            wanted.insert(above);
        }
    }
    if app.auto_run {
        let below = app.doc.with_descendants(wanted.iter().map(String::as_str));
        let followers = cheap_again(app, |c| below.contains(c) && !wanted.contains(c), &wanted);
        wanted.extend(followers);
    }
    let order = app.doc.run_order();
    let ordered = order.into_iter().filter(|c| wanted.contains(c)).collect();
    start(app, ordered, effects);
}

/// Asks the engine for one job. Cells that already wait or run are left out.
pub fn start(app: &mut App, cells: Vec<String>, effects: &mut Vec<Effect>) {
    if app.engine == EngineState::Off {
        return super::trust::refuse(app, effects);
    }
    if cells.is_empty() {
        let broken = app.doc.diagnostics().iter().filter(|fault| fault.cell.is_none() && fault.is_error());
        return match broken.count() {
            0 => app.say(Tone::Info, "there is no cell to run; `a` adds one"),
            n => app
                .say(Tone::Bad, format!("there is no cell to run: {n} faults are marked ! in the notebook")),
        };
    }
    let active = |c: &String| app.run(c).is_some_and(|r| r.is_active());
    let cells: Vec<String> = cells.into_iter().filter(|c| !active(c)).collect();
    if cells.is_empty() {
        return app.say(Tone::Info, "already running; Ctrl-C stops it");
    }
    for cell in &cells {
        app.runs.entry(cell.clone()).or_default().state = RunState::Queued;
    }
    app.last_job += 1;
    let job =
        Job { id: app.last_job, cells: cells.clone(), cancelled_ms: None, acknowledged: false, held: false };
    app.jobs.push(job);
    app.redraw = true;
    if let EngineState::Ready { .. } = app.engine {
        sync(app, effects);
        let first = app.looked_at(&cells);
        effects.push(Effect::Send(Request::Run { job: app.last_job, cells, first }));
    } else if let EngineState::Gone(_) = app.engine {
        app.engine = EngineState::Starting;
        effects.push(Effect::StartEngine);
    }
}

/// Tells the engine the notebook's text if it has another one.
pub fn sync(app: &mut App, effects: &mut Vec<Effect>) {
    if !matches!(app.engine, EngineState::Ready { .. }) || app.synced.as_deref() == Some(app.doc.text_ref()) {
        return;
    }
    let text = app.doc.text();
    app.synced = Some(text.clone());
    effects.push(Effect::Send(Request::Sync {
        text,
        path: app.path.clone(),
        base: app.base.clone(),
        params: app.params.clone(),
    }));
}

/// After a change of the text: what changed and all below it is stale; cheap cells run again.
pub fn changed(app: &mut App, changed: HashSet<String>, effects: &mut Vec<Effect>) {
    let touched = outdated(app, &changed, effects);
    if app.auto_run {
        let again = cheap_again(app, |c| touched.contains(c), &HashSet::new());
        if !again.is_empty() {
            start(app, again, effects);
        }
    }
}

/// As [`changed`], but nothing runs by itself: the text came from elsewhere. Gives what is stale now.
pub fn outdated(app: &mut App, changed: &HashSet<String>, effects: &mut Vec<Effect>) -> HashSet<String> {
    app.redraw = true;
    app.focus = app.doc.stop_near(app.focus);
    let below = app.doc.with_descendants(changed.iter().map(String::as_str));
    let touched: HashSet<String> = below.into_iter().map(str::to_owned).collect();
    for cell in &touched {
        if let Some(run) = app.runs.get_mut(cell) {
            run.stale |= run.outcome.is_some() || !matches!(run.state, RunState::Idle);
        }
    }
    let doc = &app.doc;
    app.crumbs.retain(|c| doc.block_of(&c.cell).is_some());
    sync(app, effects);
    touched
}

/// A cell's result was computed anew: what was made of the one before and does not run by itself is
/// out of date.
pub fn outdate_below(app: &mut App, cell: &str) {
    let App { doc, runs, .. } = app;
    doc.graph().each_below(cell, |below| {
        if let Some(run) = runs.get_mut(below).filter(|run| !run.is_active()) {
            run.stale |= run.outcome.is_some();
        }
        true
    });
}

/// Those of the cells that are cheap, were run before, and read nothing expensive that is out of date
/// and not in `running`; in running order.
fn cheap_again(app: &App, among: impl Fn(&str) -> bool, running: &HashSet<String>) -> Vec<String> {
    let notebook = app.doc.notebook();
    let cheap = |c: &str| notebook.cell(c).is_some_and(|cell| cell.kind.is_cheap());
    let ran = |c: &str| app.run(c).is_some_and(|r| r.outcome.is_some() && !r.is_active());
    let stands = |c: &str| cheap(c) || running.contains(c) || app.run(c).is_some_and(|r| r.is_fresh());
    // Ancestors come first: a cell hangs on what it reads, and on what that hangs on.
    let mut hanging: HashSet<String> = HashSet::new();
    let mut again = Vec::new();
    for cell in app.doc.run_order() {
        if app.doc.graph().direct(&cell).any(|read| hanging.contains(read) || !stands(read)) {
            hanging.insert(cell);
        } else if among(&cell) && cheap(&cell) && ran(&cell) {
            again.push(cell);
        }
    }
    again
}
