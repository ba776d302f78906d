//! Writes a model folder: all of it or none of it. A temporary folder beside the target is filled and
//! renamed into place. What goes into it is the caller's business.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::{ModelError, ModelErrorKind};
use crate::util::leftover::{self, LeftOver};

/// Before the name of a folder that is being filled.
const BEGUN: &str = ".recscope-model-";
/// An older model that has stepped aside, in such a folder.
const OLD: &str = "old";

/// A folder that is being filled; gone when dropped before [`NewFolder::put_in_place`].
pub(super) struct NewFolder {
    temporary: tempfile::TempDir,
    out: PathBuf,
    overwrite: bool,
}

impl NewFolder {
    /// Whether `out` may be written, before hours of work are spent: it must not be the folder that the
    /// work starts from, a file, or a folder with anything in it, but for a model that may be replaced
    /// (`overwrite`); and its parent must take new folders.
    pub fn check(out: &Path, start: &Path, overwrite: bool) -> Result<(), ModelError> {
        let refuse = |what: String| {
            let hint =
                "name another folder in `out`; with `overwrite` a model folder is replaced, nothing else";
            Err(ModelError::new(ModelErrorKind::Usage, what).hint(hint))
        };
        let same = matches!((out.canonicalize(), start.canonicalize()), (Ok(a), Ok(b)) if a == b);
        if same {
            return refuse(format!("{} is the model that this starts from", out.display()));
        }
        if out.file_name().is_none() {
            return refuse(format!("\"{}\" names no folder", out.display()));
        }
        if is_there(out) && !is_replaceable(out) {
            return refuse(format!("{} exists and is not a model folder", out.display()));
        }
        if is_there(out) && !is_empty(out) && !overwrite {
            return refuse(format!("{} is a model already, and not one that was made here", out.display()));
        }
        temporary_beside(out).map(drop)
    }

    pub fn begin(out: &Path, overwrite: bool) -> Result<Self, ModelError> {
        Ok(Self { temporary: temporary_beside(out)?, out: out.to_path_buf(), overwrite })
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
    /// the config: the library writes them for the owner alone. An older model folder stands until the new
    /// one takes its name, and is deleted last.
    pub fn put_in_place(self) -> Result<(), ModelError> {
        let (config, weights) = (self.file("config.json"), self.file("model.safetensors"));
        if weights.is_file() {
            let readable = fs::metadata(&config).map(|meta| meta.permissions());
            readable
                .and_then(|p| fs::set_permissions(&weights, p))
                .and_then(|()| fs::File::open(&weights)?.sync_all())
                .map_err(|e| cannot("write", &weights, &e))?;
        }
        let Self { temporary, out, overwrite } = self;
        if is_there(&out) && !is_empty(&out) {
            // Checked before; what has come meanwhile is somebody's, and so is this work.
            if !overwrite || !is_replaceable(&out) {
                let kept = temporary.keep();
                let what = format!("{} has appeared meanwhile and is left as it is", out.display());
                return Err(ModelError::new(ModelErrorKind::Usage, what)
                    .hint(format!("the new model is whole, in {}: rename it", kept.display())));
            }
            return replace(temporary, &out);
        }
        fs::rename(temporary.path(), &out).map_err(|error| cannot("write", &out, &error))?;
        // It is the model folder now; dropping the handle would try to delete what is no longer there.
        let _ = temporary.keep();
        Ok(())
    }
}

/// The new folder takes the old one's name; at no time is neither there, where the system can do that.
fn replace(new: tempfile::TempDir, out: &Path) -> Result<(), ModelError> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    if renameat_with(CWD, new.path(), CWD, out, RenameFlags::EXCHANGE).is_ok() {
        // Under the temporary name lies what was there before; it goes with the handle.
        return Ok(());
    }
    let aside = temporary_beside(out)?;
    let old = aside.path().join(OLD);
    fs::rename(out, &old).map_err(|e| cannot("replace", out, &e))?;
    if let Err(error) = fs::rename(new.path(), out) {
        if fs::rename(&old, out).is_err() {
            let kept = aside.keep().join(OLD);
            let error = cannot("write", out, &error);
            return Err(error.hint(format!("what was there before lies in {}", kept.display())));
        }
        return Err(cannot("write", out, &error));
    }
    let _ = new.keep();
    Ok(())
}

