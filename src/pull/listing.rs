//! What a source has, and which of it is a model's. Names come from strangers: one that leads outside
//! its folder condemns the whole source.

use super::PullError;
use crate::engine::model::{CONFIG, ModelError, Part, is_pickle, parts, pickle_error};
use crate::util::sanitise;

/// More is no model.
pub(super) const MAX_FILES: usize = 100_000;
/// Files beside the weights are small; as `engine::model` reads no larger ones, none is fetched.
pub(super) const MAX_SMALL_BYTES: u64 = 64 << 20;

/// How to know that a file came whole. Only a hub says more than nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "hub"), allow(dead_code))]
pub(super) enum Sum {
    None,
    /// Of the content, as hex.
    Sha256(String),
    /// Git's name for the content, as hex.
    Git(String),
}

/// A file that a source has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(not(feature = "hub"), allow(dead_code))]
pub(super) struct Entry {
    /// Below the model's folder, with `/`.
    pub path: String,
    pub bytes: Option<u64>,
    pub sum: Sum,
}

/// What will be fetched, in order: config.json first, the weights last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub small: Vec<Entry>,
    pub weights: Vec<Entry>,
    pub left_out: usize,
}

impl Plan {
    /// Chooses a model's files; `told` is how messages call the source.
    pub fn of(told: &str, entries: Vec<Entry>) -> Result<Self, PullError> {
        let names: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        let chosen = parts(names.iter().copied());
        let missing = |name: &str| !chosen.iter().any(|(path, _)| *path == name);
        let shown = sanitise::excerpt(told, 200);
        if missing(CONFIG) {
            let what = format!("{shown} has no config.json, so it is no model that is read here");
            return Err(PullError::data(what).hint(
                "a model is a folder with config.json, tokenizer.json (or vocab.txt) and model.safetensors",
            ));
        }
        if !chosen.iter().any(|(_, part)| *part == Part::Weights) {
            return Err(without_weights(&shown, &names));
        }
        let (mut small, mut weights) = (Vec::new(), Vec::new());
        for (path, part) in &chosen {
            let Some(entry) = entries.iter().find(|entry| entry.path == *path) else { continue };
            let list = if *part == Part::Weights { &mut weights } else { &mut small };
            list.push(entry.clone());
        }
        if let Some(large) = small.iter().find(|entry| entry.bytes.is_some_and(|n| n > MAX_SMALL_BYTES)) {
            return Err(too_large(&large.path));
        }
        Ok(Self { left_out: entries.len() - chosen.len(), small, weights })
    }

    /// With whether it is one of the small ones.
    pub fn each(&self) -> impl Iterator<Item = (&Entry, bool)> {
        self.all().enumerate().map(|(at, entry)| (entry, at < self.small.len()))
    }

    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.small.iter().chain(&self.weights)
    }

    pub fn len(&self) -> usize {
        self.small.len() + self.weights.len()
    }

    pub fn bytes(&self) -> u64 {
        self.all().filter_map(|entry| entry.bytes).fold(0, u64::saturating_add)
    }

    /// Names and sizes, for whoever copies by hand.
    #[cfg(feature = "hub")]
    pub fn names(&self) -> Vec<(String, Option<u64>)> {
        self.all().map(|entry| (sanitise::excerpt(&entry.path, 200), entry.bytes)).collect()
    }
}

/// The most that a file may have: what was announced, and for a small one what is read of it.
pub(super) fn limit(small: bool, announced: Option<u64>) -> u64 {
    let announced = announced.unwrap_or(u64::MAX);
    if small { announced.min(MAX_SMALL_BYTES) } else { announced }
}

pub(super) fn too_large(name: &str) -> PullError {
    let name = sanitise::excerpt(name, 200);
    PullError::data(format!("{name} is larger than {} MB, which none of its kind is", MAX_SMALL_BYTES >> 20))
        .hint("take the model from a place that you trust")
}

fn without_weights(told: &str, names: &[&str]) -> PullError {
    if let Some(pickle) = names.iter().find(|name| !name.contains('/') && is_pickle(name)) {
        let error = pickle_error(std::path::Path::new(&format!("{told}/{}", sanitise::excerpt(pickle, 100))));
        return error.into();
    }
    let other = |name: &&&str| {
        [".onnx", ".gguf", ".h5", ".safetensors", ".msgpack", ".ckpt"].iter().any(|end| name.ends_with(end))
    };
    let others: Vec<String> =
        names.iter().filter(other).take(3).map(|name| sanitise::excerpt(name, 100)).collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    ModelError::no_weights(told, &others).into()
}

/// A path that stays inside its folder and can be shown: relative, without `..`, without control
/// characters. A leading `./`, as tar writes it, is dropped.
pub(super) fn inside(told: &str, path: &str) -> Result<String, PullError> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let sound = !path.is_empty()
        && path.len() <= 1000
        && !path.contains('\\')
        && !path.chars().any(char::is_control)
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if sound {
        return Ok(path.to_owned());
    }
    let (told, path) = (sanitise::excerpt(told, 200), sanitise::excerpt(path, 100));
    Err(PullError::data(format!("{told} names a file \"{path}\", which leads outside its folder or hides"))
        .hint("nothing of it was kept: take the model from a place that you trust"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Entry {
        Entry { path: path.into(), bytes: Some(10), sum: Sum::None }
    }

    fn refused(names: &[&str]) -> String {
        let error = Plan::of("org/m", names.iter().map(|name| entry(name)).collect()).unwrap_err();
        format!("{error}; {}", error.hint.as_deref().unwrap())
    }

    #[test]
    fn paths_stay_inside() {
        assert_eq!(inside("x", "./a/b.json").unwrap(), "a/b.json");
        assert_eq!(inside("x", "模型/config.json").unwrap(), "模型/config.json");
        for path in [
            "",
            "..",
            "../a",
            "a/../b",
            "/etc/passwd",
            "a//b",
            "a/./b",
            "a\\..\\b",
            "a\nb",
            "\u{1b}[2J",
            "a/",
            "c\0d",
        ] {
            assert!(inside("x", path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn what_is_no_model_is_told() {
        assert!(refused(&["README.md"]).contains("no config.json"));
        let pickle = refused(&["config.json", "pytorch_model.bin"]);
        assert!(pickle.contains("org/m/pytorch_model.bin") && pickle.contains("save_pretrained"), "{pickle}");
        let onnx = refused(&["config.json", "onnx/model.onnx"]);
        assert!(onnx.contains("org/m has no model.safetensors; it has onnx/model.onnx"), "{onnx}");
    }

    #[test]
    fn a_huge_tokenizer_is_not_fetched() {
        let mut entries = vec![entry("config.json"), entry("model.safetensors"), entry("tokenizer.json")];
        entries[2].bytes = Some(MAX_SMALL_BYTES + 1);
        assert!(Plan::of("m", entries).unwrap_err().message.contains("tokenizer.json is larger"));
    }
}
