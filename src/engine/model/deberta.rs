//! DeBERTa-v2 (and v3, which is v2 by its config) on candle-transformers: its config.json, and what of
//! it candle does not compute. No weights are read here.

use candle_core::Tensor;
use candle_transformers::models::debertav2::{Config, DebertaV2Model, HiddenAct};
use serde_json::Value;

use super::bert::Padded;
use super::config::{Activation, BertConfig};
use super::error::ModelError;
use super::family::unsupported;
use super::foreign::Layers;
use super::params::Params;

/// How tokens see each other's distance.
pub(super) struct Relative {
    /// Distances in one direction that have an embedding.
    pub span: usize,
    max_positions: i64,
    buckets: i64,
    /// `c2p`, `p2c`.
    kinds: Vec<String>,
    /// Positions go through the projections of the content.
    shared: bool,
    /// The table of distances is normalised.
    pub normed: bool,
}

impl Relative {
    /// `None`: positions are absolute only.
    pub fn of(config: &BertConfig) -> Option<Self> {
        if !config.flag("relative_attention", false) {
            return None;
        }
        let number = |key: &str| config.raw(key).and_then(Value::as_i64).unwrap_or(-1).min(1 << 20);
        let buckets = number("position_buckets");
        let max_positions = match number("max_relative_positions") {
            n if n < 1 => config.max_positions as i64,
            n => n,
        };
        let span = if buckets > 0 { buckets } else { max_positions };
        let norms = config.text("norm_rel_ebd").unwrap_or("none").to_lowercase();
        Some(Self {
            span: span as usize,
            max_positions,
            buckets,
            kinds: kinds(config),
            shared: config.flag("share_att_key", false),
            normed: norms.split('|').any(|norm| norm.trim() == "layer_norm"),
        })
    }

    /// Projections that every layer has for positions.
    pub fn projections(&self) -> Vec<&'static str> {
        let all = [("c2p", "pos_key_proj"), ("p2c", "pos_query_proj")];
        let own = all.into_iter().filter(|(kind, _)| !self.shared && self.kinds.iter().any(|k| k == kind));
        own.map(|(_, name)| name).collect()
    }
}

