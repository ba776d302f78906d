//! Results that outlive the engine: one pair of files per kept result (`CELL-KEY.outcome`,
//! `CELL-KEY.parquet`), each signed with this user's key. What the signature does not fit was made
//! elsewhere or changed since, and is not used. Where the folder is, is `keeper.rs`'s business.
//! Whatever goes wrong here costs a result its place, never the run.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::figures::Figures;
use super::sources::hex;
use crate::engine::store::{ColumnInfo, Connection};
use crate::protocol::Outcome;
use crate::state::Secret;
use crate::util::cancel::Cancel;
use crate::util::held::{HeldFile, HeldFolder};

/// What stands before the tag and the encoded entry: another version's files are not read.
const HEAD: &str = concat!("recscope ", env!("CARGO_PKG_VERSION"), " outcome 4\n");
/// What the tag is of.
const SIGNED: &str = concat!("kept result ", env!("CARGO_PKG_VERSION"), " 4");
const TAG: usize = 32;
/// Results kept per cell: the newest, and those before it for undo and for switching parameters.
const KEPT: usize = 4;
/// Larger results are cheaper to compute again than to keep.
const MOST_ROWS: u64 = 20_000_000;
/// No outcome is larger; what lies there may be.
const MOST_BYTES: u64 = 256 << 20;
const BLOCK: usize = 1 << 20;

/// The folder of a notebook's results.
#[derive(Debug)]
pub(super) struct Sidecar {
    folder: HeldFolder,
    secret: Arc<Secret>,
}

/// A kept result.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub key: String,
    pub outcome: Outcome,
    pub figures: Figures,
    /// Types that the relation had: Parquet does not keep all of them.
    pub types: Vec<(String, String)>,
    /// A folder that must still hash to this, for cells that write one.
    pub made: Option<(PathBuf, String)>,
    /// The sources that it came from, each with its fingerprint.
    pub sources: Vec<(String, String)>,
    /// SHA-256 of the file of its rows.
    pub rows: Option<[u8; 32]>,
}

/// What lies under a cell's key.
#[derive(Debug)]
pub(super) enum Found {
    Result(Box<Entry>),
    /// Something that this user's recscope did not make, or that was changed since.
    Foreign,
    Nothing,
}

impl Sidecar {
    pub fn new(folder: HeldFolder, secret: Arc<Secret>) -> Self {
        Self { folder, secret }
    }

    /// The kept result of a cell, its rows as the relation `cell`.
    pub fn load(&self, cell: &str, key: &str, connection: &Connection) -> Found {
        let (file, entry) = match self.entry(&name(cell, key, "outcome")) {
            Ok(read) => read,
            Err(nothing) => return nothing,
        };
        if entry.key != key {
            return Found::Foreign;
        }
        if let Some(hash) = &entry.rows {
            match self.rows(cell, &entry, hash, connection) {
                Ok(true) => {}
                Ok(false) => return Found::Foreign,
                Err(error) => {
                    tracing::warn!("kept rows of {cell} cannot be read: {error}");
                    return Found::Nothing;
                }
            }
        }
        // The newest use is the newest file, for pruning.
        let _ = file.set_modified(std::time::SystemTime::now());
        Found::Result(Box::new(entry))
    }

    /// The newest result of a cell, under whatever key; its rows are not looked at.
    pub fn newest(&self, files: &[HeldFile], cell: &str) -> Option<Entry> {
        let start = outcome_start(cell);
        let mut outcomes: Vec<&HeldFile> =
            files.iter().filter(|file| is_outcome(&file.name, &start)).collect();
        outcomes.sort_by_key(|file| std::cmp::Reverse(file.modified));
        outcomes.into_iter().find_map(|file| Some(self.entry(&file.name).ok()?.1))
    }

    pub fn files(&self) -> Vec<HeldFile> {
        self.folder.files()
    }

    fn entry(&self, name: &str) -> Result<(File, Entry), Found> {
        let mut file = self.folder.read(name).map_err(|_| Found::Nothing)?;
        let mut bytes = Vec::new();
        (&mut file).take(MOST_BYTES).read_to_end(&mut bytes).map_err(|_| Found::Nothing)?;
        let signed = bytes.strip_prefix(HEAD.as_bytes()).ok_or(Found::Nothing)?;
        let (tag, body) = signed.split_first_chunk::<TAG>().ok_or(Found::Foreign)?;
        if !self.secret.is_tag(SIGNED, body, tag) {
            return Err(Found::Foreign);
        }
        // Ours, and still not what this build writes: a development build of the same version.
        let entry = postcard::from_bytes(body).map_err(|_| Found::Nothing)?;
        Ok((file, entry))
    }

    /// Loads what was signed, and nothing else: what is hashed is what is read, a private copy.
    /// `false`: the rows are not those that were signed.
    fn rows(
        &self,
        cell: &str,
        entry: &Entry,
        hash: &[u8; 32],
        connection: &Connection,
    ) -> Result<bool, String> {
        let mut file = self.folder.read(&name(cell, &entry.key, "parquet")).map_err(|e| e.to_string())?;
        let copy = Passing::new(connection)?;
        let copied = File::create_new(&copy.0).and_then(|mut out| copy_hashed(&mut file, &mut out));
        if copied.map_err(|e| e.to_string())? != *hash {
            return Ok(false);
        }
        let types: Vec<ColumnInfo> = entry
            .types
            .iter()
            .map(|(name, sql_type)| ColumnInfo { name: name.clone(), sql_type: sql_type.clone() })
            .collect();
        connection.load_cell(cell, &copy.0, &types, &Cancel::new()).map_err(|e| e.to_string())?;
        Ok(true)
    }

