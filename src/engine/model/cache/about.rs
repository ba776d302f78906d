//! What stands in a shelf's folder for people: `about.json`. Scoring never reads it.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::key::ShelfId;

const FILE: &str = "about.json";
/// More than this was not written by us.
const MOST_BYTES: u64 = 64 << 10;

/// Whose scores these are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// The model folder's name when the shelf was made.
    pub model: String,
    /// The model's hash, 64 hex digits.
    pub model_hash: String,
    /// e.g. `f32 cpu fused 2 avx512`.
    pub arithmetic: String,
    /// e.g. `pair`.
    pub template: String,
    pub max_tokens: usize,
    /// Numbers per entry.
    pub width: usize,
}

impl About {
    pub fn of(id: &ShelfId) -> Self {
        Self {
            model: id.model_name.clone(),
            model_hash: id.model_hash.clone(),
            arithmetic: id.arithmetic.clone(),
            template: id.template.clone(),
            max_tokens: id.max_tokens,
            width: id.width,
        }
    }

    /// Puts the file into the shelf's folder, whole, unless it is there.
    pub fn write(&self, dir: &Path) -> io::Result<()> {
        let file = dir.join(FILE);
        if file.exists() {
            return Ok(());
        }
        let mut partly = tempfile::NamedTempFile::new_in(dir)?;
        partly.write_all(&serde_json::to_vec_pretty(self)?)?;
        partly.persist(file).map(drop).map_err(|error| error.error)
    }

    /// What the file says; empty fields where it is missing or damaged.
    pub fn read(dir: &Path) -> Self {
        let file = dir.join(FILE);
        let small = std::fs::metadata(&file).is_ok_and(|meta| meta.len() <= MOST_BYTES);
        let bytes = if small { std::fs::read(file).unwrap_or_default() } else { Vec::new() };
        serde_json::from_slice(&bytes).unwrap_or_default()
    }

    /// Removes the file and the folder, if nothing else is in it.
    pub fn remove(dir: &Path) {
        let _ = std::fs::remove_file(dir.join(FILE));
        let _ = std::fs::remove_dir(dir);
    }
}
