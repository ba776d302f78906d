//! A Hugging Face folder becomes a [`Model`]: config, tokenizer, weights and head put together, with
//! what the user asked on top.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use candle_core::Device;
use serde_json::Value;

use super::adapter;
use super::bert::Bert;
use super::config::{Architecture, BertConfig};
use super::device::{DeviceChoice, Seat, loading, open_devices};
use super::dtype::Dtype;
use super::encoder::Encoder;
use super::error::{ModelError, ModelErrorKind};
use super::family::{Family, unsupported};
use super::fused::{FusedBert, Isa};
use super::hash::hash_folder;
use super::heads::{Head, Ranking, folder_gains, gains};
use super::labels;
use super::layout::Layout;
use super::params::Params;
use super::pool::Pooling;
use super::prefixes::Prefixes;
use super::similarity::Similarity;
use super::tokens::Tokens;
use super::weights::load_params;

/// What the user asks of a model beyond its folder.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadOptions {
    pub device: DeviceChoice,
    /// Longest input in tokens, specials included; `None`: the folder's own limit.
    pub max_tokens: Option<usize>,
    /// Put before queries and texts in embed mode; `None`: the folder's own prompts.
    pub prefixes: Option<Prefixes>,
    /// Gain per class name; the score is then the expected gain. `None`: the folder's
    /// `recscope_gains`, else the rules of [`Head::score`].
    pub gains: Option<Vec<(String, f64)>>,
}

/// What a reader wants to know of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// The folder's last name, e.g. `all-MiniLM-L6-v2`.
    pub name: String,
    pub dir: PathBuf,
    pub family: &'static Family,
    pub architecture: Architecture,
    /// Class names; empty for embeddings.
    pub labels: Vec<String>,
    /// Gain per class, in the order of `labels`, where they were declared or the labels say them.
    pub gains: Option<Vec<f64>>,
    pub layers: usize,
    pub hidden: usize,
    /// Width of the word embeddings, which attribution works on.
    pub embedding: usize,
    pub parameters: usize,
    /// Positions the model was built for.
    pub max_positions: usize,
    /// Longest input in tokens that is not cut.
    pub max_tokens: usize,
    /// What the reader of its scores should know.
    pub notes: Vec<String>,
    /// `None` for classifiers.
    pub pooling: Option<Pooling>,
    /// Put before the two sides' texts in embed mode; empty for classifiers.
    pub prefixes: Prefixes,
    /// `cpu`, `cuda:0`, `cuda:0,1`.
    pub device: String,
    /// SHA-256 over the files that decide a score, as hex: part of every cache key.
    pub hash: String,
}

/// A loaded model, ready to score and to give gradients. Shared by reference; no call changes it.
pub struct Model {
    pub(super) info: ModelInfo,
    pub(super) config: BertConfig,
    pub(super) params: Params,
    /// On the first device.
    pub(super) encoder: Arc<Encoder>,
    pub(super) head: Head,
    pub(super) tokens: Arc<Tokens>,
    /// The devices that score, each with its copy of the weights; the first one's is `encoder`.
    pub(super) seats: Vec<Seat>,
    /// Made on first use, as is the next.
    pub(super) fused: OnceLock<FusedBert>,
    pub(super) fused_ints: OnceLock<FusedBert>,
}

impl Model {
    /// Loads `config.json`, the tokenizer, and `model.safetensors` (or its shards).
    pub fn load(dir: &Path, options: &LoadOptions) -> Result<Model, ModelError> {
        let Layout { root, transformer, adapter } = Layout::of(dir)?;
        Isa::check_limit()?;
        let config = BertConfig::read(&transformer.join("config.json"))?;
        let (head, notes) = open_head(&root, &config, options)?;
        let prefixes = open_prefixes(&root, &head, options)?;
        let devices = open_devices(options.device)?;
        let tokens = Tokens::load(&transformer, &config, options.max_tokens)?;
        let mut copies = devices
            .iter()
            .map(|device| loading(device, params_of(&transformer, adapter.as_deref(), &config, device)));
        let Some(params) = copies.next().transpose()? else {
            return Err(ModelError::new(ModelErrorKind::Internal, "a model on no device"));
        };
        let others: Vec<Params> = copies.collect::<Result<_, _>>()?;
        let mut model = Self::build(dir, config, params, &others, tokens, head, prefixes)?;
        model.info.notes = notes;
        #[cfg(test)]
        let model = super::device::testing::furnish(model, dir)?;
        Ok(model)
    }

