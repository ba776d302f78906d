//! Folders that cells write: where they may lie, and which cell made one, so that it may replace its own
//! and nobody else's. What was made is recorded in the state folder, out of reach of what people ship to
//! each other.

use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::options::EngineOptions;
use super::sources::hex;
use super::workspace::Workspace;
use crate::engine::model::hash_folder;
use crate::protocol::{Problem, ProblemKind};
use crate::state::real_path;
use crate::util::held::HeldFolder;

/// The records' folder within that of results.
const RECORDS: &str = "made";

/// Where `out` really leads, links resolved, if a notebook in `base` may write there: below its own folder,
/// or `anywhere` where it is trusted with that.
pub(super) fn may_write(base: &Path, out: &Path, anywhere: bool) -> Result<PathBuf, Problem> {
    let no_way = |error: io::Error| {
        Problem::new(ProblemKind::Usage, format!("{} cannot be resolved: {error}", out.display()))
    };
    let (home, real) = (real_path(base).map_err(no_way)?, real_path(out).map_err(no_way)?);
    // What is left of `..` lies behind a folder that is not there: it may come to lead anywhere.
    let resolved = real.components().all(|part| part != Component::ParentDir);
    if resolved && (anywhere || real.starts_with(&home) && real != home) {
        return Ok(real);
    }
    let what = format!("{} lies outside {}, the notebook's folder", real.display(), home.display());
    Err(Problem::new(ProblemKind::Usage, what)
        .hint("a notebook writes below its own folder: choose an `out` there, and copy it afterwards"))
}

/// A folder's maker.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    notebook: PathBuf,
    cell: String,
    /// What the folder held when it was made.
    hash: String,
}

impl Record {
    fn of(workspace: &Workspace, cell: &str, out: &Path) -> Option<Self> {
        let notebook = real_path(workspace.path.as_deref().unwrap_or(&workspace.base)).ok()?;
        Some(Self { notebook, cell: cell.to_lowercase(), hash: hash_folder(out).ok()? })
    }
}

/// Whether this cell made the folder, and nobody has changed it since.
pub(super) fn is_own(options: &EngineOptions, workspace: &Workspace, cell: &str, out: &Path) -> bool {
    let record = || -> Option<Record> {
        let folder = HeldFolder::open(&options.state_folder().ok()?.results().ok()?.join(RECORDS)).ok()??;
        let mut bytes = Vec::new();
        folder.read(&name(out)).ok()?.take(1 << 20).read_to_end(&mut bytes).ok()?;
        postcard::from_bytes(&bytes).ok()
    };
    out.is_dir() && record().is_some_and(|record| Record::of(workspace, cell, out) == Some(record))
}

/// Remembers that this cell made the folder. Where that fails, the next run asks for `overwrite`.
pub(super) fn record(options: &EngineOptions, workspace: &Workspace, cell: &str, out: &Path) {
    let write = || -> io::Result<()> {
        let record = Record::of(workspace, cell, out).ok_or_else(|| io::Error::other("it cannot be read"))?;
        let bytes = postcard::to_stdvec(&record).map_err(io::Error::other)?;
        let folder = HeldFolder::make(&options.state_folder()?.results()?.join(RECORDS))?;
        folder.write(&name(out), |file| file.write_all(&bytes))
    };
    if let Err(error) = write() {
        tracing::warn!("that {} was made by {cell} is not remembered: {error}", out.display());
    }
}

fn name(out: &Path) -> String {
    hex(&Sha256::digest(out.as_os_str().as_encoded_bytes()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_notebook_writes_below_its_folder_only() {
        let base = tempfile::tempdir().unwrap();
        let home = base.path().join("proj");
        fs::create_dir_all(home.join("models")).unwrap();
        fs::create_dir(base.path().join("other")).unwrap();
        symlink(base.path().join("other"), home.join("link")).unwrap();
        symlink(base.path().join("new"), home.join("dangling")).unwrap();
        let may = |out: &str| may_write(&home, &home.join(out), false);
        let real = home.canonicalize().unwrap();
        assert_eq!(may("models/模型").unwrap(), real.join("models/模型"));
        assert_eq!(may("new/deeper/m").unwrap(), real.join("new/deeper/m"));
        assert_eq!(may("models/../m").unwrap(), real.join("m"));
        for out in [
            "",
            ".",
            "..",
            "../other/m",
            "link/m",
            "link",
            "new/../../m",
            "new/../m",
            "/tmp/m",
            "models/../../other",
        ] {
            let problem = may(out).unwrap_err();
            assert!(problem.message.contains("outside") && problem.hint.is_some(), "{out}: {problem}");
        }
        assert!(may_write(&home, &home.join("../other/m"), true).is_ok());
        assert!(may_write(&home, &home.join("new/../../m"), true).is_err());
        // A dangling link is no folder of its own: refused when it is written, and never followed here.
        assert_eq!(may("dangling").unwrap(), real.join("dangling"));
    }
}
