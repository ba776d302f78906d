//! Model folders from elsewhere: a hub, an archive, another folder. What comes is taken for hostile, is
//! checked before and after, and stands under its name only when it is whole.
//!
//! Not here: what a model is (`engine::model`), and printing: progress goes to the caller as [`Step`]s.
//!
//! ```text
//! Source --entries--> listing::plan --files--> Staging (.NAME.pulling/files) --checks, rename--> folder
//! ```

mod archive;
mod copy;
mod error;
#[cfg(feature = "hub")]
mod http;
#[cfg(feature = "hub")]
mod hub;
mod id;
mod listing;
mod staging;
#[cfg(feature = "hub")]
mod transfer;
mod unpack;

use std::path::{Path, PathBuf};

pub use error::{PullError, PullErrorKind, by_hand};
pub use id::{ModelId, Revision};
use listing::Plan;
use staging::Staging;
pub use staging::left_over;

use crate::engine::model::{BertConfig, ModelError, check_small, check_weights};
use crate::util::cancel::Cancel;

/// Where hub ids are looked up.
#[derive(Debug, Clone)]
pub struct Hub {
    /// `https://huggingface.co`, without a slash at its end.
    pub endpoint: String,
    /// Never printed, and sent to the endpoint's own host only.
    pub token: Option<String>,
    /// The user wants no network.
    pub offline: bool,
    /// Certificates to trust, as PEM, instead of Mozilla's.
    pub certificates: Option<PathBuf>,
}

/// What to fetch.
#[derive(Debug, Clone)]
pub enum Source {
    Hub { id: ModelId, revision: Revision, hub: Hub },
    Archive(PathBuf),
    Folder(PathBuf),
}

/// What happens meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// What will be fetched, and how many files are left out because nothing here reads them.
    Found {
        files: usize,
        bytes: u64,
        left_out: usize,
    },
    Begin {
        name: String,
        bytes: Option<u64>,
    },
    /// Bytes that are here, of all files together, and how many of them just came.
    Bytes {
        done: u64,
        fresh: u64,
    },
    /// A file is whole, and its checksum is looked at.
    Checking(String),
    /// Something to know: a retry, a checksum that could not be checked.
    Note(String),
}

/// What the work listens to and tells.
pub struct Work<'a> {
    pub cancel: &'a Cancel,
    pub tell: &'a mut dyn FnMut(Step),
}

/// A model folder that is whole now.
#[derive(Debug, Clone, PartialEq)]
pub struct Pulled {
    pub folder: PathBuf,
    pub config: BertConfig,
    pub files: usize,
    pub bytes: u64,
    /// The hub's commit, where it came from one.
    pub commit: Option<String>,
}

/// Fetches a model into `target`, which must not exist or be empty.
pub fn pull(source: &Source, target: &Path, work: &mut Work) -> Result<Pulled, PullError> {
    match source {
        #[cfg(feature = "hub")]
        Source::Hub { id, revision, hub } => hub::pull(id, revision, hub, target, work),
        #[cfg(not(feature = "hub"))]
        Source::Hub { id, revision, hub } => {
            let what = "this recscope was built without the feature `hub`, so it cannot download";
            let hint = by_hand(&hub.endpoint, id, revision, &[], target);
            Err(PullError::resource(what)
                .hint(format!("build it with --features hub, or copy by hand: {hint}")))
        }
        Source::Archive(file) => archive::pull(file, target, work),
        Source::Folder(folder) => copy::pull(folder, target, work),
    }
}

/// The checks that every way has in common, then the rename. `told` is how messages call the folder.
fn finish(staging: Staging, plan: &Plan, told: &str, commit: Option<String>) -> Result<Pulled, PullError> {
    let checked = check_small(staging.files()).and_then(|config| {
        check_weights(staging.files(), &config)?;
        Ok(config)
    });
    let config = match checked {
        Ok(config) => config,
        Err(error) => {
            let error = unfit(error, &staging, told);
            staging.discard();
            return Err(error);
        }
    };
    let folder = staging.finish()?;
    let (files, bytes) = (plan.len(), plan.bytes());
    Ok(Pulled { folder, config, files, bytes, commit })
}

fn unfit(error: ModelError, staging: &Staging, told: &str) -> PullError {
    error.called(staging.files(), told).into()
}
