//! One model in training: a step is forward, backward, clip, update. Knows batches of tensors, not
//! rows, epochs or files.

use candle_core::backprop::GradStore;
use candle_core::{Device, Var};

use crate::engine::model::{Bert, BertConfig, Dropout, ModelError, Padded, Params, Words};
use crate::util::cancel::Cancel;

use super::adamw::{AdamW, AdamWOptions, clip_scale, global_norm};
use super::losses::Loss;

/// What one step saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Mean over the batch's rows, before the update.
    pub loss: f64,
    /// Global norm of the gradients, before clipping.
    pub grad_norm: f64,
}

pub struct Trainer {
    bert: Bert,
    params: Params,
    vars: Vec<(String, Var)>,
    adam: AdamW,
    loss: Loss,
    clip: f64,
    dropout: Option<Dropout>,
}

impl Trainer {
    /// Copies the weights, so that the ones given stay as they are. `config` is a sequence
    /// classifier's; its dropout probabilities apply, with masks from `seed`, unless all are 0.
    pub fn new(
        config: &BertConfig,
        params: &Params,
        loss: Loss,
        adam: AdamWOptions,
        clip: f64,
        seed: u64,
    ) -> Result<Self, ModelError> {
        let (params, vars) = params.to_vars()?;
        let bert = Bert::new(config, &params)?;
        let adam = AdamW::new(&vars, adam)?;
        let classifier = config.classifier_dropout.unwrap_or(config.hidden_dropout);
        let drops = config.hidden_dropout + config.attention_dropout + classifier > 0.0;
        let dropout = drops.then(|| Dropout::new(config, seed));
        Ok(Self { bert, params, vars, adam, loss, clip, dropout })
    }

    /// Today's weights; they change with every step (see [`Params::snapshot`]).
    pub fn params(&self) -> &Params {
        &self.params
    }

    pub fn device(&self) -> &Device {
        self.bert.device()
    }

    /// Every variable by name, in name order.
    pub fn vars(&self) -> &[(String, Var)] {
        &self.vars
    }

    /// Mean loss and the gradient of every variable; changes no weight.
    pub fn gradients(
        &mut self,
        batch: &Padded,
        targets: &[f32],
        cancel: &Cancel,
    ) -> Result<(f64, GradStore), ModelError> {
        let words = Words::Ids(&batch.ids);
        let hidden = self.bert.hidden_states(&words, batch, self.dropout.as_mut(), cancel)?;
        let logits = self.bert.logits(&hidden, self.dropout.as_mut())?;
        let loss = self.loss.mean(&logits, targets)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        cancel.check()?;
        Ok((value, loss.backward()?))
    }

    /// One update at this learning rate. A loss or gradient that is not finite is reported in the
    /// answer and changes no weight.
    pub fn step(
        &mut self,
        batch: &Padded,
        targets: &[f32],
        rate: f64,
        cancel: &Cancel,
    ) -> Result<Step, ModelError> {
        let (loss, grads) = self.gradients(batch, targets, cancel)?;
        let grad_norm = global_norm(&self.vars, &grads)?;
        if loss.is_finite() && grad_norm.is_finite() {
            self.adam.update(&grads, clip_scale(grad_norm, self.clip), rate)?;
        }
        Ok(Step { loss, grad_norm })
    }
}
