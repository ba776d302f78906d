//! A folder of this user's, held open: its files are opened, made, renamed and removed by their names in it,
//! whatever its path comes to mean meanwhile, and nothing in it is followed as a link. For folders that come
//! along with what people ship to each other, and so may hold anything.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, RawMode, Stat};
use rustix::io::Errno;

use super::private::user_id;

/// Before the name of a file that is being written.
const WRITING: &str = ".saving-";
/// A file that is being written is locked; between making and locking it lies less than this.
const MOMENT: Duration = Duration::from_secs(60);
/// What nobody can lock: nobody writes for so long.
const DAY: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug)]
pub struct HeldFolder {
    fd: OwnedFd,
    path: PathBuf,
    uid: u32,
}

/// A regular file of this user's in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFile {
    pub name: String,
    pub bytes: u64,
    pub modified: SystemTime,
}

impl HeldFolder {
    /// The folder at `path`, for its owner alone from now on; `None`: nothing is there.
    ///
    /// # Errors
    /// It is a link, no folder, or somebody else's: a sentence says which.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let Some(held) = Self::look(path)? else { return Ok(None) };
        if mode_of(&rustix::fs::fstat(&held.fd)?).intersects(Mode::RWXG | Mode::RWXO) {
            rustix::fs::fchmod(&held.fd, Mode::RWXU)?;
        }
        Ok(Some(held))
    }

    /// As [`HeldFolder::open`]; its mode is left as it is.
    pub fn look(path: &Path) -> io::Result<Option<Self>> {
        Self::look_for(path, user_id())
    }

    /// As [`HeldFolder::open`]; made with mode 0700 where nothing is there. Its parent must exist.
    pub fn make(path: &Path) -> io::Result<Self> {
        match rustix::fs::mkdir(path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        Self::open(path)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn look_for(path: &Path, uid: u32) -> io::Result<Option<Self>> {
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
            Ok(found) if found.is_symlink() => return Err(io::Error::other("it is a link")),
            Ok(found) if !found.is_dir() => return Err(io::Error::other("it is not a folder")),
            Ok(_) => {}
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::open(path, flags, Mode::empty())?;
        // Of what was opened, not of the path: that may have been replaced since.
        let found = rustix::fs::fstat(&fd)?;
        if found.st_uid != uid {
            return Err(io::Error::other("it belongs to somebody else"));
        }
        Ok(Some(Self { fd, path: path.to_path_buf(), uid }))
    }

    /// For messages only.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A regular file of this user's, for reading.
    ///
    /// # Errors
    /// It is not there, or something else is: a link, a pipe, somebody else's file.
    pub fn read(&self, name: &str) -> io::Result<File> {
        self.regular(name)?;
        // A pipe put there meanwhile must not be waited for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, checked(name)?, flags, Mode::empty())?;
        self.is_regular(&rustix::fs::fstat(&fd)?)?;
        Ok(File::from(fd))
    }

    /// Whether a regular file of this user's has this name.
    pub fn has(&self, name: &str) -> bool {
        self.regular(name).is_ok()
    }

    /// Makes a file (mode 0600) or puts another in its place, whole or not at all. A link of that name is
    /// replaced, not followed.
    pub fn write(&self, name: &str, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
        let name = checked(name)?;
        let (writing, mut file) = self.begin()?;
        // Says that its writer lives; where locks are not to be had, its age must do.
        let _ = file.try_lock();
        let done = fill(&mut file)
            .and_then(|()| Ok(rustix::fs::renameat(&self.fd, writing.as_str(), &self.fd, name)?));
        if done.is_err() {
            let _ = self.remove(&writing);
        }
        done
    }

    fn begin(&self) -> io::Result<(String, File)> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for number in 0..1000u32 {
            let name = format!("{WRITING}{}-{number}", std::process::id());
            match rustix::fs::openat(&self.fd, name.as_str(), flags, Mode::RUSR | Mode::WUSR) {
                Ok(fd) => return Ok((name, File::from(fd))),
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::other("too many unfinished files"))
    }

    /// Removes a file or a link; no folder.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, checked(name)?, AtFlags::empty())?)
    }

    /// The regular files of this user's, in no order.
    pub fn files(&self) -> Vec<HeldFile> {
        self.named(|_| true)
    }

    /// Those of them whose name is `wanted`.
    pub fn named(&self, wanted: impl Fn(&str) -> bool) -> Vec<HeldFile> {
        let Ok(entries) = Dir::read_from(&self.fd) else { return Vec::new() };
        entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().to_str().ok().filter(|name| wanted(name))?.to_owned();
                let found = self.regular(&name).ok()?;
                let modified = SystemTime::UNIX_EPOCH
                    + Duration::new(u64::try_from(found.st_mtime).ok()?, found.st_mtime_nsec as u32);
                Some(HeldFile { name, bytes: found.st_size as u64, modified })
            })
            .collect()
    }

    /// Files that were begun and whose writer is gone: those that nobody locks, and what earlier versions
    /// named otherwise and nobody has touched for a day.
    pub fn unfinished(&self) -> Vec<HeldFile> {
        let now = SystemTime::now();
        let older = |file: &HeldFile, than| now.duration_since(file.modified).is_ok_and(|age| age > than);
        let dead = |file: &HeldFile| {
            older(file, DAY)
                || older(file, MOMENT) && self.read(&file.name).is_ok_and(|open| open.try_lock().is_ok())
        };
        let unfinished = |file: &HeldFile| match file.name.as_str() {
            name if name.starts_with(WRITING) => dead(file),
            name => (name.ends_with(".part") || name.starts_with(".tmp")) && older(file, DAY),
        };
        self.files().into_iter().filter(unfinished).collect()
    }

    fn regular(&self, name: &str) -> io::Result<Stat> {
        let found = rustix::fs::statat(&self.fd, checked(name)?, AtFlags::SYMLINK_NOFOLLOW)?;
        self.is_regular(&found)?;
        Ok(found)
    }

    fn is_regular(&self, found: &Stat) -> io::Result<()> {
        let regular = FileType::from_raw_mode(found.st_mode as RawMode) == FileType::RegularFile;
        if regular && found.st_uid == self.uid {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file of this user"))
    }
}

