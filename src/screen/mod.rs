//! The screen process. Never opens data or weights.

pub mod app;
pub mod ui;
