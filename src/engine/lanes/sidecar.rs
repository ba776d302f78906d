//! Results that outlive the engine: `.NAME.cells/` beside the notebook, one pair of files per kept
//! result (`CELL-KEY.outcome`, `CELL-KEY.parquet`), ignored by git. Whatever goes wrong here costs a
//! result its place, never the run.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::figures::Figures;
use super::sources::hex;
use crate::engine::store::{ColumnInfo, Connection};
use crate::protocol::Outcome;
use crate::util::cancel::Cancel;

/// What stands before the encoded entry: another version's files are not read.
const HEAD: &str = concat!("recscope ", env!("CARGO_PKG_VERSION"), " outcome 3\n");
/// Results kept per cell: the newest, and those before it for undo and for switching parameters.
const KEPT: usize = 4;
/// Larger results are cheaper to compute again than to keep.
const MOST_ROWS: u64 = 20_000_000;

#[derive(Debug)]
pub(super) struct Sidecar {
    folder: PathBuf,
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
}

impl Sidecar {
    /// The sidecar of a notebook; nothing is made yet.
    pub fn of(notebook: &Path) -> Option<Self> {
        let stem = notebook.file_stem()?.to_string_lossy();
        Some(Self { folder: notebook.with_file_name(format!(".{stem}.cells")) })
    }

    /// The kept result of a cell, its rows as the relation `cell`; `None`: there is none, or it is
    /// damaged (then it is removed).
    pub fn load(&self, cell: &str, key: &str, connection: &Connection) -> Option<Entry> {
        let file = self.file(cell, key, "outcome");
        let entry = self.read(&file, key)?;
        if entry.outcome.relation.is_some() {
            let types: Vec<ColumnInfo> = entry
                .types
                .iter()
                .map(|(name, sql_type)| ColumnInfo { name: name.clone(), sql_type: sql_type.clone() })
                .collect();
            let rows = self.file(cell, key, "parquet");
            if let Err(error) = connection.load_cell(cell, &rows, &types, &Cancel::new()) {
                tracing::warn!("kept rows of {cell} cannot be read: {error}");
                self.forget(cell, key);
                return None;
            }
        }
        // The newest use is the newest file, for pruning.
        let _ = fs::File::options()
            .append(true)
            .open(&file)
            .and_then(|f| f.set_modified(std::time::SystemTime::now()));
        Some(entry)
    }

    fn read(&self, file: &Path, key: &str) -> Option<Entry> {
        let bytes = fs::read(file).ok()?;
        let entry: Option<Entry> =
            bytes.strip_prefix(HEAD.as_bytes()).and_then(|rest| postcard::from_bytes(rest).ok());
        let Some(entry) = entry.filter(|entry| entry.key == key) else {
            let _ = fs::remove_file(file);
            return None;
        };
        Some(entry)
    }

    /// Keeps a finished result. The error is a sentence for a note.
    pub fn save(&self, entry: &Entry, connection: &Connection, cancel: &Cancel) -> Result<(), String> {
        let (cell, key) = (&entry.outcome.cell, &entry.key);
        if entry.outcome.relation.as_ref().is_some_and(|r| r.rows.known() > MOST_ROWS) {
            return Ok(());
        }
        let cannot = |e: io::Error| format!("this result is not kept: {}: {e}", self.folder.display());
        self.make_folder().map_err(cannot)?;
        if entry.outcome.relation.is_some() {
            let rows = self.file(cell, key, "parquet");
            let partly = rows.with_extension("parquet.part");
            let saved = connection
                .save_cell(cell, &partly, cancel)
                .map_err(|e| format!("this result is not kept: {}", e.message))
                .and_then(|()| fs::rename(&partly, &rows).map_err(cannot));
            if saved.is_err() {
                let _ = fs::remove_file(&partly);
                return saved;
            }
        }
        // Last, because only an outcome makes the rows count.
        self.write(&self.file(cell, key, "outcome"), entry).map_err(cannot)?;
        self.prune(cell);
        Ok(())
    }

    fn make_folder(&self) -> io::Result<()> {
        match fs::DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            Err(_) => fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700))?,
            Ok(()) => {}
        }
        let ignore = self.folder.join(".gitignore");
        if !ignore.exists() {
            fs::write(ignore, "*\n")?;
        }
        Ok(())
    }

    fn write(&self, file: &Path, entry: &Entry) -> io::Result<()> {
        let bytes = postcard::to_stdvec(entry).map_err(io::Error::other)?;
        let mut partly = tempfile::NamedTempFile::new_in(&self.folder)?;
        partly.write_all(HEAD.as_bytes())?;
        partly.write_all(&bytes)?;
        partly.persist(file).map(|_| ()).map_err(|e| e.error)
    }

    fn forget(&self, cell: &str, key: &str) {
        for ending in ["outcome", "parquet"] {
            let _ = fs::remove_file(self.file(cell, key, ending));
        }
    }

    /// Removes all but the newest results of a cell.
    fn prune(&self, cell: &str) {
        let start = format!("{}-", tag(cell));
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut kept: Vec<_> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "outcome"))
            .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(&start)))
            .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
            .collect();
        kept.sort();
        let surplus = kept.len().saturating_sub(KEPT);
        for (_, path) in kept.into_iter().take(surplus) {
            let _ = fs::remove_file(path.with_extension("parquet"));
            let _ = fs::remove_file(path);
        }
    }

    fn file(&self, cell: &str, key: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{}-{key}.{ending}", tag(cell)))
    }
}

/// A cell's name in a file name: names may be longer than a file system takes.
fn tag(cell: &str) -> String {
    let hash = hex(&Sha256::digest(cell.to_lowercase().as_bytes()));
    let plain: String = cell.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(24).collect();
    format!("{plain}.{}", &hash[..8])
}
