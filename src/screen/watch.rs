//! Notices that another program changed the notebook's file: by its times, size and number, and only then
//! by reading it.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::app::FileNow;
use crate::state::digest;

/// A file that is being replaced may be missing for a moment.
const MISSING_LOOKS: u32 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: (i64, i64),
    changed: (i64, i64),
    size: u64,
    number: (u64, u64),
}

pub struct Watch {
    file: Option<PathBuf>,
    stamp: Option<Stamp>,
    /// Of what the app was told last, or wrote; `None`: there is no file.
    digest: Option<String>,
    missing: u32,
}

impl Watch {
    pub fn new(file: Option<&Path>, on_disk: Option<&str>) -> Self {
        Self { file: file.map(Path::to_path_buf), stamp: None, digest: on_disk.map(digest), missing: 0 }
    }

    pub fn digest(&self) -> Option<String> {
        self.digest.clone()
    }

    /// We wrote this ourselves. The next look reads the file once more: it may be another's already.
    pub fn wrote(&mut self, text: &str) {
        (self.stamp, self.digest) = (None, Some(digest(text)));
    }

    /// What the file is now, if that is news.
    pub fn look(&mut self) -> Option<FileNow> {
        let file = self.file.as_deref()?;
        let before = match stamp(file) {
            Ok(before) => before,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return self.is_missing(),
            // Out of reach for now: saving would say so.
            Err(_) => return None,
        };
        self.missing = 0;
        if self.stamp == Some(before) {
            return None;
        }
        let bytes = fs::read(file).ok()?;
        // Being written at this moment: the next look finds it whole.
        if stamp(file).ok()? != before {
            return None;
        }
        self.stamp = Some(before);
        let Ok(text) = String::from_utf8(bytes) else {
            self.digest = Some(String::new());
            return Some(FileNow::Unreadable("it is not UTF-8 text any more".into()));
        };
        let now = Some(digest(&text));
        if now == self.digest {
            return None;
        }
        self.digest = now;
        Some(FileNow::Text(text))
    }

    fn is_missing(&mut self) -> Option<FileNow> {
        self.stamp = None;
        self.missing = self.missing.saturating_add(1);
        let news = self.missing >= MISSING_LOOKS && self.digest.take().is_some();
        news.then_some(FileNow::Gone)
    }
}

fn stamp(file: &Path) -> io::Result<Stamp> {
    let meta = fs::metadata(file)?;
    Ok(Stamp {
        modified: (meta.mtime(), meta.mtime_nsec()),
        changed: (meta.ctime(), meta.ctime_nsec()),
        size: meta.size(),
        number: (meta.dev(), meta.ino()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_text_is_news() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("跑鞋.md");
        fs::write(&path, "one").unwrap();
        let mut watch = Watch::new(Some(&path), Some("one"));
        assert_eq!((watch.look(), watch.look()), (None, None));
        fs::write(&path, "二").unwrap();
        assert_eq!(watch.look(), Some(FileNow::Text("二".into())));
        assert_eq!(watch.look(), None);
        // Replaced by the same text, then written by ourselves.
        fs::write(folder.path().join("n"), "二").unwrap();
        fs::rename(folder.path().join("n"), &path).unwrap();
        assert_eq!(watch.look(), None);
        fs::write(&path, "ours").unwrap();
        watch.wrote("ours");
        assert_eq!(watch.look(), None);
        // Ours, and another's straight behind it.
        watch.wrote("ours again");
        assert_eq!(watch.look(), Some(FileNow::Text("ours".into())));
        fs::write(&path, [0xff]).unwrap();
        assert!(matches!(watch.look(), Some(FileNow::Unreadable(_))));
        fs::write(&path, "text again").unwrap();
        assert_eq!(watch.look(), Some(FileNow::Text("text again".into())));
    }

    #[test]
    fn a_file_that_is_replaced_is_not_gone_and_one_that_is_gone_is_told_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n.md");
        fs::write(&path, "one").unwrap();
        let mut watch = Watch::new(Some(&path), Some("one"));
        fs::remove_file(&path).unwrap();
        assert_eq!(watch.look(), None);
        fs::write(&path, "one").unwrap();
        assert_eq!(watch.look(), None);
        fs::remove_file(&path).unwrap();
        assert_eq!((watch.look(), watch.look(), watch.look()), (None, Some(FileNow::Gone), None));
        fs::write(&path, "one").unwrap();
        assert_eq!(watch.look(), Some(FileNow::Text("one".into())));
        assert_eq!(Watch::new(None, None).look(), None);
        let mut new = Watch::new(Some(&folder.path().join("not yet")), None);
        assert_eq!((new.look(), new.look(), new.look()), (None, None, None));
    }
}
