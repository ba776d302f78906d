//! `recscope models info`: one model, loaded, and what it says of itself.

use std::path::Path;

use serde_json::json;

use super::super::args::ShortFormat;
use super::super::output::json_page;
use super::super::{Failure, print};
use super::licence::Licence;
use crate::analysis::explain::METHODS;
use crate::engine::model::{
    Architecture, DeviceChoice, LoadOptions, Model, Network, Pooling, PoolingMode, parts_on_disk,
};
use crate::terms::Choice as _;
use crate::util::{figures, sanitise};

/// Loads one model and says what it is.
pub fn info(folder: &Path, format: ShortFormat) -> Result<u8, Failure> {
    let model = Model::load(folder, &LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() })?;
    let info = model.info();
    let licence = Licence::of(folder);
    let bytes: u64 = parts_on_disk(folder)?.iter().map(|(_, _, bytes)| bytes).sum();
    let kind = match info.architecture {
        Architecture::Encoder => "embeddings",
        Architecture::SequenceClassification => "classifier",
    };
    let pooling = info.pooling.map(pooling_in_words);
    let gradients = info.family.network == Network::Bert;
    let explains = METHODS.iter().filter(|method| gradients || !method.needs_gradients);
    let explains = explains.map(|row| row.method.id()).collect::<Vec<_>>().join(", ");
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
            "similarity": info.pooling.map(|pooling| pooling.similarity.id()),
            "notes": info.notes,
            "prefixes": { "query": info.prefixes.query, "text": info.prefixes.text },
            "explains": explains,
            "bytes": bytes,
            "licence": licence.id,
            "licence_file": licence.file,
            "sha256": info.hash,
        });
        return print(&json_page(&value));
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
        "{}\nkind        {}, {kind}\nlabels      {}\nlayers      {} x {}\nparameters  {} in {}\nreads       up to {} tokens\npooling     {}\nprefixes    {}\nexplains    {explains}\nuse as      {use_as}\nlicence     {}\nsha256      {}\n{}",
        sanitise::line(&info.name),
        info.family.name,
        if labels.is_empty() { "none".into() } else { labels.join(", ") },
        info.layers,
        info.hidden,
        figures::compact(info.parameters as u64),
        figures::bytes(bytes),
        info.max_tokens,
        pooling.as_deref().unwrap_or("none"),
        if info.prefixes.is_empty() { "none".into() } else { prefixes.join(", ") },
        licence_in_words(&licence),
        info.hash,
        info.notes
            .iter()
            .map(|note| format!("note        {}\n", sanitise::excerpt(note, 400)))
            .collect::<String>(),
    ))
}

fn pooling_in_words(pooling: Pooling) -> String {
    let mode = match pooling.mode {
        PoolingMode::Mean => "mean of all tokens",
        PoolingMode::Cls => "first token",
    };
    let length = if pooling.normalise { ", scaled to length 1" } else { "" };
    let source = if pooling.declared { "" } else { " (assumed: the folder says nothing)" };
    let compared = pooling.similarity.doc();
    format!("{mode}{length}{source}; texts are compared by {compared}")
}

fn licence_in_words(licence: &Licence) -> String {
    match (&licence.id, &licence.file) {
        (Some(id), Some(file)) => {
            format!("{} (and {})", sanitise::excerpt(id, 60), sanitise::excerpt(file, 60))
        }
        (Some(id), None) => format!("{} (README.md says so)", sanitise::excerpt(id, 60)),
        (None, Some(file)) => format!("see {}", sanitise::excerpt(file, 60)),
        (None, None) => "not named in the folder".into(),
    }
}
