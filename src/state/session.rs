//! Who has a notebook open: a record per open screen in the notebook's state folder, held with a file
//! lock, so that a dead process is told from a living one even where its pid was given to another. What
//! a session keeps of unsaved text is `journal`'s.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::StateFolder;
use crate::util::private::user_id;

/// Files that a killed process left half written are removed when they are older than this.
const ABANDONED: Duration = Duration::from_secs(3_600);
const HALF_WRITTEN: &str = ".new-";

/// What a session says of itself; written once, never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `<pid>-<microseconds since 1970>`: unique although pids are used again.
    pub id: String,
    pub pid: u32,
    pub user: String,
    pub host: String,
    /// Seconds since 1970.
    pub since: u64,
    pub notebook: String,
    /// `false` where the file system has no locks: then only the pid tells whether it lives.
    pub locked: bool,
}

/// A session, and whether it only watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    pub record: Record,
    pub watches: bool,
}

/// This process's session on one notebook. Ends when dropped; its journal stays until it is forgotten.
#[derive(Debug)]
pub struct Session {
    folder: PathBuf,
    record: Record,
    /// Texts set aside so far; the next one's number.
    pub(super) aside: u32,
    /// Held for as long as this process lives.
    _lock: File,
}

impl Session {
    /// Begins a session on a file that need not exist yet.
    ///
    /// # Errors
    /// The record cannot be written: no room, no permission.
    pub fn begin(state: &StateFolder, notebook: &Path) -> io::Result<Self> {
        let folder = state.of_file(notebook)?;
        sweep(&folder);
        let (pid, now) = (std::process::id(), since_1970());
        let mut record = Record {
            id: format!("{pid}-{}", now.as_micros()),
            pid,
            user: user(),
            host: host(),
            since: now.as_secs(),
            notebook: notebook.display().to_string(),
            locked: true,
        };
        // Locked before it has its name: nobody ever sees the record of a living session unlocked.
        let mut file = new_file(&folder)?;
        record.locked = file.as_file().try_lock().is_ok();
        file.write_all(&serde_json::to_vec(&record)?)?;
        let lock = file.persist(folder.join(session_name(&record.id))).map_err(|e| e.error)?;
        Ok(Self { folder, record, aside: 1, _lock: lock })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Every other session that lives; the records of dead ones are removed on the way.
    pub fn others(&self) -> Vec<Other> {
        let mut found: Vec<Other> = session_ids(&self.folder)
            .filter(|id| *id != self.record.id)
            .filter_map(|id| living(&self.folder, &id))
            .map(|record| Other { watches: self.folder.join(watching_name(&record.id)).exists(), record })
            .collect();
        found.sort_by(|a, b| a.record.id.cmp(&b.record.id));
        found
    }

    /// Says that this session only watches, or that it writes again.
    pub fn watch(&self, watches: bool) -> io::Result<()> {
        let mark = watching_name(&self.record.id);
        match watches {
            true => write_private(&self.folder, &mark, b""),
            false => remove(&self.folder.join(mark)),
        }
    }

    /// Tells another session that this one writes from now on.
    pub fn take_over(&self, other: &Record) -> io::Result<()> {
        write_private(&self.folder, &taken_name(&other.id), &serde_json::to_vec(&self.record)?)
    }

    /// Who has taken this session's place, if somebody has; told once.
    pub fn taken_by(&self) -> Option<Record> {
        let path = self.folder.join(taken_name(&self.record.id));
        let record = read_record(&mut open(&path).ok()?);
        // A message that cannot be read must not be met again and again.
        let _ = fs::remove_file(path);
        record
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        remove_marks(&self.folder, &self.record.id);
    }
}

/// Ids of sessions with a record, living or not.
fn session_ids(folder: &Path) -> impl Iterator<Item = String> {
    let names = names(folder).into_iter();
    names.filter_map(|name| Some(name.strip_prefix("session-")?.strip_suffix(".json")?.to_owned()))
}

pub(super) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Whether the session of this id lives. One without a record does not: it is made before anything else.
pub(super) fn lives(folder: &Path, id: &str) -> bool {
    living(folder, id).is_some()
}

/// The record of a session that lives. A dead one's is removed.
fn living(folder: &Path, id: &str) -> Option<Record> {
    let mut file = open(&folder.join(session_name(id))).ok()?;
    let record = read_record(&mut file);
    // Shared, so that two who look at once do not take each other for the owner.
    let lives = match (&record, file.try_lock_shared()) {
        (_, Err(TryLockError::WouldBlock)) => true,
        (Some(record), Ok(())) => !record.locked && runs(record),
        (Some(record), Err(TryLockError::Error(_))) => runs(record),
        (None, _) => false,
    };
    if !lives {
        remove_marks(folder, id);
    }
    record.filter(|_| lives)
}

/// By its pid alone: where there are no locks. Of another machine nothing is known, so it counts as alive.
fn runs(record: &Record) -> bool {
    let elsewhere = record.host != host();
    elsewhere || !Path::new("/proc/self").exists() || Path::new("/proc").join(record.pid.to_string()).exists()
}

fn remove_marks(folder: &Path, id: &str) {
    for name in [session_name(id), watching_name(id), taken_name(id)] {
        let _ = fs::remove_file(folder.join(name));
    }
}

fn sweep(folder: &Path) {
    for name in names(folder).iter().filter(|name| name.starts_with(HALF_WRITTEN)) {
        let path = folder.join(name);
        let modified = fs::symlink_metadata(&path).and_then(|m| m.modified());
        if modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > ABANDONED)) {
            let _ = fs::remove_file(path);
        }
    }
}

