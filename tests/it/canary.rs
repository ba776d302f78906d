//! Nothing that recscope writes by itself holds data or secrets: values that occur nowhere else are put into
//! cells, the environment, URLs and the editor, the programs run, fail and are killed, and every file that is
//! then on the disk is searched. Results kept beside a notebook and unsaved text are the user's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::pty::Pty;
use crate::score_pipe::{err, model};

/// In a data file.
const CELL: &str = "CANARYcellQ7";
/// Typed into the editor and not saved.
const TYPED: &str = "CANARYtypedQ7";
/// In the environment.
const SECRET: &str = "CANARYsecretQ7";
/// In URLs, as a password and as a signature.
const URL: &str = "CANARYurlQ7";

const NOTEBOOK: &str = "---\nrecscope: 1\nsources: { rows: rows.csv }\n---\n# Rows\n\n\
    ```sql good\nSELECT q, t FROM rows\n```\n\n\
    ```sql bad\nSELECT CAST(q AS INTEGER) AS n FROM rows\n```\n\n\
    ```sql worse\nSELECT error(t) FROM rows\n```\n";

struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("c").tempdir().unwrap();
        let own = Self { folder };
        for name in ["home", "tmp", "run", "state", "work"] {
            std::fs::create_dir(own.at(name)).unwrap();
        }
        let rows = format!("q,t,y\n{CELL},red shoes {CELL},1\nmouse,keyboard,0\n{CELL} two,mouse,1\n");
        std::fs::write(own.at("work/rows.csv"), rows).unwrap();
        std::fs::write(own.at("work/n.md"), NOTEBOOK).unwrap();
        let remote = format!(
            "---\nrecscope: 1\nsources:\n  a: \"http://user:{URL}@127.0.0.1:9/x.csv?sig={URL}\"\n  \
             b: \"s3://bucket/x.parquet?s3_secret_access_key={URL}\"\n---\n```sql x\nFROM a\n```\n```sql y\nFROM b\n```\n"
        );
        std::fs::write(own.at("work/remote.md"), remote).unwrap();
        own
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn env(&self) -> Vec<(&'static str, String)> {
        let at = |path: &str| self.at(path).to_string_lossy().into_owned();
        vec![
            ("HOME", at("home")),
            ("XDG_CACHE_HOME", at("home/.cache")),
            ("XDG_CONFIG_HOME", at("home/.config")),
            ("XDG_STATE_HOME", at("home/.local/state")),
            ("XDG_DATA_HOME", at("home/.local/share")),
            ("XDG_RUNTIME_DIR", at("run")),
            ("TMPDIR", at("tmp")),
            ("RECSCOPE_STATE", at("state")),
            ("AWS_SECRET_ACCESS_KEY", SECRET.into()),
            ("HF_TOKEN", format!("hf_{SECRET}")),
            ("HF_ENDPOINT", format!("http://user:{SECRET}@127.0.0.1:9")),
            ("RUST_BACKTRACE", "1".into()),
            ("RUST_LOG", "trace".into()),
        ]
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_recscope"))
            .args(args)
            .current_dir(self.at("work"))
            .env_remove("RECSCOPE_CONFIG")
            .env_remove("RECSCOPE_SCORE_CACHE")
            .envs(self.env())
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Every file that is there now, below this folder.
    fn files(&self) -> Vec<PathBuf> {
        let (mut files, mut folders) = (Vec::new(), vec![self.folder.path().to_path_buf()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    Ok(kind) if kind.is_file() => files.push(entry.path()),
                    _ => {}
                }
            }
        }
        files
    }

    /// Files (from this folder) that hold a text.
    fn holding(&self, text: &str) -> Vec<String> {
        let holds = |file: &PathBuf| {
            let bytes = std::fs::read(file).unwrap_or_default();
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        };
        let name =
            |file: PathBuf| file.strip_prefix(self.folder.path()).unwrap().to_string_lossy().into_owned();
        self.files().into_iter().filter(holds).map(name).collect()
    }

    fn search(&self, when: &str) {
        // What was put there, what was asked for by name, and what belongs to the notebook.
        let declared = |file: &str| ["work/rows.csv", "work/scored.csv"].contains(&file);
        let beside = |file: &str| file.starts_with("work/.n.cells/");
        let unsaved = |file: &str| beside(file) || file.starts_with("state/");
        let only = |text: &str, allowed: &dyn Fn(&str) -> bool| {
            let wrong: Vec<String> = self.holding(text).into_iter().filter(|file| !allowed(file)).collect();
            assert!(wrong.is_empty(), "{when}: {text} is in {wrong:?}");
        };
        only(CELL, &|file| declared(file) || beside(file));
        only(TYPED, &unsaved);
        only(SECRET, &|_| false);
        only(URL, &|file| file == "work/remote.md");
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &err(output)
}

