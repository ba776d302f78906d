//! The key that this user's results are signed with: 32 random bytes, for its owner alone. A result with
//! another tag was made with another key, or changed since.

use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::StateFolder;
use crate::util::held::HeldFolder;
use crate::util::hmac::{hmac_sha256, same_tag};

const FILE: &str = "key";
const BYTES: usize = 32;

pub struct Secret([u8; BYTES]);

impl Secret {
    /// The key of the state folder, made where there is none. Of several that make one at once, one wins.
    ///
    /// # Errors
    /// The file may be read by others, is somebody else's or damaged, or cannot be made.
    pub fn open(state: &StateFolder) -> io::Result<Self> {
        let folder = state.results()?;
        match read(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(&folder)?,
            found => return found,
        }
        read(&folder)
    }

    /// The tag of something; `what` keeps tags of different things apart.
    pub fn tag(&self, what: &str, bytes: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.0, &[what.as_bytes(), b"\0", bytes])
    }

    pub fn is_tag(&self, what: &str, bytes: &[u8], tag: &[u8; 32]) -> bool {
        same_tag(&self.tag(what, bytes), tag)
    }
}

/// Never the bytes.
impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Secret")
    }
}

fn read(folder: &Path) -> io::Result<Secret> {
    let held = HeldFolder::open(folder)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let refuse = |why: &str| {
        let path = folder.join(FILE);
        Err(io::Error::other(format!(
            "{} {why}; remove it, and results are computed and signed again",
            path.display()
        )))
    };
    let mut file = match held.read(FILE) {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return refuse("is not a file of this user");
        }
        file => file?,
    };
    let mode = file.metadata()?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return refuse(&format!("may be used by others (mode {mode:04o})"));
    }
    let mut bytes = Vec::with_capacity(BYTES);
    (&mut file).take(BYTES as u64 + 1).read_to_end(&mut bytes)?;
    match bytes.try_into() {
        Ok(bytes) => Ok(Secret(bytes)),
        Err(_) => refuse("is damaged"),
    }
}

fn make(folder: &Path) -> io::Result<()> {
    let mut bytes = [0u8; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    // Named whole, and only where no other process was first.
    let mut file = tempfile::Builder::new().prefix(".saving-").tempfile_in(folder)?;
    file.write_all(&bytes)?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(folder.join(FILE)) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn one_key_for_all_and_for_its_owner_alone() {
        let base = tempfile::tempdir().unwrap();
        let state = StateFolder::at(&base.path().join("s")).unwrap();
        let tags: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let makers: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Secret::open(&state).unwrap().tag("a", b"x"))).collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        assert!(tags.windows(2).all(|pair| pair[0] == pair[1]));
        let secret = Secret::open(&state).unwrap();
        assert!(secret.is_tag("a", b"x", &tags[0]));
        assert!(!secret.is_tag("b", b"x", &tags[0]) && !secret.is_tag("a", b"y", &tags[0]));
        let file = state.results().unwrap().join("key");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(state.results().unwrap()).unwrap().count(), 1);

        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Secret::open(&state).unwrap_err().to_string().contains("mode 0644"));
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/etc/hostname", &file).unwrap();
        assert!(Secret::open(&state).unwrap_err().to_string().contains("not a file of this user"));
        fs::remove_file(&file).unwrap();
        assert!(!Secret::open(&state).unwrap().is_tag("a", b"x", &tags[0]));
    }
}
