//! A notebook that nobody has trusted, on screen: it opens as text, one panel says what it would touch,
//! and keys decide.

use std::path::Path;
use std::time::Duration;

use super::pty::Pty;
use super::trust::Stage;

const TEXT: &str = "---\nrecscope: 1\nsources:\n  logs: ../data/*.csv\n---\n# 跑鞋\n\n```sql q\nSELECT 40 + 2 AS answer\n```\n\n\
                    ```sql r\nFROM read_text('ROOThome/secret')\n```\n";

fn open(stage: &Stage, args: &[&str], size: (u16, u16)) -> Pty {
    let at = |name: &str| stage.at(name).display().to_string();
    let env = [
        ("RECSCOPE_STATE", at("state")),
        ("HOME", at("home")),
        ("XDG_CACHE_HOME", at("cache")),
        ("XDG_CONFIG_HOME", at("config")),
        ("RUST_BACKTRACE", "0".into()),
    ];
    let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Pty::start(Path::new(env!("CARGO_BIN_EXE_recscope")), args, &stage.at("work"), &env, size)
}

#[test]
fn pty_an_untrusted_notebook_is_text_until_a_key_says_otherwise() {
    let stage = Stage::new(TEXT);
    let mut pty = open(&stage, &["n.md"], (120, 40));
    pty.wait("the panel", |text| text.contains("no folder that you trust") && text.contains("~/secret"));
    let shown = pty.text();
    assert!(shown.contains("refused unless trusted") && shown.contains("../data/*.csv"), "{shown}");
    pty.settle(Duration::from_millis(300));
    assert!(!stage.at("work/.n.cells").exists(), "nothing is made before the answer");
    pty.keys("\u{1b}");
    pty.wait("the text alone", |text| text.contains("text only") && text.contains("跑鞋"));
    // Asking for a run asks again.
    pty.keys("R");
    pty.wait("the panel again", |text| text.contains("run it once"));
    pty.keys("r");
    pty.wait("the result within limits", |text| text.contains("limited") && text.contains("within limits"));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
}

#[test]
fn pty_trusting_the_folder_is_asked_once() {
    let stage = Stage::new(TEXT);
    let mut pty = open(&stage, &["n.md"], (80, 24));
    pty.wait("the panel", |text| text.contains("trust this folder"));
    pty.keys("t");
    pty.wait("the engine", |text| text.contains("trusted: ") && text.contains("engine"));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    let mut pty = open(&stage, &["n.md"], (80, 24));
    pty.wait("no panel", |text| text.contains("engine") && !text.contains("trust this folder"));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
}

#[test]
fn pty_a_notebook_that_the_screen_made_is_its_own() {
    let stage = Stage::new(TEXT);
    let mut pty = open(&stage, &["new.md"], (80, 24));
    pty.wait("the screen", |text| text.contains("new.md"));
    pty.settle(Duration::from_millis(200));
    pty.keys("\u{13}");
    pty.wait("the save", |text| text.contains("saved "));
    pty.settle(Duration::from_millis(300));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
    let listed = stage.recscope(&["trust", "list"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("new.md"), "{listed:?}");
    let mut pty = open(&stage, &["new.md"], (80, 24));
    pty.wait("no panel", |text| text.contains("engine") && !text.contains("trust this folder"));
    pty.keys("q");
    assert_eq!(pty.wait_exit(), 0);
}
