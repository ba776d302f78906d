//! The private folder of the engines' sockets: only its owner may enter, and it must really be his.

use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use crate::util::leftover::{self, LeftOver};
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
    let folder = socket_folder()?;
    left_over(&folder).iter().for_each(LeftOver::sweep);
    let sockets = leftover::named(&folder, |name| name.ends_with(".sock"));
    let mut found: Vec<PathBuf> =
        sockets.into_iter().map(|(path, _)| path).filter(|path| UnixStream::connect(path).is_ok()).collect();
    found.sort();
    Ok(found)
}

/// Sockets that nobody answers, with the logs of their engines, and logs without a socket that nobody has
/// written to for a day. No process is asked that is not this user's.
pub fn left_over(folder: &std::path::Path) -> Vec<LeftOver> {
    const SOCKET: &str = "the socket of an engine that is gone";
    const LOG: &str = "the log of an engine that is gone";
    let refused = |path: &PathBuf| {
        UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    let mut found = Vec::new();
    for (path, meta) in leftover::named(folder, |name| name.ends_with(".sock")) {
        if meta.file_type().is_socket() && leftover::is_own(&meta) && refused(&path) {
            let log = path.with_extension("log");
            found.extend(log.is_file().then(|| LeftOver::new(log, LOG)));
            found.push(LeftOver::new(path, SOCKET));
        }
    }
    for (path, meta) in leftover::named(folder, |name| name.ends_with(".log")) {
        let alone = fs::symlink_metadata(path.with_extension("sock")).is_err();
        if alone && meta.is_file() && leftover::is_abandoned(&meta, leftover::DAY) {
            found.push(LeftOver::new(path, LOG));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_dead_engines_left_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let _living = UnixListener::bind(at("1-0.sock")).unwrap();
        drop(UnixListener::bind(at("2-0.sock")).unwrap());
        for name in ["1-0.log", "2-0.log", "3-0.log", "4-0.log", "notes.txt", "5-0.sock"] {
            fs::write(at(name), "x").unwrap();
        }
        let old = |name: &str| {
            let file = fs::File::options().append(true).open(at(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        };
        ["1-0.log", "3-0.log", "notes.txt"].iter().for_each(|name| old(name));
        let mut found: Vec<PathBuf> = left_over(folder.path()).into_iter().map(|left| left.path).collect();
        found.sort();
        assert_eq!(found, [at("2-0.log"), at("2-0.sock"), at("3-0.log")]);
    }
}
