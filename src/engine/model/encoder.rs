//! The encoder of a loaded model, whoever computes it: our own BERT, or candle-transformers for the
//! families that we only run forward.

use candle_core::{Device, Tensor};

use super::bert::{Bert, Padded, Words};
use super::config::BertConfig;
use super::error::{ModelError, ModelErrorKind};
use super::family::Network;
use super::foreign::Foreign;
use super::params::Params;
use crate::util::cancel::Cancel;

pub enum Encoder {
    Own(Box<Bert>),
    Foreign(Foreign),
}

impl Encoder {
    pub fn new(config: &BertConfig, params: &Params) -> Result<Self, ModelError> {
        Ok(match config.network() {
            Network::Bert => Self::Own(Box::new(Bert::new(config, params)?)),
            Network::ModernBert | Network::DebertaV2 => Self::Foreign(Foreign::new(config, params)?),
        })
    }

    /// Our own BERT, which alone has gradients and a fused path.
    pub fn own(&self) -> Option<&Bert> {
        match self {
            Self::Own(bert) => Some(bert),
            Self::Foreign(_) => None,
        }
    }

    /// Our own BERT, or why there are no gradients.
    pub fn differentiable(&self, config: &BertConfig) -> Result<&Bert, ModelError> {
        self.own().ok_or_else(|| {
            let what = format!(
                "{} runs forward only here: its code takes no word embeddings and loses gradients, so \
                 methods that need them would give wrong numbers",
                config.family.name
            );
            ModelError::new(ModelErrorKind::Unsupported, what)
                .hint("use method = \"leave_one_out\" (--method leave_one_out), which needs scores alone")
        })
    }

    pub fn device(&self) -> &Device {
        match self {
            Self::Own(bert) => bert.device(),
            Self::Foreign(foreign) => foreign.device(),
        }
    }

    /// Last hidden states `[batch, length, hidden]` of a padded batch. Rows at padding are
    /// meaningless. Looks at `cancel` between layers where the layers are ours.
    pub fn hidden_states(&self, batch: &Padded, cancel: &Cancel) -> Result<Tensor, ModelError> {
        cancel.check()?;
        match self {
            Self::Own(bert) => bert.hidden_states(&Words::Ids(&batch.ids), batch, None, cancel),
            Self::Foreign(foreign) => foreign.hidden_states(batch),
        }
    }

    /// Class logits `[batch, labels]` from last hidden states.
    pub fn logits(&self, hidden: &Tensor, batch: &Padded) -> Result<Tensor, ModelError> {
        match self {
            Self::Own(bert) => bert.logits(hidden, None),
            Self::Foreign(foreign) => foreign.logits(hidden, &batch.mask),
        }
    }
}
