//! The command line as clap reads it. Meaning is in one file per subcommand.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

pub use super::engine_args::{EngineArgs, EngineSettings};
pub use super::shrink::{BenchArgs, PruneArgs, QuantizeArgs};
pub use super::train::TrainArgs;
pub use super::trust_args::{AccessArgs, TrustCommand};
pub use super::verify_args::{EvalFormat, VerifyArgs, choice, conventions};
pub use crate::pipe::{ModelArgs, TextArgs};
use crate::terms::{Choice as _, ExplainMethod, IntervalMethod, Ties};

/// Find out why a search or recommendation result is bad: a terminal notebook for logs, models,
/// metrics, slices and attributions.
#[derive(Debug, Parser)]
#[command(
    name = "recscope",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Try `recscope demo`. Exit codes: 0 ok, 1 a check failed, 2 usage, 3 data or model error, 70 bug; stopped by a signal: 128 and its number (130 Ctrl-C, 143 SIGTERM)."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// A notebook (.md), or data: Parquet, CSV or JSON files, globs, DuckDB files, s3:// or http(s):// paths
    #[arg(value_name = "NOTEBOOK.md | DATA", value_hint = ValueHint::FilePath)]
    pub files: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the demo investigation: a generated shop log with planted faults, a tiny model, a notebook
    Demo(DemoArgs),
    /// Run a notebook without a screen
    Run(RunArgs),
    /// Score rows of a file with a model
    Score(ScoreArgs),
    /// Explain one score word by word
    Explain(ExplainArgs),
    /// Ranking metrics of a run against judgments
    Eval(EvalArgs),
    /// Compute every golden value anew and print the largest error of each family
    Verify(VerifyArgs),
    /// Fine-tune a model as a TOML file says
    Train(TrainArgs),
    /// Model folders: list them, look at one, fetch one
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Scores that are kept so that no input is computed twice: list, verify, clear
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Folders whose notebooks run without being asked about: list, add, remove
    #[command(subcommand)]
    Trust(TrustCommand),
    /// Look at this machine: versions, CPU, GPU, memory, terminal, models; each problem with its remedy
    Doctor(DoctorArgs),
    /// Reference pages as Markdown
    Docs {
        /// Which page
        page: DocsPage,
    },
    /// Completions for a shell, to be sourced
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Views and macros of a DuckDB file, one JSON text a line; started by the screen
    #[command(hide = true)]
    Inspect {
        /// The file
        file: PathBuf,
    },
    /// The engine behind a socket; started by the screen
    #[command(hide = true)]
    Engine(EngineArgs),
}

#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Leave a planted fault out: synonym, buried or stuffing; may be repeated
    #[arg(long, value_name = "FAULT")]
    pub without: Vec<String>,
    /// Print what is planted, and nothing else
    #[arg(long)]
    pub answers: bool,
    /// Put the files into this folder and keep them, instead of a temporary one
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub keep: Option<PathBuf>,
    /// Run without a screen and print text, json, md, html or csv (the default where there is no terminal: text)
    #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(crate::report::FORMATS))]
    pub format: Option<String>,
    /// Run without a screen and write the report to a file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Write what the demo's model is trained from, and nothing else
    #[arg(long, value_name = "FOLDER", hide = true)]
    pub training: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// The notebook
    #[arg(value_name = "NOTEBOOK.md", value_hint = ValueHint::FilePath)]
    pub notebook: PathBuf,
    /// Replace a parameter of the front matter; may be repeated
    #[arg(long, value_name = "K=V", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// text, json, md, html or csv; by the ending of --out if not given
    #[arg(long, value_name = "FORMAT", value_parser = clap::builder::PossibleValuesParser::new(crate::report::FORMATS))]
    pub format: Option<String>,
    /// Write the report to a file instead of stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Only this cell and what it needs; may be repeated
    #[arg(long, value_name = "CELL")]
    pub only: Vec<String>,
    /// CSV: cells that begin like formulas as they are, without a ' in front
    #[arg(long)]
    pub raw: bool,
    /// Rows of each result that go into the report
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub rows: u32,
    /// Look at every byte of every source before a kept result stands for a run, however large they are
    #[arg(long)]
    pub locked: bool,
    /// Run every cell and compute every score, whatever the folder beside the notebook and the score cache hold
    #[arg(long)]
    pub no_cache: bool,
    #[command(flatten)]
    pub access: AccessArgs,
    #[command(flatten)]
    pub engine: EngineSettings,
}

