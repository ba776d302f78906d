//! Reads `&App`, draws. The only user of ratatui and crossterm; changes nothing, opens nothing.

pub mod theme;
pub mod widgets;
pub mod terminal;
pub mod views;
