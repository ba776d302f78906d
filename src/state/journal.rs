//! Unsaved text on disk: one journal per session, in the notebook's state folder, and texts that were
//! set aside. A session writes and removes its own journal only; what dead sessions left stays until
//! somebody discards it by name.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::session::{lives, names, open, remove, since_1970, write_private};
use super::{Session, session::Record};
use crate::util::private::user_id;

/// Texts that are read at once; more are counted.
const LISTED: usize = 20;
/// Bytes of them together.
const LISTED_BYTES: usize = 256 << 20;
/// The file's name at the place where versions before the state folder kept unsaved text.
const OLD_NAME: &str = "unsaved.md";
const HEAD: &str = "<!-- recscope: unsaved text ";
const HEAD_END: &str = " -->";

/// The first line of a kept text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub pid: u32,
    pub user: String,
    pub host: String,
    /// When its session began, in seconds since 1970.
    pub since: u64,
    /// When it was written.
    pub written: u64,
    pub notebook: String,
    /// SHA-256 of the file that it was made from; `None`: there was no file.
    pub based_on: Option<String>,
}

/// A text that nobody saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// By which it is discarded.
    pub name: String,
    /// `None`: found at the place where older versions kept it, or shipped there by somebody.
    pub head: Option<Head>,
    pub written: u64,
    pub text: String,
}

/// What is kept of a notebook, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    pub kept: Vec<Kept>,
    /// Texts that were not read: too many, too large, or damaged.
    pub left_out: usize,
}

impl Session {
    /// Keeps the unsaved text; `based_on` is what the file held.
    ///
    /// # Errors
    /// No room, no permission. What was kept before stays.
    pub fn keep(&self, text: &str, based_on: Option<&str>) -> io::Result<()> {
        let Record { pid, user, host, since, notebook, .. } = self.record().clone();
        let based_on = based_on.map(digest);
        let head = Head { pid, user, host, since, written: since_1970().as_secs(), notebook, based_on };
        let bytes = format!("{HEAD}{}{HEAD_END}\n{text}", serde_json::to_string(&head)?);
        write_private(self.folder(), &journal_name(&self.record().id), bytes.as_bytes())
    }

    /// The text is saved, or was given up: this session's journal goes, nobody else's.
    pub fn forget(&self) -> io::Result<()> {
        remove(&self.folder().join(journal_name(&self.record().id)))
    }

    /// Lays the journal aside under a name of its own, so that what is typed next does not replace it.
    pub fn set_aside(&mut self) -> io::Result<()> {
        let id = self.record().id.clone();
        let aside = self.folder().join(format!("kept-{id}-{}.md", self.aside));
        fs::rename(self.folder().join(journal_name(&id)), aside)?;
        self.aside += 1;
        Ok(())
    }

    /// Whether a session, living or not, has a journal.
    pub fn has_journal(&self, id: &str) -> bool {
        self.folder().join(journal_name(id)).exists()
    }

    /// What dead sessions left and what was set aside, newest first.
    pub fn kept(&self) -> Listing {
        let mut listing = Listing::default();
        let mut found: Vec<(u64, String)> = Vec::new();
        for name in names(self.folder()).into_iter().filter(|name| self.is_offered(name)) {
            match open(&self.folder().join(&name)).ok().and_then(|mut file| read_head(&mut file)) {
                Some(head) => found.push((head.written, name)),
                None => listing.left_out += 1,
            }
        }
        found.sort_by(|a, b| b.cmp(a));
        let mut room = LISTED_BYTES;
        for (_, name) in found {
            let text =
                (listing.kept.len() < LISTED).then(|| read(&self.folder().join(&name), room)).flatten();
            match text {
                Some((head, text)) => {
                    room -= text.len();
                    let written = head.written;
                    listing.kept.push(Kept { name, head: Some(head), written, text });
                }
                None => listing.left_out += 1,
            }
        }
        listing
    }

    fn is_offered(&self, name: &str) -> bool {
        let left = name.strip_prefix("unsaved-").and_then(|rest| rest.strip_suffix(".md"));
        let left = left.is_some_and(|id| id != self.record().id && !lives(self.folder(), id));
        left || (name.starts_with("kept-") && name.ends_with(".md"))
    }

