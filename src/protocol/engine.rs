//! The one way from the screen (or a headless run) to data, whichever transport carries it.

use crossbeam_channel::Receiver;

use super::{Event, Request};

/// The engine's process or threads have ended; a new one must be started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped: {0}")]
pub struct EngineGone(pub String);

/// A running engine. `send` never blocks on work; every answer arrives through `events`.
pub trait Engine: Send {
    fn send(&self, request: Request) -> Result<(), EngineGone>;
    /// Closes when the engine has gone.
    fn events(&self) -> &Receiver<Event>;
    /// Ends the engine at once, whatever it is doing. Finished results live in the sidecar.
    fn kill(&mut self);
}
