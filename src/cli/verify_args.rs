//! Arguments of `recscope verify`, and the choices of `recscope eval` that come from tables. No meaning
//! here.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};

use super::args::ShortFormat;
use crate::analysis::metrics::CONVENTIONS;

/// The presets of CONVENTIONS, and all of them.
pub fn conventions() -> clap::builder::PossibleValuesParser {
    let presets = CONVENTIONS.iter().map(|convention| PossibleValue::new(convention.id).help(convention.doc));
    let all = PossibleValue::new("all").help("every preset, and the queries that make them differ");
    presets.chain([all]).collect::<Vec<_>>().into()
}

/// What `recscope eval` prints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum EvalFormat {
    #[default]
    Text,
    Json,
    /// As trec_eval: measure, query or `all`, value; nan where there is none
    Trec,
}

/// How equal scores are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TiesArg {
    /// By item id, descending
    Docid,
    /// In the order of the run file
    Logged,
    /// In every way: expected values
    Expected,
}

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Folder with goldens of peer libraries (`goldens/`); without it, those that the program carries
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub shared: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    pub format: ShortFormat,
}
