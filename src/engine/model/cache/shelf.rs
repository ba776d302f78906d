//! All entries that may answer for one another: those of one model, arithmetic, template and limit.
//! Finds and adds; where the disk fails, goes on in memory and says so once.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::about::About;
use super::evict;
use super::index::{Index, MOST_SEGMENTS, Place};
use super::key::{Key, ShelfId};
use super::record::{Entry, KEY_BYTES, encode};
use super::segment::{Segment, Wanted};

/// Entries wait no longer than this for the disk: what a killed job loses.
const FLUSH_AFTER: Duration = Duration::from_millis(500);
/// Nor do more bytes of them.
const FLUSH_BYTES: usize = 1 << 20;
/// What is kept in memory where there is no folder.
const MEMORY_BYTES: u64 = 256 << 20;
/// Keys read at a time when the index is filled.
const KEYS_AT_A_TIME: u32 = 1 << 16;

/// Where the entries of all shelves lie, and how much room they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    pub folder: PathBuf,
    pub limit_bytes: u64,
}

impl Room {
    /// Eviction removes whole segments, so there are to be a few dozen.
    fn segment_bytes(&self) -> u64 {
        (self.limit_bytes / 32).clamp(16 << 10, 256 << 20)
    }
}

/// Entries that have been written: they lie in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub first: Place,
    pub count: u32,
}

#[derive(Debug)]
pub struct Shelf {
    id: ShelfId,
    /// The shelf's name, which is that of its folder.
    name: String,
    room: Option<Room>,
    segments: Vec<Segment>,
    index: Index,
    /// The segment that this process appends to.
    active: Option<usize>,
    new_keys: Vec<u8>,
    new_values: Vec<u8>,
    flushed: Instant,
    /// Bytes appended since the limit was last looked at.
    grown: u64,
    trouble: Option<String>,
}

impl Shelf {
    /// Opens what is there; nothing is made before something is written. Without a room, entries are
    /// kept in memory, up to 256 MB.
    pub fn open(id: ShelfId, room: Option<Room>) -> Self {
        let name = id.folder();
        let mut shelf = Self {
            id,
            name,
            room,
            segments: Vec::new(),
            index: Index::default(),
            active: None,
            new_keys: Vec::new(),
            new_values: Vec::new(),
            flushed: Instant::now(),
            grown: 0,
            trouble: None,
        };
        shelf.refresh();
        shelf
    }

