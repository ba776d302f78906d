//! Model folders mean what they say: layouts of the hub's cache and of sentence-transformers, tokenizer
//! settings as transformers applies them, class names, similarity, pointers and parts that are no model.

use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use recscope::engine::model::{
    DeviceChoice, LoadOptions, Model, ModelError, ModelErrorKind, ScoreChunk, ScoreInputs, ScoreOptions,
    ScoreProgress,
};
use recscope::util::cancel::Cancel;
use serde_json::{Value, json};

use crate::models_support::recscope;
use crate::support::{repo, shared};
use crate::tiny_model::{self, Tiny};

fn copy(fixture: &str, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(repo("fixtures/architectures").join(fixture)).unwrap() {
        let path = entry.unwrap().path();
        let name = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir_all(&name).unwrap();
            fs::copy(path.join("config.json"), name.join("config.json")).unwrap();
        } else {
            fs::copy(&path, name).unwrap();
        }
    }
}

/// A copy of a fixture in which keys of a JSON file are set; null removes one.
fn changed(fixture: &str, file: &str, keys: Value) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("m");
    copy(fixture, &folder);
    let path = folder.join(file);
    let old = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut map = old.and_then(|value: Value| value.as_object().cloned()).unwrap_or_default();
    for (key, value) in keys.as_object().unwrap() {
        map.insert(key.clone(), value.clone());
    }
    map.retain(|_, value| !value.is_null());
    fs::write(&path, Value::Object(map).to_string()).unwrap();
    (dir, folder)
}

fn load(folder: &Path) -> Result<Model, ModelError> {
    Model::load(folder, &LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() })
}

fn scores(model: &Model, inputs: &ScoreInputs) -> Vec<Option<f64>> {
    let mut found = vec![None; 2];
    let emit = |chunk: ScoreChunk| {
        for (row, score) in chunk.rows.iter().zip(&chunk.scores) {
            found[*row] = *score;
        }
        Ok(())
    };
    let (options, progress) = (ScoreOptions::default(), ScoreProgress::default());
    model.score(inputs, &options, &Cancel::new(), &progress, emit).unwrap();
    found
}

/// Two pairs, by a classifier and by an encoder.
fn pairs(model: &Model) -> Vec<Option<f64>> {
    let (queries, titles) = (texts(["running shoe", "跑鞋"]), texts(["Men's Hiking Boots", "红色 dress"]));
    match model.info().pooling {
        Some(_) => scores(model, &ScoreInputs::Embed(&queries, &titles)),
        None => scores(model, &ScoreInputs::Pair(&queries, &titles)),
    }
}

fn texts(texts: [&str; 2]) -> Vec<Option<String>> {
    texts.map(|text| Some(text.to_owned())).to_vec()
}

/// Ids of AutoTokenizer of transformers 5.24 (and 4.57) for these folders.
#[test]
fn tokenizer_settings_are_obeyed_beside_tokenizer_json() {
    let plain = [2, 138, 6, 34, 126, 18, 169, 174, 173, 3, 92, 102, 114, 3];
    for (settings, ids) in [
        (json!({}), plain),
        (json!({"do_lower_case": false}), [2, 1, 6, 34, 1, 18, 169, 174, 196, 3, 92, 102, 1, 3]),
        (
            json!({"do_lower_case": false, "tokenizer_class": "BertTokenizerFast"}),
            [2, 1, 6, 34, 1, 18, 169, 174, 196, 3, 92, 102, 1, 3],
        ),
        (json!({"strip_accents": false}), [2, 138, 6, 34, 126, 18, 169, 174, 196, 3, 92, 102, 114, 3]),
        (
            json!({"strip_accents": true, "do_lower_case": false}),
            [2, 1, 6, 34, 1, 18, 169, 174, 173, 3, 92, 102, 1, 3],
        ),
        (
            json!({"tokenize_chinese_chars": false}),
            [2, 138, 6, 34, 126, 18, 169, 174, 173, 3, 92, 255, 114, 3],
        ),
        // A bare fast tokenizer is what its file says.
        (json!({"tokenizer_class": "PreTrainedTokenizerFast", "do_lower_case": false}), plain),
    ] {
        let (_dir, folder) = changed("bert-classifier", "tokenizer_config.json", settings.clone());
        let found = load(&folder).unwrap().encode("Men's Hiking café", Some("跑鞋 Boots")).unwrap();
        assert_eq!(found.ids, ids, "{settings}");
    }
    // tokenizer.json keeps case here; without a word about it, AutoTokenizer does not.
    let (_dir, folder) = changed("bert-bge-zh", "tokenizer_config.json", json!({"do_lower_case": null}));
    let found = load(&folder).unwrap().encode("Boots", Some("x")).unwrap();
    assert!(found.ids.contains(&114), "{:?}", found.ids);
}

