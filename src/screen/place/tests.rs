//! Two places over one notebook, as two processes would have them.

use std::fs;

use super::*;
use crate::screen::app::FileNow;
use crate::state::old_place;

struct Stage {
    folder: tempfile::TempDir,
    notebook: PathBuf,
}

const FILE: &str = "# 跑鞋\n";

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let notebook = folder.path().join("work/n.md");
        fs::create_dir(folder.path().join("work")).unwrap();
        fs::write(&notebook, FILE).unwrap();
        Self { folder, notebook }
    }

    fn open(&self) -> (Place, Found) {
        let state = StateFolder::at(&self.folder.path().join("state")).map_err(|e| e.to_string());
        let on_disk = fs::read_to_string(&self.notebook).ok();
        Place::open_in(state, Some(&self.notebook), self.folder.path(), on_disk.as_deref())
    }
}

fn done(place: &mut Place, task: FileTask) -> Vec<Msg> {
    let mut said = Vec::new();
    place.perform(task, &mut |msg| said.push(msg));
    said
}

fn seen(place: &mut Place) -> Vec<News> {
    let mut said = Vec::new();
    place.look(&mut |msg| {
        if let Msg::Sessions(news) = msg {
            said.push(news);
        }
    });
    said
}

fn save(place: &mut Place, path: &Path, text: &str, on_disk: &str) -> Result<(), SaveError> {
    let on_disk = Some(on_disk.into());
    let task = FileTask::Save { path: path.into(), text: text.into(), on_disk, force: false };
    match done(place, task).pop() {
        Some(Msg::Saved { result, .. }) => result.map(|_| ()),
        other => panic!("{other:?}"),
    }
}

fn journal(place: &mut Place, text: &str) {
    let task = FileTask::Journal { text: text.into(), on_disk: Some(FILE.into()) };
    assert!(matches!(done(place, task)[..], [Msg::Journaled(Ok(()))]));
}

fn kept(place: &Place) -> Vec<String> {
    place.find_kept(FILE).0.into_iter().map(|kept| kept.text).collect()
}

#[test]
fn the_second_session_is_told_and_a_save_of_one_leaves_the_others_text() {
    let stage = Stage::new();
    let (mut a, found) = stage.open();
    assert!(found.others.is_empty() && found.problem.is_none());
    let (mut b, found) = stage.open();
    assert!(found.others[0].words.contains(&format!("pid {}", std::process::id())), "{found:?}");
    let refused = save(&mut b, &stage.notebook, "B", FILE);
    assert!(
        matches!(&refused, Err(SaveError::Failed(why)) if why.contains("another session")),
        "{refused:?}"
    );
    done(&mut b, FileTask::Write);
    assert!(matches!(&seen(&mut a)[..], [News::Others { now, left_text: false }] if !now[0].watches));
    journal(&mut b, "BBBB");
    assert_eq!(save(&mut a, &stage.notebook, "AAAA", FILE), Ok(()));
    done(&mut a, FileTask::ForgetJournal);
    assert_eq!(seen(&mut a), [], "its own save is no news");
    assert_eq!(seen(&mut b), [News::File(FileNow::Text("AAAA".into()))]);
    assert_eq!(save(&mut b, &stage.notebook, "BBBB", FILE), Err(SaveError::ChangedOutside));
    drop(b);
    assert_eq!(seen(&mut a), [News::Others { now: vec![], left_text: true }]);
    assert_eq!(kept(&a), ["BBBB"]);
}

#[test]
fn taking_over_makes_the_other_one_read_only_with_its_text_kept() {
    let stage = Stage::new();
    let (mut a, _) = stage.open();
    let (mut b, _) = stage.open();
    journal(&mut a, "of A");
    assert!(matches!(done(&mut b, FileTask::TakeOver)[..], [Msg::Sessions(News::TookOver(Ok(())))]));
    // A saves before it has looked: it is told in time.
    let refused = save(&mut a, &stage.notebook, "of A", FILE);
    assert!(matches!(refused, Err(SaveError::Failed(_))), "{refused:?}");
    assert_eq!(fs::read_to_string(&stage.notebook).unwrap(), FILE);
    done(&mut a, FileTask::SetAside { text: "of A, newer".into(), on_disk: Some(FILE.into()) });
    assert!(seen(&mut b).iter().any(|news| matches!(news, News::Others { now, .. } if now[0].watches)));
    assert_eq!(kept(&b), ["of A, newer"], "while A is still open");
    assert_eq!(save(&mut b, &stage.notebook, "of B", FILE), Ok(()));
    assert!(seen(&mut a).contains(&News::File(FileNow::Text("of B".into()))));
    // And back.
    done(&mut a, FileTask::TakeOver);
    assert!(matches!(&seen(&mut b)[..], [News::TakenOver(_), ..]));
    assert_eq!(save(&mut a, &stage.notebook, "A again", "of B"), Ok(()));
}