#[derive(Debug, Args)]
pub struct ScoreArgs {
    #[command(flatten)]
    pub model: ModelArgs,
    /// Data to score: a file, a glob, a path
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub input: String,
    #[command(flatten)]
    pub text: TextArgs,
    /// Where to write: .parquet, .csv or .json
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
    /// CSV: cells that begin like formulas as they are, without a ' in front
    #[arg(long)]
    pub raw: bool,
    /// Compute every score, and keep none for the next time
    #[arg(long)]
    pub no_cache: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// Model folder
    #[arg(long, value_hint = ValueHint::DirPath)]
    pub model: PathBuf,
    /// Query, or the only text of a classifier
    #[arg(long)]
    pub query: String,
    /// Title; leave out for a classifier over one text
    #[arg(long)]
    pub title: Option<String>,
    /// How words are credited
    #[arg(long, default_value = ExplainMethod::default().id(), value_parser = choice::<ExplainMethod>())]
    pub method: ExplainMethod,
    /// Integration nodes to start from
    #[arg(long, value_name = "N")]
    pub nodes: Option<usize>,
    /// Class to explain, for models with several
    #[arg(long, value_name = "LABEL")]
    pub target: Option<String>,
    /// The model compares embeddings (bi-encoder)
    #[arg(long)]
    pub embed: bool,
    /// With --embed: put before query and title; the model folder's prompts if not given
    #[arg(long, num_args = 2, value_names = ["QUERY", "TITLE"])]
    pub prefixes: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    pub format: ShortFormat,
    /// auto, cpu, cuda:N, cuda:0,1 or cuda:all
    #[arg(long)]
    pub device: Option<String>,
}

#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Ranked results: columns query, item, score; of several, the first is the baseline of --compare
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, required = true)]
    pub run: Vec<String>,
    /// Judgments: columns query, item, gain; without it, the run has a column gain of its own
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub qrels: Option<String>,
    /// Measure ids, separated by commas
    #[arg(long, value_delimiter = ',', default_value = "ndcg@10,mrr,map,precision@10,recall@100")]
    pub measures: Vec<String>,
    /// Whose rules for ties, gains, denominators, missing queries, unjudged items and duplicates
    #[arg(long, default_value = "recscope", value_parser = conventions())]
    pub convention: String,
    /// How equal scores are ordered, whatever the convention says
    #[arg(long, value_parser = choice::<Ties>())]
    pub ties: Option<Ties>,
    /// Also the worst and best values that items without a judgment allow
    #[arg(long)]
    pub bounds: bool,
    /// Other column names, e.g. query=qid,item=docid,score=s,gain=grade
    #[arg(long, value_name = "ROLE=COLUMN", value_delimiter = ',', value_parser = pair)]
    pub columns: Vec<(String, String)>,
    /// What the files are written in, where they are not UTF-8 and bear no mark, e.g. gb18030
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,
    /// Evaluate although (almost) no id of a run occurs in the judgments
    #[arg(long)]
    pub unmatched: bool,
    /// Gain from which an item counts as relevant
    #[arg(long, value_name = "GAIN", default_value_t = 1.0)]
    pub relevant_at: f64,
    /// Also the value of every query
    #[arg(long)]
    pub per_query: bool,
    /// Queries that begin like formulas as they are, without a ' in front, in what is printed between tabs
    #[arg(long)]
    pub raw: bool,
    /// Compare the runs with the first one, query by query; more runs may be named here
    #[arg(long, value_name = "FILE", num_args = 0.., value_hint = ValueHint::FilePath)]
    pub compare: Option<Vec<String>>,
    /// Bootstrap resamples of queries behind the intervals; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub resamples: u32,
    /// How resamples become a 95 % interval
    #[arg(long, default_value = IntervalMethod::default().id(), value_parser = choice::<IntervalMethod>())]
    pub interval: IntervalMethod,
    /// Random trades of the runs' results behind each p of --compare; 0 for none
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub permutations: u32,
    /// With --compare, so many queries per run and measure that moved most, with both lists
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub top_queries: usize,
    /// Seed of the resamples and trades
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
    #[arg(long, value_enum, default_value_t)]
    pub format: EvalFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ShortFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Model folders found
    List {
        /// Where to look; models/, the settings' folders and RECSCOPE_MODELS if not given
        folders: Vec<PathBuf>,
        /// Also the SHA-256 over what decides a score: reads every file
        #[arg(long)]
        hash: bool,
        #[arg(long, value_enum, default_value_t)]
        format: ShortFormat,
    },
    /// One model: kind, size, labels, limits, licence, hash
    Info {
        folder: PathBuf,
        #[arg(long, value_enum, default_value_t)]
        format: ShortFormat,
    },
    /// Speed, and what int8 or another version loses of the scores and of nDCG
    Bench(BenchArgs),
    /// Write a folder with smaller numbers, and measure it against its source
    Quantize(QuantizeArgs),
    /// Write a folder with fewer layers or heads, or more zeros, and measure it against its source
    Prune(PruneArgs),
    /// Fetch a model: from the Hugging Face hub, a local archive or a folder; only the files that are read
    #[command(
        after_help = "The hub is HF_ENDPOINT (default https://huggingface.co); a token in HF_TOKEN is sent to it alone. A download \
that was cut off goes on where it stopped when the same command is run again. Proxies are read from HTTPS_PROXY \
and NO_PROXY, certificates from SSL_CERT_FILE."
    )]
    Pull(PullArgs),
}

