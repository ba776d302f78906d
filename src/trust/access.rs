//! What an engine may read and write, as it is handed to one when it starts. Paths are compared with
//! links resolved, so that a link inside the notebook's folder leads nowhere else.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::state::real_path;

/// What an engine may touch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    /// What its user may: the notebook is trusted.
    #[default]
    Everything,
    Limited(Limits),
}

/// Bounds of an engine whose notebook nobody has trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The notebook's folder: may be read whole.
    pub base: PathBuf,
    /// Statements read no more of it than what is declared or named: the views and macros of a DuckDB file
    /// run within these limits too, and know what lies beside the notebook.
    pub only_named: bool,
    /// The notebook's file; its sidecar may be written. `None`: not saved yet.
    pub notebook: Option<PathBuf>,
    /// Files, globs and folders that `sources:` declares, as written there; no URLs.
    pub sources: Vec<String>,
    /// Model folders that cells name.
    pub models: Vec<PathBuf>,
    /// Folders that cells write, below `base`.
    pub outputs: Vec<PathBuf>,
    /// Further folders that cells may write, because the notebook's own text is trusted.
    pub writable: Vec<PathBuf>,
    /// Files and folders that the user granted by name (`--allow`).
    pub allowed: Vec<PathBuf>,
    /// Folders of recscope's own in which results about this notebook may be kept.
    pub kept: Vec<PathBuf>,
}

impl Access {
    pub fn is_limited(&self) -> bool {
        match self {
            Self::Everything => false,
            Self::Limited(_) => true,
        }
    }

    /// May this file or folder be read?
    pub fn may_read(&self, path: &Path) -> bool {
        match self {
            Self::Everything => true,
            Self::Limited(limits) => limits.may_read(path),
        }
    }

    /// May a cell make or replace this file or folder?
    pub fn may_write(&self, path: &Path) -> bool {
        match self {
            Self::Everything => true,
            Self::Limited(limits) => {
                std::iter::once(&limits.base).chain(&limits.writable).any(|root| is_below(path, root))
            }
        }
    }
}

impl Limits {
    fn may_read(&self, path: &Path) -> bool {
        let named = self.models.iter().chain(&self.allowed);
        std::iter::once(&self.base).chain(named).any(|root| is_below(path, root))
    }

    /// A path as the notebook writes it: relative ones start from its folder, `~/` from the home folder.
    pub fn locate(&self, path: &str) -> PathBuf {
        locate(path, &self.base)
    }
}

/// Relative paths start from `base`, `~/` from the home folder.
pub fn locate(path: &str, base: &Path) -> PathBuf {
    // As sources are opened (`store/source/files.rs`): `file:` before a path means nothing.
    let path = path.strip_prefix("file:").unwrap_or(path);
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => base.join(path),
    }
}

/// Whether `path` is `root` or lies below it, links resolved. What cannot be resolved is not below.
pub fn is_below(path: &Path, root: &Path) -> bool {
    // `..` behind a folder that does not exist would be kept as it stands.
    match (real_path(path), real_path(root)) {
        (Ok(path), Ok(root)) => {
            !path.components().any(|c| c == std::path::Component::ParentDir) && path.starts_with(root)
        }
        _ => false,
    }
}

/// A path as a person reads it: from `base` where it lies below, `~/` for the home folder.
pub fn shown(path: &Path, base: &Path) -> String {
    if let Ok(below) = path.strip_prefix(base) {
        let below = below.display().to_string();
        return if below.is_empty() { ".".into() } else { below };
    }
    match std::env::var_os("HOME").map(PathBuf::from) {
        Some(home) if path != home => path
            .strip_prefix(&home)
            .map_or_else(|_| path.display().to_string(), |rest| format!("~/{}", rest.display())),
        _ => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_and_dots_do_not_lead_out() {
        let root = tempfile::tempdir().unwrap();
        let (base, secret) = (root.path().join("work"), root.path().join("secret"));
        std::fs::create_dir_all(base.join("in")).unwrap();
        std::fs::create_dir(&secret).unwrap();
        symlink(&secret, base.join("link")).unwrap();
        let limits = Limits { base: base.clone(), models: vec![root.path().join("m")], ..Limits::default() };
        let access = Access::Limited(limits);
        for inside in ["in", "in/new/deep", "."] {
            assert!(access.may_read(&base.join(inside)) && access.may_write(&base.join(inside)), "{inside}");
        }
        for outside in ["link", "link/x", "../secret", "in/../../secret", "nowhere/../../secret", "../work2"]
        {
            assert!(!access.may_read(&base.join(outside)), "{outside}");
            assert!(!access.may_write(&base.join(outside)), "{outside}");
        }
        let model = root.path().join("m/config.json");
        assert!(access.may_read(&model) && !access.may_write(&model));
        assert!(Access::Everything.may_write(&secret));
    }
}
