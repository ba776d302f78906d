//! Reading keys: waits for bytes of the terminal, gives what they mean, and notices when it has gone.
//! What bytes mean is `keys.rs`'s business.

use std::io;
use std::time::Duration;

use super::keys::Keys;
use crate::screen::app::Msg;

/// What arrived when reading keys.
#[derive(Debug)]
pub enum Input {
    Msg(Msg),
    /// The terminal is gone.
    Dead,
}

enum Waited {
    Bytes,
    Nothing,
    Dead,
}

/// Waits for keys and gives each to `take`, which says whether to go on.
pub fn read_keys(mut take: impl FnMut(Input) -> bool) {
    let mut keys = Keys::default();
    let mut bytes = [0; 4096];
    let mut said = Vec::new();
    loop {
        match wait(keys.patience()) {
            Waited::Bytes => match read(&mut bytes) {
                Some(0) => {}
                Some(n) => keys.take(bytes.get(..n).unwrap_or_default(), &mut said),
                None => {
                    take(Input::Dead);
                    return;
                }
            },
            Waited::Nothing => keys.nothing_more(&mut said),
            Waited::Dead => {
                take(Input::Dead);
                return;
            }
        }
        for msg in said.drain(..) {
            if !take(Input::Msg(msg)) {
                return;
            }
        }
    }
}

/// Waits for something to read, for ever or as long as told.
fn wait(patience: Option<Duration>) -> Waited {
    let mut stdin = libc::pollfd { fd: libc::STDIN_FILENO, events: libc::POLLIN, revents: 0 };
    let ms = patience.map_or(-1, |patience| patience.as_millis() as libc::c_int);
    // SAFETY: one valid pollfd, and its count.
    let ready = unsafe { libc::poll(&raw mut stdin, 1, ms) };
    match ready {
        // Interrupted by a signal: neither bytes nor silence.
        ..0 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => wait(patience),
        ..0 => Waited::Dead,
        0 => Waited::Nothing,
        _ if stdin.revents & (libc::POLLHUP | libc::POLLERR | libc::POLLNVAL) != 0 => Waited::Dead,
        _ => Waited::Bytes,
    }
}

/// `None`: the terminal is gone; 0: nothing after all.
fn read(into: &mut [u8]) -> Option<usize> {
    // SAFETY: the buffer and its length.
    let n = unsafe { libc::read(libc::STDIN_FILENO, into.as_mut_ptr().cast(), into.len()) };
    match usize::try_from(n) {
        // The end of input: a terminal that has hung up.
        Ok(0) => None,
        Ok(n) => Some(n),
        Err(_) => {
            let kind = io::Error::last_os_error().kind();
            matches!(kind, io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock).then_some(0)
        }
    }
}
