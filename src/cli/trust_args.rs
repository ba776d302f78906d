//! Arguments about trust as clap reads them. Meaning is in `trust.rs` and `access.rs`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::args::ShortFormat;

/// What a notebook that is in no trusted folder may touch beside its folder and what it declares.
#[derive(Debug, Clone, Default, Args)]
pub struct AccessArgs {
    /// Trust the notebook for this run: it may read and write what you may
    #[arg(long)]
    pub trust: bool,
    /// Let the notebook read this file or folder too; may be repeated
    #[arg(long, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub allow: Vec<PathBuf>,
    /// Hold the notebook to its folder and what it declares even if it is trusted
    #[arg(long, conflicts_with = "trust")]
    pub sandbox: bool,
}

/// Folders whose notebooks run without being asked about. A notebook elsewhere opens as text only; run
/// headless, it is held to its folder and to what it declares.
#[derive(Debug, Subcommand)]
pub enum TrustCommand {
    /// What is trusted
    List {
        #[arg(long, value_enum, default_value_t)]
        format: ShortFormat,
    },
    /// Trust every notebook in a folder and below, or one notebook
    Add {
        #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
        path: PathBuf,
    },
    /// Trust it no longer
    Remove {
        #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
        path: PathBuf,
    },
}
