//! Writes small random BERT folders: every size awkward on purpose (nothing is a multiple of 32),
//! Chinese and English in the vocabulary.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

/// What kind of folder to write.
#[derive(Clone)]
pub struct Tiny {
    /// 0: an encoder with mean pooling.
    pub labels: usize,
    pub prefix: &'static str,
    pub gamma_beta: bool,
    pub dtype: DType,
    pub layers: usize,
    pub seed: u64,
}

impl Default for Tiny {
    fn default() -> Self {
        Self { labels: 1, prefix: "bert.", gamma_beta: false, dtype: DType::F32, layers: 2, seed: 7 }
    }
}

pub const HIDDEN: usize = 40;
pub const HEADS: usize = 5;
pub const INNER: usize = 72;
pub const POSITIONS: usize = 64;

pub fn vocabulary() -> Vec<String> {
    let words = "[PAD] [UNK] [CLS] [SEP] [MASK] red running shoes boots for men women cheap wire ##less \
                 mouse key ##board screen ##s a b c d e 1 2 3 跑 鞋 男 女 红 色 好 坏 ! , .";
    words.split_whitespace().map(str::to_string).collect()
}

fn config(tiny: &Tiny) -> serde_json::Value {
    let architecture = if tiny.labels == 0 { "BertModel" } else { "BertForSequenceClassification" };
    let names: serde_json::Map<_, _> =
        (0..tiny.labels).map(|i| (i.to_string(), json!(format!("LABEL_{i}")))).collect();
    let mut config = json!({
        "architectures": [architecture], "model_type": "bert", "vocab_size": vocabulary().len(),
        "hidden_size": HIDDEN, "num_hidden_layers": tiny.layers, "num_attention_heads": HEADS,
        "intermediate_size": INNER, "hidden_act": "gelu", "max_position_embeddings": POSITIONS,
        "type_vocab_size": 2, "layer_norm_eps": 1e-12, "pad_token_id": 0,
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02,
    });
    if tiny.labels > 0 {
        config["id2label"] = serde_json::Value::Object(names);
    }
    config
}

fn shapes(tiny: &Tiny) -> Vec<(String, Vec<usize>)> {
    let (h, i, p) = (HIDDEN, INNER, tiny.prefix);
    let (w, b) = if tiny.gamma_beta { ("gamma", "beta") } else { ("weight", "bias") };
    let mut list = vec![
        (format!("{p}embeddings.word_embeddings.weight"), vec![vocabulary().len(), h]),
        (format!("{p}embeddings.position_embeddings.weight"), vec![POSITIONS, h]),
        (format!("{p}embeddings.token_type_embeddings.weight"), vec![2, h]),
        (format!("{p}embeddings.LayerNorm.{w}"), vec![h]),
        (format!("{p}embeddings.LayerNorm.{b}"), vec![h]),
    ];
    for n in 0..tiny.layers {
        let layer = format!("{p}encoder.layer.{n}");
        for (name, out, inp) in [
            ("attention.self.query", h, h),
            ("attention.self.key", h, h),
            ("attention.self.value", h, h),
            ("attention.output.dense", h, h),
            ("intermediate.dense", i, h),
            ("output.dense", h, i),
        ] {
            list.push((format!("{layer}.{name}.weight"), vec![out, inp]));
            list.push((format!("{layer}.{name}.bias"), vec![out]));
        }
        for name in ["attention.output", "output"] {
            list.push((format!("{layer}.{name}.LayerNorm.{w}"), vec![h]));
            list.push((format!("{layer}.{name}.LayerNorm.{b}"), vec![h]));
        }
    }
    if tiny.labels > 0 {
        list.push((format!("{p}pooler.dense.weight"), vec![h, h]));
        list.push((format!("{p}pooler.dense.bias"), vec![h]));
        list.push(("classifier.weight".into(), vec![tiny.labels, h]));
        list.push(("classifier.bias".into(), vec![tiny.labels]));
    }
    list
}

/// The weights of a folder: equal for equal seeds, whatever the names.
pub fn weights(tiny: &Tiny) -> HashMap<String, Tensor> {
    let mut rng = ChaCha8Rng::seed_from_u64(tiny.seed);
    let mut weights = HashMap::new();
    for (name, shape) in shapes(tiny) {
        let around = if name.ends_with("LayerNorm.weight") || name.ends_with("gamma") { 1.0 } else { 0.0 };
        let values: Vec<f32> =
            (0..shape.iter().product()).map(|_| around + rng.random_range(-0.4f32..0.4)).collect();
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap().to_dtype(tiny.dtype).unwrap();
        weights.insert(name, tensor);
    }
    weights
}

/// A whole folder: config.json, vocab.txt, model.safetensors.
pub fn write(dir: &Path, tiny: &Tiny) {
    std::fs::create_dir_all(dir).unwrap();
    std::fs::write(dir.join("config.json"), config(tiny).to_string()).unwrap();
    std::fs::write(dir.join("vocab.txt"), vocabulary().join("\n")).unwrap();
    candle_core::safetensors::save(&weights(tiny), dir.join("model.safetensors")).unwrap();
}
