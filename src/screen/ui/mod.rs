//! Reads `&App`, draws. The only user of ratatui and crossterm; changes nothing, opens nothing.

pub mod terminal;
pub mod theme;
pub mod views;
pub mod widgets;
