//! Signals as messages, and stopping for the shell.

use std::io;

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Save and go; the signal's number.
    End(i32),
    Resized,
    /// Another program asks us to stop for a while.
    Stop,
    Continued,
}

/// Hands every signal to `take` until it says stop.
pub fn listen(take: impl Fn(Signal) -> bool + Send + 'static) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGTSTP, SIGCONT, SIGWINCH])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for number in signals.forever() {
            let signal = match number {
                SIGWINCH => Signal::Resized,
                SIGTSTP => Signal::Stop,
                SIGCONT => Signal::Continued,
                _ => Signal::End(number),
            };
            if !take(signal) {
                break;
            }
        }
    })?;
    Ok(())
}

/// Stops this process as Ctrl-Z would have; returns when it is continued.
pub fn stop_myself() {
    if let Err(error) = emulate_default_handler(SIGTSTP) {
        tracing::warn!("cannot stop: {error}");
    }
}
