//! What signals mean to every program of ours: which ones ask it to end, with which exit code it does, and
//! which must not end it. Listening to them is the caller's business.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXFSZ};

/// Those that ask a program to end.
pub const ENDING: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// As a shell counts it: 130 for SIGINT, 143 for SIGTERM.
pub fn exit_code(signal: i32) -> u8 {
    u8::try_from(signal).unwrap_or(0).saturating_add(128)
}

/// `SIGINT`, for a sentence.
pub fn name(signal: i32) -> &'static str {
    signal_hook::low_level::signal_name(signal).unwrap_or("a signal")
}

/// A file that grows beyond the limit of file sizes (`ulimit -f`) is then a failed write (EFBIG) like one
/// on a full disk, instead of the end of the process in the middle of it.
pub fn survive_full_files() {
    // A handler, not SIG_IGN: programs that we start do not inherit it.
    if let Err(error) = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))) {
        tracing::warn!("SIGXFSZ would end this process: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_shells() {
        assert_eq!(ENDING.map(exit_code), [130, 143, 129, 131]);
        assert_eq!((exit_code(0), exit_code(4000), name(SIGTERM)), (128, 128, "SIGTERM"));
    }
}