    /// Why entries are no longer written to disk.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    fn dir(&self) -> Option<PathBuf> {
        self.room.as_ref().map(|room| room.folder.join(&self.name))
    }

    /// Takes notice of what other processes have added and removed.
    pub fn refresh(&mut self) {
        let Some(dir) = self.dir() else { return };
        let mut names = segment_names(&dir);
        for at in 0..self.segments.len() {
            let Some(segment) = self.segments.get_mut(at) else { continue };
            if segment.is_in_memory() || self.active == Some(at) {
                names.retain(|name| *name != segment.name);
                continue;
            }
            let known = names.iter().position(|name| *name == segment.name).map(|at| names.swap_remove(at));
            match known {
                None => segment.forget(),
                Some(_) => self.take_in(at),
            }
        }
        // The newest first: should the index be full, the oldest are left out.
        names.sort_unstable_by(|a, b| b.cmp(a));
        for name in names {
            match Segment::open(&dir, &name, &self.name, self.id.width) {
                Ok(segment) => {
                    let at = self.segments.len();
                    self.index.reserve(segment.records() as usize);
                    let records = segment.records();
                    self.segments.push(segment);
                    self.enter(at, 0, records);
                }
                Err(error) => tracing::warn!("scores in {}/{name} are not used: {error}", dir.display()),
            }
        }
    }

    /// Enters what has been appended to a segment by another process.
    fn take_in(&mut self, at: usize) {
        let Some(segment) = self.segments.get_mut(at) else { return };
        let before = segment.records();
        if segment.look().is_ok_and(|new| new > 0) {
            let now = segment.records();
            self.enter(at, before, now);
        }
    }

    fn enter(&mut self, at: usize, from: u32, to: u32) {
        for start in (from..to).step_by(KEYS_AT_A_TIME as usize) {
            let end = to.min(start + KEYS_AT_A_TIME);
            let Some(Ok(keys)) = self.segments.get(at).map(|segment| segment.keys(start, end)) else {
                return;
            };
            let places = (start..end).map(|record| Place { segment: at as u16, record });
            for (key, place) in keys.as_chunks::<KEY_BYTES>().0.iter().zip(places) {
                if !self.index.insert(Key(*key), place) {
                    return;
                }
            }
        }
    }

    /// Gives the number, place and entry of every key that is here, in no particular order.
    pub fn find(&mut self, keys: &[Key], mut found: impl FnMut(usize, Place, Entry)) {
        let mut asked: Vec<(Place, u32)> = Vec::with_capacity(keys.len());
        for (number, key) in keys.iter().enumerate() {
            asked.extend(self.index.places(*key).map(|place| (place, number as u32)));
        }
        asked.sort_unstable();
        let mut given = vec![false; keys.len()];
        for group in asked.chunk_by(|(a, _), (b, _)| a.segment == b.segment) {
            let Some((Place { segment, .. }, _)) = group.first().copied() else { continue };
            let wanted: Vec<Wanted> = group.iter().map(|(place, number)| (place.record, *number)).collect();
            let Some(from) = self.segments.get_mut(usize::from(segment)) else { continue };
            from.read(&wanted, keys, &mut |(record, number), entry| {
                let once =
                    given.get_mut(number as usize).is_some_and(|given| !std::mem::replace(given, true));
                if once {
                    found(number as usize, Place { segment, record }, entry);
                }
            });
        }
    }

    /// Adds an entry; what has gone to disk (or into memory) with it, if it is time.
    pub fn put(&mut self, key: Key, entry: &Entry) -> Option<Written> {
        if entry.output.len() != self.id.width || !entry.is_worth_keeping() {
            return None;
        }
        if self.new_keys.is_empty() {
            self.flushed = Instant::now();
        }
        self.new_keys.extend_from_slice(&key.0);
        encode(key, entry, &mut self.new_values);
        let due = self.new_values.len() >= FLUSH_BYTES || self.flushed.elapsed() >= FLUSH_AFTER;
        if due { self.flush() } else { None }
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> Option<Written> {
        let (keys, values) = (std::mem::take(&mut self.new_keys), std::mem::take(&mut self.new_values));
        if keys.is_empty() {
            return None;
        }
        let (at, first) = self.append(&keys, &values)?;
        self.grown += (keys.len() + values.len()) as u64;
        let count = (keys.len() / KEY_BYTES) as u32;
        for (key, record) in keys.as_chunks::<KEY_BYTES>().0.iter().zip(first..) {
            self.index.insert(Key(*key), Place { segment: at as u16, record });
        }
        if self.room.as_ref().is_some_and(|room| self.grown >= room.segment_bytes()) {
            self.keep_below_limit();
        }
        Some(Written { first: Place { segment: at as u16, record: first }, count })
    }

    /// Appends to this process's segment, taking or making one where there is none or it is full.
    fn append(&mut self, keys: &[u8], values: &[u8]) -> Option<(usize, u32)> {
        let count = (keys.len() / KEY_BYTES) as u32;
        for _ in 0..2 {
            let at = self.writable(count)?;
            match self.segments.get_mut(at)?.append(keys, values) {
                Ok(first) => return Some((at, first)),
                Err(error) => self.give_up(&error),
            }
        }
        None
    }

    fn writable(&mut self, count: u32) -> Option<usize> {
        let most = self.room.as_ref().map_or(MEMORY_BYTES, Room::segment_bytes);
        if let Some(at) = self.active {
            let segment = self.segments.get(at)?;
            if segment.is_in_memory() {
                return (segment.room(MEMORY_BYTES) >= count).then_some(at);
            }
            if segment.room(most) > 0 {
                return Some(at);
            }
            segment.release();
            self.active = None;
        }
        if self.segments.len() >= usize::from(MOST_SEGMENTS) {
            return None;
        }
        let dir = self.dir();
        let taken = match &dir {
            None => Ok(Segment::in_memory(self.id.width)),
            Some(dir) => match self.adoptable(dir, most) {
                Some(at) => return self.activate(at),
                None => self.create(dir),
            },
        };
        let segment = taken.unwrap_or_else(|error| {
            self.give_up(&error);
            Segment::in_memory(self.id.width)
        });
        self.segments.push(segment);
        self.activate(self.segments.len() - 1)
    }

    fn activate(&mut self, at: usize) -> Option<usize> {
        self.active = Some(at);
        self.active
    }

    /// A segment that is not full and that nobody writes to.
    fn adoptable(&mut self, dir: &Path, most: u64) -> Option<usize> {
        for at in (0..self.segments.len()).rev() {
            let Some(segment) = self.segments.get_mut(at) else { continue };
            if segment.is_in_memory() || segment.room(most) == 0 {
                continue;
            }
            let Some(known) = segment.adopt(dir) else { continue };
            let now = segment.records();
            let full = segment.room(most) == 0;
            if full {
                segment.release();
            }
            // Grown since it was last looked at.
            self.enter(at, known, now);
            if !full {
                return Some(at);
            }
        }
        None
    }

    fn create(&self, dir: &Path) -> io::Result<Segment> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        if let Some(room) = &self.room {
            evict::mark(&room.folder);
        }
        About::of(&self.id).write(dir)?;
        Segment::create(dir, &fresh_name(), &self.name, self.id.width)
    }

    /// From here on, in memory.
    fn give_up(&mut self, error: &io::Error) {
        let folder = self.room.take().map(|room| room.folder).unwrap_or_default();
        if let Some(segment) = self.active.take().and_then(|at| self.segments.get(at)) {
            segment.release();
        }
        let what = format!("scores are not kept: {} cannot be written: {error}", folder.display());
        tracing::warn!("{what}");
        self.trouble.get_or_insert(what);
    }

    /// Ends a piece of work: everything is written, and the limit is kept.
    pub fn rest(&mut self) -> Option<Written> {
        let written = self.flush();
        self.segments.iter_mut().for_each(Segment::touch);
        if self.grown > 0 {
            self.keep_below_limit();
        }
        written
    }

    /// Ends a job: others may append to its segment.
    pub fn leave(&mut self) -> Option<Written> {
        let written = self.rest();
        if let Some(at) = self.active
            && let Some(segment) = self.segments.get(at).filter(|segment| !segment.is_in_memory())
        {
            segment.release();
            self.active = None;
        }
        written
    }

    /// Of the processes that compute for this shelf now: the place of this one, and how many they are. Each
    /// holds a segment from the first that it wrote to the end of its job.
    pub fn company(&self) -> (usize, usize) {
        let own = self.active.and_then(|at| self.segments.get(at)).map(|segment| segment.name.as_str());
        let held = |(at, segment): &(usize, &Segment)| self.active != Some(*at) && segment.has_a_writer();
        let others: Vec<&str> =
            self.segments.iter().enumerate().filter(held).map(|(_, segment)| segment.name.as_str()).collect();
        (others.iter().filter(|name| own.is_none_or(|own| **name < own)).count(), others.len() + 1)
    }

    fn keep_below_limit(&mut self) {
        self.grown = 0;
        if let Some(room) = &self.room {
            evict::keep_below(&room.folder, room.limit_bytes);
        }
    }
}

