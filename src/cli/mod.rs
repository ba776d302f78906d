//! One file per subcommand; the only place for stdout and stderr.

pub mod args;
mod cache;
pub mod demo;
mod docs;
mod doctor;
mod eval;
mod explain;
mod failure;
mod headless;
mod models;
mod open;
mod output;
mod queries;
mod rows;
pub mod run;
mod score;
mod settings;
mod shrink;
mod train;
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

/// Parses the arguments, does what they say, and gives the exit code: 0 ok, 1 a check failed,
/// 2 usage, 3 data or model error, 70 bug, 130 cancelled.
pub fn main() -> u8 {
    no_core_files();
    panics::install();
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
        Some(Command::Engine(args)) => {
            let mut options = settings::load().engine_options(&args::EngineSettings::default())?;
            options.score_cache.folder.take_if(|_| args.no_score_cache);
            crate::engine::lanes::serve_socket(&args.socket, args.detached, options)
                .map_err(|error| Failure::resource(format!("the engine's socket failed: {error}")))?;
            Ok(0)
        }
    }
}
