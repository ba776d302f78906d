//! Other sessions, kept texts, and files that another program changed.

use super::{SHOES, driver};
use crate::screen::app::fake::Driver;
use crate::screen::app::{
    About, Comparison, Effect, FileNow, FileTask, Holder, KeptText, Mode, Msg, News, Opening, SaveError,
};

fn holder(id: &str) -> Holder {
    Holder { id: id.into(), words: format!("pid {id} (ann@box, open for 12 min)"), watches: false }
}

fn kept(name: &str, text: &str) -> KeptText {
    KeptText { name: name.into(), words: "3 min ago".into(), text: text.into(), ..KeptText::default() }
}

fn opened(others: Vec<Holder>, kept: usize) -> Driver {
    let path = Some("/nowhere/shoes.md".into());
    let (text, on_disk) = (SHOES.into(), Some(SHOES.into()));
    Driver::open(Opening { text, path, on_disk, others, kept, auto_run: true, ..Opening::default() }, 80, 24)
}

fn news(d: &mut Driver, news: News) {
    d.send(Msg::Sessions(news));
}

fn changed(d: &mut Driver, text: &str) {
    news(d, News::File(FileNow::Text(text.into())));
}

/// The file tasks since the last look.
fn tasks(d: &mut Driver) -> Vec<FileTask> {
    let task = |effect| match effect {
        Effect::File(task) => Some(task),
        _ => None,
    };
    std::mem::take(&mut d.effects).into_iter().filter_map(task).collect()
}

fn status(d: &Driver) -> &str {
    d.app.status.as_ref().map_or("", |status| &status.text)
}

fn title(d: &Driver) -> &str {
    match &d.app.mode {
        Mode::Menu(menu) => &menu.title,
        other => panic!("no menu: {other:?}"),
    }
}

fn command(d: &mut Driver, name: &str) {
    d.keys(":");
    d.type_text(name);
    d.keys("enter");
}

#[test]
fn the_second_session_is_asked_and_until_then_nothing_can_be_written() {
    let mut d = opened(vec![holder("7")], 0);
    assert!(title(&d).contains("pid 7 (ann@box"), "{}", title(&d));
    d.keys("esc");
    tasks(&mut d);
    for keys in ["e", "d d", "a", "n", "J", "u", "ctrl-y", "ctrl-s"] {
        d.keys(keys);
        assert!(status(&d).contains("read only; `:take over` writes here: pid 7"), "{keys}: {}", status(&d));
        assert_eq!((d.app.doc.text().as_str(), &d.app.mode), (SHOES, &Mode::Normal), "{keys}");
    }
    assert_eq!(tasks(&mut d), []);
    assert_eq!(d.app.wants_tick(), None);
    d.send(Msg::Terminate);
    assert_eq!(tasks(&mut d), [], "nothing of ours to keep or save");
}

#[test]
fn watching_follows_the_file_and_runs_nothing() {
    let mut d = opened(vec![holder("7")], 0);
    d.keys("enter R");
    d.finish(super::info);
    d.keys("j");
    let focus = d.app.focused_cell().map(str::to_owned);
    d.effects.clear();
    let text = SHOES
        .replace("# Why boots?\n", "# Why boots?\n\n```sql first\nSELECT 1\n```\n")
        .replace("impressions\n`", "impressions LIMIT 5\n`");
    changed(&mut d, &text);
    assert_eq!(d.app.doc.text(), text);
    assert!(status(&d).contains("shown as it is now") && !d.app.is_dirty());
    assert_eq!(d.app.focused_cell().map(str::to_owned), focus, "the same cell, further below");
    assert!(d.app.run("rel").unwrap().stale && super::ran(&d.sent()).is_empty());
    news(&mut d, News::Others { now: vec![], left_text: true });
    assert!(status(&d).contains("nobody else writes any more") && status(&d).contains(":recover"));
}

