//! Answering the panel about trust: run within the limits, trust, or only read.

use crate::screen::app::trust::{self, Inspected, Level};
use crate::screen::app::{App, Code, Effect, EngineState, FileTask, Key, Mode, Tone};
use crate::trust::{Scope, Survey, What};

/// `:trust`. The text may name other things than when it was opened, so it is looked through again.
pub fn ask(app: &mut App, effects: &mut Vec<Effect>) {
    if app.trust.level == Level::Full {
        return app.say(Tone::Info, "this notebook is trusted; `recscope trust list` shows why");
    }
    let (text, base, path) = (app.live_text(), app.base.clone(), app.path.clone());
    effects.push(Effect::File(FileTask::Survey { text, base, path, params: app.params.clone() }));
}

/// Something was to run, and nothing may.
pub fn refuse(app: &mut App, effects: &mut Vec<Effect>) {
    app.say(Tone::Info, "nothing runs: this notebook is in no trusted folder");
    ask(app, effects);
}

pub fn surveyed(app: &mut App, survey: Survey, effects: &mut Vec<Effect>) {
    app.trust.survey = survey;
    inspect(app, effects);
    app.mode = Mode::Trust { scroll: 0 };
    app.redraw = true;
}

/// Asks for the views of the DuckDB files that are named.
pub fn inspect(app: &App, effects: &mut Vec<Effect>) {
    let databases = app.trust.survey.findings.iter().filter(|f| f.what == What::Database);
    effects.extend(databases.map(|f| {
        let (database, file) = (f.path.clone(), app.trust.survey.limits.locate(&f.path));
        Effect::File(FileTask::Inspect { database, file })
    }));
}

pub fn inspected(app: &mut App, found: Inspected) {
    app.trust.inspected.retain(|(path, _)| *path != found.0);
    app.trust.inspected.push(found);
    app.redraw = true;
}

pub fn key(app: &mut App, key: Key, effects: &mut Vec<Effect>) {
    let page = usize::from(trust::height(app)).max(2) - 1;
    let last = trust::last(app);
    let Mode::Trust { scroll } = &mut app.mode else { return };
    match key.code {
        Code::Char('r') => run_once(app, effects),
        Code::Char('t') => add(app, Scope::Folder, effects),
        Code::Char('n') if app.path.is_some() => add(app, Scope::Notebook, effects),
        Code::Up | Code::Char('k') => *scroll = scroll.saturating_sub(1).min(last),
        Code::Down | Code::Char('j') => *scroll = (*scroll + 1).min(last),
        Code::PageUp => *scroll = scroll.saturating_sub(page),
        Code::PageDown | Code::Char(' ') => *scroll = (*scroll + page).min(last),
        Code::Home | Code::Char('g') => *scroll = 0,
        Code::End | Code::Char('G') => *scroll = last,
        Code::Esc | Code::Char('q') => {
            app.mode = Mode::Normal;
            if app.trust.level == Level::Inert {
                app.say(Tone::Info, "text only: nothing was opened, nothing runs; `:trust` asks again");
            }
        }
        _ => {}
    }
}

fn run_once(app: &mut App, effects: &mut Vec<Effect>) {
    app.mode = Mode::Normal;
    app.trust.level = Level::Limited;
    app.run_all_when_ready = true;
    app.say(Tone::Info, "runs within its limits: its folder and what it declares");
    start(app, effects);
}

fn add(app: &mut App, scope: Scope, effects: &mut Vec<Effect>) {
    let path = match scope {
        Scope::Folder => Some(app.base.clone()),
        Scope::Notebook => app.path.clone(),
    };
    app.mode = Mode::Normal;
    if let Some(path) = path {
        // DuckDB files elsewhere that it names are part of what the user has looked at.
        let databases = app.trust.survey.findings.iter().filter(|f| f.what == What::Database);
        for database in databases.filter(|f| f.outside || scope == Scope::Notebook) {
            let path = app.trust.survey.limits.locate(&database.path);
            effects.push(Effect::File(FileTask::Trust { path, scope: Scope::Notebook, asked: false }));
        }
        effects.push(Effect::File(FileTask::Trust { path, scope, asked: true }));
    }
}

/// The list was written, or not. Only an answer of the panel changes what the notebook may.
pub fn added(app: &mut App, asked: bool, result: Result<String, String>, effects: &mut Vec<Effect>) {
    match result {
        Ok(path) if asked => {
            app.trust.level = Level::Full;
            app.say(Tone::Good, format!("trusted: {path}; `recscope trust remove` takes it back"));
            start(app, effects);
        }
        Ok(_) => {}
        Err(why) => app.say(Tone::Bad, format!("not trusted: {why}")),
    }
}

/// An engine with the access that holds now.
fn start(app: &mut App, effects: &mut Vec<Effect>) {
    match app.engine {
        EngineState::Off | EngineState::Gone(_) => {
            app.engine = EngineState::Starting;
            effects.push(Effect::StartEngine);
        }
        EngineState::Ready { .. } | EngineState::Starting => {
            app.trust.restarting = true;
            effects.push(Effect::KillEngine);
        }
    }
}