fn session_name(id: &str) -> String {
    format!("session-{id}.json")
}

fn watching_name(id: &str) -> String {
    format!("watching-{id}")
}

fn taken_name(id: &str) -> String {
    format!("taken-{id}.json")
}

fn read_record(file: &mut File) -> Option<Record> {
    let mut bytes = Vec::new();
    file.take(1 << 16).read_to_end(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Opens for reading, through no link, and waits for nobody at a pipe.
pub(super) fn open(path: &Path) -> io::Result<File> {
    fs::OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

/// A file that nobody else has, mode 0600, to be given its name when it is whole.
fn new_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(HALF_WRITTEN).tempfile_in(folder)
}

/// Puts a file of mode 0600 into a folder, whole or not at all. What has the name is replaced, never
/// followed.
pub(super) fn write_private(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut file = new_file(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(folder.join(name)).map_err(|e| e.error)?;
    // Makes the rename durable. Some file systems refuse; the content is safe already.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// What is not there needs no removing.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

pub(super) fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn user() -> String {
    let named =
        ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    named.unwrap_or_else(|| format!("user {}", user_id()))
}

fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn stage() -> (tempfile::TempDir, StateFolder, PathBuf) {
        let base = tempfile::tempdir().unwrap();
        let state = StateFolder::at(&base.path().join("state")).unwrap();
        let notebook = base.path().join("跑鞋.md");
        (base, state, notebook)
    }

    #[test]
    fn two_sessions_see_each_other_until_one_ends() {
        let (_base, state, notebook) = stage();
        let a = Session::begin(&state, &notebook).unwrap();
        assert_eq!(a.others(), []);
        let b = Session::begin(&state, &notebook).unwrap();
        let seen = &a.others()[0];
        assert_eq!((&seen.record, seen.watches), (b.record(), false));
        assert_eq!((seen.record.pid, seen.record.locked), (std::process::id(), true));
        b.watch(true).unwrap();
        assert!(a.others()[0].watches && !b.others()[0].watches);
        b.watch(false).unwrap();
        assert!(!a.others()[0].watches);
        drop(b);
        assert_eq!(a.others(), []);
        assert_eq!(names(a.folder()).len(), 1, "{:?}", names(a.folder()));
        let elsewhere = Session::begin(&state, &notebook.with_file_name("other.md")).unwrap();
        assert_eq!(elsewhere.others(), []);
    }

    #[test]
    fn what_a_dead_process_left_is_no_session_even_if_its_pid_is_used_again() {
        let (_base, state, notebook) = stage();
        let a = Session::begin(&state, &notebook).unwrap();
        // The same pid as this living process, but nobody holds the lock.
        let dead = Record { id: format!("{}-1", std::process::id()), ..a.record().clone() };
        write_private(a.folder(), &session_name(&dead.id), &serde_json::to_vec(&dead).unwrap()).unwrap();
        write_private(a.folder(), &watching_name(&dead.id), b"").unwrap();
        write_private(a.folder(), "session-7-7.json", b"{ not a record").unwrap();
        assert!(!lives(a.folder(), &dead.id));
        assert_eq!(a.others(), []);
        assert_eq!(names(a.folder()).len(), 1, "swept: {:?}", names(a.folder()));
        // Without locks, the pid decides.
        let unlocked = Record { locked: false, ..dead.clone() };
        let bytes = serde_json::to_vec(&unlocked).unwrap();
        write_private(a.folder(), &session_name(&dead.id), &bytes).unwrap();
        assert!(lives(a.folder(), &dead.id));
        let gone = Record { pid: u32::MAX, ..unlocked };
        write_private(a.folder(), &session_name(&dead.id), &serde_json::to_vec(&gone).unwrap()).unwrap();
        assert!(!lives(a.folder(), &dead.id));
    }

    #[test]
    fn taking_over_is_told_once() {
        let (_base, state, notebook) = stage();
        let a = Session::begin(&state, &notebook).unwrap();
        let b = Session::begin(&state, &notebook).unwrap();
        assert_eq!(a.taken_by(), None);
        b.take_over(a.record()).unwrap();
        assert_eq!(a.taken_by().as_ref(), Some(b.record()));
        assert_eq!(a.taken_by(), None);
        assert_eq!(b.taken_by(), None);
    }

    #[test]
    fn files_are_for_their_owner_and_links_are_replaced() {
        let (base, state, notebook) = stage();
        let a = Session::begin(&state, &notebook).unwrap();
        let victim = base.path().join("bashrc");
        fs::write(&victim, "mine").unwrap();
        symlink(&victim, a.folder().join("x.md")).unwrap();
        assert!(open(&a.folder().join("x.md")).is_err());
        write_private(a.folder(), "x.md", b"text").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
        for name in names(a.folder()) {
            let meta = fs::symlink_metadata(a.folder().join(&name)).unwrap();
            assert!(meta.is_file() && meta.permissions().mode() & 0o777 == 0o600, "{name}");
        }
    }
}
