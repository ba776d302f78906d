//! Model folders that cannot be used, each a sentence that names the file and what to do; and odd
//! folders that can.

use std::fs;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use recscope::engine::model::{
    LoadOptions, Model, ModelError, ModelErrorKind, ScoreInputs, ScoreOptions, ScoreProgress,
};
use recscope::util::cancel::Cancel;

use crate::support::shared;
use crate::tiny_model::{Tiny, vocabulary, weights, write};

fn load(dir: &Path) -> Result<Model, ModelError> {
    Model::load(dir, &LoadOptions::default())
}

/// Writes a sound tiny folder, lets `spoil` damage it, and checks the error's kind and words.
fn refused(kind: ModelErrorKind, words: &[&str], spoil: impl FnOnce(&Path)) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &Tiny::default());
    load(dir.path()).map(|_| ()).expect("the folder is sound before it is spoilt");
    spoil(dir.path());
    let error = load(dir.path()).map(|_| ()).unwrap_err();
    let text = format!("{} / {}", error.message, error.hint.clone().unwrap_or_default());
    println!("{text}");
    assert_eq!(error.kind, kind, "{text}");
    assert!(error.hint.is_some(), "no remedy: {text}");
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
    assert!(!text.contains('\u{1b}') && !text.contains('\n'), "{text}");
}

#[test]
fn a_folder_that_lacks_something_says_what() {
    use ModelErrorKind::Missing;
    let remove = |name: &'static str| move |dir: &Path| fs::remove_file(dir.join(name)).unwrap();
    refused(Missing, &["no tokenizer", "tokenizer.json", "vocab.txt"], remove("vocab.txt"));
    refused(Missing, &["no model.safetensors"], remove("model.safetensors"));
    refused(Missing, &["no config.json"], remove("config.json"));
    refused(Missing, &["there is no model folder"], |dir| fs::remove_dir_all(dir).unwrap());
}

#[test]
fn wrong_shapes_name_the_tensor_and_both_shapes() {
    refused(
        ModelErrorKind::Damaged,
        &["bert.encoder.layer.1.output.dense.weight", "[3, 5]", "[40, 72]"],
        |dir| {
            let mut w = weights(&Tiny::default());
            let wrong = Tensor::zeros((3, 5), DType::F32, &Device::Cpu).unwrap();
            w.insert("bert.encoder.layer.1.output.dense.weight".into(), wrong);
            candle_core::safetensors::save(&w, dir.join("model.safetensors")).unwrap();
        },
    );
    refused(ModelErrorKind::Damaged, &["no tensor", "encoder.layer.0.attention.self.key.bias"], |dir| {
        let mut w = weights(&Tiny::default());
        w.remove("bert.encoder.layer.0.attention.self.key.bias");
        candle_core::safetensors::save(&w, dir.join("model.safetensors")).unwrap();
    });
    refused(ModelErrorKind::Unsupported, &["classifier.bias", "I64"], |dir| {
        let mut w = weights(&Tiny::default());
        w.insert("classifier.bias".into(), Tensor::zeros(1, DType::I64, &Device::Cpu).unwrap());
        candle_core::safetensors::save(&w, dir.join("model.safetensors")).unwrap();
    });
}

#[test]
fn a_classifier_without_its_head_says_how_to_go_on() {
    for lost in ["bert.pooler.dense.weight", "classifier.weight"] {
        let words = [lost, "BertForSequenceClassification", "BertModel", "embeddings"];
        refused(ModelErrorKind::Damaged, &words, |dir| {
            let mut w = weights(&Tiny::default());
            w.remove(lost);
            candle_core::safetensors::save(&w, dir.join("model.safetensors")).unwrap();
        });
    }
    // An encoder needs neither.
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &Tiny { labels: 0, prefix: "", ..Default::default() });
    assert!(load(dir.path()).unwrap().params().get("pooler.dense.weight").is_err());
}

#[test]
fn a_position_table_that_is_not_as_long_as_promised_is_named() {
    refused(ModelErrorKind::Damaged, &["position_embeddings", "[16, 40]", "[64, 40]"], |dir| {
        let mut w = weights(&Tiny::default());
        let short = Tensor::zeros((16, 40), DType::F32, &Device::Cpu).unwrap();
        w.insert("bert.embeddings.position_embeddings.weight".into(), short);
        candle_core::safetensors::save(&w, dir.join("model.safetensors")).unwrap();
    });
    // A limit beyond the table is the table's.
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &Tiny::default());
    fs::write(dir.path().join("tokenizer_config.json"), r#"{"model_max_length": 512}"#).unwrap();
    let model =
        Model::load(dir.path(), &LoadOptions { max_tokens: Some(1000), ..Default::default() }).unwrap();
    let long = model.tokens().ids(&"red ".repeat(500), Some("shoes")).unwrap();
    assert_eq!((model.info().max_tokens, long.ids.len(), long.truncated), (64, 64, true));
}

