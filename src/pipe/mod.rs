//! `recscope-score`: rows in on stdin, the same rows with a model's scores beside them out on stdout,
//! in order, within bounded memory. What a Spark executor pipes its rows through, and what a GPU box
//! without network or compiler can carry.
//!
//! What must not be here: SQL, DuckDB, the notebook. Only the model layer and `util` are imported, so
//! that the program builds without the feature `notebook` and links no libduckdb.
//!
//! ```text
//! stdin --reader thread--> chunks of rows --main thread: RowStream--> windows --writer thread--> stdout
//! ```
//!
//! Its arguments (`args`), faults and progress line (`talk`) are also those of `recscope score`.

mod args;
mod detect;
mod encode;
mod fault;
mod fd;
mod frames;
mod lines;
mod object;
mod run;
mod slices;
mod talk;

pub use args::{ModelArgs, PipeArgs, TextArgs};
pub use fault::{Fault, FaultKind, find_column};
pub use talk::{Ticker, say_usage, summary};

use clap::Parser;

use crate::util::panics;
use crate::util::private::no_core_files;

/// Parses the arguments, does what they say, and gives the exit code: 0 the input has ended (or
/// nobody reads on), 2 usage, 3 data, model or machine, 70 bug, 130 and 143 stopped by a signal.
pub fn main() -> u8 {
    crate::engine::model::leave_cores_to_us();
    no_core_files();
    panics::install();
    crate::util::signals::survive_full_files();
    let args = match PipeArgs::try_parse() {
        Ok(args) => args,
        Err(error) => return say_usage(&error),
    };
    match run::run(&args) {
        Ok(code) => code,
        Err(fault) => {
            talk::line(&fault.to_string());
            fault.exit()
        }
    }
}
