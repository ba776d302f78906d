//! One file from the hub to the disk: tried again when the line breaks, gone on with where it stopped,
//! checked against what the hub announced.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::http::{Fault, Http};
use super::listing::{Entry, Sum, limit};
use super::{PullError, Step, Work};
use crate::util::sanitise;

const BLOCK: usize = 128 << 10;
/// Attempts in a row that bring nothing before giving up.
const ATTEMPTS: u32 = 5;
/// The longest wait that a hub may ask for before the user is asked instead.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a file is not there.
pub(super) enum Missed {
    Net(Fault),
    Disk(PullError),
}

impl<E: Into<PullError>> From<E> for Missed {
    fn from(error: E) -> Self {
        Missed::Disk(error.into())
    }
}

/// Fetches `entry` to `place`, through `place.part`; says how many bytes it has. `done` bytes of other
/// files are there already.
pub(super) fn fetch(
    http: &Http,
    address: &str,
    entry: &Entry,
    small: bool,
    place: &Path,
    done: u64,
    work: &mut Work,
) -> Result<u64, Missed> {
    if let Some(bytes) = already(place, entry) {
        return Ok(bytes);
    }
    let mut partial = place.as_os_str().to_owned();
    partial.push(".part");
    let one = One { http, address, entry, small, part: PathBuf::from(partial), done };
    let resumed = one.bring(work)?;
    (work.tell)(Step::Checking(entry.path.clone()));
    let mut sound = one.is_sound(work)?;
    if !sound && resumed {
        // What an earlier attempt left may have been wrong; the hub gets one chance to do it all.
        one.remove()?;
        one.bring(work)?;
        sound = one.is_sound(work)?;
    }
    if !sound {
        one.remove()?;
        return Err(one.unsound().into());
    }
    std::fs::rename(&one.part, place).map_err(|error| PullError::write(place, &error))?;
    Ok(std::fs::metadata(place).map_or(0, |about| about.len()))
}

/// A file that an earlier attempt finished, and checked.
fn already(place: &Path, entry: &Entry) -> Option<u64> {
    let bytes = std::fs::metadata(place).ok()?.len();
    entry.bytes.is_none_or(|announced| announced == bytes).then_some(bytes)
}

struct One<'a> {
    http: &'a Http,
    address: &'a str,
    entry: &'a Entry,
    small: bool,
    part: PathBuf,
    done: u64,
}

