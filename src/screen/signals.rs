//! Signals as messages, and stopping for the shell.

use std::io;

use signal_hook::consts::{SIGABRT, SIGCONT, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use crate::util::signals::ENDING;
use crate::util::supervised::{self, Fall};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Save and go; the signal's number.
    End(i32),
    Resized,
    /// Another program asks us to stop for a while.
    Stop,
    Continued,
}

/// Hands every signal to `take` until it says stop. SIGABRT from outside is one like SIGTERM; from inside
/// nothing can be done but give the terminal back (`ui::terminal::crash`).
pub fn listen(
    take: impl Fn(Signal) -> bool + Send + 'static,
    told: impl FnMut(Fall) + Send + 'static,
) -> io::Result<()> {
    let mut signals = Signals::new(ENDING.into_iter().chain([SIGABRT, SIGTSTP, SIGCONT, SIGWINCH]))?;
    let work = move || {
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
    };
    supervised::kept("signals", work, told)?;
    Ok(())
}

/// Stops this process as Ctrl-Z would have; returns when it is continued.
pub fn stop_myself() {
    if let Err(error) = emulate_default_handler(SIGTSTP) {
        tracing::warn!("cannot stop: {error}");
    }
}
