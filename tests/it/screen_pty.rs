//! The screen in a real (pseudo-)terminal: frames, keys, sizes, signals, and what is left behind.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::pty::Pty;
use super::screen_child::{NOTEBOOK, PANIC};

const TEXT: &str = "\
# 跑鞋: why did \"running shoes\" show boots?

```sql bad_queries
SELECT range AS shown FROM range(200)
```

The queries above are shown often and clicked seldom.

```sql worst
SELECT * FROM bad_queries LIMIT 3
```
";

struct Stage {
    _folder: tempfile::TempDir,
    notebook: PathBuf,
}

impl Stage {
    fn new(text: &str) -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let notebook = folder.path().join("shoes.md");
        std::fs::write(&notebook, text).unwrap();
        Stage { _folder: folder, notebook }
    }

    fn folder(&self) -> &Path {
        self.notebook.parent().unwrap()
    }

    fn open(&self, env: &[(&str, &str)], size: (u16, u16)) -> Pty {
        let state = self.folder().join("state");
        let mut all = vec![
            (NOTEBOOK, self.notebook.to_str().unwrap()),
            ("RECSCOPE_STATE", state.to_str().unwrap()),
            ("RUST_BACKTRACE", "0"),
        ];
        all.extend_from_slice(env);
        let program = std::env::current_exe().unwrap();
        let args = ["screen_child::screen", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
        let pty = Pty::start(&program, &args, self.folder(), &all, size);
        pty.wait("the first frame", |text| text.contains("bad_queries"));
        pty
    }

    /// The notebook on disk, and the journals of it.
    fn kept(&self) -> String {
        let mut kept = std::fs::read_to_string(&self.notebook).unwrap_or_default();
        let Ok(notebooks) = std::fs::read_dir(self.folder().join("state/notebooks")) else { return kept };
        for file in notebooks.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap()) {
            kept += &std::fs::read_to_string(file.unwrap().path()).unwrap_or_default();
        }
        kept
    }
}

/// Opens the first cell in the editor (it has the focus) and types a line of comment before it.
fn type_into_first_cell(pty: &mut Pty, words: &str) {
    pty.settle(Duration::from_millis(200));
    pty.keys("i");
    pty.wait("the editor", |text| text.contains("editing"));
    pty.keys(&format!("-- {words}\r"));
    pty.wait("the typed words", |text| text.contains(words));
}

#[test]
fn pty_first_frame_then_keys() {
    let stage = Stage::new(TEXT);
    let mut pty = stage.open(&[], (120, 40));
    let first = pty.text();
    assert!(first.contains("worst") && first.contains("跑鞋"), "{first}");
    assert!(pty.screen(|s| s.alternate_screen()));
    pty.keys("?");
    pty.wait("the help", |text| text.contains("Stop what runs") && text.contains("Esc"));
    pty.keys("\u{1b}");
    // The help must be gone: a key that follows Esc in one read is that key with Alt.
    pty.wait("the notebook again", |text| text.contains("bad_queries") && !text.contains("Stop what runs"));
    pty.keys(":");
    pty.keys("run all");
    pty.wait("the palette", |text| text.contains("run all") && text.contains("Enter take"));
    pty.keys("\u{1b}");
    pty.wait("the palette gone", |text| !text.contains("Enter take"));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_sane();
    assert_eq!(std::fs::read_to_string(&stage.notebook).unwrap(), TEXT, "looking changes nothing");
}

#[test]
fn pty_typing_chinese_saves_it() {
    let stage = Stage::new(TEXT);
    let mut pty = stage.open(&[], (80, 24));
    type_into_first_cell(&mut pty, "跑鞋 男");
    assert!(!pty.screen(|s| s.hide_cursor()), "input methods need the terminal's own cursor");
    pty.keys("\u{1b}");
    pty.settle(Duration::from_millis(200));
    pty.keys("\u{13}");
    pty.wait("saved", |text| !text.contains("not saved"));
    let saved = std::fs::read_to_string(&stage.notebook).unwrap();
    assert_eq!(saved, TEXT.replace("SELECT range", "-- 跑鞋 男\nSELECT range"), "only the cell has changed");
}

