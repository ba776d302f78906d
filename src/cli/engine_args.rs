//! What an engine may use of the machine, and how its process is started, as clap reads them.

use std::path::PathBuf;

use clap::Args;

/// What the engine may use.
#[derive(Debug, Clone, Default, Args)]
pub struct EngineSettings {
    /// auto, cpu, cuda:N, cuda:0,1 or cuda:all
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<String>,
    /// DuckDB's memory limit, e.g. 4GB
    #[arg(long, value_name = "SIZE", value_parser = super::args::size)]
    pub memory: Option<u64>,
    /// Threads of queries and statistics
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

#[derive(Debug, Args)]
pub struct EngineArgs {
    #[arg(long)]
    pub socket: PathBuf,
    /// Stay when the screen goes
    #[arg(long)]
    pub detached: bool,
    /// The engine's options, written by the process that starts it
    #[arg(long)]
    pub options: Option<PathBuf>,
}
