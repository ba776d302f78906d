//! The one definition of BERT and its closest relatives: weights in place, and the differentiable
//! forward pass over a padded batch. The fused pass over packed tokens (`fused/`) reads the same
//! struct. Families differ in the data here (no token types, a projection, another head), not in code
//! of their own.

use candle_core::{D, DType, Device, Tensor};

use super::config::BertConfig;
use super::dropout::Dropout;
use super::error::{ModelError, ModelErrorKind};
use super::ops;
use super::params::Params;
use crate::util::cancel::Cancel;

/// A dense layer: `weight [out, in]`, `bias [out]`.
#[derive(Clone, Debug)]
pub struct Linear {
    pub weight: Tensor,
    pub bias: Tensor,
}

/// A layer normalisation: `weight [hidden]`, `bias [hidden]`.
#[derive(Clone, Debug)]
pub struct Norm {
    pub weight: Tensor,
    pub bias: Tensor,
}

#[derive(Clone, Debug)]
pub struct Embeddings {
    /// `[vocabulary, embedding]`
    pub word: Tensor,
    /// `[positions, embedding]`, from the first token's row on.
    pub position: Tensor,
    /// `[types, embedding]`; `None`: the family has none.
    pub token_type: Option<Tensor>,
    pub norm: Norm,
    /// From `embedding` to `hidden`, where the two differ.
    pub project: Option<Linear>,
}

#[derive(Clone, Debug)]
pub struct Layer {
    pub query: Linear,
    pub key: Linear,
    pub value: Linear,
    pub attention_out: Linear,
    pub attention_norm: Norm,
    pub intermediate: Linear,
    pub output: Linear,
    pub output_norm: Norm,
}

/// Weights by their place. Tensors are shared with the [`Params`] they came from: if those are
/// variables, setting a variable changes what this computes.
#[derive(Clone, Debug)]
pub struct Bert {
    pub config: BertConfig,
    pub embeddings: Embeddings,
    pub layers: Vec<Layer>,
    pub pooler: Option<Linear>,
    pub classifier: Option<Linear>,
}

/// A batch padded to its longest row. `mask` is 1 for tokens and 0 for padding.
#[derive(Clone, Debug)]
pub struct Padded {
    /// `[batch, length]`, u32.
    pub ids: Tensor,
    /// `[batch, length]`, u32.
    pub type_ids: Tensor,
    /// `[batch, length]`, f32.
    pub mask: Tensor,
}

/// What stands for the words: ids to look up, or points of embedding space (attribution).
pub enum Words<'a> {
    /// `[batch, length]`, u32.
    Ids(&'a Tensor),
    /// `[batch, length, embedding]`, f32: used in place of the looked-up word embeddings.
    Embeddings(&'a Tensor),
}

/// Which implementation computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// Only operations with a backward pass.
    Differentiable,
    /// Hand-written kernels without one; CPU only, elsewhere the differentiable path runs.
    Fused,
}

impl Padded {
    /// Pads rows of (ids, token types) to the longest; `pad_id` fills ids, 0 fills types.
    pub fn new(rows: &[(&[u32], &[u32])], pad_id: u32, device: &Device) -> Result<Self, ModelError> {
        let length = rows.iter().map(|(ids, _)| ids.len()).max().unwrap_or(0).max(1);
        let mut ids = Vec::with_capacity(rows.len() * length);
        let mut types = Vec::with_capacity(rows.len() * length);
        let mut mask = Vec::with_capacity(rows.len() * length);
        for (row, row_types) in rows {
            let padding = length - row.len();
            ids.extend(row.iter().copied().chain(std::iter::repeat_n(pad_id, padding)));
            types.extend(row_types.iter().copied().chain(std::iter::repeat_n(0, length - row_types.len())));
            mask.extend(std::iter::repeat_n(1f32, row.len()).chain(std::iter::repeat_n(0f32, padding)));
        }
        let shape = (rows.len(), length);
        Ok(Self {
            ids: Tensor::from_vec(ids, shape, device)?,
            type_ids: Tensor::from_vec(types, shape, device)?,
            mask: Tensor::from_vec(mask, shape, device)?,
        })
    }
}

