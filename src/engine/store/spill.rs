//! The private folder into which DuckDB spills: 0700, removed on drop, and cleared of folders that
//! killed engines left behind. Nothing else is written there.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{ErrorKind, Result, StoreError};

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
        sweep(&root);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&root)
            .map_err(|e| fail("cannot make a spill folder in", &root, e))?;
        let lock_path = folder.path().join(LOCK);
        let lock = File::create(&lock_path)
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

/// Removes folders whose engine has gone. Never fails: a folder of another user simply stays.
fn sweep(root: &Path) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|n| n.starts_with(PREFIX));
        if !ours || !entry.file_type().is_ok_and(|t| t.is_dir()) {
            continue;
        }
        let abandoned = File::open(entry.path().join(LOCK)).is_ok_and(|f| f.try_lock().is_ok());
        if abandoned {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
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
        let spill = SpillDir::create(Some(root.path())).unwrap();
        assert!(!abandoned.exists(), "a folder without a living engine is removed");
        assert_eq!(fs::metadata(spill.path()).unwrap().permissions().mode() & 0o777, 0o700);
        let second = SpillDir::create(Some(root.path())).unwrap();
        assert!(spill.path().exists(), "a folder in use stays");
        let path = second.path().to_owned();
        drop(second);
        assert!(!path.exists());
    }
}
