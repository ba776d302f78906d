//! The arguments of `recscope-score` as clap reads them, and those that it shares with
//! `recscope score`.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum, ValueHint};

use super::Fault;
use crate::engine::model::{Dtype, LoadOptions, Model, Prefixes, RowKind, ScoreOptions};

/// Put a model's score beside every row: JSON lines or an Arrow stream on stdin, the same on stdout,
/// in order, every column kept.
#[derive(Debug, Parser)]
#[command(
    name = "recscope-score",
    version,
    after_help = "Rows are answered when the input pauses, so that it works as a coprocess. A text that is null or blank gets score null.\n\
                  Exit codes: 0 the input has ended, 2 usage, 3 data or model error (with the line), 70 bug, 130 or 143 stopped by a signal."
)]
pub struct PipeArgs {
    #[command(flatten)]
    pub model: ModelArgs,
    #[command(flatten)]
    pub text: TextArgs,
    /// What stdin holds: by its first bytes if not given
    #[arg(long, value_enum)]
    pub format: Option<RowFormat>,
    /// A JSON object without the wanted key: an error, or the same as null (writers such as Spark's
    /// toJSON leave nulls out)
    #[arg(long, value_enum, default_value_t)]
    pub missing: Missing,
    /// JSON lines: give a line that cannot be scored a null score and an `error` key, and go on
    #[arg(long)]
    pub skip_bad: bool,
    /// Batches computed side by side; one per core if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Most tokens of one batch; chosen for the device if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(16..=4_194_304))]
    pub batch_tokens: Option<u32>,
    /// Keep scores in this folder, so that no input is computed twice, by later runs either; `off` (or
    /// nothing) for none
    #[arg(long, value_name = "FOLDER", env = "RECSCOPE_SCORE_CACHE", value_hint = ValueHint::DirPath)]
    pub cache: Option<PathBuf>,
    /// No progress and no summary on stderr
    #[arg(long, short)]
    pub quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// One JSON object per line
    Jsonl,
    /// Arrow IPC stream
    Arrow,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Missing {
    #[default]
    Error,
    Null,
}

/// The columns that a model reads.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct TextArgs {
    /// Cross-encoder: query and title column
    #[arg(long, value_name = "Q,T", value_delimiter = ',', num_args = 1)]
    pub pair: Vec<String>,
    /// Classifier: text column
    #[arg(long, value_name = "COLUMN")]
    pub text: Option<String>,
    /// Bi-encoder: cosine of two columns
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1)]
    pub embed: Vec<String>,
}

impl TextArgs {
    /// What the model reads, and the one or two columns as they were asked for.
    pub fn columns(&self) -> Result<(RowKind, Vec<String>), Fault> {
        let kind = match (&self.text, self.embed.is_empty()) {
            (Some(_), _) => RowKind::Text,
            (None, true) => RowKind::Pair,
            (None, false) => RowKind::Embed,
        };
        let asked = self.pair.iter().chain(&self.text).chain(&self.embed);
        let columns: Vec<String> = asked.map(|name| name.trim().to_string()).collect();
        if columns.len() != if kind == RowKind::Text { 1 } else { 2 } {
            return Err(Fault::usage("two columns are needed").hint("e.g. --pair query,title"));
        }
        Ok((kind, columns))
    }
}

/// Which model, and how it is to read and compute.
#[derive(Debug, Args)]
pub struct ModelArgs {
    /// Model folder (Hugging Face layout, safetensors)
    #[arg(long = "model", value_name = "MODEL", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// auto, cpu, cuda:N, or several GPUs that share the batches: cuda:0,1 or cuda:all
    #[arg(long, default_value = "auto")]
    pub device: String,
    /// f32; int8: faster on a CPU, a little less exact; f16 or bf16: faster on a GPU. If not given: f16 on
    /// NVIDIA GPUs, int8 on a CPU for a folder that `recscope models quantize` made, else f32
    #[arg(long)]
    pub dtype: Option<String>,
    /// Tokens per input, special ones included; the model's limit if not given
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<usize>,
    /// With --embed: put before each query and each title ("query: " "passage: "); the model folder's
    /// prompts if not given
    #[arg(long, num_args = 2, value_names = ["QUERY", "TITLE"])]
    pub prefixes: Vec<String>,
    /// Gain of every class: the score is the expected gain, e.g. Exact=1,Substitute=0.1,Irrelevant=0
    #[arg(long, value_name = "CLASS=GAIN", value_delimiter = ',', value_parser = gain)]
    pub gains: Vec<(String, f64)>,
}

fn gain(text: &str) -> Result<(String, f64), String> {
    let (class, gain) = text.rsplit_once('=').ok_or("write CLASS=GAIN, e.g. Exact=1")?;
    let gain = gain.trim().parse().map_err(|_| format!("{gain} is not a number"))?;
    Ok((class.trim().to_owned(), gain))
}

impl ModelArgs {
    pub fn load_options(&self) -> Result<LoadOptions, Fault> {
        let prefixes = match self.prefixes.as_slice() {
            [query, text] => Some(Prefixes { query: query.clone(), text: text.clone() }),
            _ => None,
        };
        let gains = (!self.gains.is_empty()).then(|| self.gains.clone());
        Ok(LoadOptions { device: self.device.parse()?, max_tokens: self.max_tokens, prefixes, gains })
    }

    /// A wrong name is told before the model is loaded.
    pub fn dtype(&self) -> Result<Option<Dtype>, Fault> {
        Ok(self.dtype.as_deref().map(str::parse).transpose()?)
    }

    pub fn score_options(&self, model: &Model) -> Result<ScoreOptions, Fault> {
        let dtype = self.dtype()?.unwrap_or(model.default_dtype());
        Ok(ScoreOptions { dtype, ..ScoreOptions::default() })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(words: &[&str]) -> Result<PipeArgs, clap::Error> {
        PipeArgs::try_parse_from(["recscope-score", "--model", "m"].iter().chain(words))
    }

    #[test]
    fn the_definition_is_sound() {
        PipeArgs::command().debug_assert();
    }

    #[test]
    fn columns_come_as_asked() {
        let columns = |words: &[&str]| parse(words).unwrap().text.columns();
        let two = vec!["query".to_string(), "标题".to_string()];
        assert_eq!(columns(&["--pair", "query, 标题"]).unwrap(), (RowKind::Pair, two.clone()));
        assert_eq!(columns(&["--embed", "query,标题"]).unwrap(), (RowKind::Embed, two));
        assert_eq!(columns(&["--text", "a,b"]).unwrap(), (RowKind::Text, vec!["a,b".to_string()]));
        assert!(columns(&["--pair", "query"]).unwrap_err().to_string().contains("two columns"));
        assert!(parse(&[]).is_err());
        assert!(parse(&["--text", "a", "--pair", "a,b"]).is_err());
    }
}
