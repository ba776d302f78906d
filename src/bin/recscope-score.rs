//! Arguments -> rows from stdin -> scores beside them on stdout -> exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(recscope::pipe::main())
}
