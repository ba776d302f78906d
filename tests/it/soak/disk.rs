//! Disks that take no more: a limit of file sizes, and a small file system. A save that fails says so and
//! leaves the old file; a run leaves no half of anything.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::stage::{Stage, ends, type_marker};

/// A notebook that is larger than the limit below.
fn large() -> String {
    format!("# x\n\n```sql first\nSELECT 1 AS n\n```\n\n{}\n", "prose of a notebook\n".repeat(2000))
}

/// `ulimit -f` counts blocks of 512 or 1024 bytes: 8 are less than any of the notebook, of rows, of a report.
pub fn limited(seed: u64) -> Result<bool, String> {
    if seed.is_multiple_of(2) { saving() } else { running() }
}

fn saving() -> Result<bool, String> {
    let text = large();
    let stage = Stage::new(&text);
    let line = format!("ulimit -f 8; exec {} {}", super::stage::PROGRAM, stage.notebook.display());
    let mut pty = stage.open_by(Path::new("/bin/sh"), &["-c", &line]);
    pty.wait("the first frame", |text| text.contains("first"));
    type_marker(&mut pty, "too_much");
    pty.keys("\u{1b}");
    std::thread::sleep(Duration::from_millis(150));
    pty.keys("\u{13}");
    let shown = pty.wait("the failure", |text| text.contains("ulimit") || text.contains("too large"));
    if !pty.is_alive() {
        return Err(format!("it has ended:\n{shown}"));
    }
    if std::fs::read_to_string(&stage.notebook).ok().as_deref() != Some(text.as_str()) {
        return Err("the old notebook is not what it was".into());
    }
    pty.signal(libc::SIGTERM);
    pty.wait_exit();
    pty.assert_sane();
    Ok(true)
}

fn running() -> Result<bool, String> {
    let stage = Stage::new("```sql first\nSELECT i, hash(i) AS h FROM range(200000) t(i)\n```\n");
    let line = format!(
        "ulimit -f 8; {0} run shoes.md; echo \"kept $?\"; {0} run shoes.md --rows 5000 --no-cache --out out.json; echo \"out $?\"",
        super::stage::PROGRAM
    );
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &line]).current_dir(stage.work()).envs(stage.env());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| e.to_string())?;
    let out = child.stdout.take();
    let reader = std::thread::spawn(move || out.map(std::io::read_to_string));
    let code = ends(&mut child, 60)?;
    let said = reader.join().ok().flatten().and_then(Result::ok).unwrap_or_default();
    if code != 0 || !said.contains("kept 0") || !said.contains("out 3") || !said.contains("not kept") {
        return Err(format!("exit {code}: {said}"));
    }
    let left = |folder: &Path| -> Vec<String> {
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
        names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let mut names = left(&stage.work());
    names.extend(left(&stage.work().join(".shoes.cells")));
    match names
        .iter()
        .find(|name| name.ends_with(".part") || name.starts_with(".saving") || *name == "out.json")
    {
        Some(half) => Err(format!("left behind: {half} of {names:?}")),
        None => Ok(true),
    }
}

/// On a file system of 256 kB, where this machine lets us make one.
pub fn full(_: u64) -> Result<bool, String> {
    let text = large();
    let stage = Stage::new(&text);
    let disk = stage.root.path().join("disk");
    std::fs::create_dir(&disk).map_err(|e| e.to_string())?;
    let path = disk.to_str().unwrap_or_default();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=256k", "tmpfs", path]).output();
    if !mounted.is_ok_and(|done| done.status.success()) {
        return Ok(false);
    }
    let result = on(&stage, &disk, &text);
    let _ = Command::new("umount").args(["-l", path]).output();
    result
}

fn on(stage: &Stage, disk: &Path, text: &str) -> Result<bool, String> {
    let notebook = disk.join("shoes.md");
    std::fs::write(&notebook, text).map_err(|e| e.to_string())?;
    let _ = std::fs::write(disk.join("ballast"), vec![7; 200 << 10]);
    let _ = stage.command(&["trust", "add", disk.to_str().unwrap_or_default()]).output();
    let mut pty = stage.open_by(Path::new(super::stage::PROGRAM), &[notebook.to_str().unwrap_or_default()]);
    pty.wait("the first frame", |text| text.contains("first"));
    type_marker(&mut pty, "too_much");
    pty.keys("\u{1b}");
    std::thread::sleep(Duration::from_millis(150));
    pty.keys("\u{13}");
    let full = |text: &str| text.contains("space") || text.contains("No space");
    pty.wait("the failure", full);
    if std::fs::read_to_string(&notebook).ok().as_deref() != Some(text) {
        return Err("the old notebook is not what it was".into());
    }
    std::fs::remove_file(disk.join("ballast")).map_err(|e| e.to_string())?;
    pty.keys("\u{13}");
    pty.wait("the save", |text| text.contains("saved") && !text.contains("not saved"));
    pty.signal(libc::SIGTERM);
    pty.wait_exit();
    pty.assert_sane();
    let saved = std::fs::read_to_string(&notebook).unwrap_or_default();
    if saved.contains("too_much") { Ok(true) } else { Err("said to be saved, and is not".into()) }
}
