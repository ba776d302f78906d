//! The weights by name: the one list of which tensors a BERT has and of what shapes, and the way to
//! make them trainable and to write them in Hugging Face's layout.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use super::config::{Architecture, BertConfig};
use super::error::{ModelError, ModelErrorKind};

/// Named f32 tensors. Names are Hugging Face's without the `bert.` prefix and with
/// `LayerNorm.weight`/`LayerNorm.bias` (older files say `gamma`/`beta`).
#[derive(Clone, Debug)]
pub struct Params {
    tensors: BTreeMap<String, Tensor>,
    /// Encoder names carry `bert.` in the file.
    prefixed: bool,
}

impl Params {
    pub fn new(tensors: BTreeMap<String, Tensor>, prefixed: bool) -> Self {
        Self { tensors, prefixed }
    }

    /// The canonical name of a tensor of a file: without `bert.`, `gamma` -> `weight`, `beta` -> `bias`.
    pub fn canonical(name: &str) -> String {
        let name = name.strip_prefix("bert.").unwrap_or(name);
        if let Some(head) = name.strip_suffix("LayerNorm.gamma") {
            return format!("{head}LayerNorm.weight");
        }
        if let Some(head) = name.strip_suffix("LayerNorm.beta") {
            return format!("{head}LayerNorm.bias");
        }
        name.to_string()
    }

    /// The name under which [`Params::save`] writes a tensor.
    pub fn file_name(&self, name: &str) -> String {
        let classifies = self.tensors.contains_key("classifier.weight");
        if (self.prefixed || classifies) && !name.starts_with("classifier.") {
            format!("bert.{name}")
        } else {
            name.to_string()
        }
    }

    pub fn get(&self, name: &str) -> Result<&Tensor, ModelError> {
        self.tensors.get(name).ok_or_else(|| {
            ModelError::new(ModelErrorKind::Damaged, format!("the weights have no tensor \"{name}\""))
        })
    }

    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// In name order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// How many numbers the weights hold.
    pub fn count(&self) -> usize {
        self.tensors.values().map(Tensor::elem_count).sum()
    }

    /// A copy whose tensors are variables, and those variables by name: build a [`super::Bert`] from
    /// the copy, call `backward()`, and `Var::set` changes what the next forward pass computes.
    pub fn to_vars(&self) -> Result<(Params, Vec<(String, Var)>), ModelError> {
        let mut tensors = BTreeMap::new();
        let mut vars = Vec::with_capacity(self.tensors.len());
        for (name, tensor) in &self.tensors {
            // `copy` first: a variable must own its storage, or training would change the source.
            let var = Var::from_tensor(&tensor.copy()?)?;
            tensors.insert(name.clone(), var.as_tensor().clone());
            vars.push((name.clone(), var));
        }
        Ok((Params { tensors, prefixed: self.prefixed }, vars))
    }

    /// A copy of today's values, detached from any variable: what to keep of the best epoch.
    pub fn snapshot(&self) -> Result<Params, ModelError> {
        let copy = |t: &Tensor| -> Result<Tensor, ModelError> { Ok(t.detach().copy()?) };
        let tensors = self.tensors.iter().map(|(n, t)| Ok((n.clone(), copy(t)?)));
        Ok(Params { tensors: tensors.collect::<Result<_, ModelError>>()?, prefixed: self.prefixed })
    }

    /// Puts a fresh classifier (and a pooler, where there is none) on the encoder: weights from
    /// N(0, `initializer_range`) with the given seed, biases 0, as Hugging Face initialises them.
    pub fn add_classifier(
        &mut self,
        config: &BertConfig,
        labels: usize,
        seed: u64,
    ) -> Result<(), ModelError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let device = self.get("embeddings.word_embeddings.weight")?.device().clone();
        let h = config.hidden;
        if !self.contains("pooler.dense.weight") {
            self.insert_linear("pooler.dense", h, h, config.initializer_range, &mut rng, &device)?;
        }
        self.insert_linear("classifier", labels, h, config.initializer_range, &mut rng, &device)
    }

    fn insert_linear(
        &mut self,
        name: &str,
        rows: usize,
        columns: usize,
        std: f64,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<(), ModelError> {
        let normal = Normal::new(0.0, std.abs())
            .map_err(|e| ModelError::new(ModelErrorKind::Damaged, format!("initializer_range {std}: {e}")))?;
        let values: Vec<f32> = (0..rows * columns).map(|_| normal.sample(rng) as f32).collect();
        self.tensors.insert(format!("{name}.weight"), Tensor::from_vec(values, (rows, columns), device)?);
        self.tensors.insert(format!("{name}.bias"), Tensor::zeros(rows, DType::F32, device)?);
        Ok(())
    }

    /// Writes `model.safetensors` with Hugging Face's names (`bert.` prefix where a classifier sits on
    /// top or the source had it).
    pub fn save(&self, file: &Path) -> Result<(), ModelError> {
        let mut views = BTreeMap::new();
        for (name, tensor) in &self.tensors {
            let tensor = tensor.detach().to_device(&Device::Cpu)?.contiguous()?;
            views.insert(self.file_name(name), tensor);
        }
        let info = std::collections::HashMap::from([("format".to_string(), "pt".to_string())]);
        safetensors::serialize_to_file(views.iter().map(|(n, t)| (n.as_str(), t)), Some(info), file).map_err(
            |e| {
                let kind = ModelErrorKind::Resource;
                ModelError::new(kind, format!("cannot write {}: {e}", file.display()))
                    .hint("check the folder's permissions and the space left on the disk")
            },
        )
    }
}

/// Every tensor that a BERT of these figures needs: canonical name and shape. `pooler` says whether
/// the pooler is part of it (always with a classifier).
pub fn expected(config: &BertConfig, pooler: bool) -> Vec<(String, Vec<usize>)> {
    let (h, i) = (config.hidden, config.intermediate);
    let mut list: Vec<(String, Vec<usize>)> = Vec::new();
    let linear = |list: &mut Vec<(String, Vec<usize>)>, name: String, out: usize, inp: usize| {
        list.push((format!("{name}.weight"), vec![out, inp]));
        list.push((format!("{name}.bias"), vec![out]));
    };
    let norm = |list: &mut Vec<(String, Vec<usize>)>, name: String| {
        list.push((format!("{name}.LayerNorm.weight"), vec![h]));
        list.push((format!("{name}.LayerNorm.bias"), vec![h]));
    };
    list.push(("embeddings.word_embeddings.weight".into(), vec![config.vocab_size, h]));
    list.push(("embeddings.position_embeddings.weight".into(), vec![config.max_positions, h]));
    list.push(("embeddings.token_type_embeddings.weight".into(), vec![config.type_vocab, h]));
    norm(&mut list, "embeddings".into());
    for n in 0..config.layers {
        let layer = format!("encoder.layer.{n}");
        for part in ["query", "key", "value"] {
            linear(&mut list, format!("{layer}.attention.self.{part}"), h, h);
        }
        linear(&mut list, format!("{layer}.attention.output.dense"), h, h);
        norm(&mut list, format!("{layer}.attention.output"));
        linear(&mut list, format!("{layer}.intermediate.dense"), i, h);
        linear(&mut list, format!("{layer}.output.dense"), h, i);
        norm(&mut list, format!("{layer}.output"));
    }
    let classifies = config.architecture == Architecture::SequenceClassification;
    if pooler || classifies {
        linear(&mut list, "pooler.dense".into(), h, h);
    }
    if classifies {
        linear(&mut list, "classifier".into(), config.labels.len(), h);
    }
    list
}