#[test]
fn tokenizers_that_are_code_are_refused() {
    let refused = |keys: Value, file: &str, json: bool| {
        let (_dir, folder) = changed("bert-classifier", file, keys);
        let tokens: Value =
            serde_json::from_slice(&fs::read(folder.join("tokenizer.json")).unwrap()).unwrap();
        let mut words: Vec<(u64, String)> = tokens["model"]["vocab"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(word, id)| (id.as_u64().unwrap(), word.clone()))
            .collect();
        words.sort();
        let words: Vec<String> = words.into_iter().map(|(_, word)| word).collect();
        fs::write(folder.join("vocab.txt"), words.join("\n")).unwrap();
        if !json {
            fs::remove_file(folder.join("tokenizer.json")).unwrap();
        }
        load(&folder).err()
    };
    let file = "tokenizer_config.json";
    for (keys, file, json) in [
        (json!({"tokenizer_class": "BertJapaneseTokenizer", "word_tokenizer_type": "mecab"}), file, false),
        (json!({"tokenizer_class": "BertJapaneseTokenizer"}), "config.json", false),
        (json!({"tokenizer_class": "RoFormerTokenizerFast"}), file, true),
        (json!({"word_tokenizer_type": "sudachi"}), file, true),
        (json!({"tokenizer_class": "LlamaTokenizer"}), file, false),
        (json!({"do_basic_tokenize": false}), file, false),
    ] {
        let error = refused(keys.clone(), file, json).unwrap_or_else(|| panic!("{keys} was read"));
        assert_eq!(error.kind, ModelErrorKind::Unsupported, "{error}");
        let name = keys.as_object().unwrap().values().find_map(Value::as_str).unwrap_or("do_basic_tokenize");
        assert!(error.message.contains(name), "{error}");
    }
    assert_eq!(refused(json!({"tokenizer_class": "ElectraTokenizer"}), file, false), None);
}

/// transformers hands no token types on where `model_input_names` leaves them out.
#[test]
fn token_types_that_are_not_handed_on_are_0() {
    let names = json!({"model_input_names": ["input_ids", "attention_mask"]});
    let (_dir, folder) = changed("bert-classifier", "tokenizer_config.json", names);
    let without = load(&folder).unwrap();
    assert!(without.encode("跑鞋", Some("Boots")).unwrap().type_ids.iter().all(|kind| *kind == 0));
    let with = load(&repo("fixtures/architectures/bert-classifier")).unwrap();
    assert_ne!(pairs(&with), pairs(&without));
}

