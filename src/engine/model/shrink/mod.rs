//! A smaller model from a larger one: fewer layers, fewer attention heads, weights that are zero, or
//! numbers of fewer bits. Each gives a [`Smaller`] that can be tried out in memory before it is written as
//! a folder of its own. What was lost is measured by whoever calls: no judgments here.
//!
//! ```text
//! Model --layers | heads | magnitude--> Smaller --try_out--> Model
//!                                          `--save(dtype)--> folder
//! ```

mod heads;
mod layers;
mod magnitude;
mod save;

pub use heads::{Importance, drop_heads, head_importance, least_important};
pub use layers::{choose_layers, keep_layers};
pub use magnitude::zero_smallest;
pub use save::{check, save};

use super::config::BertConfig;
use super::error::{ModelError, ModelErrorKind};
use super::load::Model;
use super::params::Params;

/// A model's figures and weights after something was taken away.
#[derive(Debug, Clone)]
pub struct Smaller {
    pub config: BertConfig,
    pub params: Params,
}

impl Smaller {
    /// All of a model: the start of shrinking, or what only changes its numbers on disk.
    pub fn whole(model: &Model) -> Self {
        Self { config: model.config.clone(), params: model.params.clone() }
    }

    /// Loaded in place of `model`'s weights, to be scored with. Never to be used with a score cache.
    pub fn try_out(&self, model: &Model) -> Result<Model, ModelError> {
        model.with_weights(self.config.clone(), self.params.clone())
    }
}

/// That this is a model whose parts are ours to take away.
fn own(model: &Model) -> Result<(), ModelError> {
    if model.bert().is_some() {
        return Ok(());
    }
    let what = format!("{} cannot be pruned or stored as int8 here", model.config.family.name);
    Err(ModelError::new(ModelErrorKind::Unsupported, what)
        .hint("BERT, DistilBERT, RoBERTa and ELECTRA can; `models quantize --to f16` halves any folder"))
}

fn usage(what: String, hint: impl Into<String>) -> ModelError {
    ModelError::new(ModelErrorKind::Usage, what).hint(hint)
}
