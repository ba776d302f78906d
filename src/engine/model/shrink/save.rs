//! A shrunk model as a folder: its config and weights, and what decides a score beside them, taken over
//! from the folder that it came from.

use std::path::Path;

use serde_json::Value;

use super::{Smaller, own};
use crate::engine::model::new_folder::NewFolder;
use crate::engine::model::{Dtype, Layout, Model, ModelError, pool, prefixes, tokenizer_file};

/// Whose words the source's licence is in.
const PAPERS: [&str; 6] = ["LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "NOTICE", "README.md"];

/// Whether a model can be written to `out` in these numbers, before any work is done.
pub fn check(model: &Model, out: &Path, dtype: Dtype, overwrite: bool) -> Result<(), ModelError> {
    if dtype == Dtype::Int8 {
        own(model)?;
    }
    NewFolder::check(out, &model.info.dir, overwrite)
}

/// Writes `smaller`, which came from `model`, with its layers' weights in `dtype` and a `shrinking.json` that
/// says what was done. An older model folder of that name is replaced with `overwrite` only.
pub fn save(
    model: &Model,
    smaller: &Smaller,
    dtype: Dtype,
    (out, overwrite): (&Path, bool),
    report: &Value,
) -> Result<(), ModelError> {
    let Layout { root, transformer, .. } = Layout::of(&model.info.dir)?;
    let folder = NewFolder::begin(out, overwrite)?;
    folder.json("config.json", &smaller.config.clone().with_stored(dtype).to_json())?;
    folder.json("shrinking.json", report)?;
    for name in tokenizer_file::FILES {
        folder.copy(&transformer, name)?;
    }
    for name in std::iter::once(&prefixes::FILE).chain(&PAPERS) {
        folder.copy(&root, name)?;
    }
    // The smaller model's weights lie in its root, whatever the older one's did.
    if let Some(modules) = pool::flat_modules(&root)? {
        folder.json("modules.json", &modules)?;
    }
    if let Some(file) = pool::config_file(&root)?
        && let Some(name) = file.strip_prefix(&root).ok().and_then(Path::to_str)
    {
        folder.copy(&root, name)?;
    }
    smaller.params.save_as(&folder.file("model.safetensors"), dtype)?;
    folder.put_in_place()
}