#[test]
fn class_names_say_what_a_class_is_worth() {
    let of = |labels: &[&str]| {
        let id2label: Value =
            labels.iter().enumerate().map(|(i, label)| (i.to_string(), json!(label))).collect();
        let keys = json!({"recscope_gains": null, "id2label": id2label, "label2id": null});
        let (_dir, folder) = changed("bert-esci", "config.json", keys);
        let model = load(&folder).unwrap();
        (pairs(&model)[0], model.info().gains.clone(), model.info().notes.join("\n"))
    };
    let (letters, gains, note) = of(&["E", "S", "C", "I"]);
    assert_eq!(gains, Some(vec![1.0, 0.1, 0.01, 0.0]));
    assert!(note.contains("ESCI labels: E 1, S 0.1, C 0.01, I 0"), "{note}");
    assert!((0.0..1.0).contains(&letters.unwrap()));
    assert_eq!(of(&["exact", "SUBSTITUTE", "Complement", "irrelevant"]).0, letters);
    let (stars, gains, _) = of(&["1 star", "2 stars", "3 stars", "4 stars"]);
    assert_eq!(gains, Some(vec![1.0, 2.0, 3.0, 4.0]));
    let (grades, _, note) = of(&["LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3"]);
    assert!((stars.unwrap() - grades.unwrap() - 1.0).abs() < 1e-9 && note.contains("numbers"), "{note}");
    let (none, gains, note) = of(&["dress", "shoe", "hat", "bag"]);
    assert_eq!((none, gains), (None, None));
    assert!(note.contains("no known order") && note.contains("gains"), "{note}");
}

/// What has no order has no score to explain; a class of it has, and what is explained by default ranks.
#[test]
fn what_is_explained_is_what_ranks() {
    let cancel = Cancel::new();
    let model = load(&repo("fixtures/architectures/bert-esci")).unwrap();
    let input = model.encode("running shoe", Some("Men's Hiking Boots")).unwrap();
    let explained = model.score_encoded(std::slice::from_ref(&input), None, &cancel).unwrap()[0];
    assert!((explained - pairs(&model)[0].unwrap()).abs() < 1e-5);
    let at = model.embeddings(&input.ids).unwrap();
    let slope = model.gradients(&input, &[at], None, &cancel).unwrap().remove(0);
    assert!((slope.score - explained).abs() < 1e-5);
    let (_dir, folder) = changed(
        "bert-esci",
        "config.json",
        json!({
        "recscope_gains": null, "id2label": {"0": "a", "1": "b", "2": "c", "3": "d"}, "label2id": null}),
    );
    let model = load(&folder).unwrap();
    let error = model.score_encoded(std::slice::from_ref(&input), None, &cancel).unwrap_err();
    assert!(error.hint.unwrap().contains("target"));
    assert!(model.score_encoded(&[input], Some(2), &cancel).is_ok());
}

#[test]
fn vectors_are_compared_as_the_folder_asks() {
    let file = "config_sentence_transformers.json";
    let with = |name: Value| {
        let (_dir, folder) = changed("bert-bge-zh", file, json!({"similarity_fn_name": name}));
        let model = load(&folder).unwrap();
        let encoded = model.encode("跑鞋", Some("boots")).unwrap();
        let explained = model.score_encoded(&[encoded], None, &Cancel::new()).unwrap()[0];
        let (queries, titles) = (texts(["跑鞋", "x"]), texts(["boots", "x"]));
        let found = scores(&model, &ScoreInputs::Embed(&queries, &titles))[0].unwrap();
        assert!((found - explained).abs() < 1e-4 * found.abs().max(1.0), "{found} {explained}");
        (found, model.info().notes.len())
    };
    let (cosine, silent) = with(Value::Null);
    assert_eq!((with(json!("cosine")).0, silent), (cosine, 0));
    let (dot, said) = with(json!("dot"));
    // The vectors are not scaled: there is no Normalize module.
    assert!(dot.abs() > 1.5 && said == 1, "{dot}");
    assert!(with(json!("euclidean")).0 < 0.0 && with(json!("manhattan")).0 < with(json!("euclidean")).0);
    let (_dir, folder) = changed("bert-bge-zh", file, json!({"similarity_fn_name": "mine"}));
    assert_eq!(load(&folder).err().unwrap().kind, ModelErrorKind::Unsupported);
}