#[test]
fn taking_over_and_going_on_beside() {
    let mut d = opened(vec![holder("7")], 0);
    tasks(&mut d);
    d.keys("down enter");
    assert_eq!(tasks(&mut d), [FileTask::TakeOver]);
    d.keys("e");
    assert_eq!(d.app.mode, Mode::Normal, "not before it is done");
    news(&mut d, News::TookOver(Err("no room".into())));
    assert!(status(&d).contains("not taken over: no room") && d.app.sessions.watching);
    news(&mut d, News::TookOver(Ok(())));
    d.keys("e");
    assert!(matches!(d.app.mode, Mode::Edit(_)));

    let mut d = opened(vec![holder("7")], 0);
    tasks(&mut d);
    d.keys("down down enter");
    assert_eq!(tasks(&mut d), [FileTask::Write]);
    assert!(!d.app.sessions.watching && d.app.marks().contains(&"▲ open elsewhere"));
}

#[test]
fn who_is_taken_over_from_loses_nothing_and_can_take_it_back() {
    let mut d = driver();
    d.keys("e");
    d.type_text("mine ");
    tasks(&mut d);
    news(&mut d, News::TakenOver(holder("9")));
    let aside = tasks(&mut d);
    assert!(
        matches!(&aside[..], [FileTask::SetAside { text, on_disk: Some(_) }] if text.contains("mine SELECT"))
    );
    assert_eq!(d.app.doc.text(), SHOES, "the file is shown");
    assert!(status(&d).contains("taken over") && status(&d).contains(":recover"), "{}", status(&d));
    d.type_text("lots of text that was meant for the editor");
    d.keys("ctrl-u esc");
    assert_eq!(d.app.doc.text(), SHOES);
    assert!(d.app.sessions.watching);
    command(&mut d, "take over");
    assert_eq!(tasks(&mut d), [FileTask::TakeOver]);
    news(&mut d, News::TookOver(Ok(())));
    d.keys("u");
    assert!(d.app.doc.text().contains("mine SELECT"), "undo has it, too");
}

#[test]
fn a_change_outside_is_shown_at_once_where_nothing_is_unsaved() {
    let mut d = driver();
    d.keys("e");
    let text = SHOES.replace("bad\nSELECT", "bad\n-- theirs\nSELECT");
    changed(&mut d, &text);
    assert!(!d.app.is_dirty() && d.app.live_text() == text);
    d.type_text("x");
    assert!(d.app.live_text().contains("bad\nx-- theirs"), "the editor goes on in the same cell");
    d.keys("esc u u");
    assert_eq!(d.app.doc.text(), SHOES, "undo has what was before");
}

#[test]
fn an_editor_whose_cell_is_gone_is_not_torn_away() {
    let mut d = driver();
    d.keys("e");
    let text = "# only prose\n";
    changed(&mut d, text);
    assert!(matches!(d.app.mode, Mode::Edit(_)), "keys must not become commands");
    assert!(status(&d).contains("another program changed the file"));
    d.type_text("typed");
    d.keys("esc");
    assert!(title(&d).contains("another program changed the file"), "asked when the editor is left");
}

#[test]
fn a_change_outside_with_unsaved_work_is_a_choice() {
    let theirs = "# theirs\n";
    let conflict = || {
        let mut d = driver();
        d.keys("d d");
        changed(&mut d, theirs);
        assert!(title(&d).contains("your text is not saved"));
        tasks(&mut d);
        d
    };
    let mut see = conflict();
    see.keys("enter");
    assert!(
        matches!(&tasks(&mut see)[..], [FileTask::Compare { about: About::File, to, .. }] if to == theirs)
    );
    news(&mut see, News::Compared { about: About::File, comparison: Comparison::default() });
    assert!(matches!(see.app.mode, Mode::Diff(_)));
    see.keys("m");
    assert_eq!(see.app.mode, Mode::Normal);
    assert!(see.app.is_dirty() && see.app.marks().contains(&"▲ changed on disk"));
    see.keys("ctrl-s");
    let save = tasks(&mut see);
    assert!(
        matches!(&save[..], [FileTask::Save { on_disk: Some(was), force: false, .. }] if was == SHOES),
        "the disk is what it was not made from: refused and asked"
    );

    let mut take = conflict();
    let mine = take.app.live_text();
    take.keys("down down enter");
    assert!(matches!(&tasks(&mut take)[..], [FileTask::SetAside { text, .. }] if *text == mine));
    assert_eq!(take.app.doc.text(), theirs);
    assert!(!take.app.is_dirty() && take.app.sessions.outside.is_none());
    take.keys("u");
    assert_eq!(take.app.doc.text(), mine);

    let mut back = conflict();
    back.keys("esc");
    changed(&mut back, SHOES);
    assert!(back.app.sessions.outside.is_none(), "the file is again what it was");
}

