//! Cancel: while a statement runs, a watcher looks at the flag and interrupts until the statement ends.
//!
//! DuckDB resets its interrupt flag when a statement starts, so one interrupt may come too early and
//! be lost; and some functions look at it rarely. Hence: again every 50 ms. The watcher is joined
//! before the statement's result is returned, so none can hit the next statement.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::util::cancel::Cancel;

/// How often the flag is looked at.
const LOOK: Duration = Duration::from_millis(5);
/// How often an interrupt is repeated.
const AGAIN: Duration = Duration::from_millis(50);

/// Runs `work`; while it runs, `cancel` interrupts the connection behind `handle`.
pub(crate) fn watched<T>(
    handle: Arc<duckdb::InterruptHandle>,
    cancel: &Cancel,
    work: impl FnOnce() -> T,
) -> T {
    let ended = (Mutex::new(false), Condvar::new());
    std::thread::scope(|scope| {
        let watcher = std::thread::Builder::new()
            .name("interrupt".into())
            .spawn_scoped(scope, || watch(&handle, cancel, &ended));
        // Without a watcher (no more threads) the work still runs; it just cannot be stopped.
        if let Err(error) = watcher {
            tracing::warn!(%error, "no thread to watch for cancel");
        }
        let _end = End(&ended);
        work()
    })
}

/// Tells the watcher to end, also when `work` panics.
struct End<'a>(&'a (Mutex<bool>, Condvar));

impl Drop for End<'_> {
    fn drop(&mut self) {
        *self.0.0.lock() = true;
        self.0.1.notify_all();
    }
}

fn watch(handle: &duckdb::InterruptHandle, cancel: &Cancel, ended: &(Mutex<bool>, Condvar)) {
    let mut done = ended.0.lock();
    while !*done {
        let pause = if cancel.is_cancelled() {
            handle.interrupt();
            AGAIN
        } else {
            LOOK
        };
        ended.1.wait_for(&mut done, pause);
    }
}
