//! What lies in the folder, and how it is kept below its limit: whole segments go, the longest
//! unused first, never one that a process writes to. Also the only place that removes files.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::about::About;
use super::segment::paths;
use super::shelf::segment_names;

/// Values whose keys never came: a writer was killed between making the two files.
const ORPHANED_AFTER: Duration = Duration::from_secs(3600);
/// Tells backup programs to pass the folder by (<https://bford.info/cachedir/>).
const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n# Scores that recscope can compute again.\n";

/// One segment's files as they lie there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub dir: PathBuf,
    pub name: String,
    /// Both files.
    pub bytes: u64,
    /// When it was last written to or read from.
    pub used: SystemTime,
}

/// Marks the folder as a cache.
pub fn mark(folder: &Path) {
    let tag = folder.join("CACHEDIR.TAG");
    if !tag.exists() {
        let _ = File::create(tag).and_then(|mut file| file.write_all(TAG.as_bytes()));
    }
}

/// Folders that are shelves: 32 hex digits. Others in the folder are not ours.
pub fn shelves(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let hex = |name: &str| name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit());
    let ours = entries.filter(|entry| entry.file_name().to_str().is_some_and(hex));
    let mut found: Vec<PathBuf> = ours.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// The segments of a shelf, oldest first.
pub fn parts(dir: &Path) -> Vec<Part> {
    let mut names = segment_names(dir);
    names.sort();
    names.into_iter().filter_map(|name| part(dir, name)).collect()
}

fn part(dir: &Path, name: String) -> Option<Part> {
    let (keys, values) = paths(dir, &name);
    let keys = std::fs::metadata(keys).ok()?;
    let values = std::fs::metadata(values).map_or(0, |meta| meta.len());
    let used = keys.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    Some(Part { dir: dir.to_path_buf(), name, bytes: keys.len() + values, used })
}

/// Removes the longest unused segments until no more than `limit` bytes are left.
pub fn keep_below(folder: &Path, limit: u64) {
    let dirs = shelves(folder);
    let mut all: Vec<Part> = dirs.iter().flat_map(|dir| parts(dir)).collect();
    let mut total: u64 = all.iter().map(|part| part.bytes).sum();
    all.sort_by_key(|part| part.used);
    let mut touched = false;
    for part in all {
        if total <= limit {
            break;
        }
        if matches!(remove(&part), Ok(true)) {
            total -= part.bytes;
            touched = true;
        }
    }
    if touched {
        dirs.iter().for_each(|dir| tidy(dir));
    }
}

/// Removes a segment; `false`: a process writes to it.
pub fn remove(part: &Part) -> io::Result<bool> {
    let (keys, values) = paths(&part.dir, &part.name);
    // Held until the files are gone, so that nobody begins to append.
    let lock = File::open(&keys)?;
    if matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
        return Ok(false);
    }
    match std::fs::remove_file(values) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        // The keys last: without them nobody looks for the values.
        _ => std::fs::remove_file(keys).map(|()| true),
    }
}

/// Removes values without keys, and the folder if nothing is left in it.
pub fn tidy(dir: &Path) {
    let names = segment_names(dir);
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        let orphan = path.extension().is_some_and(|ending| ending == "values")
            && !names.iter().any(|name| path.file_stem().is_some_and(|stem| *stem == **name));
        let old = entry.metadata().and_then(|meta| meta.modified());
        if orphan && old.is_ok_and(|old| old.elapsed().is_ok_and(|age| age > ORPHANED_AFTER)) {
            let _ = std::fs::remove_file(path);
        }
    }
    if names.is_empty() {
        About::remove(dir);
    }
}
