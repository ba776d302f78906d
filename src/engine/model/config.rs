//! `config.json` of a Hugging Face folder of a family that we run. Reads and checks figures; opens no
//! weights.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value};

use super::error::{ModelError, ModelErrorKind};
use super::family::{Family, HeadActivation, Network, unsupported};

/// What the folder says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// `BertModel` and its like (also with the heads of pre-training, which are dropped): embeddings.
    Encoder,
    /// `BertForSequenceClassification` and its like: two layers and class logits on top.
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

/// Figures of one BERT or relative of it. Every size but `type_vocab` is at least 1 and `hidden` is a
/// multiple of `heads`.
#[derive(Debug, Clone, PartialEq)]
pub struct BertConfig {
    pub family: &'static Family,
    pub architecture: Architecture,
    pub vocab_size: usize,
    pub hidden: usize,
    /// Width of the embedding tables; `hidden` where nothing lies between.
    pub embedding: usize,
    pub layers: usize,
    /// Before any were pruned.
    pub heads: usize,
    /// Heads that a layer no longer has, by layer; never all of them.
    pub pruned_heads: BTreeMap<usize, BTreeSet<usize>>,
    pub intermediate: usize,
    pub activation: Activation,
    pub hidden_dropout: f64,
    pub attention_dropout: f64,
    /// `None`: the hidden dropout is used, as Hugging Face does.
    pub classifier_dropout: Option<f64>,
    /// Tokens that have a position.
    pub max_positions: usize,
    /// Row of the position table that the first token takes.
    pub first_position: usize,
    /// Token types that the embedding table has; 0: there is no such table.
    pub type_vocab: usize,
    pub layer_norm_eps: f64,
    pub pad_id: u32,
    pub initializer_range: f64,
    /// Between a classifier's two layers.
    pub head_activation: HeadActivation,
    /// Class names by index; empty for an encoder.
    pub labels: Vec<String>,
    raw: Map<String, Value>,
}

