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
    let mut wanted: Vec<String> = cells.to_vec();
    for cell in cells {
        for above in app.doc.ancestors(cell) {
            let fresh = app.run(&above).is_some_and(|r| r.is_fresh() || r.is_active());
            if !fresh && !wanted.contains(&above) {
                wanted.push(above);
            }
        }
    }
    if app.auto_run {
        let below: HashSet<String> = wanted.iter().flat_map(|c| app.doc.descendants(c)).collect();
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
    let text = app.doc.text();
    if !matches!(app.engine, EngineState::Ready { .. }) || app.synced.as_deref() == Some(text.as_str()) {
        return;
    }
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
        let again = cheap_again(app, |c| touched.contains(c), &[]);
        if !again.is_empty() {
            start(app, again, effects);
        }
    }
}

/// As [`changed`], but nothing runs by itself: the text came from elsewhere. Gives what is stale now.
pub fn outdated(app: &mut App, changed: &HashSet<String>, effects: &mut Vec<Effect>) -> Vec<String> {
    app.redraw = true;
    app.focus = app.doc.stop_near(app.focus);
    let mut touched: Vec<String> = changed.iter().cloned().collect();
    for cell in changed {
        touched.extend(app.doc.descendants(cell));
    }
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
    for below in app.doc.descendants(cell) {
        if let Some(run) = app.runs.get_mut(&below).filter(|run| !run.is_active()) {
            run.stale |= run.outcome.is_some();
        }
    }
}

/// Those of the cells that are cheap, were run before, and read nothing expensive that is out of date
/// and not in `running`; in running order.
fn cheap_again(app: &App, among: impl Fn(&String) -> bool, running: &[String]) -> Vec<String> {
    let notebook = app.doc.notebook();
    let cheap = |c: &String| notebook.cell(c).is_some_and(|cell| cell.kind.is_cheap());
    let ran = |c: &String| app.run(c).is_some_and(|r| r.outcome.is_some() && !r.is_active());
    let settled = |c: &String| {
        let stands = |a: &String| cheap(a) || running.contains(a) || app.run(a).is_some_and(|r| r.is_fresh());
        app.doc.ancestors(c).iter().all(stands)
    };
    let order = app.doc.run_order();
    order.into_iter().filter(|c| among(c) && cheap(c) && ran(c) && settled(c)).collect()
}
