//! A Hugging Face folder becomes a [`Model`]: which files are needed, which are refused, and that
//! every tensor is there in the shape the config promises.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use candle_core::{DType, Device};
use serde_json::Value;

use super::bert::Bert;
use super::config::{Architecture, BertConfig};
use super::device::{DeviceChoice, device_name, open_device};
use super::error::{ModelError, ModelErrorKind};
use super::fused::FusedBert;
use super::hash::hash_folder;
use super::heads::Head;
use super::params::{Params, expected};
use super::pool::Pooling;
use super::tokens::Tokens;
use super::weights_file::{WeightsFile, pickle_error};

/// JSON files beside the weights are small; more than this is not one.
const MAX_JSON_BYTES: u64 = 64 << 20;

#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    pub device: DeviceChoice,
    /// Longest input in tokens, specials included; `None`: the folder's own limit.
    pub max_tokens: Option<usize>,
}

/// What a reader wants to know of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// The folder's last name, e.g. `all-MiniLM-L6-v2`.
    pub name: String,
    pub dir: PathBuf,
    pub architecture: Architecture,
    /// Class names; empty for embeddings.
    pub labels: Vec<String>,
    pub layers: usize,
    pub hidden: usize,
    pub parameters: usize,
    /// Positions the model was built for.
    pub max_positions: usize,
    /// Longest input in tokens that is not cut.
    pub max_tokens: usize,
    /// `None` for classifiers.
    pub pooling: Option<Pooling>,
    /// `cpu`, `cuda:0`.
    pub device: String,
    /// SHA-256 over the files that decide a score, as hex: part of every cache key.
    pub hash: String,
}

/// A loaded model, ready to score and to give gradients. Shared by reference; no call changes it.
pub struct Model {
    pub(super) info: ModelInfo,
    pub(super) params: Params,
    pub(super) bert: Bert,
    pub(super) head: Head,
    pub(super) tokens: Tokens,
    /// Made on first use, as are the next two.
    pub(super) fused: OnceLock<FusedBert>,
    pub(super) fused_ints: OnceLock<FusedBert>,
    pub(super) half: OnceLock<(DType, Bert)>,
}

impl Model {
    /// Loads `config.json`, `tokenizer.json` or `vocab.txt`, and `model.safetensors` (or its shards).
    pub fn load(dir: &Path, options: &LoadOptions) -> Result<Model, ModelError> {
        check_folder(dir)?;
        let config = BertConfig::read(&dir.join("config.json"))?;
        let device = open_device(options.device)?;
        let tokens = Tokens::load(dir, &config, options.max_tokens)?;
        let params = load_params(dir, &config, &device)?;
        Self::build(dir, config, params, tokens)
    }

    /// Loads only the weights and the config: what a trainer starts from.
    pub fn load_params(dir: &Path, device: &Device) -> Result<(BertConfig, Params), ModelError> {
        check_folder(dir)?;
        let config = BertConfig::read(&dir.join("config.json"))?;
        let params = load_params(dir, &config, device)?;
        Ok((config, params))
    }

