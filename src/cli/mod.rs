//! One file per subcommand; the only place for stdout and stderr.

mod rows;
pub mod run;
