//! The weights by name, and the way to make them trainable and to write them in Hugging Face's
//! layout. Which tensors a model has stands in `shapes.rs`, what files call them in `family.rs`.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::VarBuilder;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};

use super::config::BertConfig;
use super::dtype::Dtype;
use super::error::{ModelError, ModelErrorKind};
use super::family::Family;
use super::stored::{store, write};

/// Named f32 tensors. Names are BERT's, whatever the file calls them: without the `bert.` prefix and
/// with `LayerNorm.weight`/`LayerNorm.bias` (older files say `gamma`/`beta`).
#[derive(Clone, Debug)]
pub struct Params {
    tensors: BTreeMap<String, Tensor>,
    family: &'static Family,
    /// Encoder names carry the family's prefix in the file.
    prefixed: bool,
    /// In which numbers the file holds the layers' weights.
    stored: Dtype,
}

impl Params {
    pub fn new(tensors: BTreeMap<String, Tensor>, family: &'static Family, prefixed: bool) -> Self {
        Self { tensors, family, prefixed, stored: Dtype::F32 }
    }

    /// The same, read from a file that holds the layers' weights in these numbers.
    pub(super) fn read_from(mut self, stored: Dtype) -> Self {
        self.stored = stored;
        self
    }

    /// In which numbers the layers' weights were on disk; here they are f32 all the same.
    pub fn stored(&self) -> Dtype {
        self.stored
    }

    /// Other tensors for a model of the same family and naming.
    pub(super) fn with_tensors(&self, tensors: BTreeMap<String, Tensor>) -> Self {
        Self { tensors, ..*self }
    }

    /// The name under which [`Params::save`] writes a tensor.
    pub fn file_name(&self, name: &str) -> String {
        let classifies = self.tensors.contains_key("classifier.weight");
        self.family.file_name(name, self.prefixed || classifies)
    }

    /// Our name of a tensor that files call so.
    pub(super) fn named_in_files(&self, file: &str) -> Option<String> {
        let is = |name: &&String| {
            [true, false].iter().any(|prefixed| self.family.file_name(name, *prefixed) == file)
        };
        self.tensors.keys().find(is).cloned()
    }

    pub fn get(&self, name: &str) -> Result<&Tensor, ModelError> {
        self.tensors.get(name).ok_or_else(|| {
            ModelError::new(ModelErrorKind::Damaged, format!("the weights have no tensor \"{name}\""))
        })
    }

    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// Where they lie.
    pub fn device(&self) -> Result<Device, ModelError> {
        match self.tensors.values().next() {
            Some(tensor) => Ok(tensor.device().clone()),
            None => Err(ModelError::new(ModelErrorKind::Internal, "a model without weights")),
        }
    }

    /// The tensors as candle's own models take them, each name after `prefix`.
    pub(super) fn for_candle(&self, prefix: &str) -> Result<VarBuilder<'static>, ModelError> {
        let tensors = self.iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor.clone()));
        Ok(VarBuilder::from_tensors(tensors.collect(), DType::F32, &self.device()?))
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
        self.to_vars_where(|_| true)
    }

    /// The same with only those tensors as variables that `wanted` picks by name.
    pub(super) fn to_vars_where(
        &self,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(Params, Vec<(String, Var)>), ModelError> {
        let mut tensors = BTreeMap::new();
        let mut vars = Vec::with_capacity(self.tensors.len());
        for (name, tensor) in &self.tensors {
            if !wanted(name) {
                tensors.insert(name.clone(), tensor.clone());
                continue;
            }
            // `copy` first: a variable must own its storage, or training would change the source.
            let var = Var::from_tensor(&tensor.copy()?)?;
            tensors.insert(name.clone(), var.as_tensor().clone());
            vars.push((name.clone(), var));
        }
        Ok((Params { tensors, ..*self }, vars))
    }

    /// A copy of today's values, detached from any variable: what to keep of the best epoch.
    pub fn snapshot(&self) -> Result<Params, ModelError> {
        let copy = |t: &Tensor| -> Result<Tensor, ModelError> { Ok(t.detach().copy()?) };
        let tensors = self.tensors.iter().map(|(n, t)| Ok((n.clone(), copy(t)?)));
        Ok(Params { tensors: tensors.collect::<Result<_, ModelError>>()?, ..*self })
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
        let device = self.device()?;
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
    /// top or the source had it), in f32.
    pub fn save(&self, file: &Path) -> Result<(), ModelError> {
        self.save_as(file, Dtype::F32)
    }

    /// The same in other numbers; [`super::stored`] says which tensors that is about.
    pub fn save_as(&self, file: &Path, dtype: Dtype) -> Result<(), ModelError> {
        let mut entries = Vec::new();
        for (name, tensor) in &self.tensors {
            let file_name = self.file_name(name);
            entries.extend(store(name, &file_name, tensor, dtype)?);
        }
        write(file, &entries)
    }
}
