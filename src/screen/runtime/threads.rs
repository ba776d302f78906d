//! The threads around the loop: keys, signals, grammars, the start of an engine. Each only sends an
//! [`Input`]; none touches the app. All are supervised: one that falls is said and begun again; when the
//! keys, the signals or the hands cannot be brought back, the program saves everything and ends.

use std::sync::Arc;

use crossbeam_channel::Sender;

use super::{Input, Runtime};
use crate::screen::signals;
use crate::screen::ui::terminal;
use crate::screen::ui::views::texts;
use crate::screen::ui::widgets::code::Highlighter;
use crate::util::supervised::{self, Fall};

impl Runtime {
    pub(super) fn listen(&self) -> std::io::Result<()> {
        let keys = self.sender.clone();
        let read = move || {
            terminal::read_keys(|input| {
                let input = match input {
                    terminal::Input::Msg(msg) => Input::Msg(msg),
                    terminal::Input::Dead => Input::TerminalGone,
                };
                keys.send(input).is_ok()
            });
        };
        supervised::kept("keys", read, told(&self.sender))?;
        let caught = self.sender.clone();
        let take = move |signal| caught.send(Input::Signal(signal)).is_ok();
        signals::listen(take, told(&self.sender))?;
        let (loaded, texts) = (self.sender.clone(), texts(&self.app.doc));
        let load = move || {
            let highlighter = Highlighter::load();
            // Met here, no expression of these texts holds up the key that shows them.
            for (language, text) in &texts {
                highlighter.highlight(*language, &text.lines().collect::<Vec<_>>());
            }
            let _ = loaded.send(Input::Highlighter(Arc::new(highlighter)));
        };
        let plain = self.sender.clone();
        let without = move |fall: Fall| {
            let _ = plain.send(Input::Trouble(format!("code is shown without colours: {fall}")));
        };
        supervised::once("grammars", load, without).map(|_| ())
    }

    pub(super) fn start_engine(&self) {
        let (start, sender) = (Arc::clone(&self.start_engine), self.sender.clone());
        let access = self.app.trust.access();
        let work = move || {
            let engine = start.lock()(&access);
            let _ = sender.send(Input::EngineStarted(engine));
        };
        let failed = self.sender.clone();
        let fell = move |fall: Fall| {
            let _ = failed.send(Input::EngineStarted(Err(fall.to_string())));
        };
        if let Err(error) = supervised::once("start engine", work, fell) {
            let _ = self.sender.send(Input::EngineStarted(Err(error.to_string())));
        }
    }
}

/// Passes a fall on to the loop.
pub(super) fn told(sender: &Sender<Input>) -> impl FnMut(Fall) + Send + 'static + use<> {
    let sender = sender.clone();
    move |fall| {
        let _ = sender.send(Input::Fell(fall));
    }
}
