//! stdout and stderr: data to the one, talk to the other; a closed pipe is success.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::Failure;
pub(super) use super::stop::cancel_on_signal;
pub(super) use crate::pipe::{Ticker, say_usage};
use crate::util::{redact, sanitise};

/// Writes data to stdout; exit code 0. A reader that has gone away has had what it wanted.
pub fn print(text: &str) -> Result<u8, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::resource(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(0),
    }
}

/// A value as `--format json` prints it: nothing in it steers a terminal or hides from a reader, and it
/// means the same.
pub(super) fn json_page(value: &impl Serialize) -> String {
    // What has keys of text, as ours have, always prints.
    sanitise::json(&serde_json::to_string_pretty(value).unwrap_or_default()) + "\n"
}

/// One line of talk, made harmless and without the secrets of URLs. Nothing depends on its arriving.
pub fn err_line(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", sanitise::lines(&redact::urls(text)));
}

/// Columns of the terminal that stdout is; 100 where it is none.
pub(super) fn width() -> usize {
    if !io::stdout().is_terminal() {
        return 100;
    }
    terminal_size(1).map_or(100, |(columns, _)| usize::from(columns).clamp(40, 400))
}

/// Columns and rows of a terminal by its file descriptor.
pub(super) fn terminal_size(fd: i32) -> Option<(u16, u16)> {
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the call writes only to `size`.
    let answer = unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, &mut size) };
    (answer == 0 && size.ws_col > 0).then_some((size.ws_col, size.ws_row))
}