    fn build(dir: &Path, config: BertConfig, params: Params, tokens: Tokens) -> Result<Model, ModelError> {
        let head = match config.architecture {
            Architecture::Encoder => Head::Embedding(Pooling::read(dir)?),
            Architecture::SequenceClassification => Head::Classifier { labels: config.labels.clone() },
        };
        let bert = Bert::new(&config, &params)?;
        let info = ModelInfo {
            name: dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            dir: dir.to_path_buf(),
            architecture: config.architecture,
            labels: config.labels.clone(),
            layers: config.layers,
            hidden: config.hidden,
            parameters: params.count(),
            max_positions: config.max_positions,
            max_tokens: tokens.max_tokens(),
            pooling: match &head {
                Head::Embedding(pooling) => Some(*pooling),
                Head::Classifier { .. } => None,
            },
            device: device_name(bert.device()),
            hash: hash_folder(dir)?,
        };
        let (fused, fused_ints, half) = Default::default();
        Ok(Model { info, params, bert, head, tokens, fused, fused_ints, half })
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    pub fn config(&self) -> &BertConfig {
        &self.bert.config
    }

    pub fn params(&self) -> &Params {
        &self.params
    }

    pub fn bert(&self) -> &Bert {
        &self.bert
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }
}

/// Reads a file that ought to be small.
pub(super) fn read_small(file: &Path) -> Result<Vec<u8>, ModelError> {
    let opened = std::fs::File::open(file).map_err(|e| ModelError::io(file, &e))?;
    let mut bytes = Vec::new();
    opened.take(MAX_JSON_BYTES + 1).read_to_end(&mut bytes).map_err(|e| ModelError::io(file, &e))?;
    if bytes.len() as u64 > MAX_JSON_BYTES {
        return Err(ModelError::damaged(file, format!("larger than {} MB", MAX_JSON_BYTES >> 20)));
    }
    Ok(bytes)
}

fn check_folder(dir: &Path) -> Result<(), ModelError> {
    const NEEDS: &str =
        "a model is a folder with config.json, tokenizer.json (or vocab.txt) and model.safetensors";
    let missing = |what: String| Err(ModelError::new(ModelErrorKind::Missing, what).hint(NEEDS));
    if dir.is_file() {
        if has_pickle_name(dir) {
            return Err(pickle_error(dir));
        }
        return missing(format!("{} is a file, not a model folder", dir.display()));
    }
    if !dir.is_dir() {
        return missing(format!("there is no model folder {}", dir.display()));
    }
    if !dir.join("config.json").is_file() {
        return missing(format!("{} has no config.json", dir.display()));
    }
    Ok(())
}

fn has_pickle_name(file: &Path) -> bool {
    matches!(file.extension().and_then(|e| e.to_str()), Some("bin" | "pt" | "pth" | "pkl" | "ckpt"))
}

/// The weights files of a folder: `model.safetensors`, or the shards its index names.
pub(super) fn weights_files(dir: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let single = dir.join("model.safetensors");
    if single.is_file() {
        return Ok(vec![single]);
    }
    let index = dir.join("model.safetensors.index.json");
    if index.is_file() {
        let parsed: Value =
            serde_json::from_slice(&read_small(&index)?).map_err(|e| ModelError::damaged(&index, e))?;
        let map = parsed.get("weight_map").and_then(Value::as_object);
        let names: std::collections::BTreeSet<&str> =
            map.into_iter().flat_map(|m| m.values()).filter_map(Value::as_str).collect();
        if names.is_empty() || names.iter().any(|n| n.contains(['/', '\\'])) {
            return Err(ModelError::damaged(&index, "names no shards beside it"));
        }
        return Ok(names.into_iter().map(|n| dir.join(n)).collect());
    }
    let entries = std::fs::read_dir(dir).map_err(|e| ModelError::io(dir, &e))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|e| e.ok()).map(|e| e.path()).collect();
    files.sort();
    if let Some(pickle) = files.iter().find(|f| has_pickle_name(f)) {
        return Err(pickle_error(pickle));
    }
    Err(ModelError::new(ModelErrorKind::Missing, format!("{} has no model.safetensors", dir.display()))
        .hint("fetch the folder with its model.safetensors; other formats (ONNX, TensorFlow) are not read"))
}

/// Reads every expected tensor, checked for presence and shape. Others (`position_ids`, heads of
/// masked language models) are left in the file.
fn load_params(dir: &Path, config: &BertConfig, device: &Device) -> Result<Params, ModelError> {
    let mut files = Vec::new();
    let mut found: BTreeMap<String, (usize, String, Vec<usize>)> = BTreeMap::new();
    for path in weights_files(dir)? {
        let file = WeightsFile::open(&path)?;
        for (name, shape) in file.shapes() {
            found.insert(Params::canonical(&name), (files.len(), name, shape));
        }
        files.push((path, file));
    }
    let prefixed = found.values().any(|(_, name, _)| name.starts_with("bert."));
    let pooler = found.contains_key("pooler.dense.weight") && found.contains_key("pooler.dense.bias");
    let mut tensors = BTreeMap::new();
    for (name, shape) in expected(config, pooler) {
        let Some((at, file_name, got)) = found.get(&name) else {
            return Err(missing_tensor(dir, &name, &found));
        };
        let Some((path, file)) = files.get_mut(*at) else { continue };
        if *got != shape {
            let what = format!(
                "{}: tensor \"{file_name}\" has shape {got:?}, config.json needs {shape:?}",
                path.display()
            );
            return Err(ModelError::new(ModelErrorKind::Damaged, what).hint(
                "config.json and model.safetensors are of different models: fetch both from the same place",
            ));
        }
        tensors.insert(name, file.read(file_name, device)?);
    }
    Ok(Params::new(tensors, prefixed))
}

fn missing_tensor(
    dir: &Path,
    name: &str,
    found: &BTreeMap<String, (usize, String, Vec<usize>)>,
) -> ModelError {
    let some: Vec<&str> = found.keys().take(3).map(String::as_str).collect();
    let what = format!(
        "{}: the weights have no tensor \"{name}\" (they have {} others, e.g. {})",
        dir.display(),
        found.len(),
        some.join(", ")
    );
    let hint = if name.starts_with("classifier") {
        "config.json says BertForSequenceClassification; for an encoder it must say BertModel"
    } else {
        "config.json and model.safetensors are of different models, or the layer count is wrong"
    };
    ModelError::new(ModelErrorKind::Damaged, what).hint(hint)
}
