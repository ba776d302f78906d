//! The private folder into which DuckDB spills: 0700, removed on drop, and cleared of folders that
//! killed engines left behind. Nothing else is written there.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{ErrorKind, Result, StoreError};
use crate::util::leftover::{self, LeftOver};

const PREFIX: &str = "recscope-spill-";
const LOCK: &str = "in-use";

/// Lives as long as the instance that spills into it.
#[derive(Debug)]
pub(crate) struct SpillDir {
    path: PathBuf,
    /// Held locked: an unlocked folder has lost its engine.
    _lock: File,
}

impl SpillDir {
    /// Makes a fresh folder under `root` (the system's temporary folder if `None`).
    pub(crate) fn create(root: Option<&Path>) -> Result<Self> {
        let root = root.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let fail = |what: &str, path: &Path, error: std::io::Error| {
            StoreError::new(ErrorKind::Disk, format!("{what} {}: {error}", path.display()))
                .hint("set TMPDIR to a folder that you may write, with room for intermediate results")
        };
        if !root.is_dir() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&root)
                .map_err(|e| fail("cannot make the spill folder", &root, e))?;
        }
        left_over(Some(&root)).iter().for_each(LeftOver::sweep);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&root)
            .map_err(|e| fail("cannot make a spill folder in", &root, e))?;
        let lock_path = folder.path().join(LOCK);
        let lock = File::create_new(&lock_path)
            .and_then(|f| f.try_lock().map(|()| f).map_err(std::io::Error::from))
            .map_err(|e| fail("cannot lock", &lock_path, e))?;
        Ok(Self { path: folder.keep(), _lock: lock })
    }

    /// Where DuckDB may write.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SpillDir {
    fn drop(&mut self) {
        // Best effort: what stays is swept by the next engine.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Folders under `root` (the system's temporary folder if `None`) whose engine has gone: nobody locks them,
/// or they were never locked and a day has passed. Nothing of another user's is looked into: what is called
/// a lock there may be anything.
pub fn left_over(root: Option<&Path>) -> Vec<LeftOver> {
    let root = root.map_or_else(std::env::temp_dir, Path::to_path_buf);
    leftover::named(&root, |name| name.starts_with(PREFIX))
        .into_iter()
        .filter(|(path, found)| {
            let lock = path.join(LOCK);
            found.is_dir()
                && leftover::is_own(found)
                && match fs::symlink_metadata(&lock) {
                    Ok(file) => file.is_file() && is_free(&lock),
                    Err(_) => leftover::is_abandoned(found, leftover::DAY),
                }
        })
        .map(|(path, _)| LeftOver::new(path, "what the database of a dead engine had spilled"))
        .collect()
}

fn is_free(lock: &Path) -> bool {
    let opened = File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(lock);
    opened.is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_swept_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let abandoned = root.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&abandoned).unwrap();
        File::create(abandoned.join(LOCK)).unwrap();
        // Killed before it was locked; and what only looks like one.
        let (unlocked, trap) =
            (root.path().join(format!("{PREFIX}u")), root.path().join(format!("{PREFIX}t")));
        fs::create_dir(&unlocked).unwrap();
        File::open(&unlocked).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
        fs::create_dir(&trap).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            trap.join(LOCK),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        let spill = SpillDir::create(Some(root.path())).unwrap();
        assert!(!abandoned.exists(), "a folder without a living engine is removed");
        assert!(!unlocked.exists() && trap.exists());
        assert_eq!(fs::metadata(spill.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let second = SpillDir::create(Some(root.path())).unwrap();
        assert!(spill.path().exists(), "a folder in use stays");
        let path = second.path().to_owned();
        drop(second);
        assert!(!path.exists());
    }
}
