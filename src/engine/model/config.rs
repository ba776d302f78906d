//! `config.json` of a Hugging Face BERT folder. Reads and checks figures; opens no weights.

use std::path::Path;

use serde_json::{Map, Value};

use super::error::{ModelError, ModelErrorKind};

/// What the folder says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// `BertModel` (and its masked-language-model heads, which are dropped): embeddings.
    Encoder,
    /// `BertForSequenceClassification`: pooler and classifier on top.
    SequenceClassification,
}

/// The feed-forward block's non-linearity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// x Φ(x), with the error function: `gelu`.
    Gelu,
    /// The tanh approximation: `gelu_new`, `gelu_pytorch_tanh`.
    GeluTanh,
    Relu,
}

/// Figures of one BERT. Every size is at least 1 and `hidden` is a multiple of `heads`.
#[derive(Debug, Clone, PartialEq)]
pub struct BertConfig {
    pub architecture: Architecture,
    pub vocab_size: usize,
    pub hidden: usize,
    pub layers: usize,
    pub heads: usize,
    pub intermediate: usize,
    pub activation: Activation,
    pub hidden_dropout: f64,
    pub attention_dropout: f64,
    /// `None`: the hidden dropout is used, as Hugging Face does.
    pub classifier_dropout: Option<f64>,
    pub max_positions: usize,
    pub type_vocab: usize,
    pub layer_norm_eps: f64,
    pub pad_id: u32,
    pub initializer_range: f64,
    /// Class names by index; empty for an encoder.
    pub labels: Vec<String>,
    raw: Map<String, Value>,
}

const SUPPORTED: &str = "supported are BertModel (embeddings) and BertForSequenceClassification, \
    model_type \"bert\", with absolute positions";

impl BertConfig {
    /// Reads `config.json` of a model folder.
    pub fn read(file: &Path) -> Result<Self, ModelError> {
        let bytes = super::load::read_small(file)?;
        let raw: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|e| ModelError::damaged(file, e))?;
        Self::parse(raw)
            .map_err(|e| ModelError { message: format!("{}: {}", file.display(), e.message), ..e })
    }

    /// Checks a parsed `config.json`.
    pub fn parse(raw: Map<String, Value>) -> Result<Self, ModelError> {
        let architecture = architecture(&raw)?;
        if let Some(kind) = raw.get("position_embedding_type").and_then(Value::as_str)
            && kind != "absolute"
        {
            return Err(unsupported(format!("position embeddings of type \"{kind}\"")));
        }
        let activation = match raw.get("hidden_act").and_then(Value::as_str).unwrap_or("gelu") {
            "gelu" => Activation::Gelu,
            "gelu_new" | "gelu_pytorch_tanh" => Activation::GeluTanh,
            "relu" => Activation::Relu,
            other => return Err(unsupported(format!("hidden_act \"{other}\""))),
        };
        let config = Self {
            architecture,
            vocab_size: size(&raw, "vocab_size", None, 1 << 24)?,
            hidden: size(&raw, "hidden_size", None, 1 << 16)?,
            layers: size(&raw, "num_hidden_layers", None, 1 << 10)?,
            heads: size(&raw, "num_attention_heads", None, 1 << 12)?,
            intermediate: size(&raw, "intermediate_size", None, 1 << 18)?,
            activation,
            hidden_dropout: share(&raw, "hidden_dropout_prob")?.unwrap_or(0.1),
            attention_dropout: share(&raw, "attention_probs_dropout_prob")?.unwrap_or(0.1),
            classifier_dropout: share(&raw, "classifier_dropout")?,
            max_positions: size(&raw, "max_position_embeddings", Some(512), 1 << 20)?,
            type_vocab: size(&raw, "type_vocab_size", Some(2), 1 << 10)?,
            layer_norm_eps: raw.get("layer_norm_eps").and_then(Value::as_f64).unwrap_or(1e-12),
            pad_id: raw.get("pad_token_id").and_then(Value::as_u64).unwrap_or(0) as u32,
            initializer_range: raw.get("initializer_range").and_then(Value::as_f64).unwrap_or(0.02),
            labels: labels(&raw, architecture)?,
            raw,
        };
        if !config.hidden.is_multiple_of(config.heads) {
            let (h, n) = (config.hidden, config.heads);
            return Err(wrong(format!("hidden_size {h} is not a multiple of num_attention_heads {n}")));
        }
        if config.max_positions < 8 {
            return Err(wrong(format!("max_position_embeddings {} is below 8", config.max_positions)));
        }
        Ok(config)
    }

    /// Values per attention head.
    pub fn head_dim(&self) -> usize {
        self.hidden / self.heads
    }

    /// The same encoder with a classifier of these classes on top: what a trainer saves.
    pub fn with_labels(&self, labels: &[String]) -> Self {
        let mut config = self.clone();
        config.architecture = Architecture::SequenceClassification;
        config.labels = labels.to_vec();
        config
    }

    /// `config.json` as Hugging Face reads it; keys we do not know are kept from the source.
    pub fn to_json(&self) -> Value {
        let mut raw = self.raw.clone();
        raw.insert("model_type".into(), "bert".into());
        let name = match self.architecture {
            Architecture::Encoder => "BertModel",
            Architecture::SequenceClassification => "BertForSequenceClassification",
        };
        raw.insert("architectures".into(), Value::Array(vec![name.into()]));
        if self.architecture == Architecture::SequenceClassification {
            let by_id = self.labels.iter().enumerate().map(|(i, l)| (i.to_string(), Value::from(l.as_str())));
            let by_label = self.labels.iter().enumerate().map(|(i, l)| (l.clone(), Value::from(i)));
            raw.insert("id2label".into(), Value::Object(by_id.collect()));
            raw.insert("label2id".into(), Value::Object(by_label.collect()));
            raw.remove("num_labels");
        }
        Value::Object(raw)
    }
}