#[test]
fn a_file_that_is_gone_is_written_again() {
    let mut d = driver();
    news(&mut d, News::File(FileNow::Gone));
    assert!(d.app.is_dirty() && status(&d).contains("Ctrl-S"));
    assert_eq!(d.app.wants_tick(), Some(400), "kept safe, as it is in no file");
    d.keys("q");
    assert!(!d.app.quitting, "leaving asks");
}

#[test]
fn one_kept_text_is_compared_taken_and_discarded_only_when_saved() {
    let mut d = opened(vec![], 1);
    assert!(status(&d).contains(":recover"));
    // Typing and saving come first: neither touches what is kept.
    d.keys("e");
    d.type_text("x");
    d.keys("esc");
    tasks(&mut d);
    d.keys("ctrl-s");
    let text = d.app.doc.text();
    d.send(Msg::Saved { text, result: Ok("/nowhere/shoes.md".into()) });
    assert!(!tasks(&mut d).iter().any(|task| matches!(task, FileTask::Discard { .. })));

    command(&mut d, "recover");
    assert!(matches!(&tasks(&mut d)[..], [FileTask::FindKept { discard: false, .. }]));
    let one = kept("unsaved-7-1.md", "# recovered\n");
    let found = |d: &mut Driver| {
        news(d, News::Kept { kept: vec![one.clone()], left_out: 0, discard: false });
        let compare = tasks(d);
        assert!(matches!(&compare[..], [FileTask::Compare { to, .. }] if *to == one.text), "{compare:?}");
        news(d, News::Compared { about: About::Kept(one.clone()), comparison: Comparison::default() });
    };
    found(&mut d);
    d.keys("esc");
    assert_eq!(d.app.mode, Mode::Normal);
    found(&mut d);
    d.keys("enter");
    assert_eq!(d.app.doc.text(), one.text);
    assert_eq!(tasks(&mut d), [], "kept until it is saved");

    let save = |d: &mut Driver| {
        let text = d.app.doc.text();
        d.send(Msg::Saved { text, result: Ok("/nowhere/shoes.md".into()) });
        tasks(d).into_iter().filter(|task| matches!(task, FileTask::Discard { .. })).collect::<Vec<_>>()
    };
    d.keys("u");
    assert_eq!(save(&mut d), [], "undone: what is saved is not it");
    d.keys("ctrl-y");
    assert_eq!(save(&mut d), [FileTask::Discard { kept: vec![one.clone()], asked: false }]);
    assert_eq!(save(&mut d), [], "once");
}

#[test]
fn unsaved_work_is_laid_aside_before_a_kept_text_replaces_it() {
    let mut d = driver();
    d.keys("d d");
    let mine = d.app.doc.text();
    tasks(&mut d);
    let one = kept("k", "# recovered\n");
    news(&mut d, News::Compared { about: About::Kept(one), comparison: Comparison::default() });
    d.keys("enter");
    assert!(matches!(&tasks(&mut d)[..], [FileTask::SetAside { text, .. }] if *text == mine));
}