    /// Loads only the weights and the config: what a trainer starts from.
    pub fn load_params(dir: &Path, device: &Device) -> Result<(BertConfig, Params), ModelError> {
        let Layout { transformer, adapter, .. } = Layout::of(dir)?;
        let config = BertConfig::read(&transformer.join("config.json"))?;
        let params = params_of(&transformer, adapter.as_deref(), &config, device)?;
        Ok((config, params))
    }

    fn build(
        dir: &Path,
        config: BertConfig,
        params: Params,
        others: &[Params],
        tokens: Tokens,
        head: Head,
        prefixes: Prefixes,
    ) -> Result<Model, ModelError> {
        let encoder = Arc::new(Encoder::new(&config, &params)?);
        let mut seats = vec![Seat::new(Arc::clone(&encoder))];
        for params in others {
            seats.push(Seat::new(Arc::new(Encoder::new(&config, params)?)));
        }
        let (pooling, gains) = match &head {
            Head::Embedding(pooling) => (Some(*pooling), None),
            Head::Classifier { ranking: Ranking::Gains(gains), .. } => (None, Some(gains.clone())),
            Head::Classifier { ranking: Ranking::Logit | Ranking::Odds(_) | Ranking::Unordered, .. } => {
                (None, None)
            }
        };
        let info = ModelInfo {
            name: dir.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
            dir: dir.to_path_buf(),
            family: config.family,
            architecture: config.architecture,
            labels: config.labels.clone(),
            gains,
            layers: config.layers,
            hidden: config.hidden,
            embedding: config.embedding,
            parameters: params.count(),
            max_positions: config.max_positions,
            max_tokens: tokens.max_tokens(),
            notes: Vec::new(),
            pooling,
            prefixes,
            device: device_names(&seats),
            hash: hash_folder(dir)?,
        };
        let (fused, fused_ints) = Default::default();
        let tokens = Arc::new(tokens);
        Ok(Model { info, config, params, encoder, head, tokens, seats, fused, fused_ints })
    }

    /// The same model with other weights, to be tried out: there is no folder that holds them, so its
    /// scores are not to be kept under this one's hash.
    pub(super) fn with_weights(&self, config: BertConfig, params: Params) -> Result<Model, ModelError> {
        let info = ModelInfo {
            layers: config.layers,
            parameters: params.count(),
            hash: String::new(),
            ..self.info.clone()
        };
        let encoder = Arc::new(Encoder::new(&config, &params)?);
        Ok(Model {
            info,
            seats: vec![Seat::new(Arc::clone(&encoder))],
            encoder,
            config,
            params,
            head: self.head.clone(),
            tokens: Arc::clone(&self.tokens),
            fused: OnceLock::new(),
            fused_ints: OnceLock::new(),
        })
    }