fn unsupported(what: String) -> ModelError {
    ModelError::new(ModelErrorKind::Unsupported, format!("{what} is not supported"))
        .hint(SUPPORTED.to_string())
}

fn wrong(what: String) -> ModelError {
    ModelError::new(ModelErrorKind::Damaged, what).hint("correct config.json, or fetch the folder again")
}

fn architecture(raw: &Map<String, Value>) -> Result<Architecture, ModelError> {
    let named = raw.get("architectures").and_then(Value::as_array);
    let first = named.and_then(|names| names.first()).and_then(Value::as_str);
    match first {
        Some("BertForSequenceClassification") => return Ok(Architecture::SequenceClassification),
        Some("BertModel" | "BertForMaskedLM" | "BertForPreTraining") => return Ok(Architecture::Encoder),
        Some(other) => return Err(unsupported(format!("architecture \"{other}\""))),
        None => {}
    }
    match raw.get("model_type").and_then(Value::as_str) {
        Some("bert") if raw.contains_key("id2label") => Ok(Architecture::SequenceClassification),
        Some("bert") => Ok(Architecture::Encoder),
        Some(other) => Err(unsupported(format!("model_type \"{other}\""))),
        None => Err(unsupported("a config.json with neither \"architectures\" nor \"model_type\"".into())),
    }
}

fn size(
    raw: &Map<String, Value>,
    key: &str,
    default: Option<usize>,
    max: usize,
) -> Result<usize, ModelError> {
    match (raw.get(key).filter(|v| !v.is_null()), default) {
        (None, Some(default)) => Ok(default),
        (None, None) => Err(wrong(format!("\"{key}\" is missing"))),
        (Some(value), _) => match value.as_u64() {
            Some(n) if n >= 1 && n <= max as u64 => Ok(n as usize),
            _ => Err(wrong(format!("\"{key}\" is {value}; it must be a whole number from 1 to {max}"))),
        },
    }
}

fn share(raw: &Map<String, Value>, key: &str) -> Result<Option<f64>, ModelError> {
    match raw.get(key).filter(|v| !v.is_null()) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            Some(p) if (0.0..1.0).contains(&p) => Ok(Some(p)),
            _ => Err(wrong(format!("\"{key}\" is {value}; it must be at least 0 and below 1"))),
        },
    }
}

/// Class names in index order from `id2label`, else `num_labels` numbered names, else two classes
/// (Hugging Face's default).
fn labels(raw: &Map<String, Value>, architecture: Architecture) -> Result<Vec<String>, ModelError> {
    if architecture == Architecture::Encoder {
        return Ok(Vec::new());
    }
    let numbered = |n: usize| (0..n).map(|i| format!("LABEL_{i}")).collect();
    let Some(map) = raw.get("id2label").and_then(Value::as_object) else {
        return Ok(numbered(size(raw, "num_labels", Some(2), 1 << 16)?));
    };
    (0..map.len())
        .map(|i| match map.get(&i.to_string()) {
            Some(Value::String(name)) => Ok(name.clone()),
            Some(other) => Ok(other.to_string()),
            None => Err(wrong(format!("\"id2label\" has {} entries but none for class {i}", map.len()))),
        })
        .collect::<Result<Vec<_>, _>>()
        .and_then(|l| if l.is_empty() { Err(wrong("\"id2label\" is empty".into())) } else { Ok(l) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BertConfig, ModelError> {
        BertConfig::parse(serde_json::from_str(text).unwrap())
    }

    const SIZES: &str = r#""vocab_size":10,"hidden_size":8,"num_hidden_layers":1,
        "num_attention_heads":2,"intermediate_size":16"#;

    #[test]
    fn unknown_architecture_is_named_with_what_is_supported() {
        let e = parse(&format!(r#"{{"architectures":["RobertaModel"],{SIZES}}}"#)).unwrap_err();
        assert!(e.message.contains("RobertaModel"), "{e}");
        assert!(e.hint.unwrap().contains("BertForSequenceClassification"));
    }

    #[test]
    fn labels_come_in_index_order_and_survive_the_way_back() {
        let c = parse(&format!(
            r#"{{"architectures":["BertForSequenceClassification"],"id2label":{{"1":"坏","0":"好"}},{SIZES}}}"#
        ))
        .unwrap();
        assert_eq!(c.labels, ["好", "坏"]);
        let Value::Object(back) = c.with_labels(&["x".into()]).to_json() else { panic!() };
        assert_eq!(BertConfig::parse(back).unwrap().labels, ["x"]);
    }

    #[test]
    fn impossible_sizes_are_named() {
        let bad = SIZES.replace("\"num_attention_heads\":2", "\"num_attention_heads\":3");
        assert!(
            parse(&format!(r#"{{"model_type":"bert",{bad}}}"#)).unwrap_err().message.contains("multiple")
        );
        let bad = SIZES.replace("\"vocab_size\":10", "\"vocab_size\":-1");
        assert!(
            parse(&format!(r#"{{"model_type":"bert",{bad}}}"#)).unwrap_err().message.contains("vocab_size")
        );
    }
}