#[test]
fn an_activation_that_is_not_applied_is_said() {
    for (keys, said) in [
        (json!({"sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Sigmoid"}}), true),
        (json!({"sbert_ce_default_activation_function": "torch.nn.modules.activation.Sigmoid"}), true),
        (json!({"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}), false),
        (json!({}), false),
    ] {
        let (_dir, folder) = changed("xlm-roberta-reranker", "config.json", keys.clone());
        let notes = load(&folder).unwrap().info().notes.join("\n");
        assert_eq!(notes.contains("1 / (1 + exp(-score))"), said, "{keys}: {notes}");
    }
}

#[test]
fn layouts_of_the_hub_and_of_older_sentence_transformers_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let hub = dir.path().join("models--org--name");
    fs::create_dir_all(hub.join("refs")).unwrap();
    fs::write(hub.join("refs/main"), "abc123\n").unwrap();
    copy("bert-classifier", &hub.join("snapshots/abc123"));
    let flat = load(&repo("fixtures/architectures/bert-classifier")).unwrap();
    let found = load(&hub).unwrap();
    assert_eq!(pairs(&found), pairs(&flat));
    assert_eq!(found.info().hash, flat.info().hash, "the same files are the same model");
    // Another snapshot beside it; the one that refs/main names stays.
    copy("bert-esci", &hub.join("snapshots/other"));
    assert_eq!(load(&hub).unwrap().info().hash, flat.info().hash);
    fs::write(hub.join("refs/main"), "../..").unwrap();
    let error = load(&hub).err().unwrap();
    assert!(error.hint.unwrap().contains("snapshots/abc123"));

    let old = dir.path().join("old");
    copy("bert-bge-zh", &old);
    let flat = load(&old).unwrap();
    fs::create_dir(old.join("0_Transformer")).unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        fs::rename(old.join(name), old.join("0_Transformer").join(name)).unwrap();
    }
    let modules = fs::read_to_string(old.join("modules.json")).unwrap();
    fs::write(old.join("modules.json"), modules.replacen(r#""path": """#, r#""path": "0_Transformer""#, 1))
        .unwrap();
    let found = load(&old).unwrap();
    assert_eq!(pairs(&found), pairs(&flat));

    let listed = recscope(dir.path(), &["models", "list", ".", "--format", "json"], &[]);
    let value: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let usable = |name: &str| {
        value["models"].as_array().unwrap().iter().any(|model| {
            model["path"].as_str().unwrap().ends_with(name)
                && model["reason"].is_null()
                && model["weights"] == true
        })
    };
    assert!(usable("old"), "{value:#}");
}

/// Weights that were not fetched, parts of a model, and what else a folder may hold instead of one.
#[test]
fn what_is_no_model_is_called_by_its_name() {
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n", "4d7a".repeat(16));
    for file in ["model.safetensors", "tokenizer.json", "config.json"] {
        let (_dir, folder) = changed("bert-classifier", "x.json", json!({}));
        fs::write(folder.join(file), &pointer).unwrap();
        let error = load(&folder).err().unwrap();
        assert!(error.message.contains("Git LFS pointer") && error.message.contains(file), "{error}");
        assert!(error.hint.unwrap().contains("git lfs pull"));
        let listed = recscope(&folder, &["models", "list", "."], &[]);
        assert!(
            String::from_utf8_lossy(&listed.stdout).contains("Git LFS pointer"),
            "{}",
            String::from_utf8_lossy(&listed.stdout)
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let adapter = dir.path().join("adapter");
    fs::create_dir(&adapter).unwrap();
    fs::write(
        adapter.join("adapter_config.json"),
        r#"{"peft_type": "LORA", "base_model_name_or_path": "BAAI/bge-reranker-base"}"#,
    )
    .unwrap();
    let error = load(&adapter).err().unwrap();
    assert!(error.message.contains("LORA") && error.message.contains("BAAI/bge-reranker-base"), "{error}");
    assert!(error.hint.unwrap().contains("merge_and_unload"));
}

/// Header lengths whose first bytes are those of a pickle.
#[test]
fn sound_weights_are_no_pickle_whatever_their_header_is_long() {
    let dir = tempfile::tempdir().unwrap();
    tiny_model::write(dir.path(), &Tiny::default());
    let file = dir.path().join("model.safetensors");
    let whole = fs::read(&file).unwrap();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let before = pairs(&load(dir.path()).unwrap());
    for wanted in [640, 896, 1152, 1408] {
        // Blanks behind the header are part of the format.
        let padded = (length..).find(|length| length % 65536 == wanted).unwrap();
        let mut bytes = (padded as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(&whole[8..8 + length]);
        bytes.resize(8 + padded, b' ');
        bytes.extend_from_slice(&whole[8 + length..]);
        fs::write(&file, &bytes).unwrap();
        assert!(bytes[0] == 0x80 && (2..=5).contains(&bytes[1]));
        assert_eq!(pairs(&load(dir.path()).unwrap()), before, "{wanted}");
    }
    for start in [&b"\x80\x02}q\x00."[..], b"\x80\x05\x95\x00\x00", b"PK\x03\x04"] {
        fs::write(&file, [start, &[0x71; 64]].concat()).unwrap();
        let error = load(dir.path()).err().unwrap();
        assert!(error.message.contains("pickle"), "{error}");
    }
}

/// peft's own folder beside its base gives the weights of `merge_and_unload`.
#[test]
fn an_adapter_is_merged_into_the_base_beside_it() {
    let Some(golden) = shared("goldens/next") else { return };
    let merged =
        candle_core::safetensors::load(golden.join("lora_merged_changed.safetensors"), &Device::Cpu).unwrap();
    let labels = merged["classifier.weight"].dims()[0];
    let dir = tempfile::tempdir().unwrap();
    let (base, adapter) = (dir.path().join("shop-base"), dir.path().join("adapter"));
    fs::create_dir(&base).unwrap();
    fs::create_dir(&adapter).unwrap();
    fs::copy(golden.join(format!("base_{labels}.safetensors")), base.join("model.safetensors")).unwrap();
    let mut config: Value = serde_json::from_slice(&fs::read(golden.join("config.json")).unwrap()).unwrap();
    config["architectures"] = json!(["BertForSequenceClassification"]);
    config["num_labels"] = json!(labels);
    fs::write(base.join("config.json"), config.to_string()).unwrap();
    let words = (5..300).map(|n| format!("w{n}"));
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map(str::to_owned).into_iter().chain(words);
    fs::write(base.join("vocab.txt"), words.collect::<Vec<_>>().join("\n")).unwrap();
    for file in ["adapter_config.json", "adapter_model.safetensors"] {
        fs::copy(golden.join("lora_adapter").join(file), adapter.join(file)).unwrap();
    }
    let set = |key: &str, value: Value| {
        let file = adapter.join("adapter_config.json");
        let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        config[key] = value;
        fs::write(&file, config.to_string()).unwrap();
    };
    set("base_model_name_or_path", json!("acme/shop-base"));
    let plain = load(&base).unwrap();
    let model = load(&adapter).unwrap();
    assert_ne!(model.info().hash, plain.info().hash);
    let mut changed = 0;
    for (name, expected) in &merged {
        let name = name.strip_prefix("bert.").unwrap_or(name);
        let found = model.params().get(name).unwrap();
        let apart = |a: &Tensor| {
            (a - expected)
                .unwrap()
                .abs()
                .unwrap()
                .flatten_all()
                .unwrap()
                .max(0)
                .unwrap()
                .to_scalar::<f32>()
                .unwrap()
        };
        assert!(apart(found) < 1e-6, "{name}: {}", apart(found));
        changed += usize::from(apart(plain.params().get(name).unwrap()) > 1e-4);
    }
    assert!(changed >= 4, "{changed} tensors of {} are others than the base's", merged.len());
    set("use_dora", json!(true));
    assert_eq!(load(&adapter).err().unwrap().kind, ModelErrorKind::Unsupported);
    set("use_dora", json!(false));
    fs::rename(&base, dir.path().join("elsewhere")).unwrap();
    let error = load(&adapter).err().unwrap();
    assert!(error.message.contains("not at hand") && error.hint.unwrap().contains("shop-base"));
}
