//! Several screens on one notebook, unsaved text after a kill, and other programs writing the file: in real
//! (pseudo-)terminals, with a state folder of the test's own.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::pty::Pty;
use super::screen_child::NOTEBOOK;

const TEXT: &str = "# 跑鞋\n\n```sql shoes\nSELECT 1 AS shown\n```\n";

struct Stage {
    folder: tempfile::TempDir,
    notebook: PathBuf,
}

impl Stage {
    fn new() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let notebook = folder.path().join("work/n.md");
        std::fs::create_dir(folder.path().join("work")).unwrap();
        std::fs::write(&notebook, TEXT).unwrap();
        Stage { folder, notebook }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    fn open(&self) -> Pty {
        let state = self.state();
        let env = [
            (NOTEBOOK, self.notebook.to_str().unwrap()),
            ("RECSCOPE_STATE", state.to_str().unwrap()),
            ("RUST_BACKTRACE", "0"),
            ("USER", "ann"),
        ];
        let program = std::env::current_exe().unwrap();
        let args = ["screen_child::screen", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
        let pty = Pty::start(&program, &args, self.folder.path(), &env, (100, 30));
        pty.wait("the first frame", |text| text.contains("shoes"));
        pty.settle(Duration::from_millis(200));
        pty
    }

    fn file(&self) -> String {
        std::fs::read_to_string(&self.notebook).unwrap()
    }

    /// Names and texts of what is kept: `unsaved` of sessions, `kept` what was laid aside.
    fn kept(&self, kind: &str) -> Vec<String> {
        let Ok(notebooks) = std::fs::read_dir(self.state().join("notebooks")) else { return Vec::new() };
        let files = notebooks.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
        let files = files.map(|file| file.unwrap().path());
        let ours = files.filter(|file| file.file_name().unwrap().to_str().unwrap().starts_with(kind));
        ours.map(|file| std::fs::read_to_string(file).unwrap_or_default()).collect()
    }

    fn keeps(&self, words: &str) -> bool {
        self.kept("unsaved").iter().any(|text| text.contains(words))
    }
}

/// Types a comment into the cell, and waits until it is kept safe.
fn type_words(stage: &Stage, pty: &mut Pty, words: &str) {
    pty.keys("e");
    pty.wait("the editor", |text| text.contains("editing"));
    pty.keys(&format!("-- {words}\r"));
    pty.wait("the journal", |_| stage.keeps(words));
    leave_editor(pty);
}

fn leave_editor(pty: &mut Pty) {
    pty.keys("\u{1b}");
    pty.wait("the notebook", |text| !text.contains("editing"));
    pty.settle(Duration::from_millis(100));
}

fn save(pty: &mut Pty) {
    pty.keys("\u{13}");
    pty.wait("saved", |text| text.contains("✓ saved"));
}

/// A command by words of its name or its sentence; `name` is what the palette must then show first.
fn command(pty: &mut Pty, name: &str) {
    pty.keys(":");
    pty.keys(name);
    let first = name.trim_end_matches(" recovered");
    pty.wait("the palette", |text| {
        text.contains(&format!("▸{first}")) && text.contains(&format!(": {name}"))
    });
    pty.keys("\r");
}

fn kill(pty: &mut Pty) {
    pty.signal(libc::SIGKILL);
    pty.wait_exit();
}

#[test]
fn pty_a_save_in_one_session_leaves_the_others_unsaved_text() {
    let stage = Stage::new();
    let mut a = stage.open();
    let mut b = stage.open();
    b.wait("who has it", |text| text.contains("(ann@") && text.contains("writes here"));
    b.keys("go on");
    b.keys("\r");
    b.wait("both write", |text| text.contains("open elsewhere"));
    a.wait("being told", |text| text.contains("writes in this notebook too"));
    type_words(&stage, &mut b, "BBBB");
    type_words(&stage, &mut a, "AAAA");
    save(&mut a);
    b.wait("the save of A", |text| text.contains("another program changed the file"));
    a.wait("its own journal gone", |_| !stage.keeps("AAAA"));
    assert!(stage.keeps("BBBB"));
    kill(&mut b);
    a.wait("the end of B", |text| text.contains(":recover"));
    a.keys("q");
    a.wait_exit();
    let mut c = stage.open();
    c.wait("the offer", |text| text.contains("`:recover`"));
    assert!(!c.text().contains("writes here"), "nobody else is there");
    command(&mut c, "recover");
    c.wait("the comparison", |text| text.contains("+ -- BBBB") && text.contains("− -- AAAA"));
    c.keys("\r");
    c.wait("recovered", |text| text.contains("✓ recovered"));
    save(&mut c);
    assert!(stage.file().contains("BBBB"));
    c.wait("nothing kept any more", |_| stage.kept("unsaved").is_empty());
}

#[test]
fn pty_taking_over_makes_the_other_one_watch() {
    let stage = Stage::new();
    let mut a = stage.open();
    type_words(&stage, &mut a, "of_A");
    let mut b = stage.open();
    b.wait("the question", |text| text.contains("writes here"));
    b.keys("\r");
    b.wait("watching", |text| text.contains("watching, read only"));
    b.keys("e");
    b.settle(Duration::from_millis(300));
    let before = b.bytes().len();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(b.bytes().len(), before, "watching writes nothing to the terminal");
    command(&mut b, "take over");
    b.wait("taken over", |text| text.contains("you write now"));
    a.wait("being told", |text| text.contains("taken over") && text.contains("watching, read only"));
    assert!(!a.text().contains("of_A"), "the file is shown");
    a.wait("its text laid aside", |_| stage.kept("kept").iter().any(|text| text.contains("of_A")));
    assert_eq!(stage.file(), TEXT);
    a.keys("\r");
    type_words(&stage, &mut b, "of_B");
    save(&mut b);
    a.wait("what B saved", |text| text.contains("-- of_B"));
    a.keys("q");
    assert_eq!(a.wait_exit(), 0);
    command(&mut b, "recover");
    b.wait("the text of A", |text| text.contains("+ -- of_A"));
}

fn left_by_a_kill() -> Stage {
    let stage = Stage::new();
    let mut pty = stage.open();
    type_words(&stage, &mut pty, "PRECIOUS");
    kill(&mut pty);
    stage
}

#[test]
fn pty_a_killed_sessions_text_survives_typing_and_saving_and_another_kill() {
    let stage = left_by_a_kill();
    let mut pty = stage.open();
    pty.wait("the offer", |text| text.contains("`:recover`"));
    type_words(&stage, &mut pty, "newer");
    assert!(stage.keeps("PRECIOUS"));
    save(&mut pty);
    pty.wait("its own journal gone", |_| !stage.keeps("newer"));
    assert!(stage.keeps("PRECIOUS"));
    type_words(&stage, &mut pty, "newest");
    kill(&mut pty);
    assert!(stage.keeps("PRECIOUS") && stage.keeps("newest"));

    let mut pty = stage.open();
    pty.wait("both", |text| text.contains("2 unsaved texts"));
    command(&mut pty, "recover");
    pty.wait("the list", |text| text.contains("newest first"));
    pty.keys("\u{1b}");
    pty.wait("the notebook", |text| !text.contains("newest first"));
    pty.settle(Duration::from_millis(100));
    command(&mut pty, "discard recovered");
    pty.wait("the list", |text| text.contains("which one is to be discarded"));
    pty.keys("all\r");
    pty.wait("the question", |text| text.contains("discard all 2"));
    assert!(stage.keeps("PRECIOUS") && stage.keeps("newest"), "not before the answer");
    pty.keys("discard\r");
    pty.wait("the answer", |text| text.contains("2 unsaved texts were discarded"));
    assert!(!stage.keeps("PRECIOUS") && !stage.keeps("newest"));
}

#[test]
fn pty_a_link_at_the_old_place_is_never_written() {
    let stage = Stage::new();
    let victim = stage.folder.path().join("bashrc");
    std::fs::write(&victim, "# mine\n").unwrap();
    let cells = stage.notebook.with_file_name(".n.cells");
    std::fs::create_dir(&cells).unwrap();
    symlink("../../bashrc", cells.join("unsaved.md")).unwrap();
    let mut pty = stage.open();
    assert!(!pty.text().contains(":recover"), "what a link leads to is not offered");
    type_words(&stage, &mut pty, "typed");
    kill(&mut pty);
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "# mine\n");
    assert!(only_links(&cells) && stage.keeps("typed"));
    // The folder itself as a link.
    std::fs::remove_dir_all(&cells).unwrap();
    let elsewhere = stage.folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &cells).unwrap();
    let mut pty = stage.open();
    type_words(&stage, &mut pty, "again");
    kill(&mut pty);
    assert!(only_links(&elsewhere));
}

