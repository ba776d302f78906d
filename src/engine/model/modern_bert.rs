//! ModernBERT on candle-transformers: its config.json, read in the old form and the new, and what of
//! it candle does not compute. No weights are read here.

use candle_core::Tensor;
use candle_transformers::models::modernbert::{Config, ModernBert};
use serde_json::Value;

use super::bert::Padded;
use super::config::{Activation, BertConfig};
use super::error::ModelError;
use super::family::unsupported;
use super::foreign::Layers;
use super::params::Params;

/// Places of the embeddings' rotation are tabulated for this many tokens at most.
const MAX_POSITIONS: usize = 1 << 16;

struct Encoder(ModernBert);

impl Layers for Encoder {
    fn hidden_states(&self, batch: &Padded) -> candle_core::Result<Tensor> {
        self.0.forward(&batch.ids, &batch.mask)
    }
}

/// Builds the encoder from checked tensors.
pub(super) fn load(config: &BertConfig, params: &Params) -> Result<Box<dyn Layers>, ModelError> {
    let weights = params.for_candle("model.")?;
    Ok(Box::new(Encoder(ModernBert::load(weights, &candle_config(config)?)?)))
}

/// candle's own description, or why candle cannot compute this one.
pub(super) fn candle_config(config: &BertConfig) -> Result<Config, ModelError> {
    for key in ["norm_bias", "attention_bias", "mlp_bias"] {
        if config.flag(key, false) {
            return Err(unsupported(format!("a ModernBERT with \"{key}\"")));
        }
    }
    if config.activation != Activation::Gelu {
        return Err(unsupported("a ModernBERT with another hidden_activation than \"gelu\""));
    }
    let global = theta(config, "full_attention", "global_rope_theta")?.unwrap_or(160_000.0);
    let local = theta(config, "sliding_attention", "local_rope_theta")?;
    // A local_rope_theta of null means the global one; an absent one is the usual 10,000.
    let local = local.unwrap_or(if config.has("local_rope_theta") { global } else { 10_000.0 });
    Ok(Config {
        vocab_size: config.vocab_size,
        hidden_size: config.hidden,
        num_hidden_layers: config.layers,
        num_attention_heads: config.heads,
        intermediate_size: config.intermediate,
        max_position_embeddings: config.max_positions.min(MAX_POSITIONS),
        layer_norm_eps: config.layer_norm_eps,
        pad_token_id: config.pad_id,
        global_attn_every_n_layers: global_every(config)?,
        global_rope_theta: global,
        local_attention: config.raw("local_attention").and_then(Value::as_u64).unwrap_or(128) as usize,
        local_rope_theta: local,
        classifier_config: None,
    })
}

/// The rotation's base of a kind of layer: `rope_parameters.KIND.rope_theta`, or the older key.
fn theta(config: &BertConfig, kind: &str, older: &str) -> Result<Option<f64>, ModelError> {
    if config.raw("rope_scaling").is_some() {
        return Err(unsupported("a ModernBERT with \"rope_scaling\""));
    }
    let newer = config.raw("rope_parameters").and_then(|all| all.get(kind));
    match newer.and_then(|of| of.get("rope_type")).and_then(Value::as_str) {
        None | Some("default") => {}
        Some(other) => return Err(unsupported(format!("a ModernBERT with rope_type \"{other}\""))),
    }
    let newer = newer.and_then(|of| of.get("rope_theta")).and_then(Value::as_f64);
    Ok(newer.or_else(|| config.raw(older).and_then(Value::as_f64)))
}

/// Every n-th layer, from the first, attends to all tokens: n from `layer_types`, or the older key.
fn global_every(config: &BertConfig) -> Result<usize, ModelError> {
    let Some(kinds) = config.raw("layer_types").and_then(Value::as_array) else {
        let n = config.raw("global_attn_every_n_layers").and_then(Value::as_u64).unwrap_or(3);
        return Ok((n as usize).max(1));
    };
    let global: Vec<bool> = kinds.iter().map(|kind| kind.as_str() == Some("full_attention")).collect();
    let regular =
        |n: usize| global.iter().enumerate().all(|(layer, global)| layer.is_multiple_of(n) == *global);
    (1..=config.layers.max(1))
        .find(|&n| regular(n) && global.len() == config.layers)
        .ok_or_else(|| unsupported("a ModernBERT whose \"layer_types\" are not every n-th full_attention"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &str) -> Result<Config, ModelError> {
        let text = format!(
            r#"{{"model_type":"modernbert","vocab_size":10,"hidden_size":8,"num_hidden_layers":4,
            "num_attention_heads":2,"intermediate_size":16{more}}}"#
        );
        candle_config(&BertConfig::parse(serde_json::from_str(&text).unwrap()).unwrap())
    }

    #[test]
    fn old_and_new_keys_say_the_same() {
        let old = config(
            r#","global_rope_theta":5.0,"local_rope_theta":2.0,"global_attn_every_n_layers":3,"norm_eps":1e-3"#,
        )
        .unwrap();
        let new = config(
            r#","rope_parameters":{"full_attention":{"rope_type":"default","rope_theta":5.0},
            "sliding_attention":{"rope_type":"default","rope_theta":2.0}},"norm_eps":1e-3,
            "layer_types":["full_attention","sliding_attention","sliding_attention","full_attention"]"#,
        )
        .unwrap();
        assert_eq!(old, new);
        assert_eq!(
            (old.global_attn_every_n_layers, old.global_rope_theta, old.layer_norm_eps),
            (3, 5.0, 1e-3)
        );
        let defaults = config("").unwrap();
        assert_eq!((defaults.global_rope_theta, defaults.local_rope_theta), (160_000.0, 10_000.0));
        assert_eq!(config(r#","local_rope_theta":null"#).unwrap().local_rope_theta, 160_000.0);
    }

    #[test]
    fn what_candle_would_compute_wrongly_is_refused() {
        for more in [
            r#","norm_bias":true"#,
            r#","hidden_activation":"relu""#,
            r#","rope_parameters":{"full_attention":{"rope_type":"yarn","rope_theta":5.0}}"#,
            r#","layer_types":["sliding_attention","full_attention","full_attention","full_attention"]"#,
        ] {
            let error = config(more).unwrap_err();
            assert!(error.message.contains("ModernBERT"), "{more}: {error}");
        }
    }
}
