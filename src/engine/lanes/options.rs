//! What an engine may use of the machine, and how it behaves.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::engine::model::cache::CacheOptions;
use crate::state::StateFolder;
use crate::trust::Access;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineOptions {
    /// Serve unchanged cells from the sidecar, and save finished ones there; look scores up in the score
    /// cache, and keep them there.
    pub cache: bool,
    /// Where scores are kept across notebooks; nowhere by default, which is for the caller to change.
    pub score_cache: CacheOptions,
    /// DuckDB's memory limit in bytes; `None`: a share of what is free.
    pub memory_bytes: Option<u64>,
    /// DuckDB's threads and rayon's; `None`: all cores but one.
    pub threads: Option<usize>,
    /// recscope's own folder, with the key that results are signed with; `None`: the user's.
    pub state: Option<PathBuf>,
    /// Every byte of every source counts for whether a kept result still stands, whatever that costs.
    pub locked: bool,
    /// Train cells may write outside the notebook's folder.
    pub write_anywhere: bool,
    /// Shortest time between two looks at whether sources have changed while nothing runs; `None`: only
    /// when something is run.
    pub watch_ms: Option<u64>,
    /// Where spills go; `None`: a private temporary folder.
    pub scratch: Option<PathBuf>,
    /// Used by score cells that name no device: `auto`, `cpu`, `cuda:N`, `cuda:0,1`, `cuda:all`.
    pub device: String,
    /// How long a cancelled job may take before the engine says that it must be restarted.
    pub stuck_ms: u64,
    /// Shortest time between two refreshes of live tables; `None`: no live tables.
    pub live_ms: Option<u64>,
    /// What its notebook's cells may read and write.
    pub access: Access,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            cache: true,
            score_cache: CacheOptions::default(),
            memory_bytes: None,
            threads: None,
            scratch: None,
            state: None,
            locked: false,
            write_anywhere: false,
            watch_ms: Some(1_000),
            device: "auto".into(),
            stuck_ms: 3_000,
            live_ms: Some(500),
            access: Access::Everything,
        }
    }
}

impl EngineOptions {
    /// recscope's own folder, made where it is not there yet.
    pub fn state_folder(&self) -> io::Result<StateFolder> {
        self.state.as_deref().map_or_else(StateFolder::open, StateFolder::at)
    }

    /// The score cache as this engine may use it.
    pub fn scores(&self) -> CacheOptions {
        let folder = self.score_cache.folder.clone().filter(|_| self.cache);
        CacheOptions { folder, ..self.score_cache }
    }

    /// Cores for the engine's own work, so that the screen always has one.
    pub fn worker_threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.unwrap_or(cores.saturating_sub(1)).max(1)
    }
}
