//! The engine: runs cells by composing `store`, `model` and `analysis`, on three lanes behind one
//! desk. The *cell lane* owns the writing connection, the *peek lane* answers pages and completions
//! and never waits for a cell, the *model lane* holds weights. Nothing here draws, and nothing here
//! knows which transport carries its messages.
//!
//! ```text
//! Request -> desk -> cell lane -> cells/<kind> -> store, analysis, model lane -> Event
//!                 `-> peek lane -> store                                     -> Event
//! ```

mod access;
mod cell_lane;
mod cells;
mod checks;
mod desk;
mod dialect;
mod figures;
mod jobs;
mod keeper;
mod keys;
mod live;
mod model_lane;
mod options;
mod outputs;
mod peek_lane;
mod prints;
mod problems;
mod progress;
mod queries;
mod queue;
mod results;
mod scorer;
mod sidecar;
mod sources;
mod workspace;

use std::io;
use std::path::Path;

use crossbeam_channel::{Receiver, Sender};

pub use keeper::left_over;
pub use options::EngineOptions;
pub use queries::StoreQueries;
pub use scorer::ModelScorer;

use crate::protocol::transport::{InProcess, ServeOptions, serve};
use crate::protocol::{Event, Problem, Request};

/// The engine as threads of this process.
pub fn start_in_process(options: EngineOptions) -> InProcess {
    InProcess::start(move |requests, events| run_engine(&options, &requests, events))
}

/// The engine behind a socket: what `recscope engine --socket PATH [--detached]` does. Returns when
/// the engine should be no more; the caller exits the process.
pub fn serve_socket(socket: &Path, detached: bool, options: EngineOptions) -> io::Result<()> {
    // SAFETY: plain system calls. Spill files and caches are for their owner alone, and the screen
    // goes before the engine wherever both want a core.
    unsafe {
        libc::umask(0o077);
        libc::nice(5);
    }
    let serving = ServeOptions { detached, ..ServeOptions::new(socket) };
    let (refused, why) = crossbeam_channel::bounded(1);
    serve(&serving, move |requests, events| {
        if let Err(problem) = try_engine(&options, &requests, events) {
            let _ = refused.send(problem);
        }
    })?;
    // No screen may have been there yet to hear it: said by the process itself as well.
    why.try_recv().map_or(Ok(()), |problem| Err(io::Error::other(problem.to_string())))
}

/// Answers requests until they close, `Shutdown` comes, or the database is beyond use.
pub fn run_engine(options: &EngineOptions, requests: &Receiver<Request>, events: Sender<Event>) {
    // What kept it from opening has been said as an event.
    let _ = try_engine(options, requests, events);
}

fn try_engine(
    options: &EngineOptions,
    requests: &Receiver<Request>,
    events: Sender<Event>,
) -> Result<(), Problem> {
    match desk::Desk::open(options, events.clone()) {
        Ok(desk) => desk.serve(requests),
        Err(problem) => {
            let _ = events.send(Event::Fault { problem: problem.clone() });
            return Err(problem);
        }
    }
    Ok(())
}

#[cfg(test)]
mod device_tests;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{CellState, Engine, ProblemKind};

    /// The one fault that no notebook can cause: called where a cell begins to run.
    pub(super) fn panic_where_asked(cell: &str) {
        if cell == "panics_in_tests" {
            panic!("as asked");
        }
    }

    #[test]
    fn a_panic_in_a_worker_is_a_failed_cell_and_the_lane_goes_on() {
        let engine = start_in_process(EngineOptions { cache: false, ..EngineOptions::default() });
        let text = "```sql panics_in_tests\nSELECT 1\n```\n```sql fine\nSELECT 2 AS two\n```\n";
        let sync = Request::Sync { text: text.into(), path: None, base: ".".into(), params: Vec::new() };
        engine.send(sync).unwrap();
        let cells = vec!["panics_in_tests".into(), "fine".into()];
        engine.send(Request::Run { job: 1, cells, first: Vec::new() }).unwrap();
        let (mut faults, mut failed, mut done) = (0, false, false);
        for event in engine.events() {
            match event {
                Event::Fault { problem } => faults += usize::from(problem.message.contains("as asked")),
                Event::Cell { cell, state: CellState::Failed(problem), .. } => {
                    failed = cell == "panics_in_tests" && problem.kind == ProblemKind::Bug;
                }
                Event::Cell { cell, state: CellState::Done(_), .. } => done = cell == "fine",
                Event::JobEnded { ok, .. } => {
                    assert!(!ok);
                    break;
                }
                _ => {}
            }
        }
        assert!(faults == 1 && failed && done);
    }
}