/// Names of the segments in a shelf's folder, unsorted.
pub fn segment_names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter_map(|name| name.strip_suffix(".keys").map(String::from)).collect()
}

/// A name that no other segment has; later ones sort behind earlier ones.
fn fresh_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:012x}-{:x}-{count:x}", since.as_millis(), std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> ShelfId {
        ShelfId {
            model_hash: "00".repeat(32),
            model_name: "m".into(),
            arithmetic: "f32 cpu fused".into(),
            template: "text".into(),
            max_tokens: 64,
            width: 2,
        }
    }

    fn put(shelf: &mut Shelf, range: std::ops::Range<u32>) {
        for n in range {
            let output = vec![n as f32, -1.0];
            shelf.put(Key::of(&n.to_string(), None), &Entry { output, tokens: n, truncated: false });
        }
    }

    /// Numbers of a range that are there, ascending.
    fn find(shelf: &mut Shelf, range: std::ops::Range<u32>) -> Vec<u32> {
        let keys: Vec<Key> = range.clone().map(|n| Key::of(&n.to_string(), None)).collect();
        let mut there = Vec::new();
        shelf.find(&keys, |at, _, entry| {
            assert_eq!(entry.output[0], (range.start + at as u32) as f32);
            there.push(entry.tokens);
        });
        there.sort();
        there
    }

    #[test]
    fn a_disk_that_fails_in_the_middle_is_told_and_nothing_is_lost_to_the_job() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room { folder: folder.path().to_path_buf(), limit_bytes: 1 << 30 };
        let mut shelf = Shelf::open(id(), Some(room.clone()));
        put(&mut shelf, 0..100);
        let written = shelf.flush().unwrap();
        assert_eq!((written.first.record, written.count), (0, 100));
        let dir = shelf.dir().unwrap();
        let active = shelf.active.unwrap();
        shelf.segments[active].fail_from_now_on(&dir);
        put(&mut shelf, 100..200);
        assert_eq!(shelf.flush().unwrap().count, 100);
        assert!(shelf.trouble().unwrap().contains("cannot be written"));
        put(&mut shelf, 200..300);
        shelf.leave();
        shelf.refresh();
        assert_eq!(find(&mut shelf, 0..400), (0..300).collect::<Vec<_>>());
        // What was whole before is there for the next process.
        let mut next = Shelf::open(id(), Some(room));
        assert_eq!(find(&mut next, 0..400), (0..100).collect::<Vec<_>>());
        put(&mut next, 100..150);
        next.leave();
        assert_eq!((find(&mut next, 0..400).len(), next.segments.len()), (150, 1));
    }

    #[test]
    fn entries_wait_for_the_disk_no_longer_than_they_must() {
        let mut shelf = Shelf::open(id(), None);
        put(&mut shelf, 0..10);
        assert_eq!(find(&mut shelf, 0..10), [0u32; 0], "found before it was written");
        shelf.flushed = Instant::now() - FLUSH_AFTER;
        put(&mut shelf, 10..11);
        assert_eq!(find(&mut shelf, 0..20), (0..11).collect::<Vec<_>>());
        // Of another width, or no numbers: not kept.
        let entry = |output: &[f32]| Entry { output: output.to_vec(), tokens: 1, truncated: false };
        shelf.put(Key::of("a", None), &entry(&[1.0]));
        shelf.put(Key::of("b", None), &entry(&[1.0, f32::INFINITY]));
        assert_eq!(shelf.flush(), None);
    }

    #[test]
    fn those_who_compute_at_once_know_of_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room { folder: folder.path().to_path_buf(), limit_bytes: 1 << 30 };
        let mut shelves = [0, 1, 2].map(|_| Shelf::open(id(), Some(room.clone())));
        for (at, shelf) in shelves.iter_mut().enumerate() {
            let at = at as u32;
            put(shelf, at * 100..(at + 1) * 100);
            shelf.rest();
        }
        shelves.iter_mut().for_each(Shelf::refresh);
        assert_eq!(shelves.each_ref().map(Shelf::company), [(0, 3), (1, 3), (2, 3)]);
        assert_eq!(find(&mut shelves[0], 0..300).len(), 300);
        shelves[1].leave();
        assert_eq!(shelves.each_ref().map(Shelf::company), [(0, 2), (2, 3), (1, 2)]);
        // What nobody holds is gone on with.
        put(&mut shelves[1], 300..301);
        shelves[1].rest();
        assert_eq!((segment_names(&shelves[0].dir().unwrap()).len(), shelves[1].company()), (3, (1, 3)));
    }

    #[test]
    fn large_jobs_take_several_segments() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room { folder: folder.path().to_path_buf(), limit_bytes: 8 << 20 };
        let mut shelf = Shelf::open(id(), Some(room.clone()));
        for part in 0..20 {
            put(&mut shelf, part * 10_000..(part + 1) * 10_000);
            shelf.flush();
        }
        shelf.rest();
        assert!(shelf.segments.len() > 10, "{}", shelf.segments.len());
        assert_eq!(find(&mut shelf, 0..200_000).len(), 200_000);
        assert_eq!(find(&mut Shelf::open(id(), Some(room)), 0..200_000).len(), 200_000);
    }
}
