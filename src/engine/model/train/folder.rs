//! What a trained model's folder holds: a Hugging Face folder, with the report of the training in it.

use std::path::Path;

use serde_json::Value;

use crate::engine::model::new_folder::NewFolder;
use crate::engine::model::{BertConfig, ModelError, Params};

/// Taken over from the start folder where they are there.
const TOKENIZER_FILES: [&str; 4] =
    ["tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"];

/// Writes everything and puts it in place, over an older model folder where it may.
pub(super) fn save(
    out: &Path,
    start: &Path,
    config: &BertConfig,
    params: &Params,
    report: &Value,
    overwrite: bool,
) -> Result<(), ModelError> {
    let folder = NewFolder::begin(out, overwrite)?;
    folder.json("config.json", &config.to_json())?;
    folder.json("training.json", report)?;
    for name in TOKENIZER_FILES {
        folder.copy(start, name)?;
    }
    params.save(&folder.file("model.safetensors"))?;
    folder.put_in_place()
}
