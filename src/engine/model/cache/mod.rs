//! The score cache: what a model gave for an input, kept across jobs and processes, so that a log
//! that repeats itself is computed once and a killed job goes on from what it had. Knows bytes, not
//! models: keys and vectors of numbers go in and out.
//!
//! Not here: tokenising, tensors, what a score means, DuckDB, printing.
//!
//! ```text
//! ScoreCache (a folder and a limit) --> Memo (one job's view) --> Shelf (one model, arithmetic,
//!                                                                  |      template, limit)
//!      folder/SHELF/about.json, SEGMENT.keys, SEGMENT.values  <----'- Index in memory
//! ```
//!
//! Why files of our own and not a store from a crate. Entries never change, losing one costs a
//! millisecond, and two processes must write at once: redb, fjall and sled lock their store to one
//! process; LMDB and SQLite allow several, but are C, map or share memory (which a home folder on NFS
//! does not give), and evict by deleting rows one by one. What is needed is much less than a database:
//!
//! * **Two writers**: each process appends to a segment of its own, held by an advisory lock, so writers
//!   never meet. A process that finds a segment nobody holds goes on with it, so that a hundred small
//!   jobs do not leave a hundred files. Where locks do not work, each writer makes its own.
//! * **A crash**: records have a fixed size and count only when the key, written last, is there. Half a
//!   record at the end is passed over, and cut off by the next writer. Nothing is ever repaired, and
//!   nothing is synced: after a power cut, what did not reach the disk fails its checksum.
//! * **Damage**: each value has a CRC-32 over key and value. A value that fails is computed again.
//! * **Lookup**: eight bytes of memory per slot, filled from the files of keys (16 bytes an entry, also
//!   for embeddings of 1.5 kB) when a shelf is opened: 1 M entries take 10 to 20 MB, and 256 MB is the
//!   most. Whole batches are looked up at once, so that reads are sorted and joined.
//! * **Keys** are 128 bits of SHA-256: collisions do not happen, and nobody can make one.
//! * **The limit** removes whole segments, the longest unused first.

mod about;
mod evict;
mod index;
mod key;
mod memo;
mod record;
mod segment;
mod shelf;
mod survey;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

pub use about::About;
pub use key::{Key, ShelfId};
pub use memo::{Hit, Memo, Origin};
pub use record::Entry;
pub use survey::{Cleared, Damage, Found, Wanted, clear, survey, verify};

use shelf::{Room, Shelf};

/// Default limit of the folder: 2 GB, which is 70 million scores or 1.3 million embeddings of 384.
pub const DEFAULT_LIMIT: u64 = 2 << 30;
/// Shelves whose index is kept: as many as the engine keeps models.
const KEPT: usize = 2;

/// Where scores are kept.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CacheOptions {
    /// `None`: nowhere; a job remembers its own inputs and forgets them when it ends.
    pub folder: Option<PathBuf>,
    /// Most bytes in the folder.
    pub limit_bytes: u64,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { folder: None, limit_bytes: DEFAULT_LIMIT }
    }
}

/// The cache of a process, or none. Opening it reads nothing.
#[derive(Debug, Default)]
pub struct ScoreCache {
    options: CacheOptions,
    /// Most recently used last.
    open: Mutex<Vec<(ShelfId, Arc<Mutex<Shelf>>)>>,
}

impl ScoreCache {
    pub fn new(options: CacheOptions) -> Arc<Self> {
        Arc::new(Self { options, open: Mutex::default() })
    }

    pub fn folder(&self) -> Option<&Path> {
        self.options.folder.as_deref()
    }

    /// The shelf of an id, with its index as of now.
    fn shelf(&self, id: &ShelfId) -> Arc<Mutex<Shelf>> {
        let Some(folder) = &self.options.folder else {
            return Arc::new(Mutex::new(Shelf::open(id.clone(), None)));
        };
        let mut open = self.open.lock();
        // One that had trouble with the disk is opened anew: the trouble may be over.
        open.retain(|(_, shelf)| shelf.lock().trouble().is_none());
        if let Some(at) = open.iter().position(|(known, _)| known == id) {
            let found = open.remove(at);
            let shelf = Arc::clone(&found.1);
            open.push(found);
            drop(open);
            shelf.lock().refresh();
            return shelf;
        }
        if open.len() >= KEPT {
            open.remove(0);
        }
        let room = Room { folder: folder.clone(), limit_bytes: self.options.limit_bytes };
        let shelf = Arc::new(Mutex::new(Shelf::open(id.clone(), Some(room))));
        open.push((id.clone(), Arc::clone(&shelf)));
        shelf
    }
}
