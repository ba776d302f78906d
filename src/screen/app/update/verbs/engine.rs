//! The engine comes and goes: started, gone, started again.

use super::{guesses, run};
use crate::protocol::{Problem, ProblemKind, Request};
use crate::screen::app::run_state::RunState;
use crate::screen::app::{App, Effect, EngineState, Tone};

/// Ends in a row after which only the user starts it again.
const GIVE_UP_AFTER: u32 = 3;

pub fn started(app: &mut App, effects: &mut Vec<Effect>) {
    app.engine = EngineState::Ready { device: String::new() };
    app.redraw = true;
    app.synced = None;
    run::sync(app, effects);
    let waiting: Vec<(u64, Vec<String>)> = app.jobs.iter().map(|j| (j.id, j.cells.clone())).collect();
    if app.restarts > 0 {
        bring_back(app, effects);
    }
    for (job, cells) in waiting {
        effects.push(Effect::Send(Request::Run { job, cells, first: Vec::new() }));
    }
    if std::mem::take(&mut app.run_all_when_ready) {
        run::all(app, effects);
    }
    guesses::show(app, effects);
    effects.push(Effect::Send(Request::Pulse));
}

/// Finished results live in the sidecar; running their cells again serves them from there.
fn bring_back(app: &mut App, effects: &mut Vec<Effect>) {
    let done = |c: &String| app.run(c).is_some_and(|r| r.is_fresh());
    let cells: Vec<String> = app.doc.run_order().into_iter().filter(done).collect();
    if !cells.is_empty() {
        run::start(app, cells, effects);
    }
}

pub fn gone(app: &mut App, reason: String, effects: &mut Vec<Effect>) {
    app.redraw = true;
    app.synced = None;
    app.jobs.clear();
    let by_us = std::mem::take(&mut app.ending_engine);
    for run in app.runs.values_mut() {
        if let Some(table) = &mut run.table {
            table.lost_engine();
        }
        if by_us && run.is_active() {
            run.stale = run.outcome.is_some();
            run.state = RunState::Cancelled;
        } else if let RunState::Running(_) | RunState::Paused(_) = run.state {
            let problem =
                Problem::new(ProblemKind::Resource, format!("the engine stopped in this cell: {reason}"))
                    .hint("run it again; a smaller `limit` or less memory elsewhere may help");
            run.state = RunState::Failed(problem);
        } else if run.is_active() {
            run.state = RunState::Idle;
        }
    }
    if std::mem::take(&mut app.trust.restarting) {
        app.restarts = 1;
        app.engine = EngineState::Starting;
        return effects.push(Effect::StartEngine);
    }
    app.engine = EngineState::Gone(reason.clone());
    if by_us {
        app.restarts = app.restarts.max(1);
        app.say(Tone::Info, "stopped; the engine was ended for it and a new one starts, results are kept");
        app.engine = EngineState::Starting;
        effects.push(Effect::StartEngine);
        return;
    }
    app.restarts += 1;
    if app.restarts > GIVE_UP_AFTER {
        app.say(Tone::Bad, format!("the engine stopped again: {reason}. `:restart engine` tries once more"));
        return;
    }
    app.say(
        Tone::Bad,
        format!("the engine stopped: {reason}. Starting a new one; nothing in the notebook is lost"),
    );
    app.engine = EngineState::Starting;
    effects.push(Effect::StartEngine);
}

pub fn restart(app: &mut App, effects: &mut Vec<Effect>) {
    app.restarts = 0;
    match app.engine {
        EngineState::Ready { .. } => {
            app.ending_engine = true;
            effects.push(Effect::KillEngine);
        }
        EngineState::Gone(_) => {
            app.engine = EngineState::Starting;
            app.restarts = 1;
            effects.push(Effect::StartEngine);
        }
        EngineState::Starting => app.say(Tone::Info, "the engine is starting"),
        EngineState::Off => super::trust::refuse(app, effects),
    }
}
