//! What measuring on a GPU needs beside what the CPU needs: the card's peak product rate, a model of
//! BERT-base's shape, and more rows.
//!
//! ```text
//! cargo bench --features cuda --bench scoring -- --device cuda:0 --peers
//! ```
//!
//! A box with a GPU may have neither Rust nor a network. Then build elsewhere (`--no-run`), carry the
//! program, `.duckdb/libduckdb.so` (LD_LIBRARY_PATH), `benches/peers` and `../shared` at the same paths,
//! and name an interpreter there that has torch and transformers: `--python /usr/bin/python3`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use recscope::engine::model::{DeviceChoice, Dtype, open_device};
use serde_json::json;

use crate::measure::timed;

/// Side of the product whose rate is the card's peak.
const SIDE: usize = 8192;

pub fn number_type(dtype: Dtype) -> DType {
    match dtype {
        Dtype::F16 => DType::F16,
        Dtype::Bf16 => DType::BF16,
        Dtype::F32 | Dtype::Int8 => DType::F32,
    }
}

/// Floating-point operations a second of large products in this number type: 20 of 8192 x 8192 x 8192,
/// after one that loads the kernel.
pub fn product_rate(device: DeviceChoice, dtype: Dtype) -> f64 {
    let device = open_device(device).unwrap();
    let matrix = || Tensor::ones((SIDE, SIDE), number_type(dtype), &device).unwrap();
    let (a, b) = (matrix(), matrix());
    let wait = || device.synchronize().unwrap();
    drop(a.matmul(&b).unwrap());
    wait();
    const TIMES: usize = 20;
    let ((), spent) = timed(|| {
        for _ in 0..TIMES {
            drop(a.matmul(&b).unwrap());
        }
        wait();
    });
    2.0 * (SIDE * SIDE * SIDE * TIMES) as f64 / spent.wall
}

/// A folder with random weights in BERT-base's shape (12 layers, 768 wide) as a sentence encoder, with
/// the tokenizer of `like`; made once. How fast it is does not depend on what it knows.
pub fn bert_base(like: &Path) -> PathBuf {
    let dir = std::env::temp_dir().join("recscope-bench-bert-base-random");
    if dir.join("config.json").exists() {
        return dir;
    }
    std::fs::create_dir_all(dir.join("1_Pooling")).unwrap();
    for file in
        ["tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json", "modules.json"]
    {
        if like.join(file).exists() {
            std::fs::copy(like.join(file), dir.join(file)).unwrap();
        }
    }
    let pooling = json!({ "word_embedding_dimension": 768, "pooling_mode_mean_tokens": true,
        "pooling_mode_cls_token": false, "pooling_mode_max_tokens": false });
    std::fs::write(dir.join("1_Pooling/config.json"), pooling.to_string()).unwrap();
    candle_core::safetensors::save(&weights(), dir.join("model.safetensors")).unwrap();
    let config = json!({ "architectures": ["BertModel"], "model_type": "bert", "vocab_size": 30522,
        "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072,
        "hidden_act": "gelu", "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "pad_token_id": 0, "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1,
        "initializer_range": 0.02 });
    // Last: its presence says that the rest is there.
    std::fs::write(dir.join("config.json"), config.to_string()).unwrap();
    dir
}

fn weights() -> HashMap<String, Tensor> {
    let (h, inner) = (768, 3072);
    let mut all = HashMap::new();
    let mut random = |name: String, shape: &[usize]| {
        all.insert(name, Tensor::randn(0f32, 0.02, shape, &Device::Cpu).unwrap());
    };
    random("embeddings.word_embeddings.weight".into(), &[30522, h]);
    random("embeddings.position_embeddings.weight".into(), &[512, h]);
    random("embeddings.token_type_embeddings.weight".into(), &[2, h]);
    let mut norms = vec!["embeddings.LayerNorm".to_string()];
    for n in 0..12 {
        let layer = format!("encoder.layer.{n}");
        for (name, out, inp) in [
            ("attention.self.query", h, h),
            ("attention.self.key", h, h),
            ("attention.self.value", h, h),
            ("attention.output.dense", h, h),
            ("intermediate.dense", inner, h),
            ("output.dense", h, inner),
        ] {
            random(format!("{layer}.{name}.weight"), &[out, inp]);
            random(format!("{layer}.{name}.bias"), &[out]);
        }
        norms.extend(["attention.output", "output"].map(|name| format!("{layer}.{name}.LayerNorm")));
    }
    for norm in norms {
        all.insert(format!("{norm}.weight"), Tensor::ones(h, DType::F32, &Device::Cpu).unwrap());
        all.insert(format!("{norm}.bias"), Tensor::zeros(h, DType::F32, &Device::Cpu).unwrap());
    }
    all
}
