//! Whether compressed files are whole. DuckDB reads a .gz that is cut off up to the cut and of a short .zst
//! nothing, both without a word. What that costs is bounded: a .zst says how long its blocks are, so only
//! their heads are read; a .gz must be unpacked to its end, once per version of a file and up to a limit,
//! and what lies beyond the limit is said.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, ErrorKind as Io, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use parking_lot::Mutex;

use super::super::{ErrorKind, Result, StoreError};
use crate::util::cancel::Cancel;
use crate::util::{figures, lexis};

/// Bytes of .gz files that are unpacked for this, per source: two or three seconds of one core.
const CHECKED_BYTES: u64 = 192 << 20;

/// A version of a file: device, number, size, time of its last change.
type Version = (u64, u64, u64, i64, i64);

/// Files of this process that were whole, so that none is unpacked twice for this.
static WHOLE: Mutex<Option<HashSet<Version>>> = Mutex::new(None);
/// More are forgotten: a file that is looked at again is no loss.
const REMEMBERED: usize = 100_000;

/// An error if one of the files is cut off or damaged; what was too large to tell, in words. Files that
/// cannot be opened pass: reading them says more.
pub(super) fn check(files: &[PathBuf], cancel: &Cancel) -> Result<Option<String>> {
    check_within(files, CHECKED_BYTES, cancel)
}