#[test]
fn kept_texts_are_compared_and_go_only_when_they_are_named() {
    let stage = Stage::new();
    for text in ["# 跑鞋\none\n", "two\n", FILE] {
        let (mut place, _) = stage.open();
        journal(&mut place, text);
    }
    let (mut place, found) = stage.open();
    assert_eq!(found.kept, 2, "what the file holds needs no recovering");
    journal(&mut place, "typed before anything was recovered");
    assert_eq!(save(&mut place, &stage.notebook, "saved", FILE), Ok(()));
    done(&mut place, FileTask::ForgetJournal);
    let (all, left_out) = place.find_kept(FILE);
    assert_eq!((all.len(), left_out), (2, 0));
    let one = all.iter().find(|kept| kept.text.contains("one")).unwrap().clone();
    assert_eq!((one.added, one.removed, one.file_changed), (1, 0, true), "made from the file before");
    let unseen = KeptText { text: "another".into(), ..one.clone() };
    done(&mut place, FileTask::Discard { kept: vec![unseen], asked: true });
    assert_eq!(kept(&place).len(), 2);
    let said = done(&mut place, FileTask::Discard { kept: vec![one], asked: true });
    assert!(matches!(said[..], [Msg::Sessions(News::Discarded(Ok(1)))]));
    assert_eq!(kept(&place), ["two\n"]);
}

#[test]
fn an_old_journal_is_offered_and_stays_as_it_is() {
    let stage = Stage::new();
    let old = old_place(&stage.notebook);
    fs::create_dir(old.parent().unwrap()).unwrap();
    fs::write(&old, "老的\n").unwrap();
    let (mut place, found) = stage.open();
    assert_eq!(found.kept, 1);
    let (all, _) = place.find_kept(FILE);
    assert!(all[0].words.contains("beside the notebook") && !all[0].file_changed);
    journal(&mut place, "typed");
    done(&mut place, FileTask::Discard { kept: all, asked: false });
    assert_eq!(kept(&place), [""; 0]);
    assert_eq!(fs::read_to_string(&old).unwrap(), "老的\n");
}

#[test]
fn a_new_name_takes_the_session_along() {
    let stage = Stage::new();
    let state = || StateFolder::at(&stage.folder.path().join("state")).map_err(|e| e.to_string());
    let (mut new, _) = Place::open_in(state(), None, stage.folder.path(), None);
    let (_other, found) = Place::open_in(state(), None, stage.folder.path(), None);
    assert!(found.others.is_empty(), "two notebooks without a name are not one");
    done(&mut new, FileTask::Journal { text: "text".into(), on_disk: None });
    let path = stage.folder.path().join("named.md");
    let task = FileTask::Save { path: path.clone(), text: "text".into(), on_disk: None, force: false };
    let said = done(&mut new, task);
    assert!(
        matches!(&said[..], [Msg::Sessions(News::Moved(_)), Msg::Saved { result: Ok(_), .. }]),
        "{said:?}"
    );
    let (_second, found) = Place::open_in(state(), Some(&path), stage.folder.path(), Some("text"));
    assert_eq!((found.others.len(), found.kept), (1, 0));
    let (_third, found) = Place::open_in(state(), None, stage.folder.path(), None);
    assert_eq!(found.kept, 0, "nothing is left under the name before");
}

#[test]
fn without_a_state_folder_saving_still_works_and_the_reason_is_told() {
    let stage = Stage::new();
    let on_disk = Some(FILE);
    let (mut place, found) =
        Place::open_in(Err("no room".into()), Some(&stage.notebook), stage.folder.path(), on_disk);
    assert_eq!(found.problem.as_deref(), Some("no room"));
    let said = done(&mut place, FileTask::Journal { text: "x".into(), on_disk: None });
    assert!(matches!(&said[..], [Msg::Journaled(Err(why))] if why == "no room"));
    assert_eq!(save(&mut place, &stage.notebook, "saved", FILE), Ok(()));
    assert_eq!(fs::read_to_string(&stage.notebook).unwrap(), "saved");
}

#[test]
fn the_last_text_is_not_replaced_by_one_that_waited() {
    let stage = Stage::new();
    let (mut place, _) = stage.open();
    place.keep_last("newest".into(), None).unwrap();
    journal(&mut place, "older");
    drop(place);
    let (next, _) = stage.open();
    assert_eq!(kept(&next), ["newest"]);
}

#[test]
fn a_text_that_was_kept_and_then_saved_is_kept_no_longer() {
    let stage = Stage::new();
    let (mut place, _) = stage.open();
    journal(&mut place, "text");
    assert_eq!(save(&mut place, &stage.notebook, "text", FILE), Ok(()));
    journal(&mut place, "newer");
    assert_eq!(save(&mut place, &stage.notebook, "text", "text"), Ok(()));
    drop(place);
    fs::write(&stage.notebook, "by another").unwrap();
    let (next, _) = stage.open();
    assert_eq!(kept(&next), ["newer"]);
}