    /// Discards one kept text, by the name that [`Self::kept`] gave. A living session's is not touched.
    pub fn discard(&self, name: &str) -> io::Result<()> {
        match self.is_offered(name) {
            true => remove(&self.folder().join(name)),
            false => Ok(()),
        }
    }

    /// What a version before the state folder left beside the notebook, unless it was dealt with. It may as
    /// well have been shipped there: it is read through no link, and never written or removed.
    pub fn kept_beside(&self, notebook: &Path) -> Option<Kept> {
        let path = old_place(notebook);
        let folder = fs::symlink_metadata(path.parent()?).ok()?;
        if !folder.is_dir() || folder.uid() != user_id() {
            return None;
        }
        let mut file = open(&path).ok()?;
        let meta = file.metadata().ok()?;
        if !meta.is_file() || meta.uid() != user_id() || meta.len() > LISTED_BYTES as u64 {
            return None;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).ok()?;
        let name = dealt_with_name(&text);
        let written = u64::try_from(meta.mtime()).unwrap_or(0);
        (!self.folder().join(&name).exists()).then_some(Kept { name, head: None, written, text })
    }

    /// The text found beside the notebook was taken and saved, or discarded: it is not offered again.
    pub fn deal_with(&self, text: &str) -> io::Result<()> {
        write_private(self.folder(), &dealt_with_name(text), b"")
    }
}

/// How the hash of a text is written.
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `.NAME.cells/unsaved.md`, where versions before the state folder kept unsaved text.
pub fn old_place(notebook: &Path) -> PathBuf {
    let stem = notebook.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    notebook.with_file_name(format!(".{stem}.cells")).join(OLD_NAME)
}

fn journal_name(id: &str) -> String {
    format!("unsaved-{id}.md")
}

fn dealt_with_name(text: &str) -> String {
    format!("dealt-with-{}", digest(text))
}

fn read_head(file: &mut fs::File) -> Option<Head> {
    // A path and some names: more is no head of ours.
    let mut bytes = Vec::new();
    file.take(1 << 16).read_to_end(&mut bytes).ok()?;
    let line = bytes.split(|b| *b == b'\n').next()?;
    parse_head(std::str::from_utf8(line).ok()?)
}

fn parse_head(line: &str) -> Option<Head> {
    serde_json::from_str(line.strip_prefix(HEAD)?.strip_suffix(HEAD_END)?).ok()
}