impl BertConfig {
    /// Reads `config.json` of a model folder.
    pub fn read(file: &Path) -> Result<Self, ModelError> {
        let bytes = super::folder::read_small(file)?;
        let raw: Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|e| ModelError::damaged(file, e))?;
        Self::parse(raw)
            .map_err(|e| ModelError { message: format!("{}: {}", file.display(), e.message), ..e })
    }

    /// Checks a parsed `config.json`.
    pub fn parse(raw: Map<String, Value>) -> Result<Self, ModelError> {
        let (family, architecture) = architecture(&raw)?;
        refuse_variants(&raw, family)?;
        let required = |key| size(&raw, family, key, None);
        let hidden = required("hidden_size")?;
        let pad_id = raw.get("pad_token_id").and_then(Value::as_u64).unwrap_or(family.pad_id.into()) as u32;
        let first_position = if family.positions_after_pad { pad_id as usize + 1 } else { 0 };
        let rows = size(&raw, family, "max_position_embeddings", Some(512))?;
        let eps = raw.get(family.key("layer_norm_eps")).and_then(Value::as_f64);
        let config = Self {
            family,
            architecture,
            vocab_size: required("vocab_size")?,
            hidden,
            embedding: match family.projects {
                true => size(&raw, family, "embedding_size", Some(hidden))?,
                false => hidden,
            },
            layers: required("num_hidden_layers")?,
            heads: required("num_attention_heads")?,
            pruned_heads: pruned_heads(&raw)?,
            intermediate: required("intermediate_size")?,
            activation: activation(&raw, family)?,
            hidden_dropout: share(&raw, family.key("hidden_dropout_prob"))?.unwrap_or(0.1),
            attention_dropout: share(&raw, family.key("attention_probs_dropout_prob"))?.unwrap_or(0.1),
            classifier_dropout: share(&raw, family.key("classifier_dropout"))?,
            max_positions: rows.saturating_sub(first_position),
            first_position,
            type_vocab: size(&raw, family, "type_vocab_size", Some(family.type_vocab))?,
            layer_norm_eps: eps.unwrap_or(family.layer_norm_eps),
            pad_id,
            initializer_range: raw.get("initializer_range").and_then(Value::as_f64).unwrap_or(0.02),
            head_activation: head_activation(&raw, family)?,
            labels: labels(&raw, family, architecture)?,
            raw,
        };
        if !config.hidden.is_multiple_of(config.heads) {
            let (h, n) = (config.hidden, config.heads);
            return Err(wrong(format!("hidden_size {h} is not a multiple of num_attention_heads {n}")));
        }
        check_pruned(&config)?;
        if config.max_positions < 8 {
            return Err(wrong(format!("max_position_embeddings {rows} leaves fewer than 8 positions")));
        }
        Ok(config)
    }

    /// Which code computes it.
    pub fn network(&self) -> Network {
        self.family.network
    }

    /// A key of the file that only some families have; `None` for null too.
    pub(super) fn raw(&self, key: &str) -> Option<&Value> {
        self.raw.get(key).filter(|value| !value.is_null())
    }

    /// Whether the key is there, if only with null.
    pub(super) fn has(&self, key: &str) -> bool {
        self.raw.contains_key(key)
    }

    pub(super) fn flag(&self, key: &str, default: bool) -> bool {
        self.raw(key).and_then(Value::as_bool).unwrap_or(default)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.raw(key).and_then(Value::as_str)
    }

    /// Values per attention head.
    pub fn head_dim(&self) -> usize {
        self.hidden / self.heads
    }

    /// Attention heads that a layer has.
    pub fn heads_in(&self, layer: usize) -> usize {
        self.heads - self.pruned_heads.get(&layer).map_or(0, BTreeSet::len)
    }

    /// The same with only these layers, in this order.
    pub fn with_layers(&self, kept: &[usize]) -> Self {
        let mut config = self.clone();
        config.layers = kept.len();
        config.raw.insert(self.family.key("num_hidden_layers").into(), kept.len().into());
        let pruned = kept.iter().enumerate();
        let pruned = pruned.filter_map(|(now, was)| Some((now, self.pruned_heads.get(was)?.clone())));
        config.with_pruned_heads(pruned.collect())
    }

    /// The same with these heads pruned, those included that were pruned before.
    pub fn with_pruned_heads(mut self, pruned: BTreeMap<usize, BTreeSet<usize>>) -> Self {
        let as_json = pruned.iter().filter(|(_, heads)| !heads.is_empty());
        let as_json: Map<String, Value> =
            as_json.map(|(layer, heads)| (layer.to_string(), heads.iter().copied().collect())).collect();
        match as_json.is_empty() {
            true => self.raw.remove("pruned_heads"),
            false => self.raw.insert("pruned_heads".into(), Value::Object(as_json)),
        };
        self.pruned_heads = pruned;
        self
    }

    /// The same, said to hold its weights as this program's whole numbers, so that nobody else takes
    /// them for floats.
    pub fn with_stored(mut self, dtype: super::dtype::Dtype) -> Self {
        match dtype {
            super::dtype::Dtype::Int8 => {
                let method = serde_json::json!({ "quant_method": "recscope-int8" });
                self.raw.insert("quantization_config".into(), method)
            }
            _ => self.raw.remove("quantization_config"),
        };
        self
    }

    /// The same encoder with a classifier of these classes on top: what a trainer saves.
    pub fn with_labels(&self, labels: &[String]) -> Self {
        let mut config = self.clone();
        config.architecture = Architecture::SequenceClassification;
        if config.labels != labels {
            // Gains of other classes.
            config.raw.remove("recscope_gains");
        }
        config.labels = labels.to_vec();
        config
    }

    /// `config.json` as Hugging Face reads it; keys we do not know are kept from the source.
    pub fn to_json(&self) -> Value {
        let mut raw = self.raw.clone();
        raw.insert("model_type".into(), self.family.model_type.into());
        let task = match self.architecture {
            Architecture::Encoder => "Model",
            Architecture::SequenceClassification => "ForSequenceClassification",
        };
        let name = format!("{}{task}", self.family.class);
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

fn wrong(what: String) -> ModelError {
    ModelError::new(ModelErrorKind::Damaged, what).hint("correct config.json, or fetch the folder again")
}

/// By the first of `architectures`, else by `model_type`.
fn architecture(raw: &Map<String, Value>) -> Result<(&'static Family, Architecture), ModelError> {
    let named = raw.get("architectures").and_then(Value::as_array);
    if let Some(class) = named.and_then(|names| names.first()).and_then(Value::as_str) {
        return match Family::of_class(class) {
            Some((family, "ForSequenceClassification")) => Ok((family, Architecture::SequenceClassification)),
            Some((family, "Model" | "ForMaskedLM" | "ForPreTraining")) => Ok((family, Architecture::Encoder)),
            _ => Err(unsupported(format!("architecture \"{class}\""))),
        };
    }
    let Some(model_type) = raw.get("model_type").and_then(Value::as_str) else {
        return Err(unsupported("a config.json with neither \"architectures\" nor \"model_type\""));
    };
    match Family::of_type(model_type) {
        Some(family) if raw.contains_key("id2label") => Ok((family, Architecture::SequenceClassification)),
        Some(family) => Ok((family, Architecture::Encoder)),
        None => Err(unsupported(format!("model_type \"{model_type}\""))),
    }
}

/// Variants within a family that compute something else.
fn refuse_variants(raw: &Map<String, Value>, family: &Family) -> Result<(), ModelError> {
    if raw.get("is_decoder").and_then(Value::as_bool) == Some(true) {
        return Err(unsupported("a decoder (\"is_decoder\" is true)"));
    }
    match raw.get("position_embedding_type").and_then(Value::as_str) {
        Some(kind) if kind != "absolute" && family.network == Network::Bert => {
            Err(unsupported(format!("position embeddings of type \"{kind}\"")))
        }
        _ => Ok(()),
    }
}

fn activation(raw: &Map<String, Value>, family: &Family) -> Result<Activation, ModelError> {
    match raw.get(family.key("hidden_act")).and_then(Value::as_str).unwrap_or("gelu") {
        "gelu" => Ok(Activation::Gelu),
        "gelu_new" | "gelu_pytorch_tanh" => Ok(Activation::GeluTanh),
        "relu" => Ok(Activation::Relu),
        other => Err(unsupported(format!("{} \"{other}\"", family.key("hidden_act")))),
    }
}

/// As the family has it; some let config.json choose.
fn head_activation(raw: &Map<String, Value>, family: &Family) -> Result<HeadActivation, ModelError> {
    let chosen = family.head_activation_key.and_then(|key| raw.get(key)).and_then(Value::as_str);
    match chosen {
        None => Ok(family.head_activation),
        Some("tanh") => Ok(HeadActivation::Tanh),
        Some("relu") => Ok(HeadActivation::Relu),
        Some("gelu") => Ok(HeadActivation::Gelu),
        Some(other) => Err(unsupported(format!("a classifier with the activation \"{other}\""))),
    }
}

/// A size by BERT's name for it: from 1 (token types: from 0) to what no real model comes near.
fn size(
    raw: &Map<String, Value>,
    family: &Family,
    ours: &'static str,
    default: Option<usize>,
) -> Result<usize, ModelError> {
    let (least, most) = match ours {
        "num_hidden_layers" => (1, 1 << 10),
        "num_attention_heads" => (1, 1 << 12),
        "hidden_size" | "embedding_size" | "num_labels" => (1, 1 << 16),
        "intermediate_size" => (1, 1 << 18),
        "max_position_embeddings" => (1, 1 << 20),
        "type_vocab_size" => (0, 1 << 10),
        _ => (1, 1 << 24),
    };
    let key = family.key(ours);
    match (raw.get(key).filter(|v| !v.is_null()), default) {
        (None, Some(default)) => Ok(default),
        (None, None) => Err(wrong(format!("\"{key}\" is missing"))),
        (Some(value), _) => match value.as_u64() {
            Some(n) if (least..=most).contains(&n) => Ok(n as usize),
            _ => {
                Err(wrong(format!("\"{key}\" is {value}; it must be a whole number from {least} to {most}")))
            }
        },
    }
}

/// `pruned_heads`, as Hugging Face writes it: `{"2": [0, 3]}`.
fn pruned_heads(raw: &Map<String, Value>) -> Result<BTreeMap<usize, BTreeSet<usize>>, ModelError> {
    let Some(value) = raw.get("pruned_heads").filter(|v| !v.is_null()) else { return Ok(BTreeMap::new()) };
    let heads = |list: &Value| -> Option<BTreeSet<usize>> {
        list.as_array()?.iter().map(|head| head.as_u64().map(|head| head as usize)).collect()
    };
    let layers = value.as_object().and_then(|map| {
        map.iter().map(|(layer, list)| Some((layer.parse().ok()?, heads(list)?))).collect::<Option<_>>()
    });
    layers.ok_or_else(|| wrong(format!("\"pruned_heads\" is {value}; it must be like {{\"2\": [0, 3]}}")))
}

fn check_pruned(config: &BertConfig) -> Result<(), ModelError> {
    let sound = config.pruned_heads.iter().all(|(layer, heads)| {
        *layer < config.layers && heads.len() < config.heads && heads.iter().all(|h| *h < config.heads)
    });
    if !sound {
        let (layers, heads) = (config.layers, config.heads);
        return Err(wrong(format!(
            "\"pruned_heads\" names a layer or a head beyond {layers} layers of {heads} heads, or all of a layer"
        )));
    }
    if config.network() != Network::Bert && !config.pruned_heads.is_empty() {
        return Err(unsupported(format!("{} with pruned heads", config.family.name)));
    }
    Ok(())
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
fn labels(
    raw: &Map<String, Value>,
    family: &Family,
    architecture: Architecture,
) -> Result<Vec<String>, ModelError> {
    if architecture == Architecture::Encoder {
        return Ok(Vec::new());
    }
    let numbered = |n: usize| (0..n).map(|i| format!("LABEL_{i}")).collect();
    let Some(map) = raw.get("id2label").and_then(Value::as_object) else {
        return Ok(numbered(size(raw, family, "num_labels", Some(2))?));
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
        for (key, name) in [
            ("architectures", "[\"MPNetModel\"]"),
            ("architectures", "[\"RobertaForTokenClassification\"]"),
            ("model_type", "\"xlm-roberta-xl\""),
        ] {
            let e = parse(&format!(r#"{{"{key}":{name},{SIZES}}}"#)).unwrap_err();
            assert!(e.message.contains(name.trim_matches(['[', ']'])), "{e}");
            let hint = e.hint.unwrap();
            assert!(hint.contains("BertForSequenceClassification") && hint.contains("XLM-RoBERTa"), "{hint}");
        }
        for variant in [r#""is_decoder":true"#, r#""position_embedding_type":"relative_key""#] {
            let e = parse(&format!(r#"{{"model_type":"roberta",{variant},{SIZES}}}"#)).unwrap_err();
            assert_eq!(e.kind, ModelErrorKind::Unsupported);
        }
    }

    #[test]
    fn families_have_their_own_keys_and_rules() {
        let c = parse(
            r#"{"architectures":["DistilBertModel"],"vocab_size":10,"dim":8,"n_layers":3,"n_heads":2,
            "hidden_dim":16,"activation":"relu"}"#,
        )
        .unwrap();
        assert_eq!((c.hidden, c.layers, c.intermediate, c.type_vocab), (8, 3, 16, 0));
        assert_eq!(c.activation, Activation::Relu);
        let c = parse(&format!(
            r#"{{"model_type":"xlm-roberta","max_position_embeddings":514,"type_vocab_size":1,{SIZES}}}"#
        ))
        .unwrap();
        assert_eq!((c.pad_id, c.first_position, c.max_positions, c.type_vocab), (1, 2, 512, 1));
        let c = parse(&format!(r#"{{"model_type":"electra","embedding_size":4,{SIZES}}}"#)).unwrap();
        assert_eq!((c.hidden, c.embedding), (8, 4));
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
