//! recscope: a terminal notebook for finding out why a search or recommendation result is bad.
//!
//! ```text
//! query text -> notebook::cell -> protocol::Request -> engine::lanes -> store rows -> model scores
//!            -> analysis tables -> protocol::Event -> screen::app -> screen::ui
//! ```
//!
//! Without the default feature `notebook` only the model layer is left and `pipe`, the second binary
//! `recscope-score`: no DuckDB, no screen.
//!
//! Two processes: the *screen* draws and never opens data or weights; the *engine* does the work.
//! `ARCHITECTURE.md` is the map, and the `tidy` test holds these modules to it.

#[cfg(feature = "notebook")]
pub mod analysis;
#[cfg(feature = "notebook")]
pub mod cli;
#[cfg(feature = "notebook")]
pub mod config;
pub mod engine;
#[cfg(feature = "notebook")]
pub mod notebook;
pub mod pipe;
#[cfg(feature = "notebook")]
pub mod protocol;
#[cfg(feature = "notebook")]
pub mod pull;
#[cfg(feature = "notebook")]
pub mod report;
#[cfg(feature = "notebook")]
pub mod screen;
#[cfg(feature = "notebook")]
pub mod state;
#[cfg(feature = "notebook")]
pub mod terms;
#[cfg(feature = "notebook")]
pub mod trust;
pub mod util;