#[test]
fn a_header_is_not_believed() {
    let overwrite =
        |bytes: Vec<u8>| move |dir: &Path| fs::write(dir.join("model.safetensors"), bytes).unwrap();
    let mut huge = (1u64 << 60).to_le_bytes().to_vec();
    huge.extend_from_slice(b"{}");
    refused(ModelErrorKind::Damaged, &["claims 1152921504606846976 bytes"], overwrite(huge));
    refused(ModelErrorKind::Damaged, &["only 3 bytes"], overwrite(vec![1, 2, 3]));
    let mut garbage = 4u64.to_le_bytes().to_vec();
    garbage.extend_from_slice(b"\xff\xfe\x1b[");
    refused(ModelErrorKind::Damaged, &["header"], overwrite(garbage));
    refused(ModelErrorKind::Damaged, &["bytes of weights"], |dir| {
        let file = dir.join("model.safetensors");
        let bytes = fs::read(&file).unwrap();
        fs::write(&file, &bytes[..bytes.len() - 1000]).unwrap();
    });
}

#[test]
fn pickles_are_refused_by_name_and_by_content() {
    use ModelErrorKind::Unsupported;
    refused(Unsupported, &["pickle", "safe_serialization"], |dir| {
        fs::remove_file(dir.join("model.safetensors")).unwrap();
        fs::write(dir.join("pytorch_model.bin"), b"\x80\x02}q\x00.").unwrap();
    });
    refused(Unsupported, &["pickle"], |dir| {
        fs::write(dir.join("model.safetensors"), b"PK\x03\x04 zip of a pickle").unwrap();
    });
    refused(Unsupported, &["pickle"], |dir| {
        fs::write(dir.join("model.safetensors"), b"\x80\x04\x95 a plain pickle").unwrap();
    });
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("model.pt");
    fs::write(&file, b"\x80\x02.").unwrap();
    assert!(load(&file).map(|_| ()).unwrap_err().message.contains("pickle"));
}

#[test]
fn damaged_configs_and_tokenizers_are_sentences() {
    let put = |name: &'static str, text: &'static str| {
        move |dir: &Path| {
            let file = dir.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
    };
    let mpnet = r#"{"architectures": ["MPNetForSequenceClassification"], "model_type": "mpnet"}"#;
    refused(
        ModelErrorKind::Unsupported,
        &["MPNetForSequenceClassification", "BertForSequenceClassification", "XLM-RoBERTa", "DeBERTa-v2"],
        put("config.json", mpnet),
    );
    refused(ModelErrorKind::Damaged, &["tokenizer.json", "declares a table of 4294967295 bytes"], |dir| {
        // 8 GB in 20 bytes of base64.
        let bomb = r#"{"version": "1.0", "normalizer": {"type": "Precompiled", "precompiled_charsmap": "/////wAAAAAA"}}"#;
        fs::write(dir.join("tokenizer.json"), bomb).unwrap();
    });
    refused(ModelErrorKind::Damaged, &["config.json"], put("config.json", "{ not json"));
    refused(ModelErrorKind::Damaged, &["tokenizer.json"], put("tokenizer.json", "{\"version\": \"1.0\"}"));
    refused(ModelErrorKind::Damaged, &["tokenizer.json"], put("tokenizer.json", "\u{1b}]0;"));
    refused(ModelErrorKind::Damaged, &["vocab.txt", "[UNK]"], put("vocab.txt", "a\nb\n"));
    refused(ModelErrorKind::Damaged, &["vocab_size", "different models"], |dir| {
        let mut words = vocabulary();
        words.extend((0..50).map(|i| format!("w{i}")));
        fs::write(dir.join("vocab.txt"), words.join("\n")).unwrap();
    });
}

#[test]
fn poolings_that_we_do_not_run_are_named() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &Tiny { labels: 0, ..Default::default() });
    let modules = |kind: &str, path: &str| {
        let text = format!(r#"[{{"type": "sentence_transformers.models.{kind}", "path": "{path}"}}]"#);
        fs::write(dir.path().join("modules.json"), text).unwrap();
        load(dir.path()).map(|m| m.info().pooling).map_err(|e| e.message)
    };
    assert!(modules("Dense", "2_Dense").unwrap_err().contains("Dense"));
    assert!(modules("Pooling", "../elsewhere").unwrap_err().contains("elsewhere"));
    fs::create_dir(dir.path().join("1_Pooling")).unwrap();
    let pooling = |text: &str| fs::write(dir.path().join("1_Pooling/config.json"), text).unwrap();
    pooling(r#"{"pooling_mode_max_tokens": true}"#);
    assert!(modules("Pooling", "1_Pooling").unwrap_err().contains("pooling"));
    pooling(r#"{"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": false}"#);
    let cls = modules("Pooling", "1_Pooling").unwrap().unwrap();
    assert_eq!(cls.mode, recscope::engine::model::PoolingMode::Cls);
    assert!(!cls.normalise && cls.declared);
}

#[test]
fn a_model_says_what_it_cannot_be_asked() {
    let texts = vec![Some("red".to_string())];
    let ask = |labels: usize, inputs: ScoreInputs| {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &Tiny { labels, ..Default::default() });
        let model = load(dir.path()).unwrap();
        let progress = ScoreProgress::default();
        model.score(&inputs, &ScoreOptions::default(), &Cancel::new(), &progress, |_| Ok(())).unwrap_err()
    };
    for error in [
        ask(1, ScoreInputs::Embed(&texts, &texts)),
        ask(0, ScoreInputs::Pair(&texts, &texts)),
        ask(0, ScoreInputs::Text(&texts)),
    ] {
        assert_eq!(error.kind, ModelErrorKind::Usage);
        assert!(error.hint.is_some());
    }
}

#[test]
fn names_and_number_formats_of_other_exports_give_the_same_scores() {
    let score = |tiny: Tiny| {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), &tiny);
        let model = load(dir.path()).unwrap();
        let input = model.encode("red 跑鞋", Some("running shoes for men")).unwrap();
        model.score_encoded(&[input], None, &Cancel::new()).unwrap()[0]
    };
    let plain = score(Tiny::default());
    assert_eq!(plain, score(Tiny { prefix: "", ..Default::default() }));
    assert_eq!(plain, score(Tiny { gamma_beta: true, ..Default::default() }));
    assert!((plain - score(Tiny { dtype: DType::F64, ..Default::default() })).abs() < 1e-6);
    assert!((plain - score(Tiny { dtype: DType::F16, ..Default::default() })).abs() < 0.02);
    assert!((plain - score(Tiny { dtype: DType::BF16, ..Default::default() })).abs() < 0.1);
    assert_ne!(plain, score(Tiny { seed: 8, ..Default::default() }));
}

