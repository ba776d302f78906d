//! `recscope models`: one file per subcommand.

mod info;
mod licence;
mod list;
mod progress;
mod pull;

pub(super) use list::find;

use super::Failure;
use super::args::ModelsCommand;

/// Does what is asked.
pub(super) fn models(command: &ModelsCommand) -> Result<u8, Failure> {
    match command {
        ModelsCommand::List { folders, hash, format } => list::list(folders, *hash, *format),
        ModelsCommand::Info { folder, format } => info::info(folder, *format),
        ModelsCommand::Pull(args) => pull::pull(args),
    }
}
