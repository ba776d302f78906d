//! Why a model could not be fetched, as a sentence and a remedy.

use std::path::Path;

use super::{ModelId, Revision};
use crate::engine::model::{ModelError, ModelErrorKind};
use crate::util::cancel::Cancelled;
use crate::util::figures;

/// Which part is at fault; decides the exit code further up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullErrorKind {
    /// What was asked for cannot be meant.
    Usage,
    /// There is no such thing, or it is damaged or hostile.
    Data,
    /// Sound, and not a model that we run.
    Model,
    /// Network, disk, permission.
    Resource,
    Cancelled,
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct PullError {
    pub kind: PullErrorKind,
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl PullError {
    fn new(kind: PullErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None }
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(PullErrorKind::Usage, message)
    }

    pub(super) fn data(message: impl Into<String>) -> Self {
        Self::new(PullErrorKind::Data, message)
    }

    pub(super) fn resource(message: impl Into<String>) -> Self {
        Self::new(PullErrorKind::Resource, message)
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// A file that could not be read.
    pub(super) fn read(path: &Path, error: &std::io::Error) -> Self {
        Self::data(format!("cannot read {}: {error}", path.display()))
    }

    /// A file that could not be written.
    pub(super) fn write(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind as Kind;
        let remedy = match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded => {
                "free some space, or name a folder on another disk with --to; a download goes on where it stopped"
            }
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => {
                "name a folder that you may write to with --to"
            }
            _ => "name another folder with --to",
        };
        Self::resource(format!("cannot write {}: {error}", path.display())).hint(remedy)
    }
}

impl From<Cancelled> for PullError {
    fn from(_: Cancelled) -> Self {
        Self::new(PullErrorKind::Cancelled, "cancelled")
    }
}

impl From<ModelError> for PullError {
    fn from(error: ModelError) -> Self {
        let kind = match error.kind {
            ModelErrorKind::Usage => PullErrorKind::Usage,
            ModelErrorKind::Cancelled => PullErrorKind::Cancelled,
            ModelErrorKind::Resource => PullErrorKind::Resource,
            _ => PullErrorKind::Model,
        };
        Self { kind, message: error.message, hint: error.hint }
    }
}

/// What to fetch on another machine, and where to put it: the listed files with their sizes, or, while
/// none is known, those that a model may have.
pub fn by_hand(
    endpoint: &str,
    id: &ModelId,
    revision: &Revision,
    files: &[(String, Option<u64>)],
    target: &Path,
) -> String {
    let folder = std::path::absolute(target).unwrap_or_else(|_| target.to_path_buf());
    let mut text = format!(
        "on a machine that has a network, download from\n    {endpoint}/{id}/tree/{}\n  ",
        revision.in_url()
    );
    if files.is_empty() {
        text.push_str(
            "these files, as far as there are any:\n    config.json\n    tokenizer.json, tokenizer_config.json, \
             special_tokens_map.json (without tokenizer.json:\n      vocab.txt, or vocab.json and merges.txt)\n    \
             model.safetensors (or model.safetensors.index.json and every\n      model-*-of-*.safetensors)\n    \
             of an embedding model also modules.json, 1_Pooling/config.json,\n      \
             config_sentence_transformers.json, sentence_bert_config.json\n    LICENSE, README.md",
        );
    } else {
        text.push_str("these files:");
        for (name, bytes) in files {
            let size = bytes.map(|bytes| format!("  ({})", figures::bytes(bytes))).unwrap_or_default();
            text.push_str(&format!("\n    {name}{size}"));
        }
    }
    text.push_str(&format!(
        "\n  and copy them into\n    {}\n  or bring them as a .zip or .tar.gz and run `recscope models pull FILE`",
        folder.display()
    ));
    text
}
