//! The folder beside the target in which a model grows, `.NAME.pulling/`. The files lie one level
//! deeper than models are looked for, so that a half model never looks like one; the last step is a rename.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::listing::too_large;
use super::{PullError, Step, Work};
use crate::util::leftover::{self, LeftOver};
use crate::util::private::make_private;

const BLOCK: usize = 256 << 10;
/// Behind the name of a folder that grows.
const PULLING: &str = ".pulling";

/// A model that is not whole yet. Left on disk when dropped, so that a download can go on.
pub(super) struct Staging {
    dir: PathBuf,
    files: PathBuf,
    target: PathBuf,
    /// Held until the end: two downloads into one folder would spoil each other.
    _lock: File,
}

impl Staging {
    /// `mark` says what is fetched; what an earlier attempt left of the same is kept, else removed.
    pub fn open(target: &Path, mark: Option<&str>) -> Result<Self, PullError> {
        free(target)?;
        let name = target.file_name().ok_or_else(|| {
            PullError::usage(format!("{} names no folder to make", target.display()))
                .hint("name one with --to")
        })?;
        let parent = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let dir = parent.join(format!(".{}{PULLING}", name.to_string_lossy()));
        let fail = |error| PullError::write(&dir, &error);
        left_over(parent).iter().filter(|left| left.path != dir).for_each(LeftOver::sweep);
        fs::create_dir_all(parent).map_err(fail)?;
        prepare(&dir).map_err(fail)?;
        let lock = lock(&dir)?;
        let files = dir.join("files");
        let marked = dir.join("source");
        if mark.is_none() || fs::read_to_string(&marked).ok().as_deref() != mark {
            if files.exists() {
                fs::remove_dir_all(&files).map_err(fail)?;
            }
            fs::write(&marked, mark.unwrap_or_default()).map_err(fail)?;
        }
        fs::create_dir_all(&files).map_err(fail)?;
        Ok(Self { dir, files, target: target.to_path_buf(), _lock: lock })
    }

    pub fn files(&self) -> &Path {
        &self.files
    }

    /// Where a file of the model goes; its folder is made. `path` has passed `listing::inside`.
    pub fn place(&self, path: &str) -> Result<PathBuf, PullError> {
        let place = self.files.join(path);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(|error| PullError::write(folder, &error))?;
        }
        Ok(place)
    }

    /// Writes a file from a reader, at most `limit` bytes; says how many they were.
    pub fn fill(
        &self,
        path: &str,
        from: &mut dyn Read,
        limit: u64,
        done: u64,
        work: &mut Work,
    ) -> Result<u64, PullError> {
        let place = self.place(path)?;
        let fail = |error: std::io::Error| PullError::write(&place, &error);
        let mut file = File::create_new(&place).map_err(fail)?;
        let mut block = vec![0u8; BLOCK];
        let mut written = 0u64;
        loop {
            work.cancel.check()?;
            let n = match from.read(&mut block) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(PullError::read(Path::new(path), &error)),
            };
            written += n as u64;
            if written > limit {
                return Err(too_large(path));
            }
            file.write_all(block.get(..n).unwrap_or_default()).map_err(fail)?;
            (work.tell)(Step::Bytes { done: done + written, fresh: n as u64 });
        }
        file.sync_all().map_err(fail)?;
        Ok(written)
    }

    /// Gives the folder its name.
    pub fn finish(self) -> Result<PathBuf, PullError> {
        let fail = |error| PullError::write(&self.target, &error);
        free(&self.target)?;
        fs::rename(&self.files, &self.target).map_err(fail)?;
        if let Some(parent) = self.target.parent().and_then(|parent| File::open(parent).ok()) {
            // Makes the rename itself durable, where the file system can.
            let _ = parent.sync_all();
        }
        let target = self.target.clone();
        self.discard();
        Ok(target)
    }

    /// Removes what was fetched: it is of no use.
    pub fn discard(self) {
        // Under a hidden name and out of the way: not worth failing for.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// A folder that is really one and this user's, with no link anywhere in it: one that came along with what
/// somebody ships could make a download write, or remove, anywhere. Such a one is begun anew.
fn prepare(dir: &Path) -> std::io::Result<()> {
    make_private(dir)?;
    if holds_links(dir)? {
        fs::remove_dir_all(dir)?;
        make_private(dir)?;
    }
    Ok(())
}

fn holds_links(dir: &Path) -> std::io::Result<bool> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if !kind.is_dir() && !kind.is_file() || kind.is_dir() && holds_links(&entry.path())? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The target is not there, or empty: nothing is ever overwritten.
fn free(target: &Path) -> Result<(), PullError> {
    match fs::read_dir(target).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Ok(false) => Err(PullError::usage(format!("{} is there already", target.display()))
            .hint("nothing was changed: remove it first, or name another folder with --to")),
        Err(error) => Err(PullError::usage(format!("{} cannot be made: {error}", target.display()))
            .hint("name another folder with --to")),
    }
}

