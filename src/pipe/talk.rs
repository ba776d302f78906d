//! What is said on stderr while rows are scored and at the end, and the signals that end it.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::engine::model::{Dtype, ScoreReport};
use crate::util::cancel::Cancel;
use crate::util::memory::resident_bytes;
use crate::util::signals::{ENDING, exit_code};
use crate::util::supervised;
use crate::util::{figures, redact, sanitise};

/// One line of talk, made harmless and without the secrets of URLs. Nothing depends on its arriving.
pub(super) fn line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", sanitise::lines(&redact::urls(text)));
}

/// Prints what clap has to say instead of arguments, and gives the exit code. It repeats what was typed, and
/// keeps in it what steers a terminal with a single character or turns text around: then it is printed
/// without colours, and harmless.
pub fn say_usage(error: &clap::Error) -> u8 {
    let plain = error.render().to_string();
    let clean = sanitise::lines(&plain);
    // A closed pipe is no failure.
    let _ = match (clean == plain, error.use_stderr()) {
        (true, _) => error.print(),
        (false, true) => io::stderr().lock().write_all(clean.as_bytes()),
        (false, false) => io::stdout().lock().write_all(clean.as_bytes()),
    };
    if error.use_stderr() { 2 } else { 0 }
}

/// A line on stderr that is written over, where stderr is a terminal; silent elsewhere.
pub struct Ticker {
    on: bool,
    shown: bool,
}

impl Ticker {
    pub fn new() -> Self {
        Self { on: io::stderr().is_terminal(), shown: false }
    }

    /// One that never shows anything.
    pub fn silent() -> Self {
        Self { on: false, shown: false }
    }

    pub fn show(&mut self, text: &str) {
        if self.on {
            let short = sanitise::excerpt(text, 100);
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K{short}");
            self.shown = true;
        }
    }

    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}

impl Default for Ticker {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A scoring job in one line: rows, inputs computed, speed, and what a reader should know of them.
/// `different`: no input was computed twice.
pub fn summary(report: &ScoreReport, different: bool) -> String {
    let mut line = format!(
        "{} ({} {}{}), {} tokens/s",
        figures::plural(report.rows, "row", "rows"),
        figures::thousands(i128::from(report.unique_inputs)),
        if different { "different" } else { "computed" },
        match report.cached_inputs {
            0 => String::new(),
            n => format!(", {} from the cache", figures::thousands(i128::from(n))),
        },
        figures::compact(report.tokens_per_second as u64),
    );
    for (n, what) in
        [(report.truncated, "cut to the limit"), (report.empty, "without text"), (report.nan, "NaN")]
    {
        if n > 0 {
            line.push_str(&format!("; {} {what}", figures::thousands(i128::from(n))));
        }
    }
    line
}

/// Where it is computed, in which numbers, and what this process takes: `, cpu int8, 412 MB`.
pub(super) fn place(device: &str, dtype: Dtype) -> String {
    let memory = resident_bytes().map(|bytes| format!(", {}", figures::bytes(bytes)));
    format!(", {device} {dtype}{}", memory.unwrap_or_default())
}

/// What SIGINT, SIGTERM, SIGHUP and SIGQUIT ask for: the first one lets the rows at hand be finished, the
/// second one ends the process at once.
#[derive(Clone, Default)]
pub(super) struct Signals {
    pub finish: Cancel,
    number: Arc<AtomicU8>,
}

impl Signals {
    pub fn watch() -> Self {
        let watched = Self::default();
        let told = watched.clone();
        if let Ok(mut signals) = signal_hook::iterator::Signals::new(ENDING) {
            let work = move || {
                for signal in signals.forever() {
                    let exit = exit_code(signal);
                    if told.number.swap(exit, Ordering::AcqRel) != 0 {
                        std::process::exit(i32::from(exit));
                    }
                    told.finish.cancel();
                }
            };
            let fell = |fall: supervised::Fall| line(&format!("error: {fall}"));
            if let Err(error) = supervised::kept("signals", work, fell) {
                line(&format!("warning: signals will not be heard, no thread can be started: {error}"));
            }
        }
        watched
    }

    /// 128 and the signal's number where one has come, as shells expect it; else 0.
    pub fn exit(&self) -> u8 {
        self.number.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_what_was_done() {
        let mut report = ScoreReport { rows: 1, unique_inputs: 1, ..ScoreReport::default() };
        assert_eq!(summary(&report, true), "1 row (1 different), 0 tokens/s");
        report = ScoreReport {
            rows: 220_000,
            unique_inputs: 12_254,
            tokens_per_second: 16_233.4,
            empty: 1_000,
            nan: 2,
            ..report
        };
        let wanted = "220,000 rows (12,254 computed), 16k tokens/s; 1,000 without text; 2 NaN";
        assert_eq!(summary(&report, false), wanted);
    }
}
