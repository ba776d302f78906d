//! Finds every tensor that the config promises in a folder's weights files, under whatever name the
//! family's files have for it, and reads it. A missing or misshapen one is a sentence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::Device;

use super::config::{Architecture, BertConfig};
use super::dtype::Dtype;
use super::error::{ModelError, ModelErrorKind};
use super::folder::weights_files;
use super::params::Params;
use super::shapes::expected;
use super::weights_file::WeightsFile;

/// All tensors of a folder's files, by name: which file, and the shape.
struct Found {
    files: Vec<(PathBuf, WeightsFile)>,
    tensors: BTreeMap<String, (usize, Vec<usize>)>,
    /// The encoder's names carry the family's prefix.
    prefixed: bool,
}

impl Found {
    fn open(dir: &Path, config: &BertConfig) -> Result<Self, ModelError> {
        let mut files = Vec::new();
        let mut tensors = BTreeMap::new();
        for path in weights_files(dir)? {
            let file = WeightsFile::open(&path)?;
            tensors.extend(file.shapes().into_iter().map(|(name, shape)| (name, (files.len(), shape))));
            files.push((path, file));
        }
        let prefixed = tensors.keys().any(|name| name.starts_with(config.family.prefix));
        Ok(Self { files, tensors, prefixed })
    }

    /// In which numbers the first layer's first product is; foreign families are told apart by none.
    fn stored(&self, config: &BertConfig) -> Dtype {
        let name = self.name_of(config, "encoder.layer.0.intermediate.dense.weight");
        let place = name.and_then(|name| Some((self.tensors.get(&name)?.0, name)));
        let file = place.and_then(|(at, name)| Some((&self.files.get(at)?.1, name)));
        file.map_or(Dtype::F32, |(file, name)| file.stored(&name))
    }

    /// The file's name for our tensor, where the file has it. Older files call the weights of a layer
    /// normalisation `gamma` and `beta`.
    fn name_of(&self, config: &BertConfig, ours: &str) -> Option<String> {
        let name = config.family.file_name(ours, self.prefixed);
        let older =
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
        [name, older].into_iter().find(|name| self.tensors.contains_key(name))
    }
}

/// A tensor that the config promises: our name, the file's name, which file.
type Located = (String, String, usize);

/// Finds every expected tensor, checked for presence and shape. Others (`position_ids`, heads of
/// masked language models) are left out.
fn locate(dir: &Path, config: &BertConfig, found: &Found) -> Result<Vec<Located>, ModelError> {
    let has = |name: &str| found.name_of(config, name).is_some();
    let pooler = config.family.encoder_may_pool() && has("pooler.dense.weight") && has("pooler.dense.bias");
    let mut located = Vec::new();
    for (ours, shape) in expected(config, pooler) {
        let Some(name) = found.name_of(config, &ours) else {
            return Err(missing(dir, config, &ours, found));
        };
        let Some((at, got)) = found.tensors.get(&name) else { continue };
        if *got != shape {
            let path = found.files.get(*at).map_or(dir, |(path, _)| path);
            return Err(misshapen(path, &name, got, &shape));
        }
        located.push((ours, name, *at));
    }
    Ok(located)
}

/// That every expected tensor is there and of the right shape; none is read.
pub(super) fn check_shapes(dir: &Path, config: &BertConfig) -> Result<(), ModelError> {
    locate(dir, config, &Found::open(dir, config)?).map(|_| ())
}

/// Reads every expected tensor.
pub(super) fn load_params(dir: &Path, config: &BertConfig, device: &Device) -> Result<Params, ModelError> {
    let mut found = Found::open(dir, config)?;
    let mut tensors = BTreeMap::new();
    for (ours, name, at) in locate(dir, config, &found)? {
        let Some((_, file)) = found.files.get_mut(at) else { continue };
        tensors.insert(ours, file.read(&name, device)?);
    }
    let stored = found.stored(config);
    Ok(Params::new(tensors, config.family, found.prefixed).read_from(stored))
}

fn misshapen(path: &Path, name: &str, got: &[usize], wanted: &[usize]) -> ModelError {
    let what =
        format!("{}: tensor \"{name}\" has shape {got:?}, config.json needs {wanted:?}", path.display());
    ModelError::new(ModelErrorKind::Damaged, what)
        .hint("config.json and model.safetensors are of different models: fetch both from the same place")
}

fn missing(dir: &Path, config: &BertConfig, ours: &str, found: &Found) -> ModelError {
    let some: Vec<&str> = found.tensors.keys().take(3).map(String::as_str).collect();
    let what = format!(
        "{}: the weights have no tensor \"{}\" (they have {} others, e.g. {})",
        dir.display(),
        config.family.file_name(ours, found.prefixed),
        found.tensors.len(),
        some.join(", ")
    );
    let class = config.family.class;
    let of_head = ours.starts_with("classifier.") || ours.starts_with("pooler.");
    let hint = if of_head && config.architecture == Architecture::SequenceClassification {
        format!(
            "config.json says {class}ForSequenceClassification, but the classifier's layers are not all in the \
             file: fine-tune it and save all of it, or let \"architectures\" say {class}Model to use the encoder \
             for embeddings"
        )
    } else {
        "config.json and model.safetensors are of different models, or the layer count is wrong".to_owned()
    };
    ModelError::new(ModelErrorKind::Damaged, what).hint(hint)
}
