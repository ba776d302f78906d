//! Folders that only this user may enter: made with mode 0700, never reached through a link, never
//! somebody else's. What such a folder is for is the caller's.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// No core file of this process and of those that it starts: it would hold all data and secrets that they
/// hold, in the folder of the notebook.
pub fn no_core_files() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls touch nothing but `limit`, which lives through them.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) == 0 {
            limit.rlim_cur = 0;
            libc::setrlimit(libc::RLIMIT_CORE, &raw const limit);
        }
    }
}

/// This process's user.
pub fn user_id() -> u32 {
    // SAFETY: getuid has no preconditions and cannot fail.
    unsafe { libc::getuid() }
}

/// Makes `folder` (its parent must exist) with mode 0700, or takes it as it is if it is this user's own;
/// a wider mode is narrowed.
///
/// # Errors
/// It is a link, no folder, somebody else's, or cannot be made.
pub fn make_private(folder: &Path) -> io::Result<()> {
    make_private_for(folder, user_id())
}

/// As [`make_private`], with parents, which get mode 0700 where they are missing.
pub fn make_private_all(folder: &Path) -> io::Result<()> {
    if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    }
    make_private(folder)
}

fn make_private_for(folder: &Path, uid: u32) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e),
    }
    let mode = own_folder(folder, uid)?;
    if mode & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The mode of a folder that is really one, and this user's.
fn own_folder(folder: &Path, uid: u32) -> io::Result<u32> {
    // Not `metadata`: a link planted by someone else must not be followed.
    let found = fs::symlink_metadata(folder)?;
    if found.is_symlink() {
        return Err(io::Error::other("is a link, not a folder"));
    }
    if !found.is_dir() || found.uid() != uid {
        return Err(io::Error::other("is not a folder of this user"));
    }
    Ok(found.mode())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_for_its_owner_alone() {
        let base = tempfile::tempdir().unwrap();
        let uid = fs::metadata(base.path()).unwrap().uid();
        let open = base.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        make_private(&open).unwrap();
        assert_eq!(fs::metadata(&open).unwrap().mode() & 0o777, 0o700);

        let link = base.path().join("link");
        std::os::unix::fs::symlink(&open, &link).unwrap();
        assert!(make_private(&link).is_err());
        assert!(make_private_for(&open, uid + 1).is_err());
        make_private_all(&base.path().join("a/b/c")).unwrap();
        assert_eq!(fs::metadata(base.path().join("a/b")).unwrap().mode() & 0o777, 0o700);
    }
}
