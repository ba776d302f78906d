//! The cache as a whole: what is in it, whether it is sound, and taking things out of it. For
//! `recscope cache`; scoring needs none of this.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::about::About;
use super::evict::{self, Part};
use super::key::Key;
use super::record::{KEY_BYTES, decode, value_bytes};
use super::segment::{HEAD, Segment, paths, width_of};

/// Records read at a time.
const AT_A_TIME: u32 = 1 << 12;

/// One shelf as it lies there.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub dir: PathBuf,
    pub about: About,
    pub entries: u64,
    pub bytes: u64,
    pub segments: usize,
    /// When scores were last written or read.
    pub used: Option<SystemTime>,
}

/// What is wrong with a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The segment's file of keys.
    pub file: PathBuf,
    /// Entries that fail their checksum.
    pub entries: u64,
    /// The first of them, counted from 0.
    pub first: Option<u32>,
    /// Why nothing of the segment can be used, if so.
    pub why: Option<String>,
}

/// Which entries are to go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Wanted {
    /// Only of this model: its hash, or the name that a shelf says.
    pub model: Option<String>,
    /// Only what has not been used since.
    pub before: Option<SystemTime>,
}

/// What has gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cleared {
    pub segments: u64,
    pub entries: u64,
    pub bytes: u64,
    /// Left, because a running job writes to them.
    pub busy: u64,
    /// Could not be removed, and why.
    pub failed: Vec<String>,
}

/// Every shelf of the folder; empty where there is no folder.
pub fn survey(folder: &Path) -> Vec<Found> {
    let shelves = evict::shelves(folder).into_iter();
    let found = shelves.map(|dir| {
        let parts = evict::parts(&dir);
        Found {
            about: About::read(&dir),
            entries: parts.iter().map(entries).sum(),
            bytes: parts.iter().map(|part| part.bytes).sum(),
            segments: parts.len(),
            used: parts.iter().map(|part| part.used).max(),
            dir,
        }
    });
    found.filter(|shelf| shelf.segments > 0).collect()
}

fn entries(part: &Part) -> u64 {
    let shelf = part.dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let width = width_of(&part.dir, &part.name, shelf);
    let opened = width.and_then(|width| Segment::open(&part.dir, &part.name, shelf, width).ok());
    opened.map_or(0, |segment| u64::from(segment.records()))
}

/// Reads a shelf from end to end; entries that are sound, and what is not.
pub fn verify(dir: &Path) -> (u64, Vec<Damage>) {
    let shelf = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut sound = 0;
    let mut damages = Vec::new();
    for part in evict::parts(dir) {
        let file = paths(dir, &part.name).0;
        match check(&part, shelf) {
            Ok((good, 0, _)) => sound += good,
            Ok((good, bad, first)) => {
                sound += good;
                damages.push(Damage { file, entries: bad, first, why: None });
            }
            Err(error) => {
                // Removed a moment ago by another process: not damage.
                if file.exists() {
                    damages.push(Damage { file, entries: 0, first: None, why: Some(error.to_string()) });
                }
            }
        }
    }
    (sound, damages)
}

/// Sound entries, damaged ones, and the first of these.
fn check(part: &Part, shelf: &str) -> io::Result<(u64, u64, Option<u32>)> {
    let Some(width) = width_of(&part.dir, &part.name, shelf) else {
        // Made a moment ago, or by a writer that was killed at once.
        if std::fs::metadata(paths(&part.dir, &part.name).0)?.len() < HEAD as u64 {
            return Ok((0, 0, None));
        }
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its first bytes are not those of a segment"));
    };
    let segment = Segment::open(&part.dir, &part.name, shelf, width)?;
    let (mut good, mut bad, mut first) = (0, 0, None);
    let records = segment.records();
    for from in (0..records).step_by(AT_A_TIME as usize) {
        let to = records.min(from + AT_A_TIME);
        let (keys, values) = (segment.keys(from, to)?, segment.values(from, to)?);
        let values = values.chunks_exact(value_bytes(width));
        for ((key, value), record) in keys.as_chunks::<KEY_BYTES>().0.iter().zip(values).zip(from..) {
            if decode(Key(*key), value).is_some() {
                good += 1;
            } else {
                bad += 1;
                first.get_or_insert(record);
            }
        }
    }
    Ok((good, bad, first))
}

/// Removes segments, and shelves that have none left.
pub fn clear(folder: &Path, wanted: &Wanted) -> Cleared {
    let mut cleared = Cleared::default();
    for dir in evict::shelves(folder) {
        let about = About::read(&dir);
        if wanted.model.as_ref().is_some_and(|model| *model != about.model_hash && *model != about.model) {
            continue;
        }
        let old = |part: &Part| wanted.before.is_none_or(|before| part.used < before);
        for part in evict::parts(&dir).iter().filter(|part| old(part)) {
            let held = entries(part);
            match evict::remove(part) {
                Ok(true) => {
                    cleared.segments += 1;
                    cleared.entries += held;
                    cleared.bytes += part.bytes;
                }
                Ok(false) => cleared.busy += 1,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => cleared.failed.push(format!("{}: {error}", dir.join(&part.name).display())),
            }
        }
        evict::tidy(&dir);
    }
    cleared
}
