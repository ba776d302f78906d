//! What the numbers and letters of a whole sequence mean: xterm's, the Linux console's and kitty's keys.
//! Reports (mouse, cursor, focus, attributes) are no keys. Stateless.

use super::{Code, Key};

/// Modifiers as terminals count them, less one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mods(u16);

impl Mods {
    pub const NONE: Mods = Mods(0);
    pub const ALT: Mods = Mods(2);

    pub fn ctrl(self) -> Mods {
        Mods(self.0 | 4)
    }

    fn has(self, bit: u16) -> bool {
        self.0 & bit != 0
    }

    /// Super, hyper or meta: the window manager's keys, not ours.
    fn foreign(self) -> bool {
        self.has(8 | 16 | 32)
    }
}

/// The key as the app writes it: shift is part of a character, and some terminals send Ctrl with a capital.
pub fn with_mods(code: Code, mods: Mods) -> Key {
    let (ctrl, alt, shift) = (mods.has(4), mods.has(2), mods.has(1));
    let (code, shift) = match code {
        Code::Char(c) if ctrl => (Code::Char(c.to_ascii_lowercase()), false),
        Code::Char(c) if shift => (Code::Char(c.to_ascii_uppercase()), false),
        Code::Tab if shift => (Code::BackTab, false),
        Code::Char(_) | Code::BackTab => (code, false),
        _ => (code, shift),
    };
    Key { code, ctrl, alt, shift }
}

/// `ESC O` and this byte.
pub fn ss3(byte: u8) -> Option<Code> {
    match byte {
        b'M' => Some(Code::Enter),
        b'P'..=b'S' => Some(Code::F(1 + (byte - b'P'))),
        _ => letter(byte),
    }
}

fn letter(byte: u8) -> Option<Code> {
    Some(match byte {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'F' => Code::End,
        b'H' => Code::Home,
        _ => return None,
    })
}

/// `ESC [`, parameters and a final byte: which key it is, if it is one that goes down.
pub fn csi(params: &[u8], last: u8) -> Option<(Code, Mods)> {
    // Private markers and intermediates: reports, answers.
    if !params.iter().all(|b| b.is_ascii_digit() || matches!(b, b';' | b':')) {
        return None;
    }
    let fields: Vec<&[u8]> = params.split(|b| *b == b';').collect();
    let field = |at: usize, part: usize| {
        let field = fields.get(at).copied().unwrap_or_default();
        number(field.split(|b| *b == b':').nth(part).unwrap_or_default())
    };
    // Left out it is 1; one that no number holds is none of ours.
    let first = if params.first().is_none_or(|b| *b == b';') { 1 } else { field(0, 0)? };
    let pressed = |at: usize| {
        let mods = Mods(u16::try_from(field(at, 0).unwrap_or(1)).unwrap_or(0).saturating_sub(1));
        let released = field(at, 1) == Some(3);
        (!released && !mods.foreign()).then_some(mods)
    };
    let (code, mods) = match last {
        b'~' if first == 27 => (character(field(2, 0)?)?, pressed(1)?),
        b'~' => (numbered(first)?, pressed(1)?),
        b'u' => (character(first)?, pressed(1)?),
        b'Z' => (Code::BackTab, pressed(1)?),
        b'P' | b'Q' | b'S' => (Code::F(1 + (last - b'P')), pressed(1)?),
        _ => (letter(last)?, pressed(1)?),
    };
    Some((code, mods))
}

/// `None` where there is none or none that fits.
fn number(digits: &[u8]) -> Option<u32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// `ESC [ n ~`.
fn numbered(n: u32) -> Option<Code> {
    Some(match n {
        1 | 7 => Code::Home,
        3 => Code::Delete,
        4 | 8 => Code::End,
        5 => Code::PageUp,
        6 => Code::PageDown,
        11..=15 => function(n - 10),
        17..=21 => function(n - 11),
        23..=26 => function(n - 12),
        28 | 29 => function(n - 13),
        31..=34 => function(n - 14),
        _ => return None,
    })
}

fn function(n: u32) -> Code {
    Code::F(u8::try_from(n).unwrap_or(0))
}

/// A key by its character's number, with kitty's own numbers for the keypad and the function keys.
fn character(n: u32) -> Option<Code> {
    const KEYPAD: &[u8] = b"0123456789./*-+";
    Some(match n {
        9 => Code::Tab,
        13 | 57414 => Code::Enter,
        27 => Code::Esc,
        8 | 127 => Code::Backspace,
        57376..=57398 => function(n - 57376 + 13),
        57399..=57413 => Code::Char(char::from(*KEYPAD.get(n as usize - 57399)?)),
        57415 => Code::Char('='),
        57417 => Code::Left,
        57418 => Code::Right,
        57419 => Code::Up,
        57420 => Code::Down,
        57421 => Code::PageUp,
        57422 => Code::PageDown,
        57423 => Code::Home,
        57424 => Code::End,
        57426 => Code::Delete,
        // The rest of that area: modifiers, media keys.
        57344..=63743 => return None,
        _ => Code::Char(char::from_u32(n).filter(|c| !c.is_control())?),
    })
}
