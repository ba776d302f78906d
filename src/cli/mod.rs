//! One file per subcommand; the only place for stdout and stderr.

mod access;
pub mod args;
mod cache;
pub mod demo;
mod docs;
mod doctor;
mod engine;
mod engine_args;
mod eval;
mod explain;
mod failure;
mod headless;
mod inspect;
mod models;
mod open;
mod output;
mod queries;
mod rows;
pub mod run;
mod score;
mod settings;
mod shrink;
mod stop;
mod train;
mod trust;
mod trust_args;
mod verify;
mod verify_args;

#[doc(hidden)]
pub use eval::trec_rows;
pub use failure::Failure;
pub use output::{err_line, print};

use clap::{CommandFactory, Parser};

use crate::util::panics;
use crate::util::private::no_core_files;
use args::{Cli, Command};

use crate::util::figures;
use crate::util::memory::address_limit;

/// Parses the arguments, does what they say, and gives the exit code: 0 ok, 1 a check failed,
/// 2 usage, 3 data or model error, 70 bug; stopped by a signal: 128 and its number (130 Ctrl-C).
pub fn main() -> u8 {
    crate::engine::model::leave_cores_to_us();
    no_core_files();
    panics::install();
    crate::util::signals::survive_full_files();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::say_usage(&error),
    };
    match dispatch(cli) {
        Ok(code) => code,
        Err(failure) => {
            err_line(&failure.to_string());
            failure.exit()
        }
    }
}

fn dispatch(cli: Cli) -> Result<u8, Failure> {
    room(&cli)?;
    match cli.command {
        None => open::open(&cli.files, true),
        Some(Command::Demo(args)) => demo::demo(&args),
        Some(Command::Run(args)) => headless::run(&args),
        Some(Command::Score(args)) => score::score(&args),
        Some(Command::Explain(args)) => explain::explain(&args),
        Some(Command::Eval(args)) => eval::eval(&args),
        Some(Command::Verify(args)) => verify::verify(&args),
        Some(Command::Train(args)) => train::train(&args),
        Some(Command::Models(command)) => models::models(&command),
        Some(Command::Cache(command)) => cache::cache(&command),
        Some(Command::Doctor(args)) => doctor::doctor(&args),
        Some(Command::Docs { page }) => docs::docs(page),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "recscope", &mut script);
            print(&String::from_utf8_lossy(&script))
        }
        Some(Command::Inspect { file }) => inspect::inspect(&file),
        Some(Command::Trust(command)) => trust::trust(&command),
        Some(Command::Engine(args)) => engine::serve(&args),
    }
}

/// Less address space than this (and some for each core's thread), and a library aborts the process at the
/// first allocation that fails, without a word.
const LEAST_ROOM: u64 = 400 << 20;
const ROOM_PER_CORE: u64 = 8 << 20;

/// Refuses what opens data or models where the address space is too small for it.
fn room(cli: &Cli) -> Result<(), Failure> {
    let small = match &cli.command {
        Some(
            Command::Doctor(_)
            | Command::Docs { .. }
            | Command::Completions { .. }
            | Command::Cache(_)
            | Command::Models(_)
            | Command::Trust(_),
        ) => return Ok(()),
        None
        | Some(
            Command::Demo(_)
            | Command::Run(_)
            | Command::Score(_)
            | Command::Explain(_)
            | Command::Eval(_)
            | Command::Verify(_)
            | Command::Train(_)
            | Command::Inspect { .. }
            | Command::Engine(_),
        ) => address_limit(),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let least = LEAST_ROOM + cores * ROOM_PER_CORE;
    match small.filter(|limit| *limit < least) {
        None => Ok(()),
        Some(limit) => Err(Failure::resource(format!(
            "this process may use {} of address space (`ulimit -v`); it needs {} to start, with a model more",
            figures::bytes(limit),
            figures::bytes(least),
        ))
        .hint("`ulimit -v unlimited`, or limit the engine instead: `--memory`, or `memory` in the settings")),
    }
}
