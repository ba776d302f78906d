//! The screen over an engine that does nothing, run inside a pseudo-terminal by `screen_pty`: this test
//! binary starts itself again. So the screen is tested for itself, and can be made to panic.

use std::path::PathBuf;

use crossbeam_channel::{Receiver, Sender, unbounded};
use recscope::protocol::{Engine, EngineGone, Event, Request};
use recscope::screen::{self, Options};

/// Which notebook; unset in an ordinary test run.
pub const NOTEBOOK: &str = "RECSCOPE_TEST_NOTEBOOK";
/// `ui` or `worker`: who panics when a cell is run.
pub const PANIC: &str = "RECSCOPE_TEST_PANIC";

struct Quiet {
    events: Receiver<Event>,
    _open: Sender<Event>,
}

impl Engine for Quiet {
    fn send(&self, request: Request) -> Result<(), EngineGone> {
        let panic = std::env::var(PANIC).unwrap_or_default();
        match request {
            Request::Run { .. } if panic == "ui" => panic!("planted in the thread that draws"),
            Request::Run { .. } if panic == "worker" => {
                let notebook = PathBuf::from(std::env::var_os(NOTEBOOK).unwrap());
                std::fs::write(notebook.with_file_name("panicked"), "").unwrap();
                let _ = std::thread::spawn(|| panic!("planted in a worker")).join();
            }
            _ => {}
        }
        Ok(())
    }

    fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    fn kill(&mut self) {}
}

/// Not a test of its own: does nothing unless `screen_pty` asks for it.
#[test]
#[ignore = "started by the pty tests"]
fn screen() {
    let Some(path) = std::env::var_os(NOTEBOOK).map(PathBuf::from) else { return };
    let text = std::fs::read_to_string(&path).unwrap();
    let base = path.parent().unwrap().to_path_buf();
    let start = |_: &recscope::trust::Access| -> Result<Box<dyn Engine>, String> {
        let (open, events) = unbounded();
        let word = || "test".to_string();
        let _ = open.send(Event::Ready { version: word(), duckdb: word(), device: word() });
        Ok(Box::new(Quiet { events, _open: open }))
    };
    screen::run(Options::new(text, Some(path), base, Box::new(start))).unwrap();
    std::process::exit(0);
}
