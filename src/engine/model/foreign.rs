//! Encoders that candle-transformers computes, with our classifier on top: forward only. Their layer
//! normalisation and rotary embedding have no backward and drop gradients without a word, and they
//! take ids only, so nothing here may be asked for a gradient.

use candle_core::{DType, Device, Tensor};

use super::bert::{Linear, Padded};
use super::config::{Architecture, BertConfig};
use super::deberta;
use super::error::{ModelError, ModelErrorKind};
use super::family::{HeadActivation, Network};
use super::modern_bert;
use super::ops;
use super::params::Params;
use super::pool::{Pooling, PoolingMode};
use super::similarity::Similarity;

/// An encoder of another's code.
pub(super) trait Layers: Send + Sync {
    /// Last hidden states `[batch, length, hidden]` of a padded batch. Rows at padding are
    /// meaningless.
    fn hidden_states(&self, batch: &Padded) -> candle_core::Result<Tensor>;
}

/// Encoder and, for a classifier, its head.
pub struct Foreign {
    device: Device,
    layers: Box<dyn Layers>,
    top: Option<Top>,
}

/// Two layers on the first token's state, or on the mean.
struct Top {
    pooling: Pooling,
    dense: Linear,
    activation: HeadActivation,
    /// Weight of a layer normalisation without bias, and its epsilon.
    norm: Option<(Tensor, f64)>,
    out: Linear,
}

impl Foreign {
    /// Hands the named tensors, whose shapes are checked, to candle.
    pub fn new(config: &BertConfig, params: &Params) -> Result<Self, ModelError> {
        let device = params.device()?;
        let layers: Box<dyn Layers> = match config.network() {
            Network::ModernBert => modern_bert::load(config, params)?,
            Network::DebertaV2 => deberta::load(config, params)?,
            Network::Bert => {
                return Err(ModelError::new(ModelErrorKind::Internal, "BERT is computed by our own code"));
            }
        };
        let classifies = config.architecture == Architecture::SequenceClassification;
        let top = classifies.then(|| Top::new(config, params)).transpose()?;
        Ok(Self { device, layers, top })
    }

    pub fn device(&self) -> &Device {
        &self.device
    }

    pub fn hidden_states(&self, batch: &Padded) -> Result<Tensor, ModelError> {
        Ok(self.layers.hidden_states(batch)?)
    }

    /// Class logits `[batch, labels]` from last hidden states.
    pub fn logits(&self, hidden: &Tensor, mask: &Tensor) -> Result<Tensor, ModelError> {
        let Some(top) = &self.top else { return Err(super::bert::no_classifier()) };
        let pooled = top.pooling.apply(hidden, mask)?;
        let inner = ops::linear(&pooled, &top.dense.weight, &top.dense.bias)?;
        let mut inner = ops::head_activate(&inner, top.activation)?;
        if let Some((weight, eps)) = &top.norm {
            inner = ops::layer_norm(&inner, weight, &weight.zeros_like()?, *eps)?;
        }
        Ok(ops::linear(&inner, &top.out.weight, &top.out.bias)?)
    }
}

impl Top {
    fn new(config: &BertConfig, params: &Params) -> Result<Self, ModelError> {
        let linear = |name: &str| -> Result<Linear, ModelError> {
            let weight = params.get(&format!("{name}.weight"))?.clone();
            let bias = match params.get(&format!("{name}.bias")) {
                Ok(bias) => bias.clone(),
                Err(_) => Tensor::zeros(weight.dim(0)?, DType::F32, weight.device())?,
            };
            Ok(Linear { weight, bias })
        };
        let mode = match config.text("classifier_pooling") {
            Some("mean") => PoolingMode::Mean,
            _ => PoolingMode::Cls,
        };
        let norm = params.get("pooler.norm.weight").ok().cloned();
        Ok(Self {
            pooling: Pooling {
                mode,
                normalise: false,
                declared: true,
                pools_prefix: true,
                similarity: Similarity::Cosine,
            },
            dense: linear("pooler.dense")?,
            activation: config.head_activation,
            norm: norm.map(|weight| (weight, config.layer_norm_eps)),
            out: linear("classifier")?,
        })
    }
}
