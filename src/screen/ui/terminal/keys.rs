//! Bytes of a terminal → keys and pastes. Total: whatever bytes come, nothing panics, nothing grows without
//! bound, and after a moment of silence the next key means what it says. No I/O and no clock: silence is
//! told by the caller.
//!
//! Our own, because crossterm's reader underflows on reports with a coordinate of 0, waits for ever for the
//! end of some that were cut off, and cannot be put right from outside once it did (its state is global).

mod codes;

use std::time::Duration;

use crate::screen::app::{Code, Key, Msg};
use codes::{Mods, csi, ss3, with_mods};

/// After Escape alone: longer than a sequence takes to arrive whole, shorter than a hand.
const ESCAPE: Duration = Duration::from_millis(30);
/// A sequence, or a paste's end, that stops half-way on a slow line.
const REST: Duration = Duration::from_millis(500);
/// Longest parameters of a sequence; what is longer is no key.
const MOST_PARAMS: usize = 64;
/// Longest answer of a terminal (a colour, a version) that is waited out.
const MOST_ANSWER: usize = 8 * 1024;
/// A longer paste comes in pieces.
const MOST_PASTE: usize = 64 << 20;
const PASTE_END: &[u8] = b"\x1b[201~";

#[derive(Debug, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// `ESC [`, and what came before the final byte.
    Csi(Vec<u8>),
    /// `ESC [ [`, the Linux console's F1 to F5.
    Console,
    /// `ESC O`.
    Ss3,
    /// Bytes left of an old mouse report, which may be any.
    Mouse(u8),
    /// An answer of the terminal after `ESC` and this byte: of so many bytes, of which the last was Escape.
    Answer {
        intro: u8,
        bytes: usize,
        escape: bool,
    },
    /// A character that is not whole.
    Utf8 {
        bytes: Vec<u8>,
        whole: usize,
        alt: bool,
    },
    Paste(Vec<u8>),
}

#[derive(Debug, Default)]
pub struct Keys {
    state: State,
}

impl Keys {
    /// How long to wait for more before [`Self::nothing_more`]; `None`: for ever.
    pub fn patience(&self) -> Option<Duration> {
        match &self.state {
            State::Ground => None,
            State::Escape | State::Answer { bytes: 0, .. } => Some(ESCAPE),
            State::Paste(text) if text.is_empty() => None,
            _ => Some(REST),
        }
    }

    pub fn take(&mut self, bytes: &[u8], out: &mut Vec<Msg>) {
        for byte in bytes {
            self.step(*byte, out);
        }
    }

    /// Nothing came within [`Self::patience`]: what is there is all.
    pub fn nothing_more(&mut self, out: &mut Vec<Msg>) {
        let alt = |intro: u8| key(Code::Char(char::from(intro)), Mods::ALT);
        match std::mem::take(&mut self.state) {
            State::Escape => out.push(key(Code::Esc, Mods::NONE)),
            State::Answer { intro, bytes: 0, .. } => out.push(alt(intro)),
            State::Csi(params) if params.is_empty() => out.push(alt(b'[')),
            State::Ss3 => out.push(alt(b'O')),
            State::Paste(text) => self.paste_rests(text, out),
            State::Ground
            | State::Csi(_)
            | State::Console
            | State::Mouse(_)
            | State::Answer { .. }
            | State::Utf8 { .. } => {}
        }
    }

    /// A paste whose end is late is shown as far as it came. Escape alone ends one whose end never comes.
    fn paste_rests(&mut self, mut text: Vec<u8>, out: &mut Vec<Msg>) {
        if text.last() == Some(&b'\x1b') {
            text.pop();
            return paste(&text, out);
        }
        let kept =
            (1..PASTE_END.len()).rev().find(|n| text.ends_with(PASTE_END.get(..*n).unwrap_or_default()));
        let rest = text.split_off(text.len().saturating_sub(kept.unwrap_or(0)));
        paste(&text, out);
        self.state = State::Paste(rest);
    }

    fn step(&mut self, byte: u8, out: &mut Vec<Msg>) {
        match std::mem::take(&mut self.state) {
            State::Ground => self.plain(byte, false, out),
            State::Escape => self.escaped(byte, out),
            State::Csi(params) => self.in_csi(params, byte, out),
            State::Console => match byte {
                b'A'..=b'E' => out.push(key(Code::F(1 + (byte - b'A')), Mods::NONE)),
                _ => self.not_of_it(byte, out),
            },
            State::Ss3 => match ss3(byte) {
                Some(code) => out.push(key(code, Mods::NONE)),
                None => self.not_of_it(byte, out),
            },
            State::Mouse(_) if byte == b'\x1b' => self.state = State::Escape,
            State::Mouse(left) if left > 1 => self.state = State::Mouse(left - 1),
            State::Mouse(_) => {}
            State::Answer { intro, bytes, escape } => self.in_answer(intro, bytes, escape, byte, out),
            State::Utf8 { bytes, whole, alt } => self.in_character(bytes, whole, alt, byte, out),
            State::Paste(text) => self.in_paste(text, byte, out),
        }
    }