#[test]
fn pty_survives_a_storm_of_sizes() {
    let stage = Stage::new(TEXT);
    let mut pty = stage.open(&[], (80, 24));
    for i in 0..80u16 {
        let (columns, rows) = (1 + (i * 37) % 240, 1 + (i * 13) % 70);
        pty.resize(columns, rows);
        if i % 4 == 0 {
            pty.keys("j");
        }
    }
    // What no screen has: neither memory nor arithmetic may give way.
    pty.tell_size(u16::MAX, u16::MAX);
    pty.settle(Duration::from_millis(300));
    assert!(pty.is_alive());
    pty.resize(1, 1);
    pty.settle(Duration::from_millis(300));
    assert!(pty.is_alive());
    pty.resize(120, 40);
    pty.settle(Duration::from_millis(300));
    pty.wait("the notebook at full size", |text| text.contains("bad_queries") && text.contains("worst"));
}

#[test]
fn pty_ctrl_z_gives_the_terminal_back_and_fg_takes_it() {
    let stage = Stage::new(TEXT);
    let mut pty = stage.open(&[], (100, 30));
    pty.keys("\u{1a}");
    pty.wait_state('T');
    pty.settle(Duration::from_millis(200));
    pty.assert_sane();
    pty.resize(90, 28);
    pty.signal(libc::SIGCONT);
    pty.wait("the screen again", |text| text.contains("bad_queries"));
    assert!(pty.screen(|s| s.alternate_screen()));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_sane();
}

fn ends_sane_by(signal: i32) {
    let stage = Stage::new(TEXT);
    let mut pty = stage.open(&[], (100, 30));
    type_into_first_cell(&mut pty, "kept_safe");
    pty.signal(signal);
    pty.wait_exit();
    pty.assert_sane();
    assert!(stage.kept().contains("kept_safe"), "lost what was typed: {}", stage.kept());
}

#[test]
fn pty_sigterm_saves_and_leaves_the_terminal_sane() {
    ends_sane_by(libc::SIGTERM);
}

#[test]
fn pty_sighup_saves_and_leaves_the_terminal_sane() {
    ends_sane_by(libc::SIGHUP);
}

#[test]
fn pty_a_dropped_line_loses_nothing() {
    let stage = Stage::new(TEXT);
    let mut pty = stage.open(&[], (100, 30));
    type_into_first_cell(&mut pty, "kept_safe");
    pty.hang_up();
    pty.wait_exit();
    assert!(stage.kept().contains("kept_safe"), "lost what was typed: {}", stage.kept());
}

#[test]
fn pty_idle_writes_nothing() {
    let stage = Stage::new(TEXT);
    let pty = stage.open(&[], (200, 50));
    pty.settle(Duration::from_secs(1));
    let before = pty.bytes().len();
    std::thread::sleep(Duration::from_secs(3));
    let after = pty.bytes();
    assert_eq!(after.len(), before, "wrote {:?}", String::from_utf8_lossy(&after[before..]));
}

#[test]
fn pty_a_panic_while_drawing_restores_the_terminal_and_keeps_the_text() {
    let stage = Stage::new(TEXT);
    let mut pty = stage.open(&[(PANIC, "ui")], (100, 30));
    type_into_first_cell(&mut pty, "kept_safe");
    pty.keys("\u{1b}");
    pty.settle(Duration::from_millis(200));
    pty.keys("r");
    assert_ne!(pty.wait_exit(), 0);
    pty.assert_sane();
    let text = pty.text();
    assert!(text.contains("planted in the thread that draws"), "the panic must be readable:\n{text}");
    assert!(stage.kept().contains("kept_safe"), "lost what was typed: {}", stage.kept());
}

#[test]
fn pty_a_workers_panic_does_not_tear_the_screen() {
    let stage = Stage::new(TEXT);
    let mut pty = stage.open(&[(PANIC, "worker")], (100, 30));
    pty.settle(Duration::from_millis(200));
    pty.keys("r");
    let planted = stage.folder().join("panicked");
    pty.wait("the worker's panic", |_| planted.exists());
    pty.settle(Duration::from_millis(500));
    assert!(pty.is_alive());
    let text = pty.text();
    assert!(text.contains("bad_queries") && !text.contains("planted in a worker"), "{text}");
    assert!(pty.screen(|s| s.alternate_screen()));
}

