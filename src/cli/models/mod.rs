//! `recscope models`: one file per subcommand.

mod info;
mod list;

pub(super) use list::find;

use super::Failure;
use super::args::ModelsCommand;

/// Does what is asked.
pub(super) fn models(command: &ModelsCommand) -> Result<u8, Failure> {
    match command {
        ModelsCommand::List { folders, format } => list::list(folders, *format),
        ModelsCommand::Info { folder, format } => info::info(folder, *format),
    }
}