fn mode_of(found: &Stat) -> Mode {
    Mode::from_raw_mode(found.st_mode as RawMode)
}

/// One name of a file, never a path.
fn checked(name: &str) -> io::Result<&OsStr> {
    let plain = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0']);
    plain.then(|| OsStr::from_bytes(name.as_bytes())).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is not the name of a file"))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::{Read, Write};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn text(folder: &HeldFolder, name: &str) -> Option<String> {
        let mut text = String::new();
        folder.read(name).ok()?.read_to_string(&mut text).ok()?;
        Some(text)
    }

    #[test]
    fn what_is_written_is_for_its_owner_alone_and_whole() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("f");
        assert!(HeldFolder::open(&path).unwrap().is_none());
        let folder = HeldFolder::make(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        folder.write("a", |file| file.write_all("一".as_bytes())).unwrap();
        assert_eq!(fs::metadata(path.join("a")).unwrap().mode() & 0o777, 0o600);
        let failed = folder.write("a", |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert!(failed.is_err());
        assert_eq!(text(&folder, "a").unwrap(), "一");
        assert_eq!(folder.files().len(), 1);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        HeldFolder::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn links_pipes_and_paths_are_refused() {
        let base = tempfile::tempdir().unwrap();
        let (path, victim) = (base.path().join("f"), base.path().join("victim"));
        fs::write(&victim, "secret").unwrap();
        let folder = HeldFolder::make(&path).unwrap();
        symlink(&victim, path.join("link")).unwrap();
        symlink(base.path().join("made"), path.join("dangling")).unwrap();
        rustix::fs::mknodat(&folder.fd, "pipe", FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for name in ["link", "dangling", "pipe", "../victim", "/etc/passwd", "..", ""] {
            assert!(folder.read(name).is_err(), "{name}");
        }
        assert!(folder.write("../victim", |_| Ok(())).is_err());
        for name in ["link", "dangling"] {
            folder.write(name, |file| file.write_all(b"ours")).unwrap();
            assert_eq!(text(&folder, name).unwrap(), "ours");
        }
        assert_eq!(fs::read_to_string(&victim).unwrap(), "secret");
        assert!(!base.path().join("made").exists());

        symlink(&path, base.path().join("folder-link")).unwrap();
        let refused = |path: &Path| HeldFolder::open(path).unwrap_err().to_string();
        assert!(refused(&base.path().join("folder-link")).contains("link"));
        assert!(refused(&victim).contains("not a folder"));
        let others = HeldFolder::look_for(&path, user_id().wrapping_add(1)).unwrap_err();
        assert!(others.to_string().contains("somebody else"), "{others}");
    }

    #[test]
    fn the_folder_stays_the_same_when_its_path_does_not() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("f");
        let folder = HeldFolder::make(&path).unwrap();
        fs::rename(&path, base.path().join("moved")).unwrap();
        fs::create_dir(base.path().join("elsewhere")).unwrap();
        symlink(base.path().join("elsewhere"), &path).unwrap();
        folder.write("a", |file| file.write_all(b"x")).unwrap();
        assert_eq!(fs::read_dir(base.path().join("elsewhere")).unwrap().count(), 0);
        assert!(base.path().join("moved/a").exists());
    }

    #[test]
    fn only_what_a_dead_writer_left_is_unfinished() {
        let base = tempfile::tempdir().unwrap();
        let folder = HeldFolder::make(&base.path().join("f")).unwrap();
        let put = |name: &str, age: Duration| {
            let file = File::create(folder.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
            file
        };
        let hour = Duration::from_secs(3600);
        put("kept.outcome", DAY * 9);
        put("fresh.parquet.part", hour);
        put("a.parquet.part", DAY * 2);
        put(".tmpAbCdEf", DAY * 2);
        put(".saving-1-0", hour);
        put(".saving-1-1", Duration::ZERO);
        let living = put(".saving-1-2", hour);
        living.lock().unwrap();
        let mut names: Vec<String> = folder.unfinished().into_iter().map(|file| file.name).collect();
        names.sort();
        assert_eq!(names, [".saving-1-0", ".tmpAbCdEf", "a.parquet.part"]);
    }
}
