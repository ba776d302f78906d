//! Data in, cells out: no state, no I/O, no clock. Each widget is a plain struct that ratatui renders.

pub mod text;
