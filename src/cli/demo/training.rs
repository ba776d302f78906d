//! What `scripts/train-demo-model` starts from: labelled pairs of a shop without faults, and a start
//! folder with a small vocabulary. Training itself is `recscope train`.

use std::path::Path;

use arrow::array::{Array, StringArray};

use super::log;
use crate::cli::Failure;
use crate::engine::model::train::vocabulary::{Sizes, Vocabulary, VocabularyOptions};
use crate::terms::Bindings;
use crate::util::cancel::Cancel;

/// Not the demo's own seed: the model must not have seen the shop that it judges.
const SEED: i64 = 11;

/// A third of a million weights: enough to tell categories and wishes apart, half a megabyte on disk.
const SIZES: Sizes =
    Sizes { hidden: 64, layers: 3, heads: 4, intermediate: 128, max_positions: 64, initializer_range: 0.05 };

/// Writes `training.parquet` and `start/` (tokenizer and `config.json`) into `dir`.
pub fn write_training(dir: &Path, cancel: &Cancel) -> Result<(), Failure> {
    let start = dir.join("start");
    std::fs::create_dir_all(&start)
        .map_err(|e| Failure::resource(format!("cannot make {}: {e}", start.display())))?;
    let db = log::shop(log::Faults::NONE, SEED, cancel)?;
    db.registered_run("demo/training", &Bindings::new(), cancel)?;
    log::write(&db, "demo_training", &dir.join("training.parquet"), cancel)?;
    let texts = db.registered_rows("demo/texts", &Bindings::new(), cancel)?;
    let texts = texts.column(0).as_any().downcast_ref::<StringArray>();
    let texts = texts.ok_or_else(|| Failure::bug("demo/texts does not return text"))?;
    let vocabulary = Vocabulary::build(texts.iter().flatten(), &VocabularyOptions::default())?;
    vocabulary.write_start(&start, &SIZES)?;
    Ok(())
}