fn only_links(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().all(|entry| entry.unwrap().file_type().unwrap().is_symlink())
}

#[test]
fn pty_a_change_by_another_program_is_noticed_without_a_key() {
    let stage = Stage::new();
    let mut pty = stage.open();
    let theirs = TEXT.replace("SELECT 1", "-- theirs_1\nSELECT 1");
    std::fs::write(&stage.notebook, &theirs).unwrap();
    pty.wait("the file as it is now", |text| text.contains("theirs_1"));
    assert!(!pty.text().contains("not saved"));
    type_words(&stage, &mut pty, "mine");
    std::fs::write(&stage.notebook, theirs.replace("theirs_1", "theirs_2")).unwrap();
    pty.wait("the choice", |text| text.contains("see what differs") && text.contains("changed on disk"));
    pty.keys("\r");
    pty.wait("the comparison", |text| text.contains("+ -- theirs_2") && text.contains("− -- mine"));
    pty.keys("m");
    pty.keys("\u{13}");
    pty.wait("a save that asks", |text| text.contains("overwrite it"));
    assert!(stage.file().contains("theirs_2") && !stage.file().contains("mine"));
    pty.keys("theirs\r");
    pty.wait("theirs", |text| text.contains("theirs_2") && !text.contains("not saved"));
    assert!(stage.kept("kept").iter().any(|text| text.contains("mine")));
    std::fs::remove_file(&stage.notebook).unwrap();
    pty.wait("the file gone", |text| text.contains("removed the file"));
    save(&mut pty);
    assert!(stage.file().contains("theirs_2"));
}

#[test]
fn pty_a_journal_that_cannot_be_written_is_said_and_saving_works() {
    use std::os::unix::fs::PermissionsExt;
    let stage = Stage::new();
    let mut pty = stage.open();
    let notebooks = stage.state().join("notebooks");
    let folder = std::fs::read_dir(&notebooks).unwrap().next().unwrap().unwrap().path();
    // Not by its mode: the tests may run as root.
    std::fs::rename(&folder, stage.folder.path().join("moved")).unwrap();
    std::fs::write(&folder, "in the way").unwrap();
    pty.keys("e");
    pty.wait("the editor", |text| text.contains("editing"));
    pty.keys("-- typed ");
    pty.wait("the warning", |text| text.contains("not being kept safe") && text.contains("NOT KEPT SAFE"));
    save(&mut pty);
    assert!(stage.file().contains("-- typed"));
    assert_eq!(std::fs::metadata(stage.state()).unwrap().permissions().mode() & 0o777, 0o700);
}