/// Downloads that were begun in `parent` and that nobody has gone on with for a week: until then they can.
pub fn left_over(parent: &Path) -> Vec<LeftOver> {
    let pulling = |name: &str| name.starts_with('.') && name.ends_with(PULLING);
    leftover::named(parent, pulling)
        .into_iter()
        .filter(|(path, found)| found.is_dir() && leftover::is_own(found) && is_dead(path))
        .map(|(path, _)| LeftOver::new(path, "a download that nobody has gone on with for a week"))
        .collect()
}

fn is_dead(dir: &Path) -> bool {
    let idle = |path: &Path| {
        fs::symlink_metadata(path).is_ok_and(|found| leftover::is_abandoned(&found, leftover::DAY * 7))
    };
    let parts = fs::read_dir(dir.join("files")).into_iter().flatten().flatten();
    let untouched = idle(dir) && parts.into_iter().all(|part| idle(&part.path()));
    let lock = dir.join("lock");
    let free = match fs::symlink_metadata(&lock) {
        Ok(found) => found.is_file() && File::open(&lock).is_ok_and(|file| file.try_lock().is_ok()),
        Err(_) => true,
    };
    untouched && free
}

fn lock(dir: &Path) -> Result<File, PullError> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| PullError::write(&path, &error))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(PullError::resource(format!("another recscope is fetching into {}", dir.display()))
                .hint("wait for it, or name another folder with --to"))
        }
        // A file system without locks: two at once are unlikely enough.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_staging_folder_with_links_is_begun_anew_and_a_link_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let at = |path: &str| base.path().join(path);
        fs::create_dir_all(at("victim/files")).unwrap();
        fs::write(at("victim/files/precious"), "x").unwrap();
        fs::write(at("bashrc"), "original").unwrap();
        symlink("victim", at(".m.pulling")).unwrap();
        assert!(Staging::open(&at("m"), Some("mark")).is_err());
        assert!(at("victim/files/precious").exists() && !at("victim/lock").exists());

        fs::create_dir_all(at(".n.pulling/files/deep")).unwrap();
        symlink("../bashrc", at(".n.pulling/source")).unwrap();
        symlink("../../victim", at(".n.pulling/files/deep/link")).unwrap();
        symlink("../made", at(".n.pulling/lock")).unwrap();
        let staging = Staging::open(&at("n"), Some("mark")).unwrap();
        fs::write(staging.place("deep/link/weights").unwrap(), "w").unwrap();
        assert_eq!(fs::read_to_string(at("bashrc")).unwrap(), "original");
        assert!(!at("made").exists() && !at("victim/weights").exists());
        assert_eq!(fs::read_to_string(staging.finish().unwrap().join("deep/link/weights")).unwrap(), "w");
    }

    #[test]
    fn a_download_that_may_go_on_is_not_swept() {
        let base = tempfile::tempdir().unwrap();
        let begin = |name: &str, days: u32| {
            let dir = base.path().join(format!(".{name}.pulling"));
            fs::create_dir_all(dir.join("files")).unwrap();
            let file = File::create(dir.join("files/weights.part")).unwrap();
            let then = std::time::SystemTime::now() - leftover::DAY * days;
            file.set_modified(then).unwrap();
            File::open(&dir).unwrap().set_modified(then).unwrap();
            dir
        };
        let (recent, dead) = (begin("recent", 2), begin("dead", 8));
        let lock = begin("running", 8).join("lock");
        let held = File::create(&lock).unwrap();
        held.lock().unwrap();
        File::open(lock.parent().unwrap()).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
        let found: Vec<PathBuf> = left_over(base.path()).into_iter().map(|left| left.path).collect();
        assert_eq!(found, [dead]);
        assert!(recent.exists());
    }
}
