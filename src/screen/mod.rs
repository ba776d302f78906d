//! The screen process. Never opens data or weights: it talks to an engine through the protocol.
//!
//! `app` holds the state and the verbs (pure), `ui` draws it, `runtime` is the loop between them,
//! `hands` touches files and notices what others do to them (`place`, `watch`), `signals` hears the system.

pub mod app;
mod compare;
mod hands;
mod place;
mod runtime;
mod signals;
pub mod ui;
mod watch;

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;

pub use app::Opening;
pub use runtime::StartEngine;

use crate::util::panics::told;
use app::App;
use place::{Found, Place};
use runtime::Runtime;
use ui::terminal::{self, Terminal};
use ui::theme::{Depth, Theme};
use ui::views::Look;

/// How the screen ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Left,
    /// The signal's number.
    Signal(i32),
    /// The terminal went away.
    Disconnected,
    /// A thread that it cannot do without fell again and again; which one.
    Broken(&'static str),
}

/// What the screen is opened with.
pub struct Options {
    pub opening: Opening,
    pub start_engine: StartEngine,
    /// A built-in theme's name; an unknown one is said and the default taken.
    pub theme: Option<String>,
    /// Folders in which to look for models, beside those near the notebook.
    pub models: Vec<PathBuf>,
    place: Place,
}

impl Options {
    /// A notebook's text with its place on disk, where a session begins. `path` need not exist yet.
    pub fn new(text: String, path: Option<PathBuf>, base: PathBuf, start_engine: StartEngine) -> Self {
        let on_disk = path.as_ref().and_then(|p| std::fs::read_to_string(p).ok());
        let (place, found) = Place::open(path.as_deref(), &base, on_disk.as_deref());
        let Found { others, kept, problem: unkept } = found;
        let auto_run = true;
        let opening =
            Opening { text, path, on_disk, base, others, kept, unkept, auto_run, ..Opening::default() };
        Self { opening, start_engine, theme: None, models: Vec::new(), place }
    }
}

/// Opens the screen and runs it until the user leaves.
///
/// # Errors
/// There is no terminal, or it broke. Unsaved work is kept in the state folder in any case.
pub fn run(options: Options) -> io::Result<Ending> {
    let depth = Depth::detect(|name| std::env::var(name).ok());
    let name = options.theme.as_deref().unwrap_or("dark");
    let theme = Theme::builtin(name, depth);
    let mut app = App::new(options.opening);
    if let Err(error) = &theme {
        app.say(app::Tone::Bad, error.to_string());
    }
    let look = Look::new(theme.unwrap_or_else(|_| Theme::fallback(depth)));
    let mut terminal = Terminal::open()?;
    restore_on_panic();
    let mut runtime = Runtime::new(app, look, options.start_engine, options.models, options.place)?;
    let result = panic::catch_unwind(AssertUnwindSafe(|| runtime.run(&mut terminal)));
    drop(terminal);
    match result {
        Ok(Ok(ending)) => {
            runtime.finish();
            Ok(ending)
        }
        Ok(Err(error)) => {
            // The terminal cannot be written to any more: as if it had hung up.
            tracing::error!("terminal: {error}");
            runtime.keep_safe();
            runtime.finish();
            Ok(Ending::Disconnected)
        }
        Err(payload) => {
            runtime.keep_safe();
            panic::resume_unwind(payload)
        }
    }
}

/// The terminal is given back before the message is printed, but only for this thread: another
/// thread's panic must not tear the screen down.
fn restore_on_panic() {
    let ui_thread = std::thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == ui_thread {
            terminal::restore();
            before(info);
        } else {
            tracing::error!("{}", told(info, false));
        }
    }));
}
