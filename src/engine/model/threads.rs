//! Whose threads compute. Ours do (`workers.rs`), each a batch of its own; candle's pool, which splits one
//! operation and spins while it waits for the next, would only take their cores.

/// How many threads candle's pool has, itself included.
const SETTING: &str = "CANDLE_NUM_THREADS";

/// Leaves candle's pool without threads, unless the user has said how many it shall have. To be called
/// first in `main`, before any other thread exists.
pub fn leave_cores_to_us() {
    if std::env::var_os(SETTING).is_none() {
        // SAFETY: no other thread exists yet that could read or write the environment meanwhile.
        unsafe { std::env::set_var(SETTING, "1") };
    }
}
