//! The scoring pass on a device: the weights of `bert.rs` in a device's number type, tokens end to end so
//! that no product sees padding, queries, keys and values in one product, and candle's fused kernels for
//! normalisation and softmax. Those have no backward, so nothing here may be asked for a gradient.
//! Tested equal to the differentiable path.

use candle_core::{DType, Result, Tensor};

use super::attention::attend;
use super::ragged::Ragged;
use crate::engine::model::bert::{Bert, Layer, Linear, Norm};
use crate::engine::model::config::{Activation, BertConfig};
use crate::engine::model::error::ModelError;
use crate::engine::model::forward::Row;
use crate::engine::model::heads::Head;
use crate::engine::model::pool::PoolingMode;
use crate::util::cancel::Cancel;

/// Weights on one device.
pub(super) struct Packed {
    word: Tensor,
    position: Tensor,
    token_type: Option<Tensor>,
    norm: Norm,
    project: Option<Linear>,
    layers: Vec<PackedLayer>,
    activation: Activation,
    eps: f32,
}

struct PackedLayer {
    heads: usize,
    /// Queries, keys and values of all heads: `[3 * heads * size, hidden]`.
    qkv: Linear,
    attention_out: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    output: Linear,
    output_norm: Norm,
}

impl Packed {
    /// Copies the weights, on their device; waits until they are there, because each thread has a stream
    /// of its own on a GPU and nothing else makes another thread wait.
    pub fn new(bert: &Bert, dtype: DType) -> Result<Self> {
        let e = &bert.embeddings;
        let packed = Self {
            word: e.word.to_dtype(dtype)?,
            position: e.position.to_dtype(dtype)?.contiguous()?,
            token_type: e.token_type.as_ref().map(|table| table.to_dtype(dtype)).transpose()?,
            norm: norm(&e.norm, dtype)?,
            project: e.project.as_ref().map(|project| linear(project, dtype)).transpose()?,
            layers: bert
                .layers
                .iter()
                .map(|layer| pack(layer, &bert.config, dtype))
                .collect::<Result<_>>()?,
            activation: bert.config.activation,
            eps: bert.config.layer_norm_eps as f32,
        };
        packed.word.device().synchronize()?;
        Ok(packed)
    }

    /// Logits or embedding of each row. `bert` holds the head, which stays in f32.
    pub fn outputs(
        &self,
        bert: &Bert,
        rows: &[Row],
        head: &Head,
        cancel: &Cancel,
    ) -> std::result::Result<Vec<Vec<f32>>, ModelError> {
        let device = self.word.device();
        let batch = Ragged::new(rows, device)?;
        let hidden = self.hidden_states(&batch, cancel)?;
        let first =
            |hidden: &Tensor| hidden.index_select(&batch.firsts, 0)?.to_dtype(DType::F32)?.unsqueeze(1);
        let outputs = match head {
            Head::Classifier { .. } => bert.logits(&first(&hidden)?, None)?,
            Head::Embedding(pooling) => match pooling.mode {
                PoolingMode::Cls => pooling.apply(&first(&hidden)?, &batch.mask(device)?)?,
                PoolingMode::Mean => {
                    let states = batch.spread(&hidden)?.to_dtype(DType::F32)?;
                    let states = states.reshape((batch.rows, batch.longest, ()))?;
                    pooling.apply(&states, &batch.mask(device)?)?
                }
            },
        };
        Ok(outputs.to_vec2()?)
    }

    /// Last hidden states `[tokens, hidden]`.
    fn hidden_states(&self, batch: &Ragged, cancel: &Cancel) -> std::result::Result<Tensor, ModelError> {
        let mut sum =
            (self.word.index_select(&batch.ids, 0)? + self.position.index_select(&batch.positions, 0)?)?;
        if let Some(table) = &self.token_type {
            sum = (sum + table.index_select(&batch.type_ids, 0)?)?;
        }
        let mut hidden = self.normed(&sum, &self.norm)?;
        if let Some(project) = &self.project {
            hidden = apply(&hidden, project)?;
        }
        let bias = batch.bias(hidden.dtype())?;
        for layer in &self.layers {
            cancel.check()?;
            hidden = self.layer(layer, &hidden, batch, bias.as_ref())?;
        }
        Ok(hidden)
    }

    fn layer(
        &self,
        layer: &PackedLayer,
        x: &Tensor,
        batch: &Ragged,
        bias: Option<&Tensor>,
    ) -> Result<Tensor> {
        let context = attend(&apply(x, &layer.qkv)?, layer.heads, batch, bias)?;
        let attended = (apply(&context, &layer.attention_out)? + x)?;
        let attended = self.normed(&attended, &layer.attention_norm)?;
        let inner = apply(&attended, &layer.intermediate)?;
        let inner = match self.activation {
            Activation::Gelu => inner.gelu_erf()?,
            Activation::GeluTanh => inner.gelu()?,
            Activation::Relu => inner.relu()?,
        };
        self.normed(&(apply(&inner, &layer.output)? + attended)?, &layer.output_norm)
    }

    fn normed(&self, x: &Tensor, norm: &Norm) -> Result<Tensor> {
        candle_nn::ops::layer_norm(x, &norm.weight, &norm.bias, self.eps)
    }
}

fn apply(x: &Tensor, linear: &Linear) -> Result<Tensor> {
    x.matmul(&linear.weight.t()?)?.broadcast_add(&linear.bias)
}

fn linear(l: &Linear, dtype: DType) -> Result<Linear> {
    Ok(Linear { weight: l.weight.to_dtype(dtype)?.contiguous()?, bias: l.bias.to_dtype(dtype)? })
}

fn norm(n: &Norm, dtype: DType) -> Result<Norm> {
    Ok(Norm { weight: n.weight.to_dtype(dtype)?, bias: n.bias.to_dtype(dtype)? })
}

fn pack(layer: &Layer, config: &BertConfig, dtype: DType) -> Result<PackedLayer> {
    let (context, size) = (layer.query.weight.dim(0)?, config.head_dim());
    // Attention's division goes into the query's weights, before they lose digits.
    let scale = 1.0 / (size as f64).sqrt();
    let (query, key, value) = (&layer.query, &layer.key, &layer.value);
    let weight = Tensor::cat(&[&(&query.weight * scale)?, &key.weight, &value.weight], 0)?;
    let bias = Tensor::cat(&[&(&query.bias * scale)?, &key.bias, &value.bias], 0)?;
    Ok(PackedLayer {
        heads: context / size,
        qkv: linear(&Linear { weight, bias }, dtype)?,
        attention_out: linear(&layer.attention_out, dtype)?,
        attention_norm: norm(&layer.attention_norm, dtype)?,
        intermediate: linear(&layer.intermediate, dtype)?,
        output: linear(&layer.output, dtype)?,
        output_norm: norm(&layer.output_norm, dtype)?,
    })
}
