//! Whether files still hold what they held: a hash of small files, of samples and times of large ones.
//! Asked again, a file that its inode and times say is the same is not read again.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

/// Files up to this size are hashed whole, as long as those of one source are not more than that in all.
const WHOLE_FILE: u64 = 16 << 20;
const WHOLE_SOURCE: u64 = 128 << 20;
/// Of larger ones: so many samples from beginning to end, smaller ones where there are many files.
const SAMPLES: u64 = 16;
const SAMPLE: u64 = 64 << 10;
const SMALL_SAMPLE: u64 = 4 << 10;
const MANY_FILES: usize = 256;
/// A Parquet footer (its statistics tell most changes apart) is hashed whole up to this size.
const FOOTER: u64 = 64 << 20;
/// A file may change twice within the grain of its times: one that has just changed is read again.
const GRAIN: Duration = Duration::from_secs(2);

#[derive(Debug, Default)]
pub(super) struct Prints {
    /// Every byte is hashed, whatever the size.
    all: bool,
    known: HashMap<PathBuf, (Stamp, [u8; 32])>,
}

/// What says that nobody wrote to a file; the time of its last change of any kind cannot be set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    place: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    read: How,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Whole,
    Sampled(u64),
}

impl Prints {
    pub fn new(all: bool) -> Self {
        Self { all, ..Self::default() }
    }

    /// Takes files into a hash, named as seen from `base`. `None`: one is no file, or cannot be read.
    pub fn add(&mut self, hash: &mut Sha256, files: &[PathBuf], base: &Path) -> Option<()> {
        let found: Vec<Metadata> = files.iter().map(|file| fs::metadata(file).ok()).collect::<Option<_>>()?;
        if found.iter().any(|found| !found.is_file()) {
            return None;
        }
        let total: u64 = found.iter().map(Metadata::len).sum();
        let sample = if files.len() > MANY_FILES { SMALL_SAMPLE } else { SAMPLE };
        for (file, found) in files.iter().zip(&found) {
            let whole = self.all || found.len() <= WHOLE_FILE && total <= WHOLE_SOURCE;
            let stamp = Stamp::of(found, if whole { How::Whole } else { How::Sampled(sample) });
            let print = self.print(file, stamp)?;
            hash.update(file.strip_prefix(base).unwrap_or(file).as_os_str().as_encoded_bytes());
            hash.update(format!("\0{}\0", stamp.bytes));
            hash.update(print);
            if !whole {
                // What lies between the samples is only known to be the same by these.
                hash.update(format!("{:?}", (stamp.place.1, stamp.modified, stamp.changed)));
            }
        }
        Some(())
    }

    fn print(&mut self, file: &Path, stamp: Stamp) -> Option<[u8; 32]> {
        if let Some((known, print)) = self.known.get(file)
            && *known == stamp
        {
            return Some(*print);
        }
        let print = match stamp.read {
            How::Whole => whole(file),
            How::Sampled(sample) => sampled(file, stamp.bytes, sample),
        };
        let print = print.ok()?;
        let settled = fs::metadata(file).is_ok_and(|now| Stamp::of(&now, stamp.read) == stamp);
        if settled && !stamp.is_fresh() {
            self.known.insert(file.to_path_buf(), (stamp, print));
        }
        Some(print)
    }
}

impl Stamp {
    fn of(found: &Metadata, read: How) -> Self {
        Self {
            place: (found.dev(), found.ino()),
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
            read,
        }
    }

    fn is_fresh(&self) -> bool {
        let (seconds, nanos) = self.changed;
        let changed = Duration::new(u64::try_from(seconds).unwrap_or(0), nanos as u32);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        now < changed + GRAIN
    }
}

fn whole(file: &Path) -> io::Result<[u8; 32]> {
    let mut file = File::open(file)?;
    let mut hash = Sha256::new();
    take(&mut file, &mut hash, u64::MAX)?;
    Ok(hash.finalize().into())
}

/// Head, tail, what lies evenly between them, and a Parquet file's footer.
fn sampled(file: &Path, bytes: u64, sample: u64) -> io::Result<[u8; 32]> {
    let mut file = File::open(file)?;
    let mut hash = Sha256::new();
    let last = bytes.saturating_sub(sample);
    for n in 0..SAMPLES {
        let at = u128::from(last) * u128::from(n) / u128::from(SAMPLES - 1);
        file.seek(SeekFrom::Start(at as u64))?;
        take(&mut file, &mut hash, sample)?;
    }
    let mut end = [0u8; 8];
    file.seek(SeekFrom::Start(bytes.saturating_sub(8)))?;
    file.read_exact(&mut end)?;
    if let [a, b, c, d, b'P', b'A', b'R', b'1'] = end {
        let footer = u64::from(u32::from_le_bytes([a, b, c, d])).min(FOOTER) + 8;
        file.seek(SeekFrom::Start(bytes.saturating_sub(footer)))?;
        take(&mut file, &mut hash, footer)?;
    }
    Ok(hash.finalize().into())
}