    /// The number type that scores are computed in unless the user asks for another: the one in which
    /// the folder holds its weights where that is int8 and computed here; f16 on NVIDIA GPUs where the
    /// network is our own, whose sums and normalisation stay in f32; else f32. Not bf16, which loses
    /// three bits more and needs a newer card, and not the type of the file, which says nothing about
    /// scores; not on Metal, where half precision has not been tried.
    pub fn default_dtype(&self) -> Dtype {
        match self.params.stored() {
            Dtype::Int8 if self.has_fused_path() => Dtype::Int8,
            _ if self.encoder.own().is_some() && self.info.device.starts_with("cuda") => Dtype::F16,
            _ => Dtype::F32,
        }
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    pub fn config(&self) -> &BertConfig {
        &self.config
    }

    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Our own BERT; `None` for families that candle computes.
    pub fn bert(&self) -> Option<&Bert> {
        self.encoder.own()
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }
}

/// The folder's weights, with an adapter merged in.
fn params_of(
    dir: &Path,
    adapter: Option<&Path>,
    config: &BertConfig,
    device: &Device,
) -> Result<Params, ModelError> {
    let base = load_params(dir, config, device)?;
    adapter.map_or(Ok(base.clone()), |adapter| adapter::merged(adapter, &base))
}

/// `cpu`, `cuda:0`, `cuda:0,1`.
pub(super) fn device_names(seats: &[Seat]) -> String {
    let mut names = String::new();
    for seat in seats {
        match seat.name.split_once(':') {
            Some((_, number)) if !names.is_empty() => names.extend([",", number]),
            _ => names.push_str(&seat.name),
        }
    }
    names
}

/// The head, and what the reader of its numbers should know. `dir`: the folder's root.
pub(super) fn open_head(
    dir: &Path,
    config: &BertConfig,
    options: &LoadOptions,
) -> Result<(Head, Vec<String>), ModelError> {
    let labels = config.labels.clone();
    let gains = match (&options.gains, config.raw("recscope_gains")) {
        (Some(declared), _) => Some(gains(&labels, declared)?),
        (None, Some(in_folder)) => Some(gains(&labels, &folder_gains(in_folder)?)?),
        (None, None) => None,
    };
    Ok(match config.architecture {
        Architecture::Encoder => {
            let pooling = Pooling::read(dir)?;
            let other = (pooling.similarity != Similarity::Cosine).then_some(pooling.similarity);
            let note =
                other.map(|it| format!("scores are {}, as the folder asks (similarity_fn_name)", it.doc()));
            (Head::Embedding(pooling), note.into_iter().collect())
        }
        Architecture::SequenceClassification => {
            let (ranking, note) = match gains {
                Some(gains) => (Ranking::Gains(gains), None),
                None => labels::ranking(&labels),
            };
            let activation = if ranking == Ranking::Logit { activation(config) } else { None };
            (Head::Classifier { labels, ranking }, note.into_iter().chain(activation).collect())
        }
    })
}

/// What sentence-transformers' CrossEncoder does to a logit where the folder says so; here it stays one.
fn activation(config: &BertConfig) -> Option<String> {
    let newer =
        config.raw("sentence_transformers").and_then(|it| it.get("activation_fn")).and_then(Value::as_str);
    let class = newer.or_else(|| config.text("sbert_ce_default_activation_function"))?;
    let name = class.rsplit('.').next().unwrap_or(class);
    let undo =
        if name == "Sigmoid" { ": 1 / (1 + exp(-score)) gives what CrossEncoder.predict does" } else { "" };
    (name != "Identity").then(|| {
        format!(
            "scores are logits; the folder's activation ({name}) is not applied, the order is the same{undo}"
        )
    })
}

pub(super) fn open_prefixes(dir: &Path, head: &Head, options: &LoadOptions) -> Result<Prefixes, ModelError> {
    let prefixes = match (head, &options.prefixes) {
        (Head::Classifier { .. }, None) => return Ok(Prefixes::default()),
        (Head::Classifier { .. }, Some(_)) => {
            let what = "prefixes were given for a classifier, which reads its texts as they are";
            return Err(ModelError::new(ModelErrorKind::Usage, what)
                .hint("leave `prefixes` out; they belong to embedding models (embed = [..])"));
        }
        (Head::Embedding(_), Some(asked)) => asked.clone(),
        (Head::Embedding(_), None) => Prefixes::read(dir)?,
    };
    match head {
        Head::Embedding(pooling) if !pooling.pools_prefix && !prefixes.is_empty() => {
            Err(unsupported("a model whose pooling leaves its prompt out (\"include_prompt\" is false)"))
        }
        _ => Ok(prefixes),
    }
}
