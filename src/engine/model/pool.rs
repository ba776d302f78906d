//! From hidden states to one vector per text: which rule the folder asks for (`modules.json`,
//! `1_Pooling/config.json`) and its differentiable form.

use std::path::Path;

use candle_core::Tensor;
use serde_json::Value;

use super::error::{ModelError, ModelErrorKind};
use super::ops;

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
}

impl Pooling {
    /// Reads a sentence-transformers folder; without `modules.json`, mean pooling is assumed.
    pub fn read(dir: &Path) -> Result<Self, ModelError> {
        let file = dir.join("modules.json");
        let assumed = Self { mode: PoolingMode::Mean, normalise: true, declared: false };
        if !file.exists() {
            return Ok(assumed);
        }
        let modules: Vec<Value> = serde_json::from_slice(&super::load::read_small(&file)?)
            .map_err(|e| ModelError::damaged(&file, e))?;
        let mut pooling = Self { normalise: false, ..assumed };
        for module in &modules {
            let kind = module.get("type").and_then(Value::as_str).unwrap_or("");
            match kind.rsplit('.').next().unwrap_or("") {
                "Transformer" => {}
                "Normalize" => pooling.normalise = true,
                "Pooling" => {
                    let folder = module.get("path").and_then(Value::as_str).unwrap_or("1_Pooling");
                    pooling.mode = read_mode(&inside(dir, folder, &file)?.join("config.json"))?;
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

/// A folder named in a model file must stay inside the model folder.
fn inside(dir: &Path, folder: &str, file: &Path) -> Result<std::path::PathBuf, ModelError> {
    let plain = Path::new(folder).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if plain {
        Ok(dir.join(folder))
    } else {
        Err(ModelError::damaged(file, format!("module path \"{folder}\"")))
    }
}

fn read_mode(file: &Path) -> Result<PoolingMode, ModelError> {
    let config: serde_json::Map<String, Value> =
        serde_json::from_slice(&super::load::read_small(file)?).map_err(|e| ModelError::damaged(file, e))?;
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