fn take(file: &mut File, hash: &mut Sha256, mut left: u64) -> io::Result<()> {
    let mut block = vec![0u8; left.min(1 << 20) as usize];
    while left > 0 {
        let wanted = usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
        match file.read(block.get_mut(..wanted).unwrap_or_default()) {
            Ok(0) => break,
            Ok(n) => {
                hash.update(block.get(..n).unwrap_or_default());
                left -= n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(tempfile::TempDir, Prints);

    impl Folder {
        fn new(all: bool) -> Self {
            Self(tempfile::tempdir().unwrap(), Prints::new(all))
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        /// Writes, with the time of writing always the same.
        fn put(&self, name: &str, bytes: &[u8]) {
            fs::write(self.path(name), bytes).unwrap();
            let file = File::options().append(true).open(self.path(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)).unwrap();
        }

        fn print(&mut self, names: &[&str]) -> Option<[u8; 32]> {
            let files: Vec<PathBuf> = names.iter().map(|name| self.path(name)).collect();
            let mut hash = Sha256::new();
            self.1.add(&mut hash, &files, self.0.path())?;
            Some(hash.finalize().into())
        }
    }

    #[test]
    fn the_same_size_and_time_with_other_content_is_noticed() {
        let mut folder = Folder::new(false);
        folder.put("a.csv", "clicked\n0\n".as_bytes());
        let before = folder.print(&["a.csv"]).unwrap();
        assert_eq!(folder.print(&["a.csv"]), Some(before));
        folder.put("a.csv", "clicked\n1\n".as_bytes());
        let after = folder.print(&["a.csv"]).unwrap();
        assert_ne!(before, after);
        folder.put("a.csv", "clicked\n0\n".as_bytes());
        assert_eq!(folder.print(&["a.csv"]), Some(before), "a small file is what it holds");
        assert_eq!(folder.print(&["none.csv"]), None);
        assert_eq!(folder.print(&["."]), None);
    }

    #[test]
    fn a_small_file_may_be_copied_elsewhere() {
        let (mut one, mut other) = (Folder::new(false), Folder::new(true));
        for folder in [&one, &other] {
            fs::create_dir(folder.path("day=1")).unwrap();
            folder.put("day=1/日.csv", b"a\n1\n");
        }
        assert_eq!(one.print(&["day=1/日.csv"]), other.print(&["day=1/日.csv"]));
    }

    /// Samples tell most; what they do not tell, the time of the last change does.
    #[test]
    fn large_files_are_sampled_unless_all_is_hashed() {
        let large = |at: usize| {
            let mut bytes = vec![b'x'; WHOLE_FILE as usize + 100_000];
            bytes[at] = b'y';
            bytes
        };
        let mut folder = Folder::new(false);
        folder.put("a", &large(0));
        let stamp = |folder: &Folder| Stamp::of(&fs::metadata(folder.path("a")).unwrap(), How::Whole);
        let (first, print) = (stamp(&folder), folder.print(&["a"]).unwrap());
        let samples = |folder: &Folder| sampled(&folder.path("a"), first.bytes, SAMPLE).unwrap();
        let before = samples(&folder);
        for at in [10, WHOLE_FILE as usize / 15, WHOLE_FILE as usize + 99_999] {
            folder.put("a", &large(at));
            assert_ne!(samples(&folder), before, "{at}");
        }
        // Between two samples.
        folder.put("a", &large(SAMPLE as usize + 10));
        let unseen = samples(&folder);
        folder.put("a", &large(SAMPLE as usize + 20));
        assert_eq!(samples(&folder), unseen);
        assert_eq!(stamp(&folder).modified, first.modified);
        assert_ne!(stamp(&folder).changed, first.changed);
        assert_ne!(folder.print(&["a"]).unwrap(), print);

        let (mut all, mut other) = (Folder::new(true), Folder::new(true));
        all.put("a", &large(SAMPLE as usize + 10));
        other.put("a", &large(SAMPLE as usize + 20));
        assert_ne!(all.print(&["a"]), other.print(&["a"]));
    }

    #[test]
    fn a_parquet_footer_is_hashed_whole() {
        let folder = Folder::new(false);
        let file = |at: usize| {
            let mut bytes = vec![b'x'; 40 << 20];
            bytes[at] = b'y';
            let end = bytes.len();
            bytes[end - 8..].copy_from_slice(b"\0\0\0\x01PAR1");
            bytes
        };
        let size = 40u64 << 20;
        // In the footer of 16 MiB, between two samples.
        let at = (size - SAMPLE) as usize / 15 * 12 + SAMPLE as usize + 1000;
        folder.put("a.parquet", &file(at));
        let one = sampled(&folder.path("a.parquet"), size, SAMPLE).unwrap();
        folder.put("a.parquet", &file(at + 1));
        assert_ne!(sampled(&folder.path("a.parquet"), size, SAMPLE).unwrap(), one);
    }
}