impl Bert {
    /// Puts the named tensors in their places. Shapes were checked by whoever loaded them.
    pub fn new(config: &BertConfig, params: &Params) -> Result<Self, ModelError> {
        let tensor = |name: String| params.get(&name).cloned();
        let linear = |name: &str| -> Result<Linear, ModelError> {
            Ok(Linear { weight: tensor(format!("{name}.weight"))?, bias: tensor(format!("{name}.bias"))? })
        };
        let norm = |name: &str| -> Result<Norm, ModelError> {
            let name = format!("{name}.LayerNorm");
            Ok(Norm { weight: tensor(format!("{name}.weight"))?, bias: tensor(format!("{name}.bias"))? })
        };
        let optional = |name: &str| match params.contains(&format!("{name}.weight")) {
            true => linear(name).map(Some),
            false => Ok(None),
        };
        let layer = |n: usize| -> Result<Layer, ModelError> {
            let at = |part: &str| format!("encoder.layer.{n}.{part}");
            Ok(Layer {
                query: linear(&at("attention.self.query"))?,
                key: linear(&at("attention.self.key"))?,
                value: linear(&at("attention.self.value"))?,
                attention_out: linear(&at("attention.output.dense"))?,
                attention_norm: norm(&at("attention.output"))?,
                intermediate: linear(&at("intermediate.dense"))?,
                output: linear(&at("output.dense"))?,
                output_norm: norm(&at("output"))?,
            })
        };
        Ok(Self {
            config: config.clone(),
            embeddings: Embeddings {
                word: tensor("embeddings.word_embeddings.weight".into())?,
                position: tensor("embeddings.position_embeddings.weight".into())?.narrow(
                    0,
                    config.first_position,
                    config.max_positions,
                )?,
                token_type: match config.type_vocab {
                    0 => None,
                    _ => Some(tensor("embeddings.token_type_embeddings.weight".into())?),
                },
                norm: norm("embeddings")?,
                project: optional("embeddings.project")?,
            },
            layers: (0..config.layers).map(layer).collect::<Result<_, _>>()?,
            pooler: optional("pooler.dense")?,
            classifier: optional("classifier")?,
        })
    }

    /// The same weights in another number type, on the same device.
    pub fn cast(&self, dtype: DType) -> Result<Self, ModelError> {
        let linear = |l: &Linear| -> Result<Linear, ModelError> {
            Ok(Linear { weight: l.weight.to_dtype(dtype)?, bias: l.bias.to_dtype(dtype)? })
        };
        let norm = |n: &Norm| -> Result<Norm, ModelError> {
            Ok(Norm { weight: n.weight.to_dtype(dtype)?, bias: n.bias.to_dtype(dtype)? })
        };
        let layer = |l: &Layer| -> Result<Layer, ModelError> {
            Ok(Layer {
                query: linear(&l.query)?,
                key: linear(&l.key)?,
                value: linear(&l.value)?,
                attention_out: linear(&l.attention_out)?,
                attention_norm: norm(&l.attention_norm)?,
                intermediate: linear(&l.intermediate)?,
                output: linear(&l.output)?,
                output_norm: norm(&l.output_norm)?,
            })
        };
        let e = &self.embeddings;
        Ok(Self {
            config: self.config.clone(),
            embeddings: Embeddings {
                word: e.word.to_dtype(dtype)?,
                position: e.position.to_dtype(dtype)?,
                token_type: e.token_type.as_ref().map(|t| t.to_dtype(dtype)).transpose()?,
                norm: norm(&e.norm)?,
                project: e.project.as_ref().map(linear).transpose()?,
            },
            layers: self.layers.iter().map(layer).collect::<Result<_, _>>()?,
            pooler: self.pooler.as_ref().map(linear).transpose()?,
            classifier: self.classifier.as_ref().map(linear).transpose()?,
        })
    }

    pub fn device(&self) -> &Device {
        self.embeddings.word.device()
    }

    /// Word-embedding rows `[batch, length, embedding]` of ids `[batch, length]`.
    pub fn word_embeddings(&self, ids: &Tensor) -> Result<Tensor, ModelError> {
        let (batch, length) = ids.dims2()?;
        let rows = self.embeddings.word.index_select(&ids.flatten_all()?, 0)?;
        Ok(rows.reshape((batch, length, self.config.embedding))?)
    }

    /// Last hidden states `[batch, length, hidden]` by the differentiable path. Rows at padding are
    /// meaningless. Looks at `cancel` between layers.
    pub fn hidden_states(
        &self,
        words: &Words,
        batch: &Padded,
        mut dropout: Option<&mut Dropout>,
        cancel: &Cancel,
    ) -> Result<Tensor, ModelError> {
        let words = match words {
            Words::Ids(ids) => self.word_embeddings(ids)?,
            Words::Embeddings(points) => (*points).clone(),
        };
        let mut hidden = self.embed(words, batch)?;
        if let Some(d) = dropout.as_deref_mut() {
            hidden = d.hidden(hidden)?;
        }
        // [batch, 1, 1, length]: 0 for tokens; padding far below any score, so that exp gives 0.
        let bias = ((1.0 - &batch.mask)? * -1e30)?.unsqueeze(1)?.unsqueeze(1)?;
        for layer in &self.layers {
            cancel.check()?;
            hidden = self.layer(layer, &hidden, &bias, dropout.as_deref_mut())?;
        }
        Ok(hidden)
    }

