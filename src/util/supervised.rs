//! Threads that do not die in silence: a panic is caught, told to whoever must know, and the work is begun
//! again where that is sound. Every lasting thread of the program is started here; what a fall means
//! (a sentence, a restart, the end of the process) is said by the closure that is told of it.

use std::any::Any;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// A thread's panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fall {
    pub thread: &'static str,
    /// What the panic said.
    pub message: String,
    /// The work has been begun again; otherwise the thread is no more.
    pub again: bool,
}

impl std::fmt::Display for Fall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let after = if self.again { "; it was started again" } else { "" };
        write!(f, "a fault of recscope in the thread `{}`: {}{after}", self.thread, self.message)
    }
}

/// Falls within [`SPAN`] after which the work is not begun again: it would only fall for ever.
const MOST: usize = 5;
const SPAN: Duration = Duration::from_secs(10);

/// Starts a thread that works once. `told` hears of a panic, on that thread, when `work` and all that it
/// owned is gone.
pub fn once(
    name: &'static str,
    work: impl FnOnce() + Send + 'static,
    told: impl FnOnce(Fall) + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.into()).spawn(move || {
        let done = guarded(|| {
            planted(name);
            work();
        });
        if let Err(message) = done {
            told(Fall { thread: name, message, again: false });
        }
    })
}

/// Starts a thread that works until `work` returns. After a panic `told` hears of it and `work` begins
/// again, so it must find what it needs as it was; one that falls again and again is given up.
pub fn kept(
    name: &'static str,
    mut work: impl FnMut() + Send + 'static,
    mut told: impl FnMut(Fall) + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.into()).spawn(move || {
        let mut falls: Vec<Instant> = Vec::new();
        loop {
            let done = guarded(|| {
                planted(name);
                work();
            });
            let Err(message) = done else { return };
            falls.retain(|fall| fall.elapsed() < SPAN);
            falls.push(Instant::now());
            let again = falls.len() < MOST;
            told(Fall { thread: name, message, again });
            if !again {
                return;
            }
        }
    })
}

/// Does `work`; a panic becomes what it said.
pub fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| said(&*payload))
}

/// The words of a panic.
pub fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

/// Which threads are to fall when they begin, and how often: `keys`, `hands:2`. Only in development
/// builds, which tests are: the one fault that nothing from outside can cause.
pub const PLANT: &str = "RECSCOPE_TEST_FALL";

#[cfg(debug_assertions)]
#[allow(clippy::panic)]
fn planted(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static FALLEN: AtomicU32 = AtomicU32::new(0);
    let Ok(plan) = std::env::var(PLANT) else { return };
    let (thread, times) = plan.split_once(':').unwrap_or((&plan, "1"));
    let times: u32 = times.parse().unwrap_or(1);
    if thread == name && FALLEN.fetch_add(1, Ordering::Relaxed) < times {
        panic!("planted in {name}");
    }
}

#[cfg(not(debug_assertions))]
fn planted(_: &str) {}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_fall_is_told_and_the_work_goes_on_with_what_waits() {
        let (give, tasks) = crossbeam_channel::unbounded();
        let (done, results) = channel();
        let (tell, told) = channel();
        for task in [1, 0, 2] {
            give.send(task).unwrap();
        }
        drop(give);
        let work = move || {
            for task in &tasks {
                done.send(12_u32.checked_div(task).expect("none may be zero")).unwrap();
            }
        };
        kept("divider", work, move |fall| tell.send(fall).unwrap()).unwrap().join().unwrap();
        assert_eq!(results.iter().collect::<Vec<_>>(), [12, 6]);
        let falls: Vec<Fall> = told.iter().collect();
        assert_eq!(falls.len(), 1);
        assert!(falls[0].again && falls[0].message.contains("none may be zero"), "{falls:?}");
        assert!(falls[0].to_string().contains("`divider`"));
    }

    #[test]
    fn one_that_falls_for_ever_is_given_up() {
        let (tell, told) = channel();
        let always = || panic!("again");
        kept("always", always, move |fall| tell.send(fall.again).unwrap()).unwrap().join().unwrap();
        let falls: Vec<bool> = told.iter().collect();
        assert_eq!(falls, [true, true, true, true, false]);
    }

    #[test]
    fn whoever_is_told_finds_what_the_work_owned_gone() {
        let (owned, seen) = channel::<()>();
        let (tell, told) = channel();
        let work = move || {
            let _owned = owned;
            panic!("once")
        };
        once("once", work, move |fall| tell.send((fall.again, seen.try_recv().is_err())).unwrap())
            .unwrap()
            .join()
            .unwrap();
        assert_eq!(told.recv().unwrap(), (false, true));
    }
}
