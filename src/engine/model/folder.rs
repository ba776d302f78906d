//! The files of a model folder: which are needed, which are refused, where the weights lie. Nothing
//! is understood here.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::{ModelError, ModelErrorKind};
use super::layout::Layout;
use super::weights_file::pickle_error;

/// JSON files beside the weights are small; more than this is not one.
const MAX_JSON_BYTES: u64 = 64 << 20;

/// Reads a file that ought to be small.
pub(super) fn read_small(file: &Path) -> Result<Vec<u8>, ModelError> {
    let opened = std::fs::File::open(file).map_err(|e| ModelError::io(file, &e))?;
    let mut bytes = Vec::new();
    opened.take(MAX_JSON_BYTES + 1).read_to_end(&mut bytes).map_err(|e| ModelError::io(file, &e))?;
    if bytes.len() as u64 > MAX_JSON_BYTES {
        return Err(ModelError::damaged(file, format!("larger than {} MB", MAX_JSON_BYTES >> 20)));
    }
    refuse_pointer(file, &bytes)?;
    Ok(bytes)
}

/// What git leaves where a large file was not fetched. `start`: the file's first bytes.
pub(super) fn refuse_pointer(file: &Path, start: &[u8]) -> Result<(), ModelError> {
    if !start.starts_with(b"version https://git-lfs") {
        return Ok(());
    }
    let what = format!("{} is a Git LFS pointer, not the file itself", file.display());
    Err(ModelError::new(ModelErrorKind::Damaged, what).hint(
        "fetch the files that it stands for: git lfs pull in the clone, or recscope models pull ORG/NAME",
    ))
}

/// A JSON file beside the weights; `None` where it is not there.
pub(super) fn read_json(file: &Path) -> Result<Option<Value>, ModelError> {
    if !file.is_file() {
        return Ok(None);
    }
    serde_json::from_slice(&read_small(file)?).map(Some).map_err(|e| ModelError::damaged(file, e))
}

pub(super) fn has_pickle_name(file: &Path) -> bool {
    matches!(file.extension().and_then(|e| e.to_str()), Some("bin" | "pt" | "pth" | "pkl" | "ckpt"))
}

/// The weights files of a folder: `model.safetensors`, or the shards its index names.
pub(super) fn weights_files(dir: &Path) -> Result<Vec<PathBuf>, ModelError> {
    let dir = &Layout::of(dir).map_or_else(|_| dir.to_path_buf(), |layout| layout.transformer);
    let single = dir.join("model.safetensors");
    if single.is_file() {
        return Ok(vec![single]);
    }
    let index = dir.join("model.safetensors.index.json");
    if let Some(parsed) = read_json(&index)? {
        let map = parsed.get("weight_map").and_then(Value::as_object);
        let names: std::collections::BTreeSet<&str> =
            map.into_iter().flat_map(|m| m.values()).filter_map(Value::as_str).collect();
        if names.is_empty() || names.iter().any(|n| n.contains(['/', '\\'])) {
            return Err(ModelError::damaged(&index, "names no shards beside it"));
        }
        return names.into_iter().map(|name| shard(dir, name)).collect();
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

/// Size of a folder's weights on disk.
pub fn weights_bytes(dir: &Path) -> Result<u64, ModelError> {
    let size = |file: &PathBuf| file.metadata().map(|meta| meta.len()).map_err(|e| ModelError::io(file, &e));
    weights_files(dir)?.iter().map(size).sum()
}

fn shard(dir: &Path, name: &str) -> Result<PathBuf, ModelError> {
    let file = dir.join(name);
    if file.is_file() {
        return Ok(file);
    }
    let what = format!("{} is not there, though model.safetensors.index.json names it", file.display());
    Err(ModelError::new(ModelErrorKind::Missing, what)
        .hint("the weights are in several files: fetch every model-*-of-*.safetensors"))
}
