//! `recscope models list`: which model folders there are. Nothing is loaded here.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::args::ShortFormat;
use super::super::{Failure, err_line, print, settings};
use crate::engine::model::{Architecture, BertConfig};
use crate::util::sanitise;

/// A folder that holds a `config.json`, and whether it can be used.
pub struct Found {
    pub path: PathBuf,
    /// `BERT, cross-encoder or classifier`, `XLM-RoBERTa, embeddings`, or why it cannot be read.
    pub kind: Result<String, String>,
    pub weights: bool,
}

/// Lists model folders.
pub fn list(folders: &[PathBuf], format: ShortFormat) -> Result<u8, Failure> {
    let base = std::env::current_dir().unwrap_or_default();
    let looked = if folders.is_empty() { settings::load().model_folders(&base) } else { folders.to_vec() };
    let found = find(&looked);
    if format == ShortFormat::Json {
        let models: Vec<_> = found
            .iter()
            .map(|model| {
                json!({
                    "path": model.path.display().to_string(),
                    "kind": model.kind.as_ref().ok(),
                    "weights": model.weights,
                    "reason": model.kind.as_ref().err(),
                })
            })
            .collect();
        return print(
            &(serde_json::to_string_pretty(&json!({ "models": models })).unwrap_or_default() + "\n"),
        );
    }
    if found.is_empty() {
        let places: Vec<String> = looked.iter().map(|folder| folder.display().to_string()).collect();
        err_line(&format!("no model folder in {}", places.join(", ")));
        err_line("  hint: put a Hugging Face folder (config.json, tokenizer.json, model.safetensors) there");
    }
    let mut text = String::new();
    for model in &found {
        let kind = match &model.kind {
            Ok(kind) if model.weights => kind.clone(),
            Ok(kind) => format!("{kind}, no model.safetensors"),
            Err(reason) => sanitise::excerpt(reason, 200),
        };
        text.push_str(&format!("{}  {kind}\n", sanitise::line(&model.path.to_string_lossy())));
    }
    print(&text)
}

/// Folders with a `config.json` in or one level below the given ones.
pub fn find(folders: &[PathBuf]) -> Vec<Found> {
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let mut below: Vec<PathBuf> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        below.sort();
        for candidate in std::iter::once(folder.clone()).chain(below) {
            let known = |other: &PathBuf| same(other, &candidate);
            if candidate.join("config.json").is_file() && !found.iter().any(known) {
                found.push(candidate);
            }
        }
    }
    found.into_iter().map(look).collect()
}

fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

fn look(path: PathBuf) -> Found {
    let kind = BertConfig::read(&path.join("config.json"))
        .map(|config| {
            let gives = match config.architecture {
                Architecture::Encoder => "embeddings",
                Architecture::SequenceClassification => "cross-encoder or classifier",
            };
            format!("{}, {gives}", config.family.name)
        })
        .map_err(|error| error.to_string());
    let weights =
        ["model.safetensors", "model.safetensors.index.json"].iter().any(|f| path.join(f).is_file());
    Found { path, kind, weights }
}
