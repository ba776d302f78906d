//! `recscope demo`: a generated log, a tiny model and a notebook, put into a temporary folder.
//! What must not be here: running cells (the engine does) and drawing.

mod log;

use std::path::{Path, PathBuf};

use anyhow::Context;

pub use log::{Faults, SEARCHES, SEED, write_log, write_training};

const NOTEBOOK: &str = include_str!("../../../queries/notebooks/demo.md");
/// What is planted, in words.
pub const ANSWERS: &str = include_str!("../../../queries/notebooks/demo-answers.md");

/// The tiny BERT, trained by `scripts/train-demo-model`.
const MODEL: [(&str, &[u8]); 3] = [
    ("config.json", include_bytes!("../../../fixtures/demo-model/config.json")),
    ("tokenizer.json", include_bytes!("../../../fixtures/demo-model/tokenizer.json")),
    ("model.safetensors", include_bytes!("../../../fixtures/demo-model/model.safetensors")),
];

/// Writes log, model and notebook into `dir` and gives the notebook's path.
pub fn write_investigation(dir: &Path, faults: Faults) -> anyhow::Result<PathBuf> {
    let put = |path: PathBuf, bytes: &[u8]| {
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    let model = dir.join("demo-model");
    std::fs::create_dir_all(&model).with_context(|| format!("cannot make {}", model.display()))?;
    for (name, bytes) in MODEL {
        put(model.join(name), bytes)?;
    }
    write_log(dir, faults, SEARCHES, SEED)
        .with_context(|| format!("cannot generate the demo's log in {}", dir.display()))?;
    let notebook = dir.join("demo.md");
    put(notebook.clone(), NOTEBOOK.as_bytes())?;
    Ok(notebook)
}
