//! Small tools that know nothing of the product: no product words, no imports of ours.

pub mod arrow_text;
pub mod atomic;
pub mod cancel;
pub mod csv;
pub mod figures;
pub mod globs;
pub mod heap;
pub mod held;
pub mod hmac;
pub mod leftover;
#[cfg(feature = "notebook")]
pub(crate) mod lexis;
pub mod memory;
pub mod nearest;
pub mod panics;
pub mod private;
pub mod redact;
pub mod sanitise;
pub mod signals;
pub mod supervised;

/// Whether the value of a setting means "none".
pub fn says_off(value: &std::ffi::OsStr) -> bool {
    ["off", "false", "0"].iter().any(|off| value.eq_ignore_ascii_case(off))
}
