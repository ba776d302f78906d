//! Where the parts of a model folder lie: in the folder itself, in a snapshot of the hub's cache, or in the
//! folder that sentence-transformers keeps for its first module. Nothing of them is understood here.

use std::path::{Component, Path, PathBuf};

use super::adapter;
use super::error::{ModelError, ModelErrorKind};
use super::folder::has_pickle_name;
use super::pool;
use super::weights_file::pickle_error;

const NEEDS: &str =
    "a model is a folder with config.json, tokenizer.json (or vocab.txt) and model.safetensors";

/// The folders of one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// With modules.json, prompts and pooling, where the model has them.
    pub root: PathBuf,
    /// With config.json, the tokenizer and the weights; mostly the root.
    pub transformer: PathBuf,
    /// What is merged into these weights; the other two are the base model's then.
    pub adapter: Option<PathBuf>,
}

impl Layout {
    /// Finds config.json.
    pub fn of(dir: &Path) -> Result<Self, ModelError> {
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
        let root = snapshot(dir)?.unwrap_or_else(|| dir.to_path_buf());
        let transformer = pool::transformer_folder(&root)?;
        if transformer.join("config.json").is_file() {
            return Ok(Self { root, transformer, adapter: None });
        }
        if let Some(base) = adapter::base_of(&root)? {
            let base = Self::of(&base)?;
            if base.adapter.is_none() {
                return Ok(Self { adapter: Some(root), ..base });
            }
            return missing(format!("{} is an adapter for an adapter", dir.display()));
        }
        missing(format!("{} has no config.json", transformer.display()))
    }
}

/// `models--org--name` as huggingface_hub keeps it: the snapshot that refs/main names, else the only one.
fn snapshot(dir: &Path) -> Result<Option<PathBuf>, ModelError> {
    let snapshots = dir.join("snapshots");
    if dir.join("config.json").is_file() || !snapshots.is_dir() {
        return Ok(None);
    }
    let main = std::fs::read_to_string(dir.join("refs/main")).unwrap_or_default();
    let main = Path::new(main.trim());
    let plain =
        main.components().count() == 1 && main.components().all(|c| matches!(c, Component::Normal(_)));
    if plain && snapshots.join(main).is_dir() {
        return Ok(Some(snapshots.join(main)));
    }
    let entries = std::fs::read_dir(&snapshots).map_err(|e| ModelError::io(&snapshots, &e))?;
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|p| p.is_dir()).collect();
    found.sort();
    match found.as_slice() {
        [only] => Ok(Some(only.clone())),
        several => {
            let names = several.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy());
            let what = format!(
                "{} holds {} snapshots, and refs/main names none of them",
                dir.display(),
                several.len()
            );
            let hint = format!(
                "name one: {}",
                names
                    .map(|name| snapshots.join(name.as_ref()).display().to_string())
                    .collect::<Vec<_>>()
                    .join(", ")
            );
            Err(ModelError::new(ModelErrorKind::Missing, what).hint(if several.is_empty() {
                NEEDS.to_owned()
            } else {
                hint
            }))
        }
    }
}
