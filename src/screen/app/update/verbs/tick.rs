//! Time passing: spinners, the journal, a stop that takes too long, the engine's pulse.

use crate::protocol::Request;
use crate::screen::app::{App, Effect, EngineState, FileTask, RunState, Tone};

/// A job that has not stopped by then gets its engine ended and restarted.
const STOP_WITHIN_MS: u64 = 3_000;
const PULSE_EVERY_MS: u64 = 1_000;
/// The first tick after a rest says nothing about how long a cell has run.
const LONGEST_TURN_MS: u64 = 250;

pub fn tick(app: &mut App, now_ms: u64, effects: &mut Vec<Effect>) {
    let passed_ms = now_ms.saturating_sub(app.now_ms).min(LONGEST_TURN_MS);
    app.now_ms = now_ms;
    if app.is_running() {
        clocks(app, passed_ms);
        app.frame = app.frame.wrapping_add(1);
        app.redraw = true;
        if now_ms.saturating_sub(app.pulse_ms) >= PULSE_EVERY_MS
            && matches!(app.engine, EngineState::Ready { .. })
        {
            app.pulse_ms = now_ms;
            effects.push(Effect::Send(Request::Pulse));
        }
    }
    give_up_waiting(app, effects);
    journal(app, effects);
}

/// A long query says nothing while it runs: its clock goes on here until the engine's next word.
fn clocks(app: &mut App, passed_ms: u64) {
    for run in app.runs.values_mut() {
        if let RunState::Running(progress) = &mut run.state {
            progress.elapsed_ms = progress.elapsed_ms.saturating_add(passed_ms);
        }
    }
}

fn give_up_waiting(app: &mut App, effects: &mut Vec<Effect>) {
    let late = |asked: u64| asked > 0 && app.now_ms.saturating_sub(asked) >= STOP_WITHIN_MS;
    // A paused job ends when its lane is free: another one that goes on is no reason to end the engine.
    let others = app.jobs.iter().any(|j| j.cancelled_ms.is_none());
    if app.jobs.iter().any(|j| j.cancelled_ms.is_some_and(late) && !(j.held && others)) {
        for job in &mut app.jobs {
            job.cancelled_ms = None;
        }
        app.say(Tone::Info, "the job did not stop within 3 s: ending the engine and starting a new one");
        app.ending_engine = true;
        effects.push(Effect::KillEngine);
    }
    let now = app.now_ms;
    for job in &mut app.jobs {
        // Asked before the first tick of this job: the wait begins now.
        if job.cancelled_ms == Some(0) {
            job.cancelled_ms = Some(now);
        }
    }
}

/// Keeps unsaved work safe.
pub fn journal(app: &mut App, effects: &mut Vec<Effect>) {
    if !app.journal_due() {
        return;
    }
    let text = app.live_text();
    app.journaled = Some(text.clone());
    effects.push(Effect::File(match app.on_disk.as_deref() == Some(text.as_str()) {
        true => FileTask::ForgetJournal,
        false => FileTask::Journal { text, on_disk: app.on_disk.clone() },
    }));
}

/// A failure is said whenever it happens, its end once.
pub fn journaled(app: &mut App, result: Result<(), String>) {
    match result {
        Ok(()) => {
            if app.sessions.unkept.take().is_some() {
                app.say(Tone::Good, "unsaved work is kept safe again");
            }
        }
        Err(reason) => {
            app.say(Tone::Bad, format!("unsaved work is not being kept safe: {reason}; save it"));
            app.sessions.unkept = Some(reason);
        }
    }
}

/// Milliseconds as a reader says them.
pub fn seconds(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{:.1} s", ms as f64 / 1000.0),
        _ => format!("{}:{:02} min", ms / 60_000, ms / 1000 % 60),
    }
}
