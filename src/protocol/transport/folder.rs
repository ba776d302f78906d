//! The private folder of the engines' sockets: only its owner may enter, and it must really be his.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use crate::util::private::{make_private, user_id};

/// A socket's path may have 107 bytes; the names inside the folder take up to 40.
const FOLDER_BYTES: usize = 64;

/// `$XDG_RUNTIME_DIR/recscope`, else `recscope-<uid>` in the temporary folder; made with mode 0700.
pub fn socket_folder() -> io::Result<PathBuf> {
    let uid = user_id();
    let mut candidates = Vec::new();
    if let Some(runtime) = std::env::var_os("XDG_RUNTIME_DIR").filter(|v| !v.is_empty()) {
        candidates.push(PathBuf::from(runtime).join("recscope"));
    }
    candidates.push(std::env::temp_dir().join(format!("recscope-{uid}")));
    candidates.push(PathBuf::from(format!("/tmp/recscope-{uid}")));
    let mut refused = String::from("no folder for the engine's socket");
    for folder in candidates.iter().filter(|f| f.as_os_str().len() <= FOLDER_BYTES) {
        match make_private(folder) {
            Ok(()) => return Ok(folder.clone()),
            Err(e) => refused = format!("{refused}; {}: {e}", folder.display()),
        }
    }
    Err(io::Error::other(refused))
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
