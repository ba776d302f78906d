//! Ctrl-C, SIGTERM, SIGHUP and SIGQUIT to a command without a screen: the first sets a flag that the work
//! looks at; what has not stopped 3 seconds later (as long as the screen waits) is ended with the process, in
//! words; a second one ends it at once. The exit code names the signal in every case.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use super::err_line;
use crate::report::RunReport;
use crate::util::cancel::Cancel;
use crate::util::signals::{ENDING, exit_code, name};
use crate::util::supervised;

/// How long after the first signal a further one is taken for the same wish: `timeout` and shells send to
/// the process and to its group.
const SAME_WISH: Duration = Duration::from_millis(300);
/// How long the work may take to see the flag.
const STOP_WITHIN: Duration = Duration::from_secs(3);
/// What a run has on top, to report what was finished: its engine says itself that it is stuck.
const REPORT_WITHIN: Duration = Duration::from_secs(5);

/// The first signal; 0: none.
static STOPPED_BY: AtomicI32 = AtomicI32::new(0);
/// The screen listens to signals itself.
static LEFT_TO_SCREEN: AtomicBool = AtomicBool::new(false);
static REPORTS: AtomicBool = AtomicBool::new(false);

/// The flag that those signals set, one for the process.
pub(super) fn cancel_on_signal() -> Cancel {
    static FLAG: OnceLock<Cancel> = OnceLock::new();
    FLAG.get_or_init(watch).clone()
}

/// As [`cancel_on_signal`], for work that reports what it had finished when it was stopped.
pub(super) fn report_on_signal() -> Cancel {
    REPORTS.store(true, Ordering::Release);
    cancel_on_signal()
}

/// From here on signals are the screen's affair.
pub(super) fn leave_to_screen() {
    LEFT_TO_SCREEN.store(true, Ordering::Release);
}

/// The exit code of what was cancelled: 128 and the signal's number; 130 where no signal was.
pub(super) fn code() -> u8 {
    match STOPPED_BY.load(Ordering::Acquire) {
        0 => 130,
        signal => exit_code(signal),
    }
}

/// Ends the process without looking back: no destructor runs, because what is stuck may hold what it waits
/// for. Spill folders that stay are swept by the next start.
pub(super) fn end_now(code: u8) -> ! {
    let _ = io::stdout().flush();
    signal_hook::low_level::exit(i32::from(code))
}

/// The exit code of a run that has been shown. One that is stuck ends the process here: its engine is still
/// at it, in this very process.
pub(super) fn exit_of(report: &RunReport) -> u8 {
    if report.stuck {
        err_line("error: what ran did not stop within 3 s: ended with it still running");
        end_now(report.exit);
    }
    report.exit
}

fn watch() -> Cancel {
    let cancel = Cancel::new();
    let flag = cancel.clone();
    let Ok(mut signals) = signal_hook::iterator::Signals::new(ENDING) else { return cancel };
    let mut first: Option<Instant> = None;
    let work = move || {
        for signal in signals.forever() {
            if LEFT_TO_SCREEN.load(Ordering::Acquire) {
                continue;
            }
            match first {
                None => {
                    first = Some(Instant::now());
                    STOPPED_BY.store(signal, Ordering::Release);
                    flag.cancel();
                    wait_for_the_end();
                }
                Some(first) if first.elapsed() >= SAME_WISH => end_now(exit_code(signal)),
                Some(_) => {}
            }
        }
    };
    let fell = |fall: supervised::Fall| err_line(&format!("error: {fall}"));
    if let Err(error) = supervised::kept("signals", work, fell) {
        err_line(&format!("warning: Ctrl-C would do nothing, no thread can be started: {error}"));
        end_now(3);
    }
    cancel
}

/// Ends the process when the work does not.
fn wait_for_the_end() {
    let wait = || {
        let more = if REPORTS.load(Ordering::Acquire) { REPORT_WITHIN } else { Duration::ZERO };
        std::thread::sleep(STOP_WITHIN + more);
        let signal = name(STOPPED_BY.load(Ordering::Acquire));
        let seconds = (STOP_WITHIN + more).as_secs();
        err_line(&format!(
            "error: what ran did not stop within {seconds} s of {signal}: ended; nothing half done is kept"
        ));
        end_now(code());
    };
    if supervised::once("last resort", wait, |_| end_now(code())).is_err() {
        end_now(code());
    }
}
