//! A run of entries that grows at its end: two files of fixed-size records (`NAME.keys`,
//! `NAME.values`), or the same in memory. One process appends, which a lock on the file of keys says;
//! any number of them read. Record `n` stands at `n` times the record's size in both files, so a
//! half-written record is what is left over at the end of a file, and nothing needs repair.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::index::MOST_RECORDS;
use super::key::Key;
use super::record::{Entry, KEY_BYTES, decode, value_bytes};

const MAGIC: &[u8; 16] = b"recscope scores\n";
const VERSION: u32 = 1;
/// Bytes before the first key.
pub const HEAD: usize = 64;
/// Wanted records that lie this close are read in one go, with what is between them.
const GAP_BYTES: usize = 16 << 10;
/// Most bytes read in one go.
const RUN_BYTES: usize = 1 << 20;

/// What is wanted of a segment: record, and the wanted key's number.
pub type Wanted = (u32, u32);

#[derive(Debug)]
pub struct Segment {
    /// The files' name without ending; empty in memory.
    pub name: String,
    width: usize,
    records: u32,
    backing: Backing,
    /// Something was read from it since it was last marked as used.
    pub used: bool,
}

#[derive(Debug)]
enum Backing {
    Memory {
        keys: Vec<u8>,
        values: Vec<u8>,
    },
    Files {
        keys: File,
        values: File,
    },
    /// Another process has removed the files.
    Gone,
}

impl Segment {
    pub fn in_memory(width: usize) -> Self {
        let backing = Backing::Memory { keys: Vec::new(), values: Vec::new() };
        Self { name: String::new(), width, records: 0, backing, used: false }
    }

    /// Opens for reading; an error of kind `InvalidData`: not a segment of this shelf.
    pub fn open(dir: &Path, name: &str, shelf: &str, width: usize) -> io::Result<Self> {
        let (keys, values) = paths(dir, name);
        let (keys, values) = (File::open(keys)?, File::open(values)?);
        if exact(&keys, 0, HEAD)? != head(shelf, width) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let records = records(&keys, &values, width)?;
        Ok(Self { name: name.into(), width, records, backing: Backing::Files { keys, values }, used: false })
    }

