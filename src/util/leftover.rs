//! What dead processes leave on disk: one kind of finding for all who look for theirs, so that what is
//! swept at the next start and what `doctor` lists is the same. Where to look is the finders' business.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::private::user_id;

/// Nothing of ours is worked on for so long without being touched.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// Entries of a folder whose sizes are added up.
const LOOKED_AT: usize = 10_000;

/// A file or folder that nobody needs any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOver {
    pub path: PathBuf,
    pub bytes: u64,
    /// Whose it was, and how that is known.
    pub why: &'static str,
}

impl LeftOver {
    pub fn new(path: PathBuf, why: &'static str) -> Self {
        Self { bytes: bytes_of(&path, &mut LOOKED_AT.clone()), path, why }
    }

    /// Removes it, never through a link. Best effort: what cannot be removed stays.
    pub fn sweep(&self) {
        let Ok(found) = fs::symlink_metadata(&self.path) else { return };
        let done = match found.is_dir() {
            true => fs::remove_dir_all(&self.path),
            false => fs::remove_file(&self.path),
        };
        if let Err(error) = done {
            tracing::warn!(
                "{} is left over ({}) and cannot be removed: {error}",
                self.path.display(),
                self.why
            );
        }
    }
}

/// This user's, not touched for `age`. Nothing of somebody else's is ever looked into.
pub fn is_abandoned(found: &Metadata, age: Duration) -> bool {
    let touched = found.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    is_own(found) && touched.is_some_and(|idle| idle > age)
}

pub fn is_own(found: &Metadata) -> bool {
    found.uid() == user_id()
}

/// Files and folders of a folder whose name is `wanted`, with what is known of them (links: of themselves).
pub fn named(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<(PathBuf, Metadata)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let wanted = entries.filter(|entry| entry.file_name().to_str().is_some_and(&wanted));
    wanted.filter_map(|entry| Some((entry.path(), fs::symlink_metadata(entry.path()).ok()?))).collect()
}

fn bytes_of(path: &Path, room: &mut usize) -> u64 {
    let Ok(found) = fs::symlink_metadata(path) else { return 0 };
    if !found.is_dir() {
        return found.len();
    }
    let mut bytes = 0;
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        let Some(left) = room.checked_sub(1) else { break };
        *room = left;
        bytes += bytes_of(&entry.path(), room);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_swept_without_following_its_links() {
        let base = tempfile::tempdir().unwrap();
        let (old, kept) = (base.path().join("old"), base.path().join("kept"));
        fs::create_dir_all(old.join("deep")).unwrap();
        fs::create_dir(&kept).unwrap();
        fs::write(old.join("deep/a"), "12345").unwrap();
        fs::write(kept.join("b"), "x").unwrap();
        std::os::unix::fs::symlink(&kept, old.join("link")).unwrap();
        let found = LeftOver::new(old.clone(), "a test's");
        assert!(found.bytes >= 5);
        found.sweep();
        assert!(!old.exists() && kept.join("b").exists());
        let file = fs::metadata(kept.join("b")).unwrap();
        assert!(is_own(&file) && !is_abandoned(&file, DAY));
        assert_eq!(named(base.path(), |name| name.starts_with('k')).len(), 1);
    }
}
