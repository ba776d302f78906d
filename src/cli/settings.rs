//! The settings file, found and read, and what the arguments put over it.

use std::path::{Path, PathBuf};

use super::args::EngineSettings;
use super::{Failure, err_line};
use crate::config::{self, Config};
use crate::engine::lanes::EngineOptions;
use crate::engine::model::cache::{CacheOptions, DEFAULT_LIMIT};

/// The settings with where they came from.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub path: Option<PathBuf>,
    /// The file exists and was read.
    pub found: bool,
    pub config: Config,
    /// Lines that were not taken, or why the file could not be read.
    pub faults: Vec<String>,
}

/// Reads the settings without a word.
pub(super) fn read() -> Settings {
    let variable = std::env::var_os("RECSCOPE_CONFIG").filter(|v| !v.is_empty()).map(PathBuf::from);
    let path = config::path(variable.clone());
    let Some(file) = path.as_deref() else { return Settings::default() };
    match std::fs::read_to_string(file) {
        Ok(text) => {
            let (config, faults) = Config::parse(&text);
            let faults = faults.iter().map(ToString::to_string).collect();
            Settings { found: true, config, faults, path }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && variable.is_none() => {
            Settings { path, ..Settings::default() }
        }
        Err(error) => Settings { faults: vec![error.to_string()], path, ..Settings::default() },
    }
}

/// Reads the settings; faults are told, never fatal.
pub(super) fn load() -> Settings {
    let settings = read();
    if let Some(path) = settings.path.as_deref() {
        for fault in &settings.faults {
            err_line(&format!("warning: {}: {fault}", path.display()));
        }
    }
    settings
}

impl Settings {
    /// The engine's options, arguments over file over defaults.
    pub(super) fn engine_options(&self, args: &EngineSettings) -> Result<EngineOptions, Failure> {
        let mut options = EngineOptions::default();
        options.cache = self.config.cache.unwrap_or(options.cache);
        options.score_cache = self.score_cache();
        options.memory_bytes = args.memory.or(self.config.memory_bytes);
        options.threads = args.threads.map(usize::from).or(self.config.threads);
        if let Some(device) = args.device.clone().or_else(|| self.config.device.clone()) {
            device.parse::<crate::engine::model::DeviceChoice>()?;
            options.device = device;
        }
        Ok(options)
    }

    /// Where scores are kept: `RECSCOPE_SCORE_CACHE` over the file over the system's folder for caches.
    pub(super) fn score_cache(&self) -> CacheOptions {
        let variable = std::env::var_os("RECSCOPE_SCORE_CACHE");
        CacheOptions {
            folder: config::score_folder(variable.as_deref(), &self.config),
            limit_bytes: self.config.score_cache_bytes.unwrap_or(DEFAULT_LIMIT),
        }
    }

    /// Folders to look for models in: `RECSCOPE_MODELS`, the settings', and those near `base`.
    pub(super) fn model_folders(&self, base: &Path) -> Vec<PathBuf> {
        let mut folders: Vec<PathBuf> =
            std::env::var_os("RECSCOPE_MODELS").iter().flat_map(std::env::split_paths).collect();
        folders.extend(self.config.models.iter().cloned());
        folders.extend([base.join("models"), base.to_path_buf()]);
        folders
    }
}
