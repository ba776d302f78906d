//! Where the state folder is, and the folder in it that belongs to one file.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::util::leftover::{self, LeftOver};
use crate::util::private::{make_private, make_private_all, user_id};

/// Names another folder than the system's, e.g. for tests.
pub const VARIABLE: &str = "RECSCOPE_STATE";

/// The folder, made and checked: mode 0700, this user's, reached through no link of its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFolder {
    root: PathBuf,
}

impl StateFolder {
    /// `RECSCOPE_STATE`, else the system's folder for state, else one in the temporary folder (a home that
    /// cannot be written is no reason to lose work).
    ///
    /// # Errors
    /// No candidate can be made, or all are links or somebody else's.
    pub fn open() -> io::Result<Self> {
        if let Some(named) = std::env::var_os(VARIABLE).filter(|v| !v.is_empty()) {
            return Self::at(Path::new(&named));
        }
        let mut refused = String::from("no folder for recscope's state");
        for candidate in candidates() {
            match Self::at(&candidate) {
                Ok(state) => return Ok(state),
                Err(e) => refused = format!("{refused}; {}: {e}", candidate.display()),
            }
        }
        Err(io::Error::other(refused))
    }

    pub fn at(root: &Path) -> io::Result<Self> {
        let root = std::path::absolute(root)?;
        make_private_all(&root)?;
        Ok(Self { root })
    }

    pub fn path(&self) -> &Path {
        &self.root
    }

    /// What belongs to results of every notebook: the key that signs them, what cells made. The one folder
    /// beside a notebook's own that an engine within limits may use. Made with mode 0700.
    pub fn results(&self) -> io::Result<PathBuf> {
        let folder = self.root.join("results");
        make_private(&folder)?;
        Ok(folder)
    }

    /// Temporary files in it and in the folders of its files that killed processes left, untouched for a day.
    pub fn left_over(&self) -> Vec<LeftOver> {
        let begun = |name: &str| name.starts_with(".saving-") || name.starts_with(".tmp");
        let files = leftover::named(&self.root.join("notebooks"), |_| true);
        let folders = files.into_iter().filter(|(_, found)| found.is_dir()).map(|(path, _)| path);
        folders
            .chain([self.root.clone(), self.root.join("results"), self.root.join("results/made")])
            .flat_map(|folder| leftover::named(&folder, begun))
            .filter(|(_, found)| found.is_file() && leftover::is_abandoned(found, leftover::DAY))
            .map(|(path, _)| LeftOver::new(path, "a file that was being written when its process was killed"))
            .collect()
    }

    /// `notebooks/<hash of the file's real path>`, made with mode 0700. The file need not exist.
    pub fn of_file(&self, file: &Path) -> io::Result<PathBuf> {
        let all = self.root.join("notebooks");
        make_private(&all)?;
        let hash = Sha256::digest(real_path(file)?.as_os_str().as_encoded_bytes());
        let name: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let folder = all.join(name);
        make_private(&folder)?;
        Ok(folder)
    }
}

/// The path with links resolved as far as it exists, so that one file has one name.
pub fn real_path(file: &Path) -> io::Result<PathBuf> {
    let whole = std::path::absolute(file)?;
    if let Ok(real) = whole.canonicalize() {
        return Ok(real);
    }
    match (whole.parent(), whole.file_name()) {
        (Some(parent), Some(name)) => Ok(real_path(parent)?.join(name)),
        _ => Ok(whole),
    }
}

fn candidates() -> Vec<PathBuf> {
    use etcetera::BaseStrategy;
    let system = etcetera::choose_base_strategy().ok().and_then(|base| base.state_dir());
    let temporary = std::env::temp_dir().join(format!("recscope-{}", user_id())).join("state");
    system.map(|folder| folder.join("recscope")).into_iter().chain([temporary]).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn one_file_has_one_folder_by_whatever_path() {
        let base = tempfile::tempdir().unwrap();
        let state = StateFolder::at(&base.path().join("s")).unwrap();
        let work = base.path().join("work");
        std::fs::create_dir(&work).unwrap();
        symlink(&work, base.path().join("link")).unwrap();
        let direct = state.of_file(&work.join("n.md")).unwrap();
        assert_eq!(state.of_file(&base.path().join("link/n.md")).unwrap(), direct);
        assert_ne!(state.of_file(&work.join("m.md")).unwrap(), direct);
        assert!(direct.starts_with(state.path()));
    }

    #[test]
    fn a_link_is_not_taken_for_the_folder() {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir(base.path().join("elsewhere")).unwrap();
        symlink(base.path().join("elsewhere"), base.path().join("s")).unwrap();
        assert!(StateFolder::at(&base.path().join("s")).is_err());
    }
}
