//! Writes a model folder: all of it or none of it. A temporary folder beside the target is filled and
//! renamed into place. What goes into it is the caller's business.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::{ModelError, ModelErrorKind};

/// A folder that is being filled; gone when dropped before [`NewFolder::put_in_place`].
pub(super) struct NewFolder {
    temporary: tempfile::TempDir,
    out: PathBuf,
}

impl NewFolder {
    /// Whether `out` may be written, before hours of work are spent: it must not be the folder that the
    /// work starts from, a file, or a folder with anything but a model in it, and its parent must take
    /// new folders.
    pub fn check(out: &Path, start: &Path) -> Result<(), ModelError> {
        let refuse = |what: String| {
            let error = ModelError::new(ModelErrorKind::Usage, what);
            Err(error
                .hint("name another folder in `out`; an existing model folder is replaced, nothing else is"))
        };
        let same = matches!((out.canonicalize(), start.canonicalize()), (Ok(a), Ok(b)) if a == b);
        if same {
            return refuse(format!("{} is the model that this starts from", out.display()));
        }
        if out.file_name().is_none() {
            return refuse(format!("\"{}\" names no folder", out.display()));
        }
        if out.exists() && !is_replaceable(out) {
            return refuse(format!("{} exists and is not a model folder", out.display()));
        }
        temporary_beside(out).map(drop)
    }

    pub fn begin(out: &Path) -> Result<Self, ModelError> {
        Ok(Self { temporary: temporary_beside(out)?, out: out.to_path_buf() })
    }

    /// Where a file of the folder is to be written.
    pub fn file(&self, name: &str) -> PathBuf {
        self.temporary.path().join(name)
    }

    pub fn json(&self, name: &str, value: &Value) -> Result<(), ModelError> {
        let file = self.file(name);
        fs::write(&file, format!("{value:#}\n")).map_err(|e| cannot("write", &file, &e))
    }

    /// Takes over a file of another folder, in a folder of the same name, if it is there.
    pub fn copy(&self, start: &Path, name: &str) -> Result<(), ModelError> {
        let (from, to) = (start.join(name), self.file(name));
        if !from.is_file() {
            return Ok(());
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent).map_err(|e| cannot("create", parent, &e))?;
        }
        let bytes = fs::read(&from).map_err(|e| cannot("read", &from, &e))?;
        fs::write(&to, bytes).map_err(|e| cannot("write", &to, &e))
    }

    /// Renames the filled folder to its name, with the weights on disk and readable by whoever may read
    /// the config: the library writes them for the owner alone. An older model folder steps aside first
    /// and is deleted last, and comes back if the rename fails.
    pub fn put_in_place(self) -> Result<(), ModelError> {
        let (config, weights) = (self.file("config.json"), self.file("model.safetensors"));
        if weights.is_file() {
            let readable = fs::metadata(&config).map(|meta| meta.permissions());
            readable
                .and_then(|p| fs::set_permissions(&weights, p))
                .and_then(|()| fs::File::open(&weights)?.sync_all())
                .map_err(|e| cannot("write", &weights, &e))?;
        }
        let Self { temporary, out } = self;
        let aside = if out.exists() {
            let aside = temporary_beside(&out)?;
            let old = aside.path().join("old");
            fs::rename(&out, &old).map_err(|e| cannot("replace", &out, &e))?;
            Some((aside, old))
        } else {
            None
        };
        if let Err(error) = fs::rename(temporary.path(), &out) {
            if let Some((_, old)) = &aside {
                let _ = fs::rename(old, &out);
            }
            return Err(cannot("write", &out, &error));
        }
        // It is the model folder now; dropping the handle would try to delete what is no longer there.
        let _ = temporary.keep();
        Ok(())
    }
}

/// A symbolic link is not replaced: its target would be left behind and the link lost.
fn is_replaceable(out: &Path) -> bool {
    let is_folder = fs::symlink_metadata(out).is_ok_and(|meta| meta.is_dir());
    let is_empty = fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    is_folder && (is_empty || out.join("config.json").is_file())
}

/// A private folder on the same disk as `out`, gone when dropped.
fn temporary_beside(out: &Path) -> Result<tempfile::TempDir, ModelError> {
    let parent: PathBuf = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(|e| cannot("create", &parent, &e))?;
    tempfile::Builder::new()
        .prefix(".recscope-model-")
        .tempdir_in(&parent)
        .map_err(|e| cannot("write to", &parent, &e))
}

pub(super) fn cannot(verb: &str, path: &Path, error: &std::io::Error) -> ModelError {
    ModelError::new(ModelErrorKind::Resource, format!("cannot {verb} {}: {error}", path.display()))
        .hint("check the folder's permissions and the space left on the disk")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_model_is_never_replaced() {
        let base = tempfile::tempdir().unwrap();
        let start = base.path().join("start");
        fs::create_dir(&start).unwrap();
        fs::write(start.join("config.json"), "{}").unwrap();
        let check = NewFolder::check;
        assert!(check(&start, &start).is_err());
        let photos = base.path().join("照片");
        fs::create_dir(&photos).unwrap();
        assert!(check(&photos, &start).is_ok());
        fs::write(photos.join("a.png"), "x").unwrap();
        assert!(check(&photos, &start).unwrap_err().message.contains("not a model folder"));
        fs::write(base.path().join("file"), "x").unwrap();
        assert!(check(&base.path().join("file"), &start).is_err());
        assert!(check(&base.path().join("file/below"), &start).is_err());
        assert!(check(&base.path().join("new/deeper/model"), &start).is_ok());
        #[cfg(unix)]
        {
            let link = base.path().join("link");
            std::os::unix::fs::symlink(&start, &link).unwrap();
            assert!(check(&link, &photos).is_err());
        }
    }

    #[test]
    fn a_folder_is_replaced_as_a_whole() {
        let base = tempfile::tempdir().unwrap();
        let out = base.path().join("model");
        for text in ["one", "two"] {
            let new = NewFolder::begin(&out).unwrap();
            fs::write(new.file(text), text).unwrap();
            new.put_in_place().unwrap();
            assert_eq!(fs::read_to_string(out.join(text)).unwrap(), text);
        }
        assert!(!out.join("one").exists());
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);
    }
}