    /// Keeps a finished result. The error is a sentence for a note.
    pub fn save(&self, entry: &mut Entry, connection: &Connection, cancel: &Cancel) -> Result<(), String> {
        let (cell, key) = (entry.outcome.cell.clone(), entry.key.clone());
        if entry.outcome.relation.as_ref().is_some_and(|r| r.rows.known() > MOST_ROWS) {
            return Ok(());
        }
        let cannot = |e: io::Error| format!("this result is not kept: {}: {e}", self.folder.path().display());
        self.ignore_in_git();
        let outcome = name(&cell, &key, "outcome");
        // An older outcome must not stand beside newer rows, should this be the end.
        let _ = self.folder.remove(&outcome);
        if entry.outcome.relation.is_some() {
            let passing = Passing::new(connection)?;
            connection
                .save_cell(&cell, &passing.0, cancel)
                .map_err(|e| format!("this result is not kept: {}", e.message))?;
            let mut hash = None;
            let mut rows = File::open(&passing.0).map_err(cannot)?;
            self.folder
                .write(&name(&cell, &key, "parquet"), |out| {
                    hash = Some(copy_hashed(&mut rows, out)?);
                    Ok(())
                })
                .map_err(cannot)?;
            entry.rows = hash;
        }
        // Last, because only an outcome makes the rows count.
        self.write(&outcome, entry).map_err(cannot)
    }

    fn write(&self, name: &str, entry: &Entry) -> io::Result<()> {
        let body = postcard::to_stdvec(entry).map_err(io::Error::other)?;
        let tag = self.secret.tag(SIGNED, &body);
        self.folder.write(name, |file| {
            file.write_all(HEAD.as_bytes())?;
            file.write_all(&tag)?;
            file.write_all(&body)
        })
    }

    /// Not worth failing for.
    fn ignore_in_git(&self) {
        if !self.folder.has(".gitignore") {
            let _ = self.folder.write(".gitignore", |file| file.write_all(b"*\n"));
        }
    }

    /// Removes all but the newest results of these cells. The folder is read once, however many they are.
    pub fn prune<'c>(&self, cells: impl Iterator<Item = &'c String>) {
        let starts: HashSet<String> = cells.map(|cell| outcome_start(cell)).collect();
        let start_of = |name: &str| name.rfind('-').and_then(|at| starts.get(&name[..=at])).cloned();
        let mut kept = self.folder.named(|name| name.ends_with(".outcome") && start_of(name).is_some());
        kept.sort_by_key(|file| std::cmp::Reverse(file.modified));
        let mut seen: HashMap<String, usize> = HashMap::new();
        for file in kept {
            let Some(start) = start_of(&file.name) else { continue };
            let newer = seen.entry(start).or_default();
            *newer += 1;
            if *newer > KEPT {
                let _ = self.folder.remove(&file.name);
                let _ = self.folder.remove(&file.name.replace(".outcome", ".parquet"));
            }
        }
    }
}

fn outcome_start(cell: &str) -> String {
    format!("{}-", tag(cell))
}

fn is_outcome(name: &str, start: &str) -> bool {
    name.starts_with(start) && name.ends_with(".outcome")
}

/// Rows on their way, in the private folder that DuckDB spills into; gone when dropped.
struct Passing(PathBuf);

impl Passing {
    fn new(connection: &Connection) -> Result<Self, String> {
        let path = connection.passing_file("kept-rows.parquet");
        match fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(format!("this result is not kept: {}: {e}", path.display()))
            }
            _ => Ok(Self(path)),
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Copies, and says the SHA-256 of what was copied; a block at a time.
fn copy_hashed(from: &mut impl Read, to: &mut impl Write) -> io::Result<[u8; 32]> {
    let mut hash = Sha256::new();
    let mut block = vec![0u8; BLOCK];
    loop {
        match from.read(&mut block) {
            Ok(0) => return Ok(hash.finalize().into()),
            Ok(n) => {
                let read = block.get(..n).unwrap_or_default();
                hash.update(read);
                to.write_all(read)?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

fn name(cell: &str, key: &str, ending: &str) -> String {
    format!("{}-{key}.{ending}", tag(cell))
}

/// A cell's name in a file name: names may be longer than a file system takes.
fn tag(cell: &str) -> String {
    let hash = hex(&Sha256::digest(cell.to_lowercase().as_bytes()));
    let plain: String = cell.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(24).collect();
    format!("{plain}.{}", &hash[..8])
}

/// Beside the notebook: `.NAME.cells`.
pub(super) fn beside(notebook: &Path) -> Option<PathBuf> {
    let stem = notebook.file_stem()?.to_string_lossy();
    Some(notebook.with_file_name(format!(".{stem}.cells")))
}
