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

pub fn cancel_if_running(app: &mut App, effects: &mut Vec<Effect>) {
    if app.is_running() {
        cancel(app, effects);
    }
}
