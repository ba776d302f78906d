//! The libraries that are not ours: installed by `benches/peers/install.py`, run by `peer.py`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Timed, apart};

fn python(mut command: Command, script: &str) -> Command {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches").join(script);
    command.arg(file).env("PYTHONDONTWRITEBYTECODE", "1").stderr(Stdio::inherit());
    command
}

/// The interpreter that has the peers; says what is missing and why.
pub fn install() -> Option<PathBuf> {
    let found = last_json(python(Command::new("python3"), "peers/install.py").arg("eval"))
        .inspect_err(|why| println!("peers: none: python3 {why}"))
        .ok()?;
    for (module, why) in found["missing"].as_object().into_iter().flatten() {
        println!("peers: no {module}: {}", why.as_str().unwrap_or_default());
    }
    found["python"].as_str().map(PathBuf::from)
}

/// One peer on one file.
pub fn run(interpreter: &Path, name: &str, file: &Path, small: &Path) -> Result<Timed, String> {
    let values = file.with_extension(format!("{name}.json"));
    let between = apart::command(&file.with_extension("report"), interpreter);
    let mut command = python(between, "eval/peer.py");
    let said = last_json(command.arg(name).arg(file).arg(&values).arg(small))?;
    let seconds = said["seconds"].as_f64().ok_or("said no time")?;
    let part = |name: &str| said["parts"][name].as_f64().unwrap_or_default();
    let notes = format!(
        "read {:.2}, structures {:.2}, metrics {:.2}",
        part("read"),
        part("structures"),
        part("metrics")
    );
    let version = said["version"].as_str().unwrap_or_default();
    let rss = said["rss"].as_u64().unwrap_or_default();
    Ok(Timed { name: format!("{name} {version}"), seconds, rss, notes, values })
}

fn last_json(command: &mut Command) -> Result<Value, String> {
    let done = command.output().map_err(|e| format!("cannot start: {e}"))?;
    let text = String::from_utf8_lossy(&done.stdout);
    let line = text.lines().rev().find(|line| line.starts_with('{'));
    match line.map(serde_json::from_str) {
        Some(Ok(value)) if done.status.success() => Ok(value),
        _ => Err(format!("failed ({})", done.status)),
    }
}
