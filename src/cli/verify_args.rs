//! Arguments of `recscope verify`, and the choices of `recscope eval` that come from tables. No meaning
//! here.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};

use super::args::ShortFormat;
use crate::analysis::metrics::CONVENTIONS;
use crate::terms::Choice;

/// The words of a setting, each with its meaning.
pub fn choice<C: Choice>() -> impl TypedValueParser<Value = C> {
    let words = C::ALL.iter().map(|value| PossibleValue::new(value.id()).help(value.doc()));
    PossibleValuesParser::new(words).map(|word| C::parse(&word).unwrap_or_default())
}

/// The presets of CONVENTIONS, and all of them.
pub fn conventions() -> PossibleValuesParser {
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

#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Folder with goldens of peer libraries (`goldens/`); without it, those that the program carries
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub shared: Option<PathBuf>,
    /// A family of goldens to leave out, by its id (may repeat); every other one must be there, whole
    #[arg(long, value_name = "ID")]
    pub skip: Vec<String>,
    #[arg(long, value_enum, default_value_t)]
    pub format: ShortFormat,
}
