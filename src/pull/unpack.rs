//! The files of a tar (plain, gzip or zstd) or zip, one after another. Refused: links, devices, paths
//! that lead outside, and archives that unpack to far more than they are.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::PullError;
use super::listing::inside;
use crate::util::cancel::Cancel;
use crate::util::{figures, sanitise};

/// What an archive may unpack to: a tokenizer shrinks to a tenth, weights by a few percent.
const MAX_RATIO: u64 = 100;
const FREE_BYTES: u64 = 64 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Tar,
    Gzip,
    Zstd,
    Zip,
}

pub(super) struct Archive {
    path: PathBuf,
    format: Format,
    budget: u64,
}

/// Path, size as the archive claims it, content.
type Visit<'a> = dyn FnMut(String, u64, &mut dyn Read) -> Result<(), PullError> + 'a;

impl Archive {
    /// Knows the format by the first bytes, whatever the file is called.
    pub fn open(path: &Path) -> Result<Self, PullError> {
        let fail = |error: io::Error| PullError::read(path, &error);
        let mut start = Vec::new();
        let file = File::open(path).map_err(fail)?;
        let length = file.metadata().map_err(fail)?.len();
        file.take(512).read_to_end(&mut start).map_err(fail)?;
        let format = match start.as_slice() {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Format::Zip,
            [0x1f, 0x8b, ..] => Format::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Format::Zstd,
            bytes if bytes.get(257..262) == Some(b"ustar") => Format::Tar,
            _ => {
                let what = format!("{} is no archive that is read here", path.display());
                return Err(PullError::data(what).hint(
                    "read are .tar, .tar.gz, .tar.zst and .zip; anything else, unpack and pull the folder",
                ));
            }
        };
        let budget = FREE_BYTES.saturating_add(length.saturating_mul(MAX_RATIO));
        Ok(Self { path: path.to_path_buf(), format, budget })
    }

    /// Shows every file to `visit`, which need not read it.
    pub fn each(&self, cancel: &Cancel, visit: &mut Visit) -> Result<(), PullError> {
        let file = File::open(&self.path).map_err(|error| PullError::read(&self.path, &error))?;
        let meter = Meter { left: Cell::new(self.budget), cancel };
        let walked = match self.format {
            Format::Zip => self.zip(file, &meter, visit),
            Format::Tar => self.tar(BufReader::new(file), &meter, visit),
            Format::Gzip => self.tar(flate2::read::MultiGzDecoder::new(BufReader::new(file)), &meter, visit),
            Format::Zstd => match ruzstd::decoding::StreamingDecoder::new(BufReader::new(file)) {
                Ok(decoder) => self.tar(decoder, &meter, visit),
                Err(error) => Err(self.damaged(error)),
            },
        };
        cancel.check()?;
        match walked {
            // A reader in between may have put its own words over the meter's.
            Err(_) if meter.left.get() == 0 => Err(self.bomb()),
            walked => walked,
        }
    }

    fn tar(&self, unpacked: impl Read, meter: &Meter, visit: &mut Visit) -> Result<(), PullError> {
        // What a sparse file unpacks to is counted apart: the archive does not hold its holes.
        let holes = Meter { left: Cell::new(self.budget), cancel: meter.cancel };
        let mut archive = tar::Archive::new(Metered { inner: unpacked, meter });
        for entry in archive.entries().map_err(|error| self.damaged(error))? {
            let mut entry = entry.map_err(|error| self.damaged(error))?;
            let name = entry.path_bytes().into_owned();
            let kind = entry.header().entry_type();
            if kind.is_dir() || kind.is_pax_global_extensions() {
                continue;
            }
            let path = self.name(name)?;
            if !kind.is_file() && !kind.is_gnu_sparse() {
                return Err(self.link(&path));
            }
            let bytes = entry.size();
            let told = visit(path, bytes, &mut Metered { inner: &mut entry, meter: &holes });
            if holes.left.get() == 0 {
                return Err(self.bomb());
            }
            told?;
        }
        // Behind the last file a compressed archive says whether it arrived whole: without a look there, one
        // that lost its last bytes would pass.
        io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(|error| self.damaged(error))?;
        Ok(())
    }

    fn zip(&self, file: File, meter: &Meter, visit: &mut Visit) -> Result<(), PullError> {
        let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(|error| self.damaged(error))?;
        for at in 0..archive.len() {
            let entry = archive.by_index(at).map_err(|error| self.damaged(error))?;
            if entry.is_dir() {
                continue;
            }
            let path = self.name(entry.name_raw().to_vec())?;
            if !entry.is_file() {
                return Err(self.link(&path));
            }
            let bytes = entry.size();
            visit(path, bytes, &mut Metered { inner: entry, meter })?;
        }
        Ok(())
    }

    fn name(&self, name: Vec<u8>) -> Result<String, PullError> {
        inside(&self.path.to_string_lossy(), &String::from_utf8_lossy(&name))
    }

    fn link(&self, name: &str) -> PullError {
        let name = sanitise::excerpt(name, 100);
        PullError::data(format!("{}: {name} is a link or a device, not a file", self.path.display()))
            .hint("pack the files themselves: tar --dereference -czf MODEL.tar.gz FOLDER")
    }

    fn bomb(&self) -> PullError {
        let what = format!("{} unpacks to more than {}", self.path.display(), figures::bytes(self.budget));
        PullError::data(format!("{what}, {MAX_RATIO} times its size: refused"))
            .hint("if you trust it, unpack it yourself and pull the folder")
    }

    fn damaged(&self, why: impl std::fmt::Display) -> PullError {
        let why = sanitise::excerpt(&why.to_string(), 200);
        PullError::data(format!("{} cannot be unpacked: {why}", self.path.display()))
            .hint("it may be cut off or encrypted: fetch or pack it again")
    }
}

/// Bytes that may still come.
struct Meter<'a> {
    left: Cell<u64>,
    cancel: &'a Cancel,
}

struct Metered<'a, R> {
    inner: R,
    meter: &'a Meter<'a>,
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.meter.cancel.is_cancelled() {
            return Err(io::Error::other("cancelled"));
        }
        let n = self.inner.read(into)?;
        let left = self.meter.left.get().saturating_sub(n as u64);
        self.meter.left.set(left);
        if left == 0 && n > 0 { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(n) }
    }
}