/// Also a link that leads nowhere.
fn is_there(out: &Path) -> bool {
    fs::symlink_metadata(out).is_ok()
}

fn is_empty(out: &Path) -> bool {
    fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none())
}

/// A symbolic link is not replaced: its target would be left behind and the link lost.
fn is_replaceable(out: &Path) -> bool {
    let is_folder = fs::symlink_metadata(out).is_ok_and(|meta| meta.is_dir());
    is_folder && (is_empty(out) || out.join("config.json").is_file())
}

/// What killed processes began beside model folders in `parent`, untouched for a day. Where an older
/// model may still lie in it, it stays.
pub fn left_over(parent: &Path) -> Vec<LeftOver> {
    leftover::named(parent, |name| name.starts_with(BEGUN))
        .into_iter()
        .filter(|(path, found)| {
            found.is_dir() && leftover::is_abandoned(found, leftover::DAY) && !is_there(&path.join(OLD))
        })
        .map(|(path, _)| LeftOver::new(path, "a model that was being written when its process was killed"))
        .collect()
}

/// A private folder on the same disk as `out`, gone when dropped.
fn temporary_beside(out: &Path) -> Result<tempfile::TempDir, ModelError> {
    let parent: PathBuf = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    fs::create_dir_all(&parent).map_err(|e| cannot("create", &parent, &e))?;
    left_over(&parent).iter().for_each(LeftOver::sweep);
    tempfile::Builder::new().prefix(BEGUN).tempdir_in(&parent).map_err(|e| cannot("write to", &parent, &e))
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
        let check = |out: &Path, start: &Path| NewFolder::check(out, start, true);
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
    fn a_folder_is_replaced_as_a_whole_and_only_when_asked() {
        let base = tempfile::tempdir().unwrap();
        let out = base.path().join("model");
        for text in ["one", "two"] {
            let new = NewFolder::begin(&out, true).unwrap();
            fs::write(new.file("config.json"), text).unwrap();
            fs::write(new.file(text), text).unwrap();
            new.put_in_place().unwrap();
            assert_eq!(fs::read_to_string(out.join(text)).unwrap(), text);
        }
        assert!(!out.join("one").exists());
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 1);

        let refused = NewFolder::check(&out, base.path(), false).unwrap_err();
        assert!(refused.message.contains("is a model already"), "{refused:?}");
        // It came while the work was done: neither is lost.
        let new = NewFolder::begin(&out, false).unwrap();
        fs::write(new.file("three"), "three").unwrap();
        let refused = new.put_in_place().unwrap_err();
        assert!(out.join("two").exists() && !out.join("three").exists());
        let kept = refused.hint.unwrap();
        assert!(kept.contains(".recscope-model-"), "{kept}");
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_a_killed_process_began_is_swept_after_a_day_but_no_older_model() {
        let base = tempfile::tempdir().unwrap();
        let begun = |name: &str, inside: &str, days: u64| {
            let folder = base.path().join(format!("{BEGUN}{name}"));
            fs::create_dir_all(folder.join(inside)).unwrap();
            let then = std::time::SystemTime::now() - leftover::DAY * days as u32;
            fs::File::open(&folder).unwrap().set_modified(then).unwrap();
            folder
        };
        let (dead, young) = (begun("dead", "x", 2), begun("young", "x", 0));
        let aside = begun("aside", OLD, 2);
        NewFolder::begin(&base.path().join("m"), false).unwrap();
        assert!(!dead.exists() && young.exists() && aside.exists());
    }
}
