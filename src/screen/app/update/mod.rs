//! The only place where the app changes. One message in, effects out; one small file per verb.

mod engine_events;
mod key;
#[cfg(test)]
mod tests;
pub(super) mod verbs;

use super::{App, Effect, Msg, Tone};

/// What is to be done when the screen opens.
pub fn begin(app: &App, effects: &mut Vec<Effect>) {
    verbs::trust::inspect(app, effects);
}

/// Applies one message. Pure: the same app and message give the same app and effects.
pub fn update(app: &mut App, msg: Msg, effects: &mut Vec<Effect>) {
    let before = app.known_texts();
    let replaces = matches!(msg, Msg::Saved { .. } | Msg::Sessions(_));
    take(app, msg, effects);
    if replaces || app.known_texts() != before {
        app.compared.forget();
    }
    verbs::sessions::ask_if_due(app);
    ask_for_rows(app, effects);
}

fn take(app: &mut App, msg: Msg, effects: &mut Vec<Effect>) {
    match msg {
        Msg::Key(key) => key::press(app, key, effects),
        Msg::Paste(text) => key::paste(app, &text),
        Msg::Resize { width, height } => {
            (app.width, app.height) = (width, height);
            app.redraw = true;
        }
        Msg::Tick { now_ms } => verbs::tick::tick(app, now_ms, effects),
        Msg::Engine(event) => engine_events::take(app, event, effects),
        Msg::EngineStarted => verbs::engine::started(app, effects),
        Msg::EngineGone(reason) => verbs::engine::gone(app, reason, effects),
        Msg::Saved { text, result } => verbs::save::saved(app, text, result, effects),
        Msg::Journaled(result) => verbs::tick::journaled(app, result),
        Msg::Sessions(news) => verbs::sessions::take(app, news, effects),
        Msg::Copied(Ok(route)) => app.say(Tone::Good, route),
        Msg::Copied(Err(reason)) => app.say(Tone::Bad, reason),
        Msg::Surveyed(survey) => verbs::trust::surveyed(app, *survey, effects),
        Msg::Inspected(found) => verbs::trust::inspected(app, found),
        Msg::Trusted { asked, result } => verbs::trust::added(app, asked, result, effects),
        Msg::Models(found) => verbs::score::found(app, found),
        Msg::Terminate => verbs::quit::terminate(app, effects),
        Msg::Trouble(words) => app.say(Tone::Bad, words),
        Msg::Resumed => {
            app.redraw = true;
            effects.push(Effect::Repaint);
        }
    }
}

/// Whatever happened: rows that are visible and not here are asked for.
fn ask_for_rows(app: &mut App, effects: &mut Vec<Effect>) {
    if !matches!(app.engine, super::EngineState::Ready { .. }) {
        return;
    }
    let visible = super::layout::grid_rows(app).max(1);
    let Some(name) = app.focused_cell().map(str::to_owned) else { return };
    let mut seq = app.last_seq;
    if let Some(run) = app.runs.get_mut(&name)
        && let Some(table) = &mut run.table
        && table.problem.is_none()
    {
        effects.extend(table.wants(run.grid.top, visible, &mut seq).into_iter().map(Effect::Send));
    }
    app.last_seq = seq;
}
