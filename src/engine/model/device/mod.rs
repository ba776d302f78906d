//! Where models compute when it is not our own kernels on the CPU: which GPUs, what they say when they
//! fail, and the scoring pass that runs there.
//!
//! Not here: batches and their order (`batch.rs`, `score.rs`), threads (`workers.rs`), gradients.

mod attention;
mod choice;
mod fault;
mod notes;
mod open;
mod packed;
mod ragged;
mod seat;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod tests;

pub use choice::{DeviceChoice, Gpus};
pub(super) use fault::{classify, loading};
pub use notes::DeviceNotes;
pub(super) use open::open_devices;
pub use open::{device_name, open_device};
pub(super) use seat::{Pass, Seat};
