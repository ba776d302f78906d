//! recscope: a terminal notebook for finding out why a search or recommendation result is bad.
//!
//! ```text
//! query text -> notebook::cell -> protocol::Request -> engine::lanes -> store rows -> model scores
//!            -> analysis tables -> protocol::Event -> screen::app -> screen::ui
//! ```
//!
//! Two processes: the *screen* draws and never opens data or weights; the *engine* does the work.
//! `ARCHITECTURE.md` is the map, and the `tidy` test holds these modules to it.

pub mod analysis;
pub mod cli;
pub mod config;
pub mod engine;
pub mod notebook;
pub mod protocol;
pub mod report;
pub mod screen;
pub mod util;
