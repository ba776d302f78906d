//! The arguments of `models bench`, `quantize` and `prune` as clap reads them.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueHint};

use super::super::args::ShortFormat;

/// The rows to measure on, and how the result is shown.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// Rows to measure on: a file, a glob, a path; judged lists of the demo's shop if not given
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub input: Option<String>,
    /// Query and title column of --input; one column for a classifier of one text
    #[arg(long, value_name = "Q,T", value_delimiter = ',', default_value = "query,title")]
    pub columns: Vec<String>,
    /// Column of --input with graded judgments: the change of nDCG@10 is reported with its interval
    #[arg(long, value_name = "COLUMN")]
    pub gain: Option<String>,
    /// About how many rows: whole queries of the input, always the same ones
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(2..=10_000_000))]
    pub rows: u32,
    /// Times that every contestant scores the rows, in turns; the median counts
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub rounds: u8,
    /// nDCG@10 that may be lost (the worse end of the interval)
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    pub tolerance: f64,
    #[arg(long, value_enum, default_value_t)]
    pub format: ShortFormat,
}

#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Model folder
    #[arg(value_name = "MODEL", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// Measure it against this folder instead of against itself in f32
    #[arg(long, value_name = "MODEL", value_hint = ValueHint::DirPath)]
    pub against: Option<PathBuf>,
    /// Number types to measure, separated by commas; f32 and int8 if not given, or the folder's own
    /// with --against
    #[arg(long, value_delimiter = ',', value_name = "TYPE")]
    pub dtype: Vec<String>,
    /// Exit with 1 if a contestant loses more than it may
    #[arg(long)]
    pub gate: bool,
    #[command(flatten)]
    pub sample: SampleArgs,
}

#[derive(Debug, Args)]
pub struct QuantizeArgs {
    /// Model folder
    #[arg(value_name = "MODEL", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// New folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Replace a model that is there already
    #[arg(long)]
    pub overwrite: bool,
    /// Numbers to store: int8 (a quarter of the size, scored as int8), f16 or bf16 (half, scored as f32)
    #[arg(long, value_name = "TYPE", default_value = "int8", value_parser = ["int8", "f16", "bf16"])]
    pub to: String,
    #[command(flatten)]
    pub sample: SampleArgs,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["layers", "keep_layers", "heads", "magnitude"]))]
pub struct PruneArgs {
    /// Model folder
    #[arg(value_name = "MODEL", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// New folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Replace a model that is there already
    #[arg(long)]
    pub overwrite: bool,
    /// Keep so many layers; which ones is tried out on the rows, a layer at a time
    #[arg(long, value_name = "N")]
    pub layers: Option<usize>,
    /// Keep these layers, counted from 0, e.g. 0,2,4
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub keep_layers: Vec<usize>,
    /// Take away this share of all attention heads: those that move the scores least
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub heads: Option<f64>,
    /// Set this share of each layer matrix's weights to zero: the smallest ones (nothing gets faster)
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub magnitude: Option<f64>,
    #[command(flatten)]
    pub sample: SampleArgs,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("write a share between 0 and 1, e.g. 0.3".into()),
    }
}