    fn embed(&self, words: Tensor, batch: &Padded) -> Result<Tensor, ModelError> {
        let e = &self.embeddings;
        let (rows, length) = batch.type_ids.dims2()?;
        let mut sum = words.broadcast_add(&e.position.narrow(0, 0, length)?)?;
        if let Some(table) = &e.token_type {
            let types = table.index_select(&batch.type_ids.flatten_all()?, 0)?;
            sum = (sum + types.reshape((rows, length, self.config.embedding))?)?;
        }
        let normed = ops::layer_norm(&sum, &e.norm.weight, &e.norm.bias, self.config.layer_norm_eps)?;
        Ok(match &e.project {
            Some(project) => ops::linear(&normed, &project.weight, &project.bias)?,
            None => normed,
        })
    }

    fn layer(
        &self,
        layer: &Layer,
        x: &Tensor,
        bias: &Tensor,
        mut dropout: Option<&mut Dropout>,
    ) -> candle_core::Result<Tensor> {
        let eps = self.config.layer_norm_eps;
        let context = self.attend(layer, x, bias, dropout.as_deref_mut())?;
        let mut dropped = |x: Tensor| match dropout.as_deref_mut() {
            Some(d) => d.hidden(x),
            None => Ok(x),
        };
        let out = dropped(ops::linear(&context, &layer.attention_out.weight, &layer.attention_out.bias)?)?;
        let norm = &layer.attention_norm;
        let attended = ops::layer_norm(&(out + x)?, &norm.weight, &norm.bias, eps)?;
        let inner = ops::linear(&attended, &layer.intermediate.weight, &layer.intermediate.bias)?;
        let inner = ops::activate(&inner, self.config.activation)?;
        let out = dropped(ops::linear(&inner, &layer.output.weight, &layer.output.bias)?)?;
        let norm = &layer.output_norm;
        ops::layer_norm(&(out + attended)?, &norm.weight, &norm.bias, eps)
    }

    fn attend(
        &self,
        layer: &Layer,
        x: &Tensor,
        bias: &Tensor,
        dropout: Option<&mut Dropout>,
    ) -> candle_core::Result<Tensor> {
        let (batch, length, _) = x.dims3()?;
        // Fewer than the config's where heads were pruned.
        let (context, size) = (layer.query.weight.dim(0)?, self.config.head_dim());
        let heads = context / size;
        let split = |linear: &Linear| -> candle_core::Result<Tensor> {
            let y = ops::linear(x, &linear.weight, &linear.bias)?;
            y.reshape((batch, length, heads, size))?.transpose(1, 2)?.contiguous()
        };
        let (q, k, v) = (split(&layer.query)?, split(&layer.key)?, split(&layer.value)?);
        let scores = (q.matmul(&k.transpose(D::Minus1, D::Minus2)?)? / (size as f64).sqrt())?;
        // In half precision the mask would overflow and the sum lose digits.
        let scores = scores.to_dtype(DType::F32)?.broadcast_add(bias)?;
        let mut weights = ops::softmax(&scores)?.to_dtype(v.dtype())?;
        if let Some(d) = dropout {
            weights = d.attention(weights)?;
        }
        weights.matmul(&v)?.transpose(1, 2)?.contiguous()?.reshape((batch, length, context))
    }

    /// activation(dense(first token)), `[batch, hidden]`, tanh for BERT; `None` where the model has no
    /// such layer.
    pub fn pooled(&self, hidden: &Tensor) -> Result<Option<Tensor>, ModelError> {
        let Some(pooler) = &self.pooler else { return Ok(None) };
        let first = hidden.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?;
        let inner = ops::linear(&first, &pooler.weight, &pooler.bias)?;
        Ok(Some(ops::head_activate(&inner, self.config.head_activation)?))
    }

    /// Class logits `[batch, labels]` from last hidden states.
    pub fn logits(&self, hidden: &Tensor, dropout: Option<&mut Dropout>) -> Result<Tensor, ModelError> {
        let (Some(mut pooled), Some(classifier)) = (self.pooled(hidden)?, &self.classifier) else {
            return Err(no_classifier());
        };
        if let Some(d) = dropout {
            pooled = d.classifier(pooled)?;
        }
        Ok(ops::linear(&pooled, &classifier.weight, &classifier.bias)?)
    }
}

/// An encoder was asked for logits.
pub(super) fn no_classifier() -> ModelError {
    ModelError::new(ModelErrorKind::Usage, "this model has no classifier: it gives embeddings")
        .hint("use `embed = [\"query\", \"title\"]` for the cosine, or a sequence-classification model")
}
