//! What an engine may use of the machine, and how it behaves.

use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq)]
pub struct EngineOptions {
    /// Serve unchanged cells from the sidecar, and save finished ones there.
    pub cache: bool,
    /// DuckDB's memory limit in bytes; `None`: a share of what is free.
    pub memory_bytes: Option<u64>,
    /// DuckDB's threads and rayon's; `None`: all cores but one.
    pub threads: Option<usize>,
    /// Where spills go; `None`: a private temporary folder.
    pub scratch: Option<PathBuf>,
    /// Used by score cells that name no device: `auto`, `cpu`, `cuda:N`.
    pub device: String,
    /// How long a cancelled job may take before the engine says that it must be restarted.
    pub stuck_ms: u64,
    /// Shortest time between two refreshes of live tables; `None`: no live tables.
    pub live_ms: Option<u64>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            cache: true,
            memory_bytes: None,
            threads: None,
            scratch: None,
            device: "auto".into(),
            stuck_ms: 3_000,
            live_ms: Some(500),
        }
    }
}

impl EngineOptions {
    /// Cores for the engine's own work, so that the screen always has one.
    pub fn worker_threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or(cores.saturating_sub(1)).max(1)
    }
}
