//! Opening the one DuckDB instance of an engine, within explicit bounds.

use std::path::PathBuf;
use std::sync::Arc;

use super::confine::{FileLimits, confine};
use super::connection::{Connection, Shared};
use super::spill::SpillDir;
use super::{CELLS, Result, SOURCES};

/// The bounds within which DuckDB works. `Default` is right for a shared machine.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreOptions {
    /// Bytes. DuckDB's own default of 80 % of RAM is wrong on a shared box.
    pub memory_limit: u64,
    pub threads: usize,
    /// The spill folder is made inside this one; `None`: the system's temporary folder.
    pub spill_root: Option<PathBuf>,
    /// Bytes that may lie in the spill folder.
    pub spill_limit: u64,
    /// The files that it may touch; `None`: what its user may.
    pub limits: Option<FileLimits>,
}

const GIB: u64 = 1 << 30;

impl Default for StoreOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let memory = total_memory().map_or(2 * GIB, |m| (m / 3).clamp(GIB / 4, 64 * GIB));
        // Where the address space is limited, the libraries that share it abort when it is used up.
        let room = crate::util::memory::address_limit().map_or(u64::MAX, |limit| (limit / 2).max(32 << 20));
        Self {
            memory_limit: memory.min(room),
            // The screen always gets a core.
            threads: cores.saturating_sub(1).max(1),
            spill_root: None,
            spill_limit: 32 * GIB,
            limits: None,
        }
    }
}

/// Physical memory in bytes.
fn total_memory() -> Option<u64> {
    // SAFETY: sysconf reads no memory of ours.
    let (pages, size) = unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGE_SIZE)) };
    (pages > 0 && size > 0).then(|| pages as u64 * size as u64)
}

/// A part of DuckDB that is not in every build, e.g. `httpfs`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    pub name: String,
    pub loaded: bool,
}

/// The instance. Dropping it and all its connections closes it and removes the spill folder.
#[derive(Debug)]
pub struct Store {
    root: Connection,
}

impl Store {
    /// Opens an in-memory instance. No extension is ever downloaded; what is installed may load.
    pub fn open(options: &StoreOptions) -> Result<Self> {
        let spill = SpillDir::create(options.spill_root.as_deref())?;
        let config = duckdb::Config::default()
            .max_memory(&format!("{}B", options.memory_limit.max(32 << 20)))?
            .threads(options.threads.max(1) as i64)?
            .with("temp_directory", spill.path().to_string_lossy())?
            .with("autoinstall_known_extensions", "false")?
            .with("autoload_known_extensions", "true")?
            .with("allow_community_extensions", "false")?
            .with("preserve_insertion_order", "true")?
            .with("errors_as_json", "true")?;
        let raw = duckdb::Connection::open_in_memory_with_flags(config)?;
        raw.execute_batch(&format!("ATTACH ':memory:' AS {CELLS}; ATTACH ':memory:' AS {SOURCES}"))?;
        // Given at opening, this limit is not enforced (DuckDB 1.5.6).
        raw.execute_batch(&format!("SET max_temp_directory_size = '{}B'", options.spill_limit))?;
        if let Some(limits) = &options.limits {
            confine(&raw, limits, spill.path())?;
        }
        let root = Connection::new(raw, Arc::new(Shared::new(spill, options.limits.is_some())))?;
        Ok(Self { root })
    }

    /// A further connection to the same relations, e.g. one per lane.
    pub fn connect(&self) -> Result<Connection> {
        self.root.try_clone()
    }

    /// The extensions that are built in or on this machine; nothing is loaded or fetched by asking.
    pub fn extensions(&self) -> Result<Vec<Extension>> {
        let mut statement = self.root.raw.prepare(&super::query("store/extensions")?.text())?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Extension { name: row.get(0)?, loaded: row.get(1)? });
        }
        Ok(found)
    }

    /// DuckDB's own version, e.g. `v1.5.6`.
    pub fn duckdb_version(&self) -> Result<String> {
        self.root.text("SELECT version()")
    }
}
