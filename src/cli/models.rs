//! `recscope models`: which model folders there are, and what one of them is.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::args::ShortFormat;
use super::{Failure, print, settings};
use crate::engine::model::{
    Architecture, BertConfig, DeviceChoice, LoadOptions, Model, Network, Pooling, PoolingMode,
};
use crate::util::{figures, sanitise};

/// A folder that holds a `config.json`, and whether it can be used.
pub(super) struct Found {
    pub path: PathBuf,
    /// `BERT, cross-encoder or classifier`, `XLM-RoBERTa, embeddings`, or why it cannot be read.
    pub kind: Result<String, String>,
    pub weights: bool,
}

/// Lists model folders.
pub(super) fn list(folders: &[PathBuf], format: ShortFormat) -> Result<u8, Failure> {
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
        super::err_line(&format!("no model folder in {}", places.join(", ")));
        super::err_line(
            "  hint: put a Hugging Face folder (config.json, tokenizer.json, model.safetensors) there",
        );
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
pub(super) fn find(folders: &[PathBuf]) -> Vec<Found> {
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

/// Loads one model and says what it is.
pub(super) fn info(folder: &Path, format: ShortFormat) -> Result<u8, Failure> {
    let model = Model::load(folder, &LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() })?;
    let info = model.info();
    let kind = match info.architecture {
        Architecture::Encoder => "embeddings",
        Architecture::SequenceClassification => "classifier",
    };
    let pooling = info.pooling.map(pooling_in_words);
    let explains = match info.family.network {
        Network::Bert => "integrated_gradients, gradient_x_input, leave_one_out",
        _ => "leave_one_out",
    };
    if format == ShortFormat::Json {
        let value = json!({
            "path": info.dir.display().to_string(),
            "name": info.name,
            "kind": kind,
            "architecture": info.family.name,
            "labels": info.labels,
            "gains": info.gains,
            "layers": info.layers,
            "hidden": info.hidden,
            "parameters": info.parameters,
            "max_tokens": info.max_tokens,
            "max_positions": info.max_positions,
            "pooling": pooling,
            "prefixes": { "query": info.prefixes.query, "text": info.prefixes.text },
            "explains": explains,
            "sha256": info.hash,
        });
        return print(&(serde_json::to_string_pretty(&value).unwrap_or_default() + "\n"));
    }
    let use_as = match (info.architecture, info.labels.len()) {
        (Architecture::Encoder, _) => "embed = [\"query\", \"title\"]",
        (Architecture::SequenceClassification, _) => "pair = [\"query\", \"title\"] or text = \"title\"",
    };
    let gains = info.gains.as_deref().unwrap_or_default();
    let labels: Vec<String> = (info.labels.iter().enumerate())
        .map(|(class, label)| match gains.get(class) {
            Some(gain) => format!("{} (gain {gain})", sanitise::excerpt(label, 60)),
            None => sanitise::excerpt(label, 60),
        })
        .collect();
    let prefixes =
        [&info.prefixes.query, &info.prefixes.text].map(|text| format!("{:?}", sanitise::excerpt(text, 60)));
    print(&format!(
        "{}\nkind        {}, {kind}\nlabels      {}\nlayers      {} x {}\nparameters  {}\nreads       up to {} tokens\npooling     {}\nprefixes    {}\nexplains    {explains}\nuse as      {use_as}\nsha256      {}\n",
        sanitise::line(&info.name),
        info.family.name,
        if labels.is_empty() { "none".into() } else { labels.join(", ") },
        info.layers,
        info.hidden,
        figures::compact(info.parameters as u64),
        info.max_tokens,
        pooling.as_deref().unwrap_or("none"),
        if info.prefixes.is_empty() { "none".into() } else { prefixes.join(", ") },
        info.hash,
    ))
}

fn pooling_in_words(pooling: Pooling) -> String {
    let mode = match pooling.mode {
        PoolingMode::Mean => "mean of all tokens",
        PoolingMode::Cls => "first token",
    };
    let length = if pooling.normalise { ", scaled to length 1" } else { "" };
    let source = if pooling.declared { "" } else { " (assumed: the folder says nothing)" };
    format!("{mode}{length}{source}")
}
