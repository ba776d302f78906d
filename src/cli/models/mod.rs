//! `recscope models`: one file per subcommand.

mod info;
mod licence;
mod list;
mod progress;
mod pull;

pub(super) use list::find;

use super::args::ModelsCommand;
use super::{Failure, shrink};

/// Does what is asked.
pub(super) fn models(command: &ModelsCommand) -> Result<u8, Failure> {
    match command {
        ModelsCommand::List { folders, hash, format } => list::list(folders, *hash, *format),
        ModelsCommand::Info { folder, format } => info::info(folder, *format),
        ModelsCommand::Pull(args) => pull::pull(args),
        ModelsCommand::Bench(args) => shrink::bench(args),
        ModelsCommand::Quantize(args) => shrink::quantize(args),
        ModelsCommand::Prune(args) => shrink::prune(args),
    }
}