/// Compressed files and globs of them that a statement names in its literals.
pub(super) fn named(sql: &str) -> Vec<String> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < sql.len() {
        let Some(end) = lexis::skip_quoted(sql, at) else {
            at += sql[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let quoted = &sql[at..end];
        at = end;
        if quoted.starts_with("--") || quoted.starts_with("/*") {
            continue;
        }
        let literal = quoted.trim_matches(['\'', '"']);
        let lower = literal.to_lowercase();
        if (lower.ends_with(".gz") || lower.ends_with(".zst")) && !literal.contains("://") {
            found.push(literal.replace("''", "'"));
        }
    }
    found
}

fn check_within(files: &[PathBuf], mut budget: u64, cancel: &Cancel) -> Result<Option<String>> {
    let (mut first, mut others) = (None, 0u64);
    for path in files {
        cancel.check()?;
        let Ok(file) = File::open(path) else { continue };
        let Ok(meta) = file.metadata() else { continue };
        let mut magic = [0; 4];
        if !meta.is_file() || file.read_exact_at(&mut magic, 0).is_err() {
            continue;
        }
        let version = (meta.dev(), meta.ino(), meta.len(), meta.ctime(), meta.ctime_nsec());
        let looked = match magic {
            [0x1f, 0x8b, ..] if is_known(&version) => continue,
            [0x1f, 0x8b, ..] if meta.len() > budget => {
                match &first {
                    None => first = Some(format!("{} ({})", path.display(), figures::bytes(meta.len()))),
                    Some(_) => others += 1,
                }
                continue;
            }
            [0x1f, 0x8b, ..] => {
                budget -= meta.len();
                gzip(file, cancel)?
            }
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => zstd(&file, meta.len(), cancel)?,
            _ => Ok(()),
        };
        match looked {
            Ok(()) => remember(version),
            Err(why) => return Err(broken(path, &why)),
        }
    }
    Ok(first.map(|first| {
        let more = match others {
            0 => String::new(),
            n => format!(" and {}", figures::plural(n, "more file", "more files")),
        };
        format!("{first}{more} too large to be unpacked for a look whether the end is there: `gzip -t` tells")
    }))
}

fn is_known(version: &Version) -> bool {
    WHOLE.lock().as_ref().is_some_and(|known| known.contains(version))
}

fn remember(version: Version) {
    let mut known = WHOLE.lock();
    let known = known.get_or_insert_default();
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(version);
}

/// Why a file is not whole; errors of the outer kind are a cancel.
type Looked = Result<std::result::Result<(), String>>;

const CUT: &str = "it is cut off";

/// Unpacks every member and compares its checksum and length.
fn gzip(file: File, cancel: &Cancel) -> Looked {
    let mut decoder = MultiGzDecoder::new(BufReader::with_capacity(1 << 16, file));
    let mut buffer = vec![0; 1 << 16];
    loop {
        cancel.check()?;
        match decoder.read(&mut buffer) {
            Ok(0) => return Ok(Ok(())),
            Ok(_) => {}
            Err(error) if error.kind() == Io::Interrupted => {}
            Err(error) if error.kind() == Io::UnexpectedEof => return Ok(Err(CUT.into())),
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
}

/// Walks from block to block: frames, blocks and checksums must end where the file does.
fn zstd(file: &File, length: u64, cancel: &Cancel) -> Looked {
    let mut at = 0;
    while at < length {
        cancel.check()?;
        at = match frame(file, at, cancel)? {
            Ok(next) if next <= length => next,
            Ok(_) => return Ok(Err(CUT.into())),
            Err(why) => return Ok(Err(why)),
        };
    }
    Ok(Ok(()))
}

/// Where the frame that begins at `at` ends; that may lie behind the end of a file that is cut off.
fn frame(file: &File, at: u64, cancel: &Cancel) -> Result<std::result::Result<u64, String>> {
    let bytes = |at: u64| {
        let mut bytes = [0; 4];
        // Heads are of three bytes or more, and a block is never the last thing.
        let read = file.read_at(&mut bytes, at).unwrap_or(0);
        (read >= 3).then_some((bytes, read))
    };
    let Some(([a, b, c, d], 4)) = bytes(at) else { return Ok(Err(CUT.into())) };
    if (b, c, d) == (0x2a, 0x4d, 0x18) && (0x50..=0x5f).contains(&a) {
        let Some((size, 4)) = bytes(at + 4) else { return Ok(Err(CUT.into())) };
        return Ok(Ok(at + 8 + u64::from(u32::from_le_bytes(size))));
    }
    if [a, b, c, d] != [0x28, 0xb5, 0x2f, 0xfd] {
        return Ok(Err("something else follows the compressed data".into()));
    }
    let Some(([flags, ..], _)) = bytes(at + 4) else { return Ok(Err(CUT.into())) };
    let (single, checksum) = (flags & 0x20 != 0, flags & 0x04 != 0);
    let window = u64::from(!single);
    let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
    let content = match flags >> 6 {
        0 => u64::from(single),
        n => 1 << n,
    };
    let mut at = at + 5 + window + dictionary + content;
    loop {
        cancel.check()?;
        let Some(([a, b, c, _], _)) = bytes(at) else { return Ok(Err(CUT.into())) };
        let head = u32::from_le_bytes([a, b, c, 0]);
        at += 3 + match (head >> 1) & 3 {
            0 | 2 => u64::from(head >> 3),
            1 => 1,
            _ => return Ok(Err("a block is of no known kind".into())),
        };
        if head & 1 == 1 {
            return Ok(Ok(at + if checksum { 4 } else { 0 }));
        }
    }
}

fn broken(path: &Path, why: &str) -> StoreError {
    StoreError::new(ErrorKind::Data, format!("{} is not whole: {why}", path.display()))
        .hint("copy or write it again; `gzip -t` or `zstd -t` tells whether it is whole")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gz(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    /// `keep` bytes of `whole` are whole.
    fn passes(whole: &[u8], keep: usize) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, &whole[..keep]).unwrap();
        let seen = check(&[path], &Cancel::new());
        assert!(seen.as_ref().map_or(true, Option::is_none), "{seen:?}");
        seen.is_ok()
    }

    #[test]
    fn files_named_in_a_statement_are_found() {
        let sql = "-- 'no.gz'\nSELECT 'x' FROM read_csv('a''b/*.CSV.gz', header = true), \"鞋.jsonl.zst\", 's3://b/c.gz'";
        assert_eq!(named(sql), ["a'b/*.CSV.gz", "鞋.jsonl.zst"]);
        assert!(named("SELECT 1").is_empty() && named("'").is_empty());
    }

    #[test]
    fn a_gzip_cut_anywhere_is_noticed() {
        let one = gz(&"text\n".repeat(20_000));
        for keep in 4..one.len() {
            assert!(!passes(&one, keep), "{keep} of {}", one.len());
        }
        assert!(passes(&one, one.len()));
        let two = [one.clone(), gz("more\n")].concat();
        for keep in (one.len() + 1)..two.len() {
            assert!(!passes(&two, keep), "{keep} of {} and {}", one.len(), two.len());
        }
        assert!(passes(&two, two.len()));
        let mut wrong = one.clone();
        // The checksum stands eight bytes before the end.
        let at = wrong.len() - 8;
        wrong[at] ^= 1;
        assert!(!passes(&wrong, wrong.len()));
    }

    #[test]
    fn a_zstd_cut_anywhere_is_noticed() {
        // A frame with window, two raw blocks and a checksum; one without, of one repeated byte; a
        // skippable one.
        let first = [&[0x28, 0xb5, 0x2f, 0xfd, 4, 0x58, 24, 0, 0][..], b"abc", &[9, 0, 0, b'x', 1, 2, 3, 4]];
        let second: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd, 0x20, 9, 0x4b, 0, 0, b'y'];
        let third: &[u8] = &[0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7];
        let ends = [first.concat().len(), first.concat().len() + second.len()];
        let all = [&first.concat()[..], second, third].concat();
        for keep in 4..=all.len() {
            assert_eq!(
                passes(&all, keep),
                ends.contains(&keep) || keep == all.len(),
                "{keep} of {}",
                all.len()
            );
        }
        let frame = ruzstd::encoding::compress_to_vec(
            &b"0123456789abcdef".repeat(50_000)[..],
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        assert!(passes(&frame, frame.len()));
        assert!((4..frame.len()).rev().step_by(7).all(|keep| !passes(&frame, keep)));
    }

    #[test]
    fn what_is_too_large_to_tell_is_said_and_nothing_is_unpacked_twice() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<PathBuf> = ["a", "b", "c"].map(|name| folder.path().join(name)).into();
        let whole = gz("text\n");
        for path in &paths {
            std::fs::write(path, &whole).unwrap();
        }
        let size = whole.len() as u64;
        let said = check_within(&paths, size, &Cancel::new()).unwrap().unwrap();
        assert!(said.contains("/b (") && said.contains("and 1 more file too large"), "{said}");
        // The first is known by now.
        let said = check_within(&paths, size, &Cancel::new()).unwrap().unwrap();
        assert!(said.contains("/c (") && !said.contains("more file"), "{said}");
        assert_eq!(check_within(&paths, size, &Cancel::new()).unwrap(), None);
        std::fs::write(&paths[0], &whole[..whole.len() - 10]).unwrap();
        let error = check_within(&paths, size, &Cancel::new()).unwrap_err();
        assert!(error.message.ends_with("/a is not whole: it is cut off"), "{}", error.message);
        let stopped = Cancel::new();
        stopped.cancel();
        assert!(check_within(&paths, size, &stopped).unwrap_err().is_cancelled());
    }
}