#[test]
fn commands_write_no_data_and_no_secrets_but_where_they_are_told_to() {
    let (all, model) = (Sandbox::new(), model(1));
    let folder = model.path().to_str().unwrap();
    let failed = said(&all.run(&["run", "n.md"]));
    assert!(failed.contains(CELL), "the user sees what could not be converted: {failed}");
    for args in [
        &["run", "n.md", "--format", "json"][..],
        &["run", "remote.md"],
        &[
            "score",
            "--model",
            folder,
            "--device",
            "cpu",
            "--input",
            "rows.csv",
            "--pair",
            "q,t",
            "--out",
            "scored.csv",
        ],
        &["score", "--model", folder, "--input", "rows.csv", "--pair", "q,no", "--out", "scored.csv"],
        &["eval", "--run", "rows.csv", "--columns", "query=q,item=t,score=y,gain=t", "--per-query"],
        &["explain", "--model", folder, "--query", CELL, "--title", CELL, "--method", "leave_one_out"],
        &["train", "rows.csv"],
        &["models", "pull", "a/b"],
        &["models", "list", "--hash"],
        &["cache", "list"],
        &["doctor"],
    ] {
        let said = said(&all.run(args));
        assert!(!said.contains(SECRET) && !said.contains(URL), "{args:?} says {said}");
    }
    let input = format!("s3://bucket/x.csv?s3_secret_access_key={URL}");
    let output =
        all.run(&["score", "--model", folder, "--input", &input, "--pair", "q,t", "--out", "scored.csv"]);
    assert!(!said(&output).contains(URL), "{}", said(&output));
    all.search("after the commands");
    assert!(all.holding(CELL).contains(&"work/scored.csv".to_string()), "the search finds nothing at all");
    let cached = all.files().into_iter().any(|file| file.starts_with(all.at("home")));
    assert!(cached, "nothing was written below HOME: is the score cache searched? {:?}", all.files());
}

fn children(pid: u32) -> Vec<i32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect()
}

#[test]
fn pty_a_killed_session_leaves_no_data_and_no_secrets_outside_of_the_notebook() {
    let all = Sandbox::new();
    let env = all.env();
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let program = Path::new(env!("CARGO_BIN_EXE_recscope"));
    let mut pty = Pty::start(program, &["n.md"], &all.at("work"), &env, (120, 40));
    pty.wait("the notebook", |text| text.contains("good") && text.contains("worse"));
    pty.settle(Duration::from_millis(300));
    // The panel of a notebook that nobody has trusted: run it once.
    pty.keys("r");
    pty.wait("the failed cells", |text| text.contains('✗'));
    pty.settle(Duration::from_millis(500));
    all.search("while it runs");
    pty.keys("i");
    pty.wait("the editor", |text| text.contains("editing"));
    pty.keys(&format!("-- {TYPED}\r"));
    pty.wait("the typed words", |text| text.contains(TYPED));
    pty.settle(Duration::from_secs(2));
    all.search("while it is edited");
    assert!(!all.holding(TYPED).is_empty(), "unsaved text is kept");
    // The engine dies, then the screen. A core file would hold everything.
    let engines = children(pty.pid());
    assert!(!engines.is_empty(), "no engine");
    for pid in engines.iter().copied().chain([pty.pid() as i32]) {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    }
    for engine in engines {
        // SAFETY: a child of the program that we started.
        unsafe { libc::kill(engine, libc::SIGABRT) };
    }
    pty.settle(Duration::from_secs(2));
    all.search("without the engine");
    let engines = children(pty.pid());
    pty.signal(libc::SIGKILL);
    pty.wait_exit();
    for engine in engines {
        // SAFETY: as above; it ends by itself as well.
        unsafe { libc::kill(engine, libc::SIGKILL) };
    }
    all.search("after all were killed");
}
