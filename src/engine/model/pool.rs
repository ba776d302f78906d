//! From hidden states to one vector per text: which rule the folder asks for (`modules.json`,
//! `1_Pooling/config.json`) and its differentiable form.

use std::path::{Path, PathBuf};

use candle_core::Tensor;
use serde_json::Value;

use super::error::{ModelError, ModelErrorKind};
use super::folder::{read_json, read_small};
use super::ops;
use super::similarity::Similarity;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolingMode {
    /// Mean over all tokens, special ones included, padding excluded.
    Mean,
    /// The first token's hidden state (not the pooler's output).
    Cls,
}

/// How a text's vector is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pooling {
    pub mode: PoolingMode,
    /// Scale the vector to length 1. The cosine is the same either way.
    pub normalise: bool,
    /// The folder says so; otherwise mean pooling is assumed.
    pub declared: bool,
    /// A prefix's tokens are pooled like the text's.
    pub pools_prefix: bool,
    /// How two vectors are compared.
    pub similarity: Similarity,
}

impl Pooling {
    /// Reads a sentence-transformers folder; without `modules.json`, mean pooling is assumed.
    pub fn read(dir: &Path) -> Result<Self, ModelError> {
        let similarity = Similarity::read(dir)?;
        let mode = PoolingMode::Mean;
        let assumed = Self { mode, normalise: true, declared: false, pools_prefix: true, similarity };
        let Some((file, modules)) = modules(dir)? else { return Ok(assumed) };
        let mut pooling = Self { normalise: false, ..assumed };
        for module in &modules {
            match kind(module) {
                "Transformer" => {}
                "Normalize" => pooling.normalise = true,
                "Pooling" => {
                    let config = read_config(&module_folder(dir, module, &file)?.join("config.json"))?;
                    pooling.mode = config.0;
                    pooling.pools_prefix = config.1;
                    pooling.declared = true;
                }
                other => {
                    let what = format!("{}: a module of type \"{other}\" is not supported", file.display());
                    return Err(ModelError::new(ModelErrorKind::Unsupported, what)
                        .hint("supported are Transformer, Pooling (mean or CLS) and Normalize"));
                }
            }
        }
        Ok(pooling)
    }

    /// `[batch, length, hidden]` and mask `[batch, length]` to `[batch, hidden]`, differentiable.
    pub fn apply(&self, hidden: &Tensor, mask: &Tensor) -> Result<Tensor, ModelError> {
        let pooled = match self.mode {
            PoolingMode::Cls => hidden.narrow(1, 0, 1)?.squeeze(1)?.contiguous()?,
            PoolingMode::Mean => {
                let sum = hidden.broadcast_mul(&mask.unsqueeze(2)?)?.sum(1)?;
                sum.broadcast_div(&mask.sum_keepdim(1)?)?
            }
        };
        Ok(if self.normalise { ops::normalise(&pooled)? } else { pooled })
    }
}

/// The file that says how the folder's texts are pooled, where `modules.json` names one.
pub(super) fn config_file(dir: &Path) -> Result<Option<PathBuf>, ModelError> {
    let Some((file, modules)) = modules(dir)? else { return Ok(None) };
    let pooling = modules.iter().find(|module| kind(module) == "Pooling");
    pooling.map(|module| Ok(module_folder(dir, module, &file)?.join("config.json"))).transpose()
}

/// `modules.json` with the weights in the root.
pub(super) fn flat_modules(dir: &Path) -> Result<Option<Value>, ModelError> {
    let Some((_, mut modules)) = modules(dir)? else { return Ok(None) };
    for module in modules.iter_mut().filter(|module| kind(module) == "Transformer") {
        if let Some(module) = module.as_object_mut() {
            module.insert("path".into(), "".into());
        }
    }
    Ok(Some(Value::Array(modules)))
}

/// Where the first module keeps config.json, the tokenizer and the weights: the folder itself where
/// `modules.json` names no other.
pub(super) fn transformer_folder(dir: &Path) -> Result<PathBuf, ModelError> {
    let Some((file, modules)) = modules(dir)? else { return Ok(dir.to_path_buf()) };
    let first = modules.iter().find(|module| kind(module) == "Transformer");
    let named =
        |module: &&Value| module.get("path").and_then(Value::as_str).is_some_and(|path| !path.is_empty());
    first.filter(named).map_or(Ok(dir.to_path_buf()), |module| module_folder(dir, module, &file))
}

fn modules(dir: &Path) -> Result<Option<(PathBuf, Vec<Value>)>, ModelError> {
    let file = dir.join("modules.json");
    match read_json(&file)? {
        None => Ok(None),
        Some(Value::Array(modules)) => Ok(Some((file, modules))),
        Some(_) => Err(ModelError::damaged(&file, "it is not a list of modules")),
    }
}

/// The last part of a module's Python class.
fn kind(module: &Value) -> &str {
    let class = module.get("type").and_then(Value::as_str).unwrap_or("");
    class.rsplit('.').next().unwrap_or("")
}

/// A folder named in a model file must stay inside the model folder.
fn module_folder(dir: &Path, module: &Value, file: &Path) -> Result<PathBuf, ModelError> {
    let folder = module.get("path").and_then(Value::as_str).unwrap_or("1_Pooling");
    let plain = Path::new(folder).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if plain {
        Ok(dir.join(folder))
    } else {
        Err(ModelError::damaged(file, format!("module path \"{folder}\"")))
    }
}

/// The mode, and whether a prefix's tokens are pooled too.
fn read_config(file: &Path) -> Result<(PoolingMode, bool), ModelError> {
    let config: serde_json::Map<String, Value> =
        serde_json::from_slice(&read_small(file)?).map_err(|e| ModelError::damaged(file, e))?;
    let pools_prefix = config.get("include_prompt").and_then(Value::as_bool).unwrap_or(true);
    Ok((mode(&config, file)?, pools_prefix))
}

fn mode(config: &serde_json::Map<String, Value>, file: &Path) -> Result<PoolingMode, ModelError> {
    let on = |key: &str| config.get(key).and_then(Value::as_bool).unwrap_or(false);
    // Newer folders name the mode instead of setting flags.
    let named = config.get("pooling_mode").and_then(Value::as_str);
    let others: Vec<&str> = config
        .keys()
        .map(String::as_str)
        .filter(|k| k.starts_with("pooling_mode_") && on(k))
        .filter(|k| !matches!(*k, "pooling_mode_cls_token" | "pooling_mode_mean_tokens"))
        .collect();
    match (named, on("pooling_mode_cls_token"), on("pooling_mode_mean_tokens")) {
        (Some("cls"), ..) => Ok(PoolingMode::Cls),
        (Some("mean"), ..) => Ok(PoolingMode::Mean),
        (None, true, false) if others.is_empty() => Ok(PoolingMode::Cls),
        (None, false, true) if others.is_empty() => Ok(PoolingMode::Mean),
        _ => {
            let what = format!("{}: this pooling is not supported", file.display());
            Err(ModelError::new(ModelErrorKind::Unsupported, what)
                .hint("supported is exactly one of pooling_mode_mean_tokens and pooling_mode_cls_token"))
        }
    }
}