/// `pos_att_type`: a list, or words joined by `|`.
fn kinds(config: &BertConfig) -> Vec<String> {
    let words: Vec<&str> = match config.raw("pos_att_type") {
        Some(Value::String(text)) => text.split('|').collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    words.into_iter().map(|word| word.trim().to_lowercase()).collect()
}

struct Encoder {
    model: DebertaV2Model,
    token_types: bool,
    /// candle adds absolute positions to a batch of one only.
    one_by_one: bool,
}

impl Layers for Encoder {
    fn hidden_states(&self, batch: &Padded) -> candle_core::Result<Tensor> {
        let types = if self.token_types { batch.type_ids.clone() } else { batch.ids.zeros_like()? };
        if !self.one_by_one {
            return self.model.forward(&batch.ids, Some(types), Some(batch.mask.clone()));
        }
        let row = |r: usize| {
            let of = |t: &Tensor| t.narrow(0, r, 1);
            self.model.forward(&of(&batch.ids)?, Some(of(&types)?), Some(of(&batch.mask)?))
        };
        let rows: Vec<Tensor> = (0..batch.ids.dim(0)?).map(row).collect::<candle_core::Result<_>>()?;
        Tensor::cat(&rows, 0)
    }
}

/// Builds the encoder from checked tensors.
pub(super) fn load(config: &BertConfig, params: &Params) -> Result<Box<dyn Layers>, ModelError> {
    let description = candle_config(config)?;
    let one_by_one = description.position_biased_input;
    let model = DebertaV2Model::load(params.for_candle("")?, &description)?;
    Ok(Box::new(Encoder { model, token_types: config.type_vocab > 0, one_by_one }))
}

/// candle's own description, or why candle cannot compute this one.
pub(super) fn candle_config(config: &BertConfig) -> Result<Config, ModelError> {
    let number = |key: &str| config.raw(key).and_then(Value::as_u64).unwrap_or(0) as usize;
    if number("conv_kernel_size") > 0 {
        // candle's layer is a `todo!()` that would panic.
        return Err(unsupported(
            "a DeBERTa with a convolution (\"conv_kernel_size\", as deberta-v2-xlarge has)",
        ));
    }
    for (key, usual) in [("embedding_size", config.hidden), ("attention_head_size", config.head_dim())] {
        if ![0, usual].contains(&number(key)) {
            return Err(unsupported(format!("a DeBERTa with \"{key}\" {}", number(key))));
        }
    }
    let relative = Relative::of(config);
    Ok(Config {
        vocab_size: config.vocab_size,
        hidden_size: config.hidden,
        num_hidden_layers: config.layers,
        num_attention_heads: config.heads,
        intermediate_size: config.intermediate,
        hidden_act: match config.activation {
            Activation::Gelu => HiddenAct::Gelu,
            Activation::GeluTanh => HiddenAct::GeluApproximate,
            Activation::Relu => HiddenAct::Relu,
        },
        hidden_dropout_prob: config.hidden_dropout,
        attention_probs_dropout_prob: config.attention_dropout,
        max_position_embeddings: config.max_positions,
        type_vocab_size: config.type_vocab,
        initializer_range: config.initializer_range,
        layer_norm_eps: config.layer_norm_eps,
        relative_attention: relative.is_some(),
        max_relative_positions: relative.as_ref().map_or(-1, |r| r.max_positions as isize),
        pad_token_id: Some(config.pad_id as usize),
        position_biased_input: config.flag("position_biased_input", true),
        pos_att_type: relative.as_ref().map(|r| r.kinds.clone()).unwrap_or_default(),
        position_buckets: relative.as_ref().map(|r| r.buckets as isize),
        share_att_key: relative.as_ref().map(|r| r.shared),
        attention_head_size: None,
        embedding_size: None,
        norm_rel_ebd: relative.as_ref().filter(|r| r.normed).map(|_| "layer_norm".into()),
        conv_kernel_size: None,
        conv_groups: None,
        conv_act: None,
        id2label: None,
        label2id: None,
        pooler_dropout: None,
        pooler_hidden_act: None,
        pooler_hidden_size: None,
        cls_dropout: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &str) -> BertConfig {
        let text = format!(
            r#"{{"model_type":"deberta-v2","vocab_size":10,"hidden_size":8,"num_hidden_layers":4,
            "num_attention_heads":2,"intermediate_size":16{more}}}"#
        );
        BertConfig::parse(serde_json::from_str(&text).unwrap()).unwrap()
    }

    #[test]
    fn the_forms_of_relative_attention_are_read() {
        let v3 = config(
            r#","relative_attention":true,"position_buckets":256,"norm_rel_ebd":"layer_norm",
            "share_att_key":true,"pos_att_type":"p2c|c2p""#,
        );
        let relative = Relative::of(&v3).unwrap();
        assert_eq!((relative.span, relative.normed, relative.projections().len()), (256, true, 0));
        let own = Relative::of(&config(r#","relative_attention":true,"pos_att_type":["c2p"]"#)).unwrap();
        assert_eq!((own.span, own.normed, own.projections()), (512, false, vec!["pos_key_proj"]));
        assert!(Relative::of(&config("")).is_none());
    }

    #[test]
    fn what_candle_cannot_compute_is_refused() {
        for more in [r#","conv_kernel_size":3"#, r#","embedding_size":4"#, r#","attention_head_size":2"#] {
            let error = candle_config(&config(more)).unwrap_err();
            assert!(error.message.contains("DeBERTa"), "{more}: {error}");
        }
        assert!(candle_config(&config(r#","conv_kernel_size":0,"attention_head_size":4"#)).is_ok());
    }
}