#[test]
fn pty_hostile_text_reaches_no_terminal() {
    let evil = "\u{1b}]52;c;QUJD\u{7}\u{1b}[2J\u{202e}\u{200b}\u{9b}31m";
    let text = format!("# 标题{evil}end\n\n```sql bad_queries\nSELECT '{evil}' AS x\n```\n\nprose {evil}\n");
    let stage = Stage::new(&text);
    let mut pty = stage.open(&[], (120, 40));
    pty.wait("the title's end", |text| text.contains("end"));
    pty.keys("j");
    pty.keys("i");
    pty.settle(Duration::from_millis(300));
    let bytes = pty.bytes();
    let said = String::from_utf8_lossy(&bytes);
    for bad in ["\u{1b}]52", "\u{202e}", "\u{200b}", "\u{9b}", "\u{7}"] {
        assert!(!said.contains(bad), "{bad:?} reached the terminal");
    }
}

#[test]
fn pty_no_color_keeps_attributes_and_drops_colours() {
    let stage = Stage::new(TEXT);
    let pty = stage.open(&[("NO_COLOR", "1")], (120, 40));
    pty.settle(Duration::from_millis(300));
    let bytes = pty.bytes();
    let said = String::from_utf8_lossy(&bytes);
    for sgr in said.split("\u{1b}[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
        rest[end..].starts_with('m').then(|| &rest[..end])
    }) {
        for code in sgr.split(';') {
            let code: u32 = code.parse().unwrap_or(0);
            assert!(!(30..=38).contains(&code) && !(40..=48).contains(&code), "colour {sgr:?}");
            assert!(!(90..=107).contains(&code), "colour {sgr:?}");
        }
    }
    assert!(said.contains("\u{1b}[1m"), "bold is kept");
    assert!(!said.contains("\u{1b}[m"), "a bare reset drops bold and reverse");
}

/// The program itself, with its engine behind a socket.
fn open_program(stage: &Stage, size: (u16, u16)) -> Pty {
    let program = Path::new(env!("CARGO_BIN_EXE_recscope"));
    let notebook = stage.notebook.to_str().unwrap();
    let home = stage.folder().to_str().unwrap();
    let state = stage.folder().join("state");
    let state = state.to_str().unwrap();
    let trusted = std::process::Command::new(program)
        .args(["trust", "add", home])
        .env("RECSCOPE_STATE", state)
        .output()
        .unwrap();
    assert!(trusted.status.success(), "{trusted:?}");
    let env = [("RECSCOPE_STATE", state), ("XDG_CACHE_HOME", home), ("XDG_CONFIG_HOME", home)];
    Pty::start(program, &[notebook], stage.folder(), &env, size)
}

#[test]
fn pty_the_program_runs_cells_and_shows_hostile_rows_harmless() {
    let stage = Stage::new(
        "# 跑鞋\n\n```sql evil\nSELECT 4321 AS rank, 'boots' || chr(27) || ']52;c;QUJD' || chr(7) || chr(8238) || 'x' AS title\n```\n",
    );
    let mut pty = open_program(&stage, (120, 40));
    pty.wait("the first frame", |text| text.contains("evil"));
    pty.keys("R");
    pty.wait("the cell's row", |text| text.contains("4321") && text.contains("boots␛]52;c;QUJD␇x"));
    let bytes = pty.bytes();
    let said = String::from_utf8_lossy(&bytes);
    assert!(!said.contains("\u{1b}]52") && !said.contains('\u{202e}'), "an escape reached the terminal");
    pty.settle(Duration::from_secs(1));
    let before = pty.bytes().len();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(pty.bytes().len(), before, "idle with an engine writes nothing either");
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    pty.assert_sane();
}

#[test]
fn pty_keys_are_answered_while_a_query_takes_every_core_and_ctrl_c_stops_it() {
    let stage = Stage::new(
        "# busy\n\n```sql heavy\nSELECT count(*) AS n FROM range(4000000) a, range(4000000) b WHERE a.range * 7 % 11 > b.range % 13\n```\n",
    );
    let mut pty = open_program(&stage, (120, 40));
    pty.wait("the first frame", |text| text.contains("heavy"));
    pty.keys("R");
    pty.wait("the running query", |text| text.contains("Ctrl-C stop"));
    pty.keys("?");
    pty.wait("the help over it", |text| text.contains("Everywhere"));
    pty.keys("\u{1b}");
    pty.wait("the help gone", |text| !text.contains("Everywhere"));
    pty.keys("\u{3}");
    pty.wait("the query stopped", |text| text.contains("cancelled") || text.contains('■'));
    assert!(pty.is_alive(), "Ctrl-C never quits while something runs");
}