    /// Makes a new, empty one with this process as its writer.
    pub fn create(dir: &Path, name: &str, shelf: &str, width: usize) -> io::Result<Self> {
        let (keys_path, values_path) = paths(dir, name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        // Values first: keys without values would be taken for a damaged segment.
        let (values, keys) = (options.open(&values_path)?, options.open(&keys_path)?);
        let made = Self::lock(&keys).and_then(|_| keys.write_all_at(&head(shelf, width), 0));
        if let Err(error) = made {
            let _ = std::fs::remove_file(keys_path);
            let _ = std::fs::remove_file(values_path);
            return Err(error);
        }
        Ok(Self {
            name: name.into(),
            width,
            records: 0,
            backing: Backing::Files { keys, values },
            used: false,
        })
    }

    /// Becomes the writer of a segment that has none, cutting off what a killed writer left half done;
    /// how many records it had when it was last looked at. `None`: somebody writes to it, it is gone, or
    /// it may not be written.
    pub fn adopt(&mut self, dir: &Path) -> Option<u32> {
        let adopted = || -> io::Result<Option<(File, File, u32)>> {
            let (keys, values) = paths(dir, &self.name);
            let mut options = OpenOptions::new();
            options.read(true).write(true);
            let (keys, values) = (options.open(keys)?, options.open(values)?);
            // Without locks there is no telling who writes: then everybody has a segment of their own.
            if !Self::lock(&keys)? || keys.metadata()?.nlink() == 0 {
                return Ok(None);
            }
            let records = records(&keys, &values, self.width)?;
            keys.set_len((HEAD + records as usize * KEY_BYTES) as u64)?;
            values.set_len(records as u64 * value_bytes(self.width) as u64)?;
            Ok(Some((keys, values, records)))
        };
        let Ok(Some((keys, values, records))) = adopted() else { return None };
        self.backing = Backing::Files { keys, values };
        Some(std::mem::replace(&mut self.records, records).min(records))
    }

    /// Whether the lock was taken; `false` where the file system has none.
    fn lock(keys: &File) -> io::Result<bool> {
        match keys.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(_)) => Ok(false),
        }
    }

    /// Whether another process writes to it. Not to be asked of a segment that this one writes to.
    pub fn has_a_writer(&self) -> bool {
        let Backing::Files { keys, .. } = &self.backing else { return false };
        match keys.try_lock_shared() {
            Ok(()) => {
                let _ = keys.unlock();
                false
            }
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => false,
        }
    }

    /// Stops being the writer.
    pub fn release(&self) {
        if let Backing::Files { keys, .. } = &self.backing {
            let _ = keys.unlock();
        }
    }

    pub fn records(&self) -> u32 {
        self.records
    }

    pub fn is_in_memory(&self) -> bool {
        matches!(self.backing, Backing::Memory { .. })
    }

    /// How many more records fit below `bytes`.
    pub fn room(&self, bytes: u64) -> u32 {
        let each = (KEY_BYTES + value_bytes(self.width)) as u64;
        let most = (bytes / each).clamp(1, u64::from(MOST_RECORDS)) as u32;
        most.saturating_sub(self.records)
    }

    /// Looks how far another process has written; the number of records that are new.
    pub fn look(&mut self) -> io::Result<u32> {
        let Backing::Files { keys, values } = &self.backing else { return Ok(0) };
        let now = records(keys, values, self.width)?;
        let new = now.saturating_sub(self.records);
        self.records += new;
        Ok(new)
    }

    /// Lets go of the files.
    pub fn forget(&mut self) {
        (self.backing, self.records) = (Backing::Gone, 0);
    }

    /// Appends whole records; the first one's number. On an error nothing has been appended.
    pub fn append(&mut self, new_keys: &[u8], new_values: &[u8]) -> io::Result<u32> {
        let (first, count) = (self.records, new_keys.len() / KEY_BYTES);
        match &mut self.backing {
            Backing::Memory { keys, values } => {
                keys.extend_from_slice(new_keys);
                values.extend_from_slice(new_values);
            }
            Backing::Files { keys, values } => {
                let keys_end = (HEAD + first as usize * KEY_BYTES) as u64;
                let values_end = u64::from(first) * value_bytes(self.width) as u64;
                // Only the key makes a record count.
                let written = values
                    .write_all_at(new_values, values_end)
                    .and_then(|()| keys.write_all_at(new_keys, keys_end));
                if let Err(error) = written {
                    let _ = keys.set_len(keys_end);
                    let _ = values.set_len(values_end);
                    return Err(error);
                }
            }
            Backing::Gone => return Err(io::ErrorKind::NotFound.into()),
        }
        self.records += count as u32;
        Ok(first)
    }

    /// The keys of records `from..to`.
    pub fn keys(&self, from: u32, to: u32) -> io::Result<Vec<u8>> {
        let (from, to) = (from as usize, (to as usize).max(from as usize));
        match &self.backing {
            Backing::Memory { keys, .. } => part(keys, from * KEY_BYTES, to * KEY_BYTES),
            Backing::Files { keys, .. } => exact(keys, HEAD + from * KEY_BYTES, (to - from) * KEY_BYTES),
            Backing::Gone => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The values of records `from..to`.
    pub fn values(&self, from: u32, to: u32) -> io::Result<Vec<u8>> {
        let each = value_bytes(self.width);
        let (from, to) = (from as usize, (to as usize).max(from as usize));
        match &self.backing {
            Backing::Memory { values, .. } => part(values, from * each, to * each),
            Backing::Files { values, .. } => exact(values, from * each, (to - from) * each),
            Backing::Gone => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Reads wanted records (ascending) and gives those that are whole and of the wanted key. What
    /// cannot be read is passed over: it is computed again.
    pub fn read(&mut self, wanted: &[Wanted], keys: &[Key], found: &mut dyn FnMut(Wanted, Entry)) {
        let each = value_bytes(self.width);
        let (gap, most) = ((GAP_BYTES / each) as u32, (RUN_BYTES / each).max(1) as u32);
        let mut rest = wanted;
        while let Some((first, _)) = rest.first().copied() {
            let mut end = first + 1;
            let close = rest.iter().take_while(|(record, _)| {
                let joins = *record <= end + gap && record - first < most;
                end = if joins { end.max(record + 1) } else { end };
                joins
            });
            let (run, after) = rest.split_at(close.count());
            rest = after;
            let (Ok(run_keys), Ok(run_values)) = (self.keys(first, end), self.values(first, end)) else {
                continue;
            };
            for (record, number) in run.iter().copied() {
                let (at, Some(key)) = ((record - first) as usize, keys.get(number as usize)) else {
                    continue;
                };
                let stored = run_keys.get(at * KEY_BYTES..(at + 1) * KEY_BYTES);
                let value = run_values.get(at * each..(at + 1) * each);
                if stored == Some(&key.0[..])
                    && let Some(entry) = value.and_then(|value| decode(*key, value))
                {
                    self.used = true;
                    found((record, number), entry);
                }
            }
        }
    }

    /// As if the disk had become full.
    #[cfg(test)]
    pub fn fail_from_now_on(&mut self, dir: &Path) {
        if let Backing::Files { values, .. } = &mut self.backing {
            *values = File::open(paths(dir, &self.name).1).unwrap();
        }
    }

    /// Marks the files as used now: eviction takes the longest unused first.
    pub fn touch(&mut self) {
        if let Backing::Files { keys, .. } = &self.backing
            && std::mem::take(&mut self.used)
        {
            let _ = keys.set_modified(std::time::SystemTime::now());
        }
    }
}

/// The two files of a segment.
pub fn paths(dir: &Path, name: &str) -> (PathBuf, PathBuf) {
    (dir.join(format!("{name}.keys")), dir.join(format!("{name}.values")))
}

/// Whole records in both files.
fn records(keys: &File, values: &File, width: usize) -> io::Result<u32> {
    let keys = (keys.metadata()?.len() as usize).saturating_sub(HEAD) / KEY_BYTES;
    let values = values.metadata()?.len() as usize / value_bytes(width);
    Ok(keys.min(values).min(MOST_RECORDS as usize) as u32)
}

fn head(shelf: &str, width: usize) -> [u8; HEAD] {
    let mut head = [0; HEAD];
    let parts = [&MAGIC[..], &VERSION.to_le_bytes(), &(width as u32).to_le_bytes(), shelf.as_bytes()];
    head.iter_mut().zip(parts.concat()).for_each(|(slot, byte)| *slot = byte);
    let (body, sum) = head.split_at_mut(HEAD - 4);
    sum.copy_from_slice(&crc32fast::hash(body).to_le_bytes());
    head
}

/// How many numbers an entry has, where the head is sound and says this shelf.
pub fn width_of(dir: &Path, name: &str, shelf: &str) -> Option<usize> {
    let found = exact(&File::open(paths(dir, name).0).ok()?, 0, HEAD).ok()?;
    let width = u32::from_le_bytes(*found.get(20..)?.first_chunk()?) as usize;
    (found == head(shelf, width) && width > 0).then_some(width)
}

fn part(bytes: &[u8], from: usize, to: usize) -> io::Result<Vec<u8>> {
    bytes.get(from..to).map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn exact(file: &File, from: usize, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, from as u64)?;
    Ok(bytes)
}
