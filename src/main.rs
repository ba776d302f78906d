//! Arguments -> config -> log -> run -> exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(recscope::cli::main())
}
