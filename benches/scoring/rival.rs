//! A contestant as a child process: started, asked to run, ended. What goes wrong with one is a reason to
//! go on without it.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::measure::Spent;

pub struct Rival {
    child: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// How it says it runs: batch size, threads, version.
    pub words: String,
}

impl Rival {
    /// Starts it and waits until it has loaded its model.
    pub fn start(mut command: Command) -> Result<Self, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|e| format!("cannot start: {e}"))?;
        let (asks, out) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut rival = Self { child, asks, answers: BufReader::new(out).lines(), words: String::new() };
        let ready = rival.answer()?;
        rival.words = ready["ready"].as_str().unwrap_or_default().to_string();
        Ok(rival)
    }

    /// Computes every `stride`-th row; the outputs go to `file`.
    pub fn run(&mut self, stride: usize, file: Option<&Path>) -> Result<Spent, String> {
        let file = file.map_or(String::new(), |f| format!(" {}", f.display()));
        writeln!(self.asks, "run {stride}{file}").map_err(|e| format!("stopped listening: {e}"))?;
        serde_json::from_value(self.answer()?).map_err(|e| format!("answered nonsense: {e}"))
    }

    /// The next line of JSON; libraries may print other things.
    fn answer(&mut self) -> Result<Value, String> {
        for line in self.answers.by_ref() {
            let line = line.map_err(|e| e.to_string())?;
            if let Ok(value @ Value::Object(_)) = serde_json::from_str(&line) {
                return Ok(value);
            }
        }
        let status = self.child.wait().map_or_else(|e| e.to_string(), |s| s.to_string());
        Err(format!("its process ended ({status})"))
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        // It has nothing to finish.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last line of JSON that a command prints; its other words are for people and go to stderr.
pub fn last_json(command: &mut Command) -> Result<Value, String> {
    let done = command.stderr(Stdio::inherit()).output().map_err(|e| format!("cannot start: {e}"))?;
    let text = String::from_utf8_lossy(&done.stdout);
    let last = text.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
    match last {
        Some(value) if done.status.success() => Ok(value),
        _ => Err(format!("ended without an answer ({})", done.status)),
    }
}
