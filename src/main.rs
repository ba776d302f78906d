//! Arguments -> config -> log -> run -> exit code.

fn main() {}
