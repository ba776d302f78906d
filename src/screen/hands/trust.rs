//! Looking through a notebook that nobody has trusted, and writing the list of those that are.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::screen::app::trust::Inspected;
use crate::state::StateFolder;
use crate::trust::{Scope, TrustList};

/// A file that takes longer to open is said to be unknown.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of views that are taken in.
const MOST: u64 = 1 << 20;

/// Puts a folder or notebook on the list; gives its path.
pub fn add(path: &Path, scope: Scope) -> Result<String, String> {
    let add = || StateFolder::open().and_then(|state| TrustList::open(&state)?.add(path, scope));
    add().map(|_| path.display().to_string()).map_err(|e| e.to_string())
}

/// Views and macros of a DuckDB file, by a process of its own: a crafted file may end it.
pub fn inspect(written: String, file: &Path) -> Inspected {
    let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/proc/self/exe"));
    let found = ask(&program, file);
    (written, found)
}

fn ask(program: &Path, file: &Path) -> Result<Vec<String>, String> {
    let mut child = Command::new(program)
        .arg("inspect")
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|e| e.to_string())?;
    let output = child.stdout.take().ok_or("it says nothing")?;
    // Read beside the clock: a full pipe would keep the process from ending.
    let (sender, received) = crossbeam_channel::bounded(1);
    std::thread::spawn(move || {
        let mut text = String::new();
        let _ = output.take(MOST).read_to_string(&mut text);
        let _ = sender.send(text);
    });
    let deadline = Instant::now() + PATIENCE;
    let text = received.recv_timeout(PATIENCE);
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < deadline && text.is_ok() => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(None) | Err(_) => break None,
        }
    };
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    match (status, text) {
        (Some(status), Ok(text)) if status.success() => {
            Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
        }
        _ => Err("the file cannot be opened".into()),
    }
}
