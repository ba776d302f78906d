//! Holding a scoring job and letting it go on.

use crate::protocol::Request;
use crate::screen::app::{App, Effect, Tone};

pub fn toggle(app: &mut App, effects: &mut Vec<Effect>) {
    let at = app.holdable();
    let Some(job) = at.and_then(|at| app.jobs.get_mut(at)) else {
        return app.say(Tone::Info, "nothing is scored that could be paused");
    };
    job.held = !job.held;
    let (id, held) = (job.id, job.held);
    effects.push(Effect::Send(if held { Request::Pause { job: id } } else { Request::Resume { job: id } }));
    app.say(Tone::Info, if held { "pausing…" } else { "going on" });
}
