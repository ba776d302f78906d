//! Whether a folder is a model that we run, without reading its weights: first what is small, so that a
//! wrong model is named before gigabytes are fetched, then the headers of the weights.

use std::path::Path;

use super::config::{Architecture, BertConfig};
use super::error::{ModelError, ModelErrorKind};
use super::layout::Layout;
use super::load::{LoadOptions, open_head, open_prefixes};
use super::tokens::Tokens;
use super::weights::check_shapes;

/// Reads config, tokenizer, pooling and prompts as loading would.
pub fn check_small(dir: &Path) -> Result<BertConfig, ModelError> {
    let Layout { root, transformer, .. } = Layout::of(dir)?;
    let config = BertConfig::read(&transformer.join("config.json"))?;
    let options = LoadOptions::default();
    let (head, _) = open_head(&root, &config, &options)?;
    open_prefixes(&root, &head, &options)?;
    Tokens::load(&transformer, &config, None)?;
    Ok(config)
}

/// That every tensor is in the files, whole and of the right shape; their numbers are not read.
pub fn check_weights(dir: &Path, config: &BertConfig) -> Result<(), ModelError> {
    check_shapes(dir, config)
}

impl BertConfig {
    /// `embeddings`, or how many labels the classifier has.
    pub fn gives(&self) -> String {
        match (self.architecture, self.labels.len()) {
            (Architecture::Encoder, _) => "embeddings".into(),
            (Architecture::SequenceClassification, 1) => "1 label".into(),
            (Architecture::SequenceClassification, n) => format!("{n} labels"),
        }
    }
}

impl ModelError {
    /// As told of a folder by another name: `told` where the message says `dir`.
    pub fn called(mut self, dir: &Path, told: &str) -> Self {
        self.message = self.message.replace(&dir.display().to_string(), told);
        self
    }

    /// A folder or repository that has no weights that are read.
    pub fn no_weights(what: &str, others: &[&str]) -> Self {
        let instead = match others {
            [] => String::new(),
            names => format!("; it has {}", names.join(", ")),
        };
        Self::new(ModelErrorKind::Missing, format!("{what} has no model.safetensors{instead}"))
            .hint("only safetensors are read; other formats (ONNX, GGUF, TensorFlow) and adapters are not")
    }
}
