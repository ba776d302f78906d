//! A folder of its own with everything that the program writes inside it, the program started there, and
//! what it left behind.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::pty::Pty;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_recscope");

pub const TEXT: &str = "\
# 跑鞋: soak

```sql first
SELECT range AS n, range * 2 AS twice FROM range(5000)
```

```sql second
SELECT count(*) AS n FROM first
```
";

pub struct Stage {
    pub root: tempfile::TempDir,
    pub notebook: PathBuf,
}

impl Stage {
    pub fn new(text: &str) -> Stage {
        let root = tempfile::tempdir().unwrap();
        for folder in ["home", "run", "tmp", "state", "work"] {
            let path = root.path().join(folder);
            std::fs::create_dir(&path).unwrap();
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        }
        let notebook = root.path().join("work/shoes.md");
        std::fs::write(&notebook, text).unwrap();
        let stage = Stage { root, notebook };
        // Where folders must be trusted before anything runs, this one is.
        let _ = stage.command(&["trust", "add", stage.work().to_str().unwrap()]).output();
        stage
    }

    pub fn work(&self) -> PathBuf {
        self.root.path().join("work")
    }

    pub fn env(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.root.path().join(name).to_str().unwrap().to_owned();
        vec![
            ("HOME", path("home")),
            ("TMPDIR", path("tmp")),
            ("XDG_RUNTIME_DIR", path("run")),
            ("XDG_STATE_HOME", path("state")),
            ("XDG_CACHE_HOME", path("home")),
            ("XDG_CONFIG_HOME", path("home")),
            ("RECSCOPE_STATE", path("state")),
            ("RUST_BACKTRACE", "0".into()),
        ]
    }

    /// The program without a screen.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(self.work()).envs(self.env());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The program in a terminal, once it shows the notebook.
    pub fn open(&self) -> Pty {
        let pty = self.open_by(Path::new(PROGRAM), &[self.notebook.to_str().unwrap()]);
        pty.wait("the first frame", |text| text.contains("first"));
        pty
    }

    pub fn open_by(&self, program: &Path, args: &[&str]) -> Pty {
        let env = self.env();
        let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Pty::start(program, args, &self.work(), &env, (110, 34))
    }

    /// The files below the stage that hold this text.
    pub fn holding(&self, words: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.root.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(path),
                    Ok(kind) if kind.is_file() => {
                        let bytes = std::fs::read(&path).unwrap_or_default();
                        // A temporary file is no place where anything counts as kept.
                        let half =
                            path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(".saving-"));
                        if !half && bytes.windows(words.len()).any(|window| window == words.as_bytes()) {
                            found.push(path);
                        }
                    }
                    _ => {}
                }
            }
        }
        found
    }

    /// The notebook is a text that was saved whole: what it was, with or without a line of ours.
    pub fn notebook_is_whole(&self) -> Result<(), String> {
        let text =
            std::fs::read_to_string(&self.notebook).map_err(|e| format!("the notebook is gone: {e}"))?;
        let ours = |line: &&str| !line.starts_with("-- ");
        let rest: Vec<&str> = text.lines().filter(ours).collect();
        let whole = rest == TEXT.lines().collect::<Vec<_>>();
        if whole { Ok(()) } else { Err(format!("the notebook is torn:\n{text}")) }
    }
}

/// Opens the first cell in the editor and types a line of comment into it.
pub fn type_marker(pty: &mut Pty, words: &str) {
    pty.settle(Duration::from_millis(150));
    pty.keys("i");
    pty.wait("the editor", |text| text.contains("editing"));
    pty.keys(&format!("-- {words}\r"));
    pty.wait("the typed words", |text| text.contains(words));
}

/// Until `done`, or an error that says for what was waited in vain.
pub fn until<T>(why: &str, seconds: u64, mut done: impl FnMut() -> Option<T>) -> Result<T, String> {
    let began = Instant::now();
    loop {
        if let Some(found) = done() {
            return Ok(found);
        }
        if began.elapsed() > Duration::from_secs(seconds) {
            return Err(format!("waited {seconds} s in vain for {why}"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The exit code of a program that must end within so long; a signal's as a shell counts it, negative.
pub fn ends(child: &mut Child, seconds: u64) -> Result<i32, String> {
    use std::os::unix::process::ExitStatusExt;
    let status = until("the end of the program", seconds, || child.try_wait().unwrap());
    if status.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    status.map(|status| status.code().unwrap_or_else(|| -status.signal().unwrap_or(0)))
}

/// The processes that a process has started: its engines.
pub fn children(pid: u32) -> Vec<i32> {
    let mut found = Vec::new();
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let list = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(list.split_whitespace().filter_map(|pid| pid.parse::<i32>().ok()));
    }
    found
}

/// A process that is there and no zombie.
pub fn lives(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

pub fn send(pid: i32, signal: i32) {
    // SAFETY: a plain system call on a process that this test started.
    unsafe { libc::kill(pid, signal) };
}
