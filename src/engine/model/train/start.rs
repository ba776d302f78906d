//! What training starts from: a model folder, or a folder with only `config.json` and a tokenizer,
//! whose weights are then drawn at random.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use crate::engine::model::shapes::expected;
use crate::engine::model::{
    Architecture, BertConfig, Layout, Model, ModelError, ModelErrorKind, Params, Tokens,
};

/// A sequence classifier ready to be trained.
pub struct Start {
    /// With the new labels.
    pub config: BertConfig,
    pub params: Params,
    pub tokens: Tokens,
    /// How the weights came to be, for the report.
    pub note: Option<String>,
}

impl Start {
    /// Opens `dir` for these outputs. A classifier of the same number of outputs is kept, any other
    /// head is replaced by a fresh one from `seed`.
    pub fn open(
        dir: &Path,
        outputs: &[String],
        max_tokens: usize,
        device: &Device,
        seed: u64,
    ) -> Result<Self, ModelError> {
        let dir = &start_folder(dir);
        check_family(dir)?;
        if !has_weights(dir) && dir.join("config.json").is_file() {
            let config = BertConfig::read(&dir.join("config.json"))?.with_labels(outputs);
            let tokens = open_tokens(dir, &config, max_tokens)?;
            let params = random_params(&config, seed, device)?;
            let note = Some(format!("{} has no weights: training began from random ones", dir.display()));
            return Ok(Self { config, params, tokens, note });
        }
        let (old, mut params) = Model::load_params(dir, device)?;
        let config = old.with_labels(outputs);
        let tokens = open_tokens(dir, &config, max_tokens)?;
        let keeps_head =
            old.architecture == Architecture::SequenceClassification && old.labels.len() == outputs.len();
        if !keeps_head {
            params.add_classifier(&config, outputs.len(), seed)?;
        }
        let note = match (old.architecture, keeps_head) {
            (_, true) => (old.labels != outputs).then(|| {
                let labels = old.labels.join(", ");
                format!("the classifier of {} was kept; its labels were {labels}", dir.display())
            }),
            (Architecture::SequenceClassification, false) => Some(format!(
                "the head of {} ({} outputs) was replaced by a new one of {}, which begins from random weights; \
                 objective = \"binary\" or \"value\" keeps a head of one output",
                dir.display(),
                old.labels.len(),
                outputs.len()
            )),
            (Architecture::Encoder, false) => None,
        };
        Ok(Self { config, params, tokens, note })
    }
}

/// Where the weights and the tokenizer lie; what is wrong with the folder is said where it is opened.
pub(super) fn start_folder(dir: &Path) -> std::path::PathBuf {
    Layout::of(dir).map_or_else(|_| dir.to_path_buf(), |layout| layout.transformer)
}

/// Training writes BERT's own layout and head, and needs every layer's gradient.
fn check_family(dir: &Path) -> Result<(), ModelError> {
    let file = dir.join("config.json");
    if !file.is_file() {
        // Said better where the folder is opened.
        return Ok(());
    }
    let config = BertConfig::read(&file)?;
    if config.family.model_type == "bert" {
        return Ok(());
    }
    let what = format!("{} is a {}; only BERT can be trained", dir.display(), config.family.name);
    Err(ModelError::new(ModelErrorKind::Unsupported, what).hint(
        "start from a folder whose model_type is \"bert\" (BERT, MiniLM, BGE, Chinese BERT, RoBERTa-wwm), or \
         fine-tune this one elsewhere: recscope scores and explains it all the same",
    ))
}

fn open_tokens(dir: &Path, config: &BertConfig, max_tokens: usize) -> Result<Tokens, ModelError> {
    let folder_limit = Tokens::load(dir, config, None)?.max_tokens();
    Tokens::load(dir, config, Some(max_tokens.min(folder_limit)))
}

/// Weights in any format: a folder with a pickle is not "without weights", it is refused on loading.
fn has_weights(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return true };
    let weights = ["safetensors", "bin", "pt", "pth", "pkl", "ckpt", "onnx", "h5"];
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.ends_with(".safetensors.index.json")
            || Path::new(name.as_ref())
                .extension()
                .and_then(|e| e.to_str())
                .is_some_and(|e| weights.contains(&e))
    })
}

/// Random weights as Hugging Face draws them: N(0, `initializer_range`) for matrices and tables, 0
/// for biases and for [PAD]'s embedding, 1 for layer normalisations. Same seed, same weights.
pub fn random_params(config: &BertConfig, seed: u64, device: &Device) -> Result<Params, ModelError> {
    let normal = Normal::new(0.0, config.initializer_range.abs()).map_err(|e| {
        let message = format!("initializer_range {}: {e}", config.initializer_range);
        ModelError::new(ModelErrorKind::Damaged, message).hint("correct config.json; 0.02 is usual")
    })?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut tensors = BTreeMap::new();
    for (name, shape) in expected(config, true) {
        let tensor = if name.ends_with("LayerNorm.weight") {
            Tensor::ones(shape, DType::F32, device)?
        } else if name.ends_with(".bias") {
            Tensor::zeros(shape, DType::F32, device)?
        } else {
            let count = shape.iter().product();
            let mut values: Vec<f32> = (0..count).map(|_| normal.sample(&mut rng) as f32).collect();
            if name == "embeddings.word_embeddings.weight"
                && let Some(pad) = values.chunks_mut(config.hidden).nth(config.pad_id as usize)
            {
                pad.fill(0.0);
            }
            Tensor::from_vec(values, shape, device)?
        };
        tensors.insert(name, tensor);
    }
    Ok(Params::new(tensors, config.family, true))
}
