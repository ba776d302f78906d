//! One file per subcommand; the only place for stdout and stderr.

pub mod run;
