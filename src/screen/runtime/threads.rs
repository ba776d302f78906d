//! The threads around the loop: keys, signals, grammars, the start of an engine. Each only sends an
//! [`Input`]; none touches the app.

use std::sync::Arc;

use super::{Input, Runtime};
use crate::screen::signals;
use crate::screen::ui::terminal;
use crate::screen::ui::views::texts;
use crate::screen::ui::widgets::code::Highlighter;

impl Runtime {
    pub(super) fn listen(&self) -> std::io::Result<()> {
        let keys = self.sender.clone();
        spawn("keys", move || {
            terminal::read_keys(|input| {
                let input = match input {
                    terminal::Input::Msg(msg) => Input::Msg(msg),
                    terminal::Input::Dead => Input::TerminalGone,
                };
                keys.send(input).is_ok()
            });
        })?;
        let caught = self.sender.clone();
        signals::listen(move |signal| caught.send(Input::Signal(signal)).is_ok())?;
        let (loaded, texts) = (self.sender.clone(), texts(&self.app.doc));
        spawn("grammars", move || {
            let highlighter = Highlighter::load();
            // Met here, no expression of these texts holds up the key that shows them.
            for (language, text) in &texts {
                highlighter.highlight(*language, &text.lines().collect::<Vec<_>>());
            }
            let _ = loaded.send(Input::Highlighter(Arc::new(highlighter)));
        })
    }

    pub(super) fn start_engine(&self) {
        let (start, sender) = (Arc::clone(&self.start_engine), self.sender.clone());
        let access = self.app.trust.access();
        let started = spawn("start engine", move || {
            let engine = start.lock()(&access);
            let _ = sender.send(Input::EngineStarted(engine));
        });
        if let Err(error) = started {
            let _ = self.sender.send(Input::EngineStarted(Err(error.to_string())));
        }
    }
}

pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.into()).spawn(work).map(|_| ())
}
