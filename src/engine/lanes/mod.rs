//! The engine: runs cells by composing `store`, `model` and `analysis`, on three lanes. The *cell
//! lane* owns the writing connection, the *peek lane* answers pages and completions and never waits
//! for a cell, the *model lane* holds weights. Nothing here draws, and nothing here knows which
//! transport carries its messages.

mod options;
mod scorer;

use std::io;
use std::path::Path;

use crossbeam_channel::{Receiver, Sender};

pub use options::EngineOptions;
pub use scorer::ModelScorer;

use crate::protocol::transport::{InProcess, ServeOptions, serve};
use crate::protocol::{Event, Request};

/// The engine as threads of this process.
pub fn start_in_process(options: EngineOptions) -> InProcess {
    InProcess::start(move |requests, events| run_engine(options, requests, events))
}

/// The engine behind a socket: what `recscope engine --socket PATH [--detached]` does. Returns when
/// the engine should be no more; the caller exits the process.
pub fn serve_socket(socket: &Path, detached: bool, options: EngineOptions) -> io::Result<()> {
    // SAFETY: plain system call. Spill files and caches are for their owner alone.
    unsafe { libc::umask(0o077) };
    let serving = ServeOptions { detached, ..ServeOptions::new(socket) };
    serve(&serving, move |requests, events| run_engine(options, requests, events))
}

/// Answers requests until they close or `Shutdown` comes.
pub fn run_engine(_options: EngineOptions, requests: Receiver<Request>, _events: Sender<Event>) {
    for request in requests {
        if request == Request::Shutdown {
            return;
        }
    }
}