#[derive(Debug, Args)]
pub struct PullArgs {
    /// A name on the hub (ORG/NAME), an archive (.tar, .tar.gz, .tar.zst, .zip) or a folder
    #[arg(value_name = "ORG/NAME | ARCHIVE | FOLDER", value_hint = ValueHint::AnyPath)]
    pub source: String,
    /// The folder to make; models/NAME if not given
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub to: Option<PathBuf>,
    /// A branch, a tag or a commit on the hub; main if not given
    #[arg(long, value_name = "REVISION")]
    pub revision: Option<String>,
    #[arg(long, value_enum, default_value_t)]
    pub format: ShortFormat,
}

/// Where the scores lie and how much they may take: `engine.score_cache` and `engine.score_cache_limit`
/// of config.toml, or RECSCOPE_SCORE_CACHE (a folder, or `off`).
#[derive(Debug, Subcommand)]
pub enum CacheCommand {
    /// What is kept: model, number type, entries, size, last use
    List {
        #[arg(long, value_enum, default_value_t)]
        format: ShortFormat,
    },
    /// Check the checksum of every entry; exit 1 if one is damaged (it would be computed again)
    Verify {
        #[arg(long, value_enum, default_value_t)]
        format: ShortFormat,
    },
    /// Remove what is kept, without asking, and say what has gone
    Clear {
        /// Only of this model: its folder, or the name or hash that `recscope cache list` shows
        #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
        model: Option<String>,
        /// Only what has not been used for so many days
        #[arg(long, value_name = "DAYS")]
        older_than: Option<u32>,
        #[arg(long, value_enum, default_value_t)]
        format: ShortFormat,
    },
}

#[derive(Debug, Args)]
pub struct DoctorArgs {
    #[arg(long, value_enum, default_value_t)]
    pub format: ShortFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DocsPage {
    Keys,
    Cells,
    Metrics,
    Cli,
    Config,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if key.trim().is_empty() {
        Err("the name before `=` is missing".into())
    } else {
        Ok((key.trim().into(), value.into()))
    }
}

pub(super) fn size(text: &str) -> Result<u64, String> {
    crate::config::bytes(text).ok_or_else(|| "write a size from 32 MB on, e.g. 512MB or 4GB".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn files_and_commands_do_not_mix() {
        let parse = |words: &[&str]| Cli::try_parse_from(std::iter::once(&"recscope").chain(words));
        assert_eq!(parse(&["a.md"]).unwrap().files, ["a.md"]);
        assert!(matches!(parse(&["run", "a.md", "--set", "k=5"]).unwrap().command, Some(Command::Run(_))));
        assert!(parse(&["run", "a.md", "--set", "k"]).is_err());
        assert!(parse(&["score", "--model", "m", "--input", "f", "--out", "o"]).is_err());
        let score = parse(&["score", "--model", "m", "--input", "f", "--out", "o", "--pair", "q,t"]).unwrap();
        assert!(matches!(score.command, Some(Command::Score(s)) if s.text.pair == ["q", "t"]));
        assert!(parse(&[]).unwrap().command.is_none());
    }
}