impl One<'_> {
    fn have(&self) -> u64 {
        std::fs::metadata(&self.part).map_or(0, |about| about.len())
    }

    fn remove(&self) -> Result<(), PullError> {
        match std::fs::remove_file(&self.part) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(PullError::write(&self.part, &error))
            }
            _ => Ok(()),
        }
    }

    /// Until all is there; whether a part of it was there before.
    fn bring(&self, work: &mut Work) -> Result<bool, Missed> {
        let before = self.have();
        let mut attempts = Attempts::default();
        loop {
            let have = self.have();
            if self.entry.bytes == Some(have) && have > 0 {
                return Ok(before > 0);
            }
            let fault = match self.attempt(work) {
                Ok(()) => return Ok(before > 0),
                Err(Missed::Net(fault)) => fault,
                Err(disk) => return Err(disk),
            };
            if matches!(fault, Fault::Status { code: 416, .. }) && have > 0 {
                self.remove()?;
                continue;
            }
            attempts.next(fault, self.have() > have, work)?;
        }
    }

    fn attempt(&self, work: &mut Work) -> Result<(), Missed> {
        let most = limit(self.small, self.entry.bytes);
        let mut have = self.have();
        if have > most {
            have = 0;
        }
        let mut answer = self.http.get(self.address, have, u64::MAX).map_err(Missed::Net)?;
        // A host that knows no ranges sends it all; one that sends another range is not believed.
        let start = if answer.start == have { have } else { 0 };
        if start != answer.start {
            return Err(Missed::Net(self.fault("another part of the file than was asked for")));
        }
        let fail = |error: std::io::Error| PullError::write(&self.part, &error);
        let mut file =
            File::options().create(true).truncate(false).write(true).open(&self.part).map_err(fail)?;
        file.set_len(start).map_err(fail)?;
        file.seek(SeekFrom::Start(start)).map_err(fail)?;
        let (mut at, mut block) = (start, vec![0u8; BLOCK]);
        loop {
            work.cancel.check()?;
            let n = match answer.body.read(&mut block) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) => return Err(Missed::Net(self.broken(&error.to_string()))),
            };
            at += n as u64;
            if at > most {
                self.remove()?;
                return Err(Missed::Net(self.fault("more bytes than it announced")));
            }
            file.write_all(block.get(..n).unwrap_or_default()).map_err(fail)?;
            (work.tell)(Step::Bytes { done: self.done + at, fresh: n as u64 });
        }
        if self.entry.bytes.is_some_and(|announced| at < announced) {
            return Err(Missed::Net(self.broken("the line was closed early")));
        }
        file.sync_all().map_err(fail)?;
        Ok(())
    }

    fn broken(&self, why: &str) -> Fault {
        Fault::Broken { host: self.http.host().into(), why: sanitise::excerpt(why, 200) }
    }

    fn fault(&self, why: &str) -> Fault {
        Fault::Nonsense { host: self.http.host().into(), why: why.into() }
    }

    /// Whether the content is what the hub announced.
    fn is_sound(&self, work: &Work) -> Result<bool, PullError> {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Ok(match &self.entry.sum {
            Sum::None => true,
            Sum::Sha256(announced) => {
                let mut hash = Sha256::new();
                self.each_block(work, &mut |block| hash.update(block))?;
                hex(&hash.finalize()).eq_ignore_ascii_case(announced)
            }
            Sum::Git(announced) => {
                // Git's own name of the content; a check against accidents and mix-ups, as git has it.
                let mut hash = ring::digest::Context::new(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY);
                hash.update(format!("blob {}\0", self.have()).as_bytes());
                self.each_block(work, &mut |block| hash.update(block))?;
                hex(hash.finish().as_ref()).eq_ignore_ascii_case(announced)
            }
        })
    }

    fn each_block(&self, work: &Work, see: &mut dyn FnMut(&[u8])) -> Result<(), PullError> {
        let fail = |error: std::io::Error| PullError::read(&self.part, &error);
        let mut file = File::open(&self.part).map_err(fail)?;
        let mut block = vec![0u8; BLOCK];
        loop {
            work.cancel.check()?;
            match file.read(&mut block).map_err(fail)? {
                0 => return Ok(()),
                n => see(block.get(..n).unwrap_or_default()),
            }
        }
    }

    fn unsound(&self) -> PullError {
        let name = sanitise::excerpt(&self.entry.path, 200);
        let what =
            format!("{name} did not come as {} announced it: its checksum is another", self.http.host());
        PullError::data(what).hint(
            "it was thrown away: run the same command again; if it happens again, something between here and the \
             hub changes files, or the mirror in HF_ENDPOINT is damaged",
        )
    }
}

/// How often it was tried, and how long to wait.
#[derive(Default)]
pub(super) struct Attempts(u32);

impl Attempts {
    /// Waits before the next attempt; gives the fault back where there is no use in one. `progress`: the
    /// last attempt brought something.
    pub fn next(&mut self, fault: Fault, progress: bool, work: &mut Work) -> Result<(), Missed> {
        if progress {
            self.0 = 0;
        }
        self.0 += 1;
        let wait = match &fault {
            Fault::Broken { .. } | Fault::Reach { .. } => Duration::from_millis(500) * (1 << self.0.min(5)),
            Fault::Status { code: 429 | 500..=599, retry_after, .. } => {
                retry_after.unwrap_or(Duration::from_secs(1) * (1 << self.0.min(5)))
            }
            Fault::Status { .. } | Fault::Nonsense { .. } => return Err(Missed::Net(fault)),
        };
        if self.0 >= ATTEMPTS || wait > PATIENCE {
            return Err(Missed::Net(fault));
        }
        (work.tell)(Step::Note(format!(
            "{}; trying again in {:.0} s",
            fault.short(),
            wait.as_secs_f64().ceil()
        )));
        let until = std::time::Instant::now() + wait;
        while std::time::Instant::now() < until {
            work.cancel.check()?;
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}
