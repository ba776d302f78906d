//! What `recscope models pull` shows meanwhile: one line that changes on a terminal, a line per file
//! elsewhere. All of it goes to stderr.

use std::time::{Duration, Instant};

use super::super::err_line;
use super::super::output::Ticker;
use crate::pull::Step;
use crate::util::{figures, sanitise};

/// How often the line on a terminal changes, and how often a log hears of a long file.
const REDRAW: Duration = Duration::from_millis(100);
const REMIND: Duration = Duration::from_secs(30);

pub struct Progress {
    ticker: Ticker,
    terminal: bool,
    started: Instant,
    drawn: Option<Instant>,
    meter: Meter,
}

/// What is known of the bytes.
#[derive(Debug, Default)]
struct Meter {
    name: String,
    all: u64,
    done: u64,
    /// Came since the start; the rest was there from an earlier attempt.
    fresh: u64,
}

impl Progress {
    pub fn new(terminal: bool) -> Self {
        Self {
            ticker: Ticker::new(),
            terminal,
            started: Instant::now(),
            drawn: None,
            meter: Meter::default(),
        }
    }

    pub fn take(&mut self, step: Step) {
        match step {
            Step::Found { files, bytes, left_out } => {
                self.meter.all = bytes;
                let left = match left_out {
                    0 => String::new(),
                    n => format!(
                        "; {} that recscope does not read left out",
                        figures::plural(n as u64, "file", "files")
                    ),
                };
                let files = figures::plural(files as u64, "file", "files");
                self.say(&format!("{files}, {}{left}", figures::bytes(bytes)));
            }
            Step::Begin { name, bytes } => {
                let size = bytes.map(|bytes| format!(" ({})", figures::bytes(bytes))).unwrap_or_default();
                if !self.terminal {
                    self.say(&format!("  {}{size}", sanitise::excerpt(&name, 100)));
                }
                self.meter.name = name;
            }
            Step::Bytes { done, fresh } => {
                (self.meter.done, self.meter.fresh) = (done, self.meter.fresh + fresh);
                self.draw();
            }
            Step::Checking(name) => {
                if self.terminal {
                    self.ticker.show(&format!("checking {}", sanitise::excerpt(&name, 60)));
                }
            }
            Step::Note(text) => self.say(&sanitise::excerpt(&text, 300)),
        }
    }

    /// Takes the line away.
    pub fn end(&mut self) {
        self.ticker.clear();
    }

    fn say(&mut self, text: &str) {
        self.ticker.clear();
        err_line(text);
    }

    fn draw(&mut self) {
        let pause = if self.terminal { REDRAW } else { REMIND };
        if self.drawn.unwrap_or(self.started).elapsed() < pause {
            return;
        }
        self.drawn = Some(Instant::now());
        let line = self.meter.line(self.started.elapsed());
        match self.terminal {
            true => self.ticker.show(&line),
            false => err_line(&format!("  {line}")),
        }
    }
}

impl Meter {
    /// `model.safetensors  45 MB of 91 MB  49 %  12 MB/s  0:04 left`.
    fn line(&self, elapsed: Duration) -> String {
        let name = sanitise::excerpt(&self.name, 32);
        let mut line = format!("{name}  {} of {}", figures::bytes(self.done), figures::bytes(self.all));
        if let Some(percent) = (self.done.saturating_mul(100)).checked_div(self.all) {
            line.push_str(&format!("  {} %", percent.min(100)));
        }
        let seconds = elapsed.as_secs_f64();
        if self.fresh > 0 && seconds > 0.5 {
            let rate = self.fresh as f64 / seconds;
            let left = self.all.saturating_sub(self.done) as f64 / rate;
            line.push_str(&format!("  {}/s", figures::bytes(rate as u64)));
            line.push_str(&format!("  {} left", figures::clock((left * 1000.0) as u64)));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_speed_and_time_left() {
        let mb = 1u64 << 20;
        let meter = Meter { name: "model.safetensors".into(), all: 90 * mb, done: 45 * mb, fresh: 30 * mb };
        let line = meter.line(Duration::from_secs(10));
        assert_eq!(line, "model.safetensors  45 MB of 90 MB  50 %  3.0 MB/s  15s left");
        assert!(line.len() < 80);
        let unknown = Meter { name: "a\u{1b}[2J".into(), ..Meter::default() };
        assert_eq!(unknown.line(Duration::ZERO), "a␛[2J  0 B of 0 B");
    }
}
