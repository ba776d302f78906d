//! Threads that fall, a terminal that cannot draw, and a machine that gives too little: said in words, with
//! the exit code that fits, and nothing lost.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use recscope::util::supervised::PLANT;

use crate::pty::Pty;
use crate::soak::stage::{PROGRAM, Stage, TEXT, type_marker, until};

fn open(stage: &Stage, extra: &[(&str, &str)]) -> Pty {
    let env = stage.env();
    let mut env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
    env.extend_from_slice(extra);
    Pty::start(Path::new(PROGRAM), &[stage.notebook.to_str().unwrap()], &stage.work(), &env, (110, 34))
}

#[test]
fn pty_a_thread_that_reads_keys_falls_and_is_begun_again() {
    let stage = Stage::new(TEXT);
    let mut pty = open(&stage, &[(PLANT, "keys:2")]);
    pty.wait("what fell", |text| text.contains("thread `keys`") && text.contains("started again"));
    pty.settle(Duration::from_millis(200));
    type_marker(&mut pty, "still_heard");
    pty.signal(libc::SIGTERM);
    assert_eq!(pty.wait_exit(), 143);
    pty.assert_sane();
    assert!(!stage.holding("still_heard").is_empty());
}

#[test]
fn pty_one_that_falls_for_ever_ends_the_program_in_words() {
    let stage = Stage::new(TEXT);
    let mut pty = open(&stage, &[(PLANT, "keys:99")]);
    assert_eq!(pty.wait_exit(), 70);
    pty.assert_sane();
    let text = pty.text();
    assert!(text.contains("thread `keys`") && text.contains("again and again"), "{text}");
}

#[test]
fn pty_hands_that_fall_still_keep_what_is_typed() {
    let stage = Stage::new(TEXT);
    let mut pty = open(&stage, &[(PLANT, "hands")]);
    pty.wait("the first frame", |text| text.contains("first"));
    type_marker(&mut pty, "kept_all_the_same");
    until("the journal", 20, || (!stage.holding("kept_all_the_same").is_empty()).then_some(())).unwrap();
    pty.signal(libc::SIGTERM);
    assert_eq!(pty.wait_exit(), 143);
}

#[test]
fn pty_an_engine_whose_lane_falls_says_so() {
    let stage = Stage::new(TEXT);
    for thread in ["cell-lane", "peek-lane", "events", "engine"] {
        let mut pty = open(&stage, &[(PLANT, thread)]);
        pty.wait("the engine given up", |text| text.contains("stopped again"));
        assert!(pty.is_alive());
        type_marker(&mut pty, "x");
        pty.signal(libc::SIGTERM);
        assert_eq!(pty.wait_exit(), 143, "{thread}");
        pty.assert_sane();
    }
}

fn run(stage: &Stage, env: (&str, &str)) -> (Option<i32>, String) {
    let output = stage.command(&["run", "shoes.md"]).env(env.0, env.1).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said)
}

#[test]
fn a_lane_that_falls_without_a_screen_is_exit_70_in_words() {
    let stage = Stage::new(TEXT);
    for thread in ["cell-lane", "peek-lane", "engine"] {
        let (code, said) = run(&stage, (PLANT, thread));
        assert!(code == Some(70) && said.contains(&format!("thread `{thread}`")), "{code:?} {said}");
    }
    let (code, said) = run(&stage, (PLANT, "model-lane"));
    assert_eq!(code, Some(0), "begun again: {said}");
}

#[test]
fn a_temporary_folder_that_takes_nothing_is_an_error_with_a_remedy() {
    let stage = Stage::new(TEXT);
    let (code, said) = run(&stage, ("TMPDIR", "/proc"));
    assert!(code == Some(3) && said.contains("/proc") && said.contains("set TMPDIR"), "{code:?} {said}");
}

#[test]
fn too_little_address_space_is_said_before_a_library_aborts() {
    let stage = Stage::new(TEXT);
    let line = format!("ulimit -v 300000; exec {PROGRAM} run shoes.md");
    let mut command = Command::new("/bin/sh");
    let output = command.args(["-c", &line]).current_dir(stage.work()).envs(stage.env()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && said.contains("ulimit -v"), "{:?} {said}", output.status);
}

#[test]
fn pty_a_terminal_that_cannot_draw_gets_a_sentence() {
    let stage = Stage::new(TEXT);
    for term in ["dumb", ""] {
        let mut pty = open(&stage, &[("TERM", term)]);
        assert_eq!(pty.wait_exit(), 2);
        let text = pty.text();
        assert!(text.contains("TERM") && text.contains("recscope run"), "{text}");
        assert!(!pty.bytes().contains(&0x1b), "no escape sequence reaches it");
    }
}