fn read(path: &Path, room: usize) -> Option<(Head, String)> {
    let file = open(path).ok()?;
    let mut whole = String::new();
    let most = u64::try_from(room).unwrap_or(u64::MAX);
    file.take(most.saturating_add(1)).read_to_string(&mut whole).ok().filter(|read| *read <= room)?;
    let (line, text) = whole.split_once('\n')?;
    Some((parse_head(line)?, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::state::StateFolder;

    struct Stage {
        base: tempfile::TempDir,
        state: StateFolder,
        notebook: PathBuf,
    }

    fn stage() -> Stage {
        let base = tempfile::tempdir().unwrap();
        let state = StateFolder::at(&base.path().join("state")).unwrap();
        let notebook = base.path().join("work/跑鞋.md");
        fs::create_dir(base.path().join("work")).unwrap();
        Stage { base, state, notebook }
    }

    impl Stage {
        fn begin(&self) -> Session {
            Session::begin(&self.state, &self.notebook).unwrap()
        }

        /// A session that was killed: its record is there, nobody holds it.
        fn killed(&self, id: &str, text: &str, written: u64) {
            let folder = self.state.of_file(&self.notebook).unwrap();
            let head = Head {
                pid: 7,
                user: "ann".into(),
                host: "box".into(),
                since: 1,
                written,
                notebook: "n --> \n.md".into(),
                based_on: None,
            };
            let bytes = format!("{HEAD}{}{HEAD_END}\n{text}", serde_json::to_string(&head).unwrap());
            fs::write(folder.join(format!("unsaved-{id}.md")), bytes).unwrap();
        }
    }

    fn texts(session: &Session) -> Vec<String> {
        session.kept().kept.into_iter().map(|kept| kept.text).collect()
    }

    #[test]
    fn each_session_removes_its_own_journal_only() {
        let stage = stage();
        let (a, b) = (stage.begin(), stage.begin());
        a.keep("AAAA\r\n跑鞋", Some("file")).unwrap();
        b.keep("BBBB", None).unwrap();
        assert_eq!(texts(&a), [""; 0], "a living session's text is its own");
        a.forget().unwrap();
        a.forget().unwrap();
        let b_id = b.record().id.clone();
        a.discard(&journal_name(&b_id)).unwrap();
        assert!(a.has_journal(&b_id) && !a.has_journal(&a.record().id));
        drop(b);
        assert_eq!(texts(&a), ["BBBB"], "what it left is offered");
        a.keep("again", None).unwrap();
        a.forget().unwrap();
        assert_eq!(texts(&a), ["BBBB"], "and kept, whatever is typed and saved here");
        let name = a.kept().kept[0].name.clone();
        a.discard(&name).unwrap();
        assert_eq!(texts(&a), [""; 0]);
    }

    #[test]
    fn several_are_listed_newest_first_and_damage_is_counted() {
        let stage = stage();
        stage.killed("7-1", "old", 100);
        stage.killed("7-2", "new\n", 300);
        stage.killed("7-3", "middle", 200);
        let session = stage.begin();
        fs::write(session.folder().join("unsaved-7-4.md"), "no head").unwrap();
        symlink("/etc/passwd", session.folder().join("unsaved-7-5.md")).unwrap();
        let listing = session.kept();
        assert_eq!(texts(&session), ["new\n", "middle", "old"]);
        assert_eq!(listing.left_out, 2);
        assert_eq!(listing.kept[0].head.as_ref().map(|head| head.notebook.as_str()), Some("n --> \n.md"));
        for n in 10..40 {
            stage.killed(&format!("7-{n}"), "more", n);
        }
        let listing = session.kept();
        assert_eq!((listing.kept.len(), listing.left_out), (20, 33 - 20 + 2));
    }

    #[test]
    fn what_is_set_aside_is_not_replaced_by_what_comes_next() {
        let stage = stage();
        let mut session = stage.begin();
        assert!(session.set_aside().is_err(), "nothing to set aside");
        session.keep("first", None).unwrap();
        session.set_aside().unwrap();
        session.keep("second", None).unwrap();
        session.set_aside().unwrap();
        session.keep("third", None).unwrap();
        session.forget().unwrap();
        let mut found = texts(&session);
        found.sort();
        assert_eq!(found, ["first", "second"]);
    }

    #[test]
    fn a_text_beside_the_notebook_is_read_never_followed_and_never_written() {
        let stage = stage();
        let session = stage.begin();
        let old = old_place(&stage.notebook);
        let folder = old.parent().unwrap();
        assert_eq!(session.kept_beside(&stage.notebook), None);
        let victim = stage.base.path().join("bashrc");
        fs::write(&victim, "secret").unwrap();
        // A link in the place of the file, then of the folder.
        fs::create_dir(folder).unwrap();
        symlink(&victim, &old).unwrap();
        assert_eq!(session.kept_beside(&stage.notebook), None);
        fs::remove_dir_all(folder).unwrap();
        let elsewhere = stage.base.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("unsaved.md"), "theirs").unwrap();
        symlink(&elsewhere, folder).unwrap();
        assert_eq!(session.kept_beside(&stage.notebook), None);
        fs::remove_file(folder).unwrap();
        fs::create_dir(folder).unwrap();
        fs::write(&old, "老的").unwrap();
        let kept = session.kept_beside(&stage.notebook).unwrap();
        assert_eq!((kept.text.as_str(), kept.head), ("老的", None));
        session.deal_with(&kept.text).unwrap();
        assert_eq!(session.kept_beside(&stage.notebook), None);
        assert_eq!(fs::read_to_string(&old).unwrap(), "老的");
        fs::write(&old, "another").unwrap();
        assert!(session.kept_beside(&stage.notebook).is_some(), "another text is another matter");
        assert_eq!(fs::read_to_string(victim).unwrap(), "secret");
    }

    #[test]
    fn a_full_disk_is_an_error_and_what_was_kept_stays() {
        let stage = stage();
        let session = stage.begin();
        session.keep("before", None).unwrap();
        let folder = session.folder().to_path_buf();
        let mode = |mode| {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(0o500);
        let failed = session.keep("after", None);
        mode(0o700);
        if user_id() == 0 {
            return; // root may write anywhere
        }
        assert!(failed.is_err());
        assert!(session.has_journal(&session.record().id));
    }
}
