//! A PEFT adapter folder: LoRA matrices that are merged into the weights of a base model at load, as
//! peft's `merge_and_unload` does, and whole modules (the classifier) that take the place of the base's.
//! Where the base lies is found here; reading it is everybody's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use serde_json::Value;

use super::error::{ModelError, ModelErrorKind};
use super::folder::read_json;
use super::params::Params;
use super::weights_file::WeightsFile;

/// What an adapter is read from.
pub(super) const FILES: [&str; 2] = ["adapter_config.json", "adapter_model.safetensors"];
/// Kinds of LoRA that compute something else.
const OTHERS: [&str; 9] = [
    "use_dora",
    "use_bdlora",
    "use_qalora",
    "lora_bias",
    "fan_in_fan_out",
    "layer_replication",
    "target_parameters",
    "trainable_token_indices",
    "alora_invocation_tokens",
];

/// The folder of the model that an adapter is for; `None`: `dir` holds no adapter.
pub(super) fn base_of(dir: &Path) -> Result<Option<PathBuf>, ModelError> {
    let Some(config) = read_json(&dir.join("adapter_config.json"))? else { return Ok(None) };
    let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (kind, base) = (text("peft_type"), text("base_model_name_or_path"));
    let beside = dir.parent().unwrap_or(dir);
    let last = base.rsplit('/').next().unwrap_or_default();
    let hub = format!("models--{}", base.replace('/', "--"));
    let places = [PathBuf::from(&base), dir.join(&base), beside.join(last), beside.join(hub)];
    let found = places.into_iter().find(|place| !base.is_empty() && place != dir && place.is_dir());
    let what = format!("{} is an adapter (PEFT, {kind}) for {base}", dir.display());
    if kind != "LORA" {
        return Err(ModelError::new(ModelErrorKind::Unsupported, format!("{what}; only LORA is merged"))
            .hint(merge_hint(&base)));
    }
    found.map(Some).ok_or_else(|| {
        ModelError::new(ModelErrorKind::Missing, format!("{what}, which is not at hand")).hint(format!(
            "put the base model's folder beside it as {}, or {}",
            beside.join(last).display(),
            merge_hint(&base)
        ))
    })
}

fn merge_hint(base: &str) -> String {
    format!(
        "merge it once: python -c \"from peft import AutoPeftModelForSequenceClassification as M; from transformers \
         import AutoTokenizer as T; M.from_pretrained('FOLDER').merge_and_unload().save_pretrained('MERGED'); \
         T.from_pretrained('{base}').save_pretrained('MERGED')\" (AutoPeftModelForFeatureExtraction for an encoder)"
    )
}

/// The base's weights with the adapter merged in.
pub(super) fn merged(dir: &Path, base: &Params) -> Result<Params, ModelError> {
    let scale = scale(dir)?;
    let path = dir.join("adapter_model.safetensors");
    let mut file = WeightsFile::open(&path)?;
    let device = base.device()?;
    let mut tensors: BTreeMap<String, Tensor> =
        base.iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect();
    let wrong = |what: String| ModelError::damaged(&path, what);
    let names: Vec<String> = file.shapes().into_keys().collect();
    for name in &names {
        let plain = name.strip_prefix("base_model.model.").unwrap_or(name);
        let plain = plain.replace(".default.", ".").replace(".modules_to_save.", ".");
        if plain.ends_with(".lora_B.weight") {
            continue;
        }
        let module = plain.strip_suffix(".lora_A.weight");
        let target = module.map_or_else(|| plain.clone(), |module| format!("{module}.weight"));
        let ours = base.named_in_files(&target).ok_or_else(|| {
            wrong(format!("\"{name}\" changes {target}, which the base model does not have"))
        })?;
        let was = base.get(&ours)?;
        let now = match module {
            None => file.read(name, &device)?,
            Some(_) => {
                let a = file.read(name, &device)?;
                let b = file.read(&name.replace("lora_A", "lora_B"), &device)?;
                (was + (b.matmul(&a)? * scale)?)?
            }
        };
        if now.dims() != was.dims() {
            return Err(wrong(format!("\"{name}\" has shape {:?}, the base's {:?}", now.dims(), was.dims())));
        }
        tensors.insert(ours, now);
    }
    Ok(base.with_tensors(tensors))
}

/// What the product of the two matrices is multiplied with.
fn scale(dir: &Path) -> Result<f64, ModelError> {
    let file = dir.join("adapter_config.json");
    let config = read_json(&file)?.unwrap_or_default();
    let set = |key: &&&str| match config.get(**key) {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Object(map)) => !map.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(_) => true,
    };
    let patterns = ["alpha_pattern", "rank_pattern"];
    let bias = config.get("bias").and_then(Value::as_str).filter(|bias| *bias != "none").map(|_| "bias");
    if let Some(other) = OTHERS.iter().chain(&patterns).find(set).copied().or(bias) {
        let what = format!("{}: \"{other}\" is not merged here", file.display());
        return Err(ModelError::new(ModelErrorKind::Unsupported, what).hint(merge_hint("BASE")));
    }
    let number = |key: &str| config.get(key).and_then(Value::as_f64).filter(|n| *n > 0.0);
    let (Some(rank), Some(alpha)) = (number("r"), number("lora_alpha")) else {
        return Err(ModelError::damaged(&file, "no \"r\" or \"lora_alpha\""));
    };
    let rooted = config.get("use_rslora").and_then(Value::as_bool).unwrap_or(false);
    Ok(alpha / if rooted { rank.sqrt() } else { rank })
}
