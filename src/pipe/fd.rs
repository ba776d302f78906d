//! stdin and stdout as they are: no buffer of the standard library between, so that what has arrived
//! is seen at once and what is written has left. Works on pipes, files, sockets, and on descriptors
//! that somebody else has set to non-blocking.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// Where rows come from.
pub(super) struct Input {
    file: File,
    /// Bytes that were looked at before and not taken.
    ahead: Vec<u8>,
    taken: usize,
}

impl Input {
    pub fn new(fd: OwnedFd) -> Self {
        Self { file: File::from(fd), ahead: Vec::new(), taken: 0 }
    }

    /// Whether a read would give something at once, be it the end.
    pub fn waiting(&self) -> bool {
        self.taken < self.ahead.len() || ready(self.file.as_raw_fd(), libc::POLLIN, 0)
    }

    /// What lies ahead, untouched by this call.
    pub fn ahead(&self) -> &[u8] {
        self.ahead.get(self.taken..).unwrap_or_default()
    }

    /// Reads more to look at; `false`: there is no more.
    pub fn look_further(&mut self) -> io::Result<bool> {
        let mut more = [0; 4096];
        let n = read(&mut self.file, &mut more)?;
        self.ahead.extend_from_slice(more.get(..n).unwrap_or_default());
        Ok(n > 0)
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let ahead = self.ahead();
        if ahead.is_empty() {
            return read(&mut self.file, into);
        }
        let n = ahead.len().min(into.len());
        if let (Some(into), Some(from)) = (into.get_mut(..n), ahead.get(..n)) {
            into.copy_from_slice(from);
        }
        self.taken += n;
        if self.taken == self.ahead.len() {
            (self.ahead, self.taken) = (Vec::new(), 0);
        }
        Ok(n)
    }
}

/// Where rows go.
pub(super) struct Output {
    file: File,
}

impl Output {
    pub fn new(fd: OwnedFd) -> Self {
        Self { file: File::from(fd) }
    }

    /// Returns when all of it has been taken by the other side.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => bytes = bytes.get(n..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready(self.file.as_raw_fd(), libc::POLLOUT, -1);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn read(file: &mut File, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                ready(file.as_raw_fd(), libc::POLLIN, -1);
            }
            other => return other,
        }
    }
}

/// Whether the descriptor can be read or written (or has ended), waiting up to `wait_ms`; -1: for as
/// long as it takes.
fn ready(fd: RawFd, events: libc::c_short, wait_ms: libc::c_int) -> bool {
    let mut look = libc::pollfd { fd, events, revents: 0 };
    // SAFETY: the call reads and writes only `look`.
    let answer = unsafe { libc::poll(&mut look, 1, wait_ms) };
    // Where poll itself fails, the read or write that follows will tell why.
    answer != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_seen_without_reading() {
        let (from, mut to) = io::pipe().unwrap();
        let mut input = Input::new(from.into());
        assert!(!input.waiting());
        to.write_all(b"abc").unwrap();
        assert!(input.waiting() && input.look_further().unwrap());
        assert_eq!(input.ahead(), b"abc");
        let mut two = [0; 2];
        assert_eq!(input.read(&mut two).unwrap(), 2);
        assert!(input.waiting() && input.ahead() == b"c");
        assert_eq!(input.read(&mut two).unwrap(), 1);
        assert!(!input.waiting());
        drop(to);
        assert!(input.waiting(), "the end is something to read");
        assert!(!input.look_further().unwrap());
    }

    #[test]
    fn a_reader_that_went_away_is_an_error_of_its_own_kind() {
        let (from, to) = io::pipe().unwrap();
        drop(from);
        let error = Output::new(to.into()).write(b"abc").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
