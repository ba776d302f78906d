//! Which files of a folder, a repository or an archive are a model's: what is fetched, copied and
//! counted. Names only; `folder.rs` and its callers read them.

use std::path::Path;

use super::error::ModelError;
use super::layout::Layout;
use super::{folder, prefixes, tokenizer_file};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Read beside the weights: config, tokenizer, pooling. Small.
    Small,
    /// For people: licence and model card. Small.
    Paper,
    Weights,
}

pub const CONFIG: &str = "config.json";
const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const SMALL: [&str; 4] = [CONFIG, "modules.json", prefixes::FILE, INDEX];
const PAPERS: [&str; 5] = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "UNLICENSE"];
/// Folders of other formats, whose config.json is none of ours.
const FOREIGN: [&str; 2] = ["onnx", "openvino"];

/// What the file of this path below the model's folder is; `None`: nothing that is read.
pub fn part(path: &str) -> Option<Part> {
    match path.split_once('/') {
        Some((folder, file)) => {
            let pooling = file == CONFIG && !folder.starts_with('.') && !FOREIGN.contains(&folder);
            pooling.then_some(Part::Small)
        }
        None if path == SINGLE || is_shard(path) => Some(Part::Weights),
        None if SMALL.contains(&path) || tokenizer_file::FILES.contains(&path) => Some(Part::Small),
        None if path == "README.md" || is_licence(path) => Some(Part::Paper),
        None => None,
    }
}

/// `LICENSE`, `LICENSE.txt`, `Licence-CC.md`.
pub fn is_licence(name: &str) -> bool {
    let stem = name.split(['.', '-', '_']).next().unwrap_or_default().to_ascii_uppercase();
    PAPERS.contains(&stem.as_str()) && !name.ends_with(".py")
}

fn is_shard(name: &str) -> bool {
    name.starts_with("model-") && name.ends_with(".safetensors")
}

/// The files that make up a model, config.json first and the weights last. One whole file of weights
/// beats shards, and shards without their index are none.
pub fn parts<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<(&'a str, Part)> {
    let mut parts: Vec<(&str, Part)> =
        paths.into_iter().filter_map(|path| part(path).map(|part| (path, part))).collect();
    let has = |name: &str| parts.iter().any(|(path, _)| *path == name);
    let (single, index) = (has(SINGLE), has(INDEX));
    parts.retain(|(path, part)| match part {
        Part::Weights => *path == SINGLE || (!single && index),
        _ => !(single && *path == INDEX),
    });
    parts.sort_by_key(|(path, part)| (*part, *path != CONFIG, *path != "modules.json", *path));
    parts
}

/// The model's files in a folder with their sizes. Links are followed: the folder is the user's own.
pub fn parts_on_disk(dir: &Path) -> Result<Vec<(String, Part, u64)>, ModelError> {
    let Ok(Layout { root, transformer, .. }) = Layout::of(dir) else { return parts_of(dir) };
    let mut parts = parts_of(&root)?;
    if let Some(inner) = transformer.strip_prefix(&root).ok().filter(|inner| !inner.as_os_str().is_empty()) {
        let inner = inner.display();
        parts.retain(|(path, _, _)| *path != format!("{inner}/{CONFIG}"));
        let below = parts_of(&transformer)?.into_iter();
        parts.extend(below.map(|(path, part, bytes)| (format!("{inner}/{path}"), part, bytes)));
    }
    Ok(parts)
}

fn parts_of(dir: &Path) -> Result<Vec<(String, Part, u64)>, ModelError> {
    let mut paths = Vec::new();
    for (folder, name) in names(dir)? {
        if folder {
            let inner = format!("{name}/{CONFIG}");
            paths.extend(dir.join(&inner).is_file().then_some(inner));
        } else {
            paths.push(name);
        }
    }
    Ok(parts(paths.iter().map(String::as_str))
        .into_iter()
        .map(|(path, part)| {
            let bytes = std::fs::metadata(dir.join(path)).map_or(0, |about| about.len());
            (path.to_owned(), part, bytes)
        })
        .collect())
}

/// Whether it is a folder, and its name. Names that are not UTF-8 are of no file that we read.
fn names(dir: &Path) -> Result<Vec<(bool, String)>, ModelError> {
    let entries = std::fs::read_dir(dir).map_err(|e| ModelError::io(dir, &e))?;
    let named = entries.flatten().map(|entry| (entry.path().is_dir(), entry.file_name()));
    Ok(named.filter_map(|(folder, name)| Some((folder, name.into_string().ok()?))).collect())
}

/// Whether a file of this name is a pickle, which is never loaded.
pub fn is_pickle(path: &str) -> bool {
    folder::has_pickle_name(Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen<'a>(paths: &[&'a str]) -> Vec<&'a str> {
        parts(paths.iter().copied()).into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn a_repository_is_cut_down_to_what_is_read() {
        let all = [
            ".gitattributes",
            "README.md",
            "1_Pooling/config.json",
            "model.safetensors",
            "onnx/config.json",
            "onnx/model.onnx",
            "pytorch_model.bin",
            "tokenizer.json",
            "modules.json",
            "config.json",
            "LICENSE.txt",
            "a/b/config.json",
            "../config.json",
        ];
        let wanted = [
            "config.json",
            "modules.json",
            "1_Pooling/config.json",
            "tokenizer.json",
            "LICENSE.txt",
            "README.md",
            "model.safetensors",
        ];
        assert_eq!(chosen(&all), wanted);
    }

    #[test]
    fn shards_count_with_their_index_only() {
        let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
        let index = "model.safetensors.index.json";
        assert_eq!(chosen(&shards), [""; 0]);
        assert_eq!(chosen(&[shards[0], shards[1], index]), [index, shards[0], shards[1]]);
        assert_eq!(chosen(&[shards[0], index, "model.safetensors"]), ["model.safetensors"]);
        assert_eq!(chosen(&["adapter_model.safetensors", "consolidated.safetensors"]), [""; 0]);
    }

    #[test]
    fn licences_are_known_by_their_names() {
        for name in ["LICENSE", "LICENSE.txt", "licence.md", "COPYING", "NOTICE", "LICENSE-MIT"] {
            assert!(is_licence(name), "{name}");
        }
        for name in ["license.py", "LICENSED", "config.json", "relicense.md"] {
            assert!(!is_licence(name), "{name}");
        }
    }
}