    /// A byte that belongs to no sequence.
    fn plain(&mut self, byte: u8, alt: bool, out: &mut Vec<Msg>) {
        let mods = if alt { Mods::ALT } else { Mods::NONE };
        let whole = match byte {
            b'\x1b' => return self.state = State::Escape,
            b'\r' => return out.push(key(Code::Enter, mods)),
            b'\t' => return out.push(key(Code::Tab, mods)),
            0x7f => return out.push(key(Code::Backspace, mods)),
            0 => return out.push(key(Code::Char(' '), mods.ctrl())),
            1..=0x1a => return out.push(key(Code::Char(char::from(byte + b'a' - 1)), mods.ctrl())),
            0x1c..=0x1f => return out.push(key(Code::Char(char::from(byte - 0x1c + b'4')), mods.ctrl())),
            0x20..=0x7e => return out.push(key(Code::Char(char::from(byte)), mods)),
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            // No character begins so.
            0x80..=0xc1 | 0xf5..=0xff => return,
        };
        self.state = State::Utf8 { bytes: vec![byte], whole, alt };
    }

    fn in_character(&mut self, mut bytes: Vec<u8>, whole: usize, alt: bool, byte: u8, out: &mut Vec<Msg>) {
        if !(0x80..=0xbf).contains(&byte) {
            return self.plain(byte, false, out);
        }
        bytes.push(byte);
        if bytes.len() < whole {
            return self.state = State::Utf8 { bytes, whole, alt };
        }
        let character = std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next());
        if let Some(character) = character.filter(|c| !c.is_control()) {
            out.push(key(Code::Char(character), if alt { Mods::ALT } else { Mods::NONE }));
        }
    }

    fn escaped(&mut self, byte: u8, out: &mut Vec<Msg>) {
        match byte {
            b'[' => self.state = State::Csi(Vec::new()),
            b'O' => self.state = State::Ss3,
            b']' | b'P' | b'_' | b'^' | b'X' => {
                self.state = State::Answer { intro: byte, bytes: 0, escape: false };
            }
            b'\x1b' => {
                out.push(key(Code::Esc, Mods::NONE));
                self.state = State::Escape;
            }
            _ => self.plain(byte, true, out),
        }
    }

    fn in_csi(&mut self, mut params: Vec<u8>, byte: u8, out: &mut Vec<Msg>) {
        match byte {
            b'[' if params.is_empty() => self.state = State::Console,
            b'M' if params.is_empty() => self.state = State::Mouse(3),
            0x20..=0x3f => {
                // One too many marks it as no key.
                if params.len() <= MOST_PARAMS {
                    params.push(byte);
                }
                self.state = State::Csi(params);
            }
            b'~' if params == b"200" => self.state = State::Paste(Vec::new()),
            0x40..=0x7e if params.len() <= MOST_PARAMS => {
                out.extend(csi(&params, byte).map(|(code, mods)| key(code, mods)));
            }
            0x40..=0x7e => {}
            _ => self.not_of_it(byte, out),
        }
    }

    /// A byte that breaks a sequence off: the sequence is dropped, a control or the start of another
    /// counts for itself.
    fn not_of_it(&mut self, byte: u8, out: &mut Vec<Msg>) {
        if !(0x20..=0x7e).contains(&byte) {
            self.plain(byte, false, out);
        }
    }

    fn in_answer(&mut self, intro: u8, bytes: usize, escape: bool, byte: u8, out: &mut Vec<Msg>) {
        match byte {
            b'\\' if escape => {}
            _ if escape => self.escaped(byte, out),
            b'\x1b' => self.state = State::Answer { intro, bytes: bytes + 1, escape: true },
            0x07 => {}
            0..=0x1f => self.plain(byte, false, out),
            _ if bytes >= MOST_ANSWER => {}
            _ => self.state = State::Answer { intro, bytes: bytes + 1, escape },
        }
    }

    fn in_paste(&mut self, mut text: Vec<u8>, byte: u8, out: &mut Vec<Msg>) {
        text.push(byte);
        if text.ends_with(PASTE_END) {
            text.truncate(text.len().saturating_sub(PASTE_END.len()));
            return paste(&text, out);
        }
        if text.len() >= MOST_PASTE {
            paste(&text, out);
            text.clear();
        }
        self.state = State::Paste(text);
    }
}

fn paste(text: &[u8], out: &mut Vec<Msg>) {
    if !text.is_empty() {
        out.push(Msg::Paste(String::from_utf8_lossy(text).into_owned()));
    }
}

fn key(code: Code, mods: Mods) -> Msg {
    Msg::Key(with_mods(code, mods))
}

#[cfg(test)]
mod tests;
