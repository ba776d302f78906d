//! Stopping what runs.

use crate::protocol::Request;
use crate::screen::app::{App, Effect, Tone};

pub fn cancel(app: &mut App, effects: &mut Vec<Effect>) {
    let now = app.now_ms;
    let mut asked = 0;
    for job in app.jobs.iter_mut().filter(|j| j.cancelled_ms.is_none()) {
        job.cancelled_ms = Some(now);
        effects.push(Effect::Send(Request::Cancel { job: job.id }));
        asked += 1;
    }
    app.say(Tone::Info, if asked > 0 { "stopping…" } else { "still stopping…" });
}

/// Only the job that the cell in focus belongs to.
pub fn focused(app: &mut App, effects: &mut Vec<Effect>) {
    let (now, cell) = (app.now_ms, app.focused_cell().map(str::to_owned));
    let mut jobs = app.jobs.iter_mut();
    let Some(job) = jobs.find(|job| cell.as_ref().is_some_and(|cell| job.cells.contains(cell))) else {
        return app.say(Tone::Info, "this cell neither runs nor waits");
    };
    if job.cancelled_ms.is_none() {
        job.cancelled_ms = Some(now);
        effects.push(Effect::Send(Request::Cancel { job: job.id }));
    }
    app.say(Tone::Info, "stopping…");
}

pub fn cancel_if_running(app: &mut App, effects: &mut Vec<Effect>) {
    if app.is_running() {
        cancel(app, effects);
    }
}
