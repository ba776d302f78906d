//! How requests and events travel: over channels inside one process ([`InProcess`]), or over a Unix
//! socket in a private folder to a child process ([`ChildProcess`]). Both are an
//! [`Engine`](super::Engine) to whoever holds them. What the engine *does* is not known here: it
//! arrives as a function from requests to events.

mod child;
mod folder;
mod frame;
mod hello;
mod in_process;
mod serve;
mod wire;

pub use child::{ChildOptions, ChildProcess};
pub use folder::{left_over, running_engines, socket_folder};
pub use frame::{FrameError, FrameReader, FrameWriter, MAX_MESSAGE_BYTES, Stream};
pub use in_process::InProcess;
pub use serve::{ServeOptions, serve};
pub use wire::{decode, encode};
