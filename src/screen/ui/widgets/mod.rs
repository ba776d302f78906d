//! Data in, cells out: no state, no I/O, no clock. Each widget is a plain struct that ratatui renders.

pub mod code;
pub mod grid;
pub mod outline;
#[cfg(test)]
mod testing;
pub mod text;
pub mod words;