#[test]
fn the_hash_changes_with_any_file_that_decides_a_score() {
    let dir = tempfile::tempdir().unwrap();
    let hash = || load(dir.path()).unwrap().info().hash.clone();
    write(dir.path(), &Tiny::default());
    let first = hash();
    write(dir.path(), &Tiny::default());
    assert_eq!(first, hash());
    write(dir.path(), &Tiny { seed: 8, ..Default::default() });
    let second = hash();
    assert_ne!(first, second);
    fs::write(dir.path().join("tokenizer_config.json"), r#"{"do_lower_case": false}"#).unwrap();
    assert_ne!(second, hash());
    write(dir.path(), &Tiny { labels: 0, ..Default::default() });
    let pooling = r#"[{"type": "sentence_transformers.models.Pooling", "path": "pool"}]"#;
    fs::create_dir(dir.path().join("pool")).unwrap();
    fs::write(dir.path().join("modules.json"), pooling).unwrap();
    let mut seen = Vec::new();
    for (name, text) in [
        ("pool/config.json", r#"{"pooling_mode": "mean"}"#),
        ("pool/config.json", r#"{"pooling_mode": "cls"}"#),
        ("config_sentence_transformers.json", r#"{"prompts": {"query": "q: "}}"#),
        ("merges.txt", "a b"),
        ("vocab.json", "{}"),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
        seen.push(hash());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5);
}

#[test]
fn vocab_txt_tokenises_like_tokenizer_json() {
    let Some(source) = shared("models/ms-marco-MiniLM-L-12-v2") else { return };
    let dir = tempfile::tempdir().unwrap();
    for name in ["config.json", "vocab.txt", "tokenizer_config.json"] {
        fs::copy(source.join(name), dir.path().join(name)).unwrap();
    }
    let weights = fs::canonicalize(source.join("model.safetensors")).unwrap();
    std::os::unix::fs::symlink(weights, dir.path().join("model.safetensors")).unwrap();
    let (a, b) = (load(&source).unwrap(), load(dir.path()).unwrap());
    for text in ["Wireless-Mouse ™ 2.4GHz", "跑鞋 男 Größe 42", "naïve [SEP] x", "𝕏 🦀 \u{200d}"]
    {
        let (a, b) = (a.encode(text, Some("x y")).unwrap(), b.encode(text, Some("x y")).unwrap());
        assert_eq!(a, b, "{text}");
    }
}
