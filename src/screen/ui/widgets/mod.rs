//! Data in, cells out: no state, no I/O, no clock. Each widget is a plain struct that ratatui renders.

pub mod code;
pub mod diff;
pub mod grid;
pub mod help;
pub mod menu;
pub mod outline;
pub mod palette;
pub mod progress;
pub mod prompt;
pub mod record;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod text;
pub mod toast;
pub mod words;
