//! The folders and notebooks that the user trusts, in the state folder: one JSON object a line, so that
//! any path can stand there. Nothing in a folder itself can make it trusted.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state::{StateFolder, real_path};
use crate::util::atomic;

/// How far an entry reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The folder and all below it.
    Folder,
    /// This one notebook, wherever else its folder's files come from.
    Notebook,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// With links resolved.
    pub path: PathBuf,
    pub scope: Scope,
}

/// The list and where it is kept.
#[derive(Debug)]
pub struct TrustList {
    file: PathBuf,
    entries: Vec<Entry>,
}

impl TrustList {
    pub fn open(state: &StateFolder) -> io::Result<Self> {
        let file = state.path().join("trusted.jsonl");
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(e),
        };
        // A line that is none is no trust.
        let entries = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Self { file, entries })
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry that makes this notebook (or data file) trusted.
    pub fn covers(&self, file: &Path) -> Option<&Entry> {
        let real = real_path(file).ok()?;
        self.entries.iter().find(|entry| match entry.scope {
            Scope::Folder => real.starts_with(&entry.path),
            Scope::Notebook => real == entry.path,
        })
    }

    /// Adds a folder or a notebook; `false` when an entry covers it already.
    ///
    /// # Errors
    /// There is no such path, it is of the other kind, or the list cannot be written.
    pub fn add(&mut self, path: &Path, scope: Scope) -> io::Result<bool> {
        let real = real_path(path)?;
        let is_folder = fs::metadata(&real)?.is_dir();
        match scope {
            Scope::Folder if !is_folder => return Err(io::Error::other("it is not a folder")),
            Scope::Notebook if is_folder => return Err(io::Error::other("it is a folder")),
            Scope::Folder | Scope::Notebook => {}
        }
        let entry = Entry { path: real, scope };
        if self.entries.contains(&entry) {
            return Ok(false);
        }
        self.entries.push(entry);
        self.write()?;
        Ok(true)
    }

    /// Removes the entries of exactly this path; `false` when there are none.
    pub fn remove(&mut self, path: &Path) -> io::Result<bool> {
        // The path may be gone from the disk.
        let real = real_path(path).unwrap_or_else(|_| path.to_path_buf());
        let before = self.entries.len();
        self.entries.retain(|entry| entry.path != real && entry.path != path);
        if self.entries.len() == before {
            return Ok(false);
        }
        self.write()?;
        Ok(true)
    }

    fn write(&self) -> io::Result<()> {
        let mut text = String::new();
        for entry in &self.entries {
            text.push_str(&serde_json::to_string(entry).map_err(io::Error::other)?);
            text.push('\n');
        }
        atomic::write(&self.file, text.as_bytes()).map_err(|e| e.source)
    }
}

/// Whether every user of the machine may put files into this folder, as in `/tmp`.
pub fn is_open_to_all(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|meta| meta.permissions().mode() & 0o002 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_folder_covers_what_lies_below_it_and_no_link_out_of_it() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::at(&root.path().join("state")).unwrap();
        let (mine, theirs) = (root.path().join("我的"), root.path().join("theirs"));
        fs::create_dir_all(mine.join("deep")).unwrap();
        fs::create_dir(&theirs).unwrap();
        fs::write(theirs.join("n.md"), "").unwrap();
        symlink(theirs.join("n.md"), mine.join("n.md")).unwrap();
        let mut list = TrustList::open(&state).unwrap();
        assert!(list.add(&mine, Scope::Folder).unwrap());
        assert!(!list.add(&mine, Scope::Folder).unwrap());
        let list = TrustList::open(&state).unwrap();
        assert!(list.covers(&mine.join("new.md")).is_some());
        assert!(list.covers(&mine.join("deep/a.md")).is_some());
        assert!(list.covers(&mine.join("n.md")).is_none(), "a link to somebody else's");
        assert!(list.covers(&theirs.join("n.md")).is_none());
        assert!(list.covers(&root.path().join("我的2/n.md")).is_none());
    }

    #[test]
    fn one_notebook_can_be_trusted_and_forgotten() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::at(&root.path().join("state")).unwrap();
        let (a, b) = (root.path().join("a.md"), root.path().join("b.md"));
        fs::write(&a, "").unwrap();
        fs::write(&b, "").unwrap();
        let mut list = TrustList::open(&state).unwrap();
        list.add(&a, Scope::Notebook).unwrap();
        assert!(list.add(&a, Scope::Folder).is_err());
        assert!(list.covers(&a).is_some() && list.covers(&b).is_none());
        assert!(list.remove(&a).unwrap() && !list.remove(&a).unwrap());
        assert!(TrustList::open(&state).unwrap().entries().is_empty());
    }

    #[test]
    fn damaged_lines_are_no_trust() {
        let root = tempfile::tempdir().unwrap();
        let state = StateFolder::at(root.path()).unwrap();
        fs::write(root.path().join("trusted.jsonl"), "/\n{\"path\":\"/x\",\"scope\":\"folder\"}\n{").unwrap();
        let list = TrustList::open(&state).unwrap();
        assert_eq!(list.entries().len(), 1);
        assert!(list.covers(Path::new("/etc/n.md")).is_none());
    }
}
