//! What the engine says, taken into the state.

use super::verbs as v;
use crate::protocol::{CellState, Event, JobId, Problem};
use crate::screen::app::run_state::RunState;
use crate::screen::app::{App, Effect, EngineState, Tone};

pub fn take(app: &mut App, event: Event, effects: &mut Vec<Effect>) {
    match event {
        Event::Ready { device, .. } => {
            app.engine = EngineState::Ready { device };
            app.redraw = true;
        }
        Event::Cell { cell, state, .. } => cell_state(app, &cell, state),
        Event::Cancelling { job } => {
            if let Some(job) = app.jobs.iter_mut().find(|j| j.id == job) {
                job.acknowledged = true;
            }
            app.say(Tone::Info, "stopping: the engine has seen it");
        }
        Event::JobEnded { job, ok, elapsed_ms } => ended(app, job, ok, elapsed_ms, effects),
        Event::Page { seq, result, .. } => {
            app.redraw |= app.runs.values_mut().filter_map(|r| r.table.as_mut()).any({
                let mut result = Some(result);
                move |table| {
                    table.is_waiting_for(seq) && result.take().is_some_and(|result| table.accept(seq, result))
                }
            });
        }
        Event::Completions { seq, from, items } => v::complete::offer(app, seq, from, items),
        Event::Recipe { seq, result } => v::recipe::take(app, seq, result, effects),
        Event::Source { name, result } => {
            if let Err(problem) = result {
                app.say(Tone::Bad, format!("source {name}: {}", one_line(&problem)));
            }
        }
        Event::Described { .. } => {}
        Event::Pulse { rss_bytes, .. } => {
            // Drawn in whole megabytes: less than that is no change.
            app.redraw |= rss_bytes >> 20 != app.rss_bytes >> 20;
            app.rss_bytes = rss_bytes;
        }
        Event::Fault { problem } => app.say(Tone::Bad, format!("engine: {}", one_line(&problem))),
    }
}

/// Message and hint in one line.
pub fn one_line(problem: &Problem) -> String {
    let hint = problem.hint.as_ref().map(|h| format!(" — {h}")).unwrap_or_default();
    format!("{}{hint}", problem.message).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cell_state(app: &mut App, cell: &str, state: CellState) {
    app.redraw = true;
    let focused = app.focused_cell() == Some(cell);
    let run = app.runs.entry(cell.to_owned()).or_default();
    match state {
        CellState::Queued => run.state = RunState::Queued,
        CellState::Running(progress) => run.state = RunState::Running(progress),
        CellState::Paused(progress) => {
            run.state = RunState::Paused(progress);
            app.say(Tone::Info, format!("{cell} is paused; `p` goes on"));
        }
        CellState::Partial(mut outcome) => {
            outcome.partial = true;
            run.take(*outcome);
        }
        CellState::Done(outcome) => {
            let anew = !outcome.cached;
            run.take(*outcome);
            (run.state, run.stale) = (RunState::Done, false);
            if anew {
                v::run::outdate_below(app, cell);
            }
        }
        CellState::Failed(problem) => {
            run.stale = run.outcome.is_some();
            let said = one_line(&problem);
            run.state = RunState::Failed(problem);
            app.say(Tone::Bad, format!("{cell}: {said}"));
        }
        CellState::Cancelled(outcome) => {
            match outcome {
                Some(mut outcome) => {
                    outcome.partial = true;
                    run.take(*outcome);
                }
                None => run.stale = run.outcome.is_some(),
            }
            run.state = RunState::Cancelled;
        }
        CellState::Skipped { because } => {
            run.stale = run.outcome.is_some();
            run.state = RunState::Skipped(because);
        }
    }
    if focused {
        v::rows::keep_inside(app);
    }
}

fn failed_checks(app: &App, cells: &[String]) -> usize {
    let outcomes = cells.iter().filter_map(|cell| app.run(cell)?.outcome.as_ref());
    outcomes.flat_map(|outcome| &outcome.checks).filter(|check| check.ok != Some(true)).count()
}

fn ended(app: &mut App, job: JobId, ok: bool, elapsed_ms: u64, effects: &mut Vec<Effect>) {
    let Some(at) = app.jobs.iter().position(|j| j.id == job) else { return };
    let job = app.jobs.remove(at);
    // A state that never came must not spin for ever.
    for cell in &job.cells {
        let elsewhere = app.jobs.iter().any(|j| j.cells.contains(cell));
        if let Some(run) = app.runs.get_mut(cell)
            && run.is_active()
            && !elsewhere
        {
            run.state = RunState::Idle;
        }
    }
    let took = v::tick::seconds(elapsed_ms);
    let lost = app.doc.diagnostics().iter().find(|fault| fault.is_error() && fault.cell.is_none());
    let lost = lost.map(|fault| format!("; line {}: {}", fault.line, fault.message)).unwrap_or_default();
    let problem_said = app.status.as_ref().is_some_and(|s| s.tone == Tone::Bad);
    // Results brought back by a new engine are no news beside what became of the old one.
    let brought_back = ok && app.restarts > 0 && problem_said;
    if ok {
        app.restarts = 0;
    }
    if brought_back {
    } else if job.cancelled_ms.is_some() {
        app.say(Tone::Info, format!("stopped after {took}"));
    } else if ok {
        let what =
            if job.cells.len() == 1 { "1 cell".to_owned() } else { format!("{} cells", job.cells.len()) };
        match failed_checks(app, &job.cells) {
            // A gate that is no cell has not been asked.
            0 if !lost.is_empty() => app.say(Tone::Bad, format!("{what} done in {took}{lost}")),
            0 => app.say(Tone::Good, format!("{what} done in {took}")),
            1 => app.say(Tone::Bad, format!("{what} done in {took}, 1 check failed{lost}")),
            n => app.say(Tone::Bad, format!("{what} done in {took}, {n} checks failed{lost}")),
        }
    } else if !problem_said {
        app.say(Tone::Bad, format!("ended with errors after {took}"));
    }
    v::guesses::adopt(app, effects);
    effects.push(Effect::Send(crate::protocol::Request::Pulse));
    app.redraw = true;
}
