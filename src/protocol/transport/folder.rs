//! The private folder of the engines' sockets: only its owner may enter, and it must really be his.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// A socket's path may have 107 bytes; the names inside the folder take up to 40.
const FOLDER_BYTES: usize = 64;

/// `$XDG_RUNTIME_DIR/recscope`, else `recscope-<uid>` in the temporary folder; made with mode 0700.
pub fn socket_folder() -> io::Result<PathBuf> {
    // SAFETY: getuid has no preconditions and cannot fail.
    let uid = unsafe { libc::getuid() };
    let mut candidates = Vec::new();
    if let Some(runtime) = std::env::var_os("XDG_RUNTIME_DIR").filter(|v| !v.is_empty()) {
        candidates.push(PathBuf::from(runtime).join("recscope"));
    }
    candidates.push(std::env::temp_dir().join(format!("recscope-{uid}")));
    candidates.push(PathBuf::from(format!("/tmp/recscope-{uid}")));
    let mut refused = String::from("no folder for the engine's socket");
    for folder in candidates.iter().filter(|f| f.as_os_str().len() <= FOLDER_BYTES) {
        match private(folder, uid) {
            Ok(()) => return Ok(folder.clone()),
            Err(e) => refused = format!("{refused}; {}: {e}", folder.display()),
        }
    }
    Err(io::Error::other(refused))
}

fn private(folder: &Path, uid: u32) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e),
    }
    // Not `metadata`: a link planted by someone else must not be followed.
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() || found.uid() != uid {
        return Err(io::Error::other("is not a folder of this user"));
    }
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Sockets of engines that answer; files that dead engines left behind are removed.
pub fn running_engines() -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(socket_folder()?)? {
        let path = entry?.path();
        if path.extension().is_none_or(|e| e != "sock") {
            continue;
        }
        match UnixStream::connect(&path) {
            Ok(_) => found.push(path),
            Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {
                let _ = fs::remove_file(&path);
                let _ = fs::remove_file(path.with_extension("log"));
            }
            Err(_) => {}
        }
    }
    found.sort();
    Ok(found)
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
        private(&open, uid).unwrap();
        assert_eq!(fs::metadata(&open).unwrap().mode() & 0o777, 0o700);

        let link = base.path().join("link");
        std::os::unix::fs::symlink(&open, &link).unwrap();
        assert!(private(&link, uid).is_err());
        assert!(private(&open, uid + 1).is_err());
    }
}