#[test]
fn several_are_listed_and_discarding_asks() {
    let mut d = driver();
    let all = vec![kept("new", "# new\n"), kept("old", "# old\n")];
    command(&mut d, "discard recovered");
    assert!(matches!(&tasks(&mut d)[..], [FileTask::FindKept { discard: true, .. }]));
    news(&mut d, News::Kept { kept: all.clone(), left_out: 1, discard: true });
    assert!(status(&d).contains("1 more could not be shown"));
    d.keys("enter");
    assert!(title(&d).contains("discard the unsaved text"), "{}", title(&d));
    d.keys("enter");
    assert_eq!(tasks(&mut d), [], "the first answer keeps it");
    news(&mut d, News::Kept { kept: all.clone(), left_out: 0, discard: true });
    d.keys("up enter down enter");
    assert_eq!(tasks(&mut d), [FileTask::Discard { kept: all.clone(), asked: true }], "all of them");
    news(&mut d, News::Discarded(Ok(2)));
    assert!(status(&d).contains("2 unsaved texts"));
    news(&mut d, News::Kept { kept: all.clone(), left_out: 0, discard: false });
    d.keys("down enter");
    assert!(matches!(&tasks(&mut d)[..], [FileTask::Compare { to, .. }] if to == "# old\n"));
    news(&mut d, News::Compared { about: About::Kept(all[1].clone()), comparison: Comparison::default() });
    d.keys("d down enter");
    assert_eq!(tasks(&mut d), [FileTask::Discard { kept: vec![all[1].clone()], asked: true }]);
    news(&mut d, News::Kept { kept: vec![], left_out: 0, discard: false });
    assert!(status(&d).contains("no unsaved text"));
}

#[test]
fn a_journal_that_fails_is_said_until_it_works_and_saving_goes_on() {
    let mut d = driver();
    d.keys("d d");
    d.send(Msg::Tick { now_ms: 400 });
    d.send(Msg::Journaled(Err("no space left".into())));
    assert!(status(&d).contains("not being kept safe: no space left"));
    assert!(d.app.marks()[0].contains("NOT KEPT SAFE"));
    tasks(&mut d);
    d.keys("ctrl-s");
    assert!(matches!(&tasks(&mut d)[..], [FileTask::Save { .. }]));
    d.send(Msg::Journaled(Ok(())));
    assert!(status(&d).contains("kept safe again"));
    d.keys("k");
    d.send(Msg::Journaled(Ok(())));
    assert_eq!(status(&d), "");
}

#[test]
fn what_is_typed_while_a_save_is_under_way_stays_in_the_journal() {
    let mut d = driver();
    d.keys("d d ctrl-s");
    let saved = d.app.doc.text();
    d.keys("d d");
    tasks(&mut d);
    d.send(Msg::Saved { text: saved, result: Ok("/nowhere/shoes.md".into()) });
    assert!(!tasks(&mut d).contains(&FileTask::ForgetJournal));
    d.send(Msg::Tick { now_ms: 400 });
    assert!(matches!(&tasks(&mut d)[..], [FileTask::Journal { .. }]));
}

/// A question takes the editor's place on the screen; what was being written must not go with it.
#[test]
fn questions_of_a_save_from_the_editor_lose_nothing() {
    let mut d = driver();
    d.keys("e");
    d.type_text("mine ");
    let text = d.app.live_text();
    d.keys("ctrl-s");
    d.send(Msg::Saved { text: text.clone(), result: Err(SaveError::ChangedOutside) });
    assert!(matches!(d.app.mode, Mode::Menu(_)));
    d.keys("esc");
    assert_eq!(d.app.live_text(), text);
    let mut new = Driver::unsaved("");
    new.keys("e");
    new.type_text("mine ");
    new.keys("ctrl-s");
    assert!(matches!(new.app.mode, Mode::Prompt(_)));
    new.keys("esc");
    assert_eq!(new.app.live_text(), "mine ");
}

#[test]
fn a_refused_save_under_another_name_is_about_that_file() {
    let mut d = driver();
    command(&mut d, "save as");
    d.keys("ctrl-u");
    d.type_text("other.md");
    tasks(&mut d);
    d.keys("enter");
    let to = |task: &FileTask| match task {
        FileTask::Save { path, on_disk, force, .. } => Some((path.clone(), on_disk.clone(), *force)),
        _ => None,
    };
    let other = std::path::PathBuf::from("/nowhere/other.md");
    assert_eq!(tasks(&mut d).iter().find_map(to), Some((other.clone(), None, false)));
    d.send(Msg::Saved { text: SHOES.into(), result: Err(SaveError::ChangedOutside) });
    assert!(title(&d).contains("of this name already"));
    assert!(!d.app.is_dirty(), "the notebook itself is as saved as it was");
    d.keys("down enter");
    assert_eq!(
        tasks(&mut d).iter().find_map(to),
        Some((other, None, true)),
        "and not the notebook's own file"
    );
}
