//! Keys as the app knows them, and how they are written ("ctrl-r", "J", "f5"). The terminal's own
//! types stay in `ui::terminal`, which converts.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    Char(char),
    F(u8),
    Enter,
    Esc,
    Tab,
    BackTab,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    PageUp,
    PageDown,
}

/// One key press. Shift is part of a character ('J'), so it only counts for other keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: Code,
    pub ctrl: bool,
    pub alt: bool,
    pub shift: bool,
}

const NAMES: &[(&str, Code, &str)] = &[
    ("enter", Code::Enter, "Enter"),
    ("esc", Code::Esc, "Esc"),
    ("tab", Code::Tab, "Tab"),
    ("backtab", Code::BackTab, "Shift-Tab"),
    ("backspace", Code::Backspace, "Backspace"),
    ("delete", Code::Delete, "Del"),
    ("left", Code::Left, "←"),
    ("right", Code::Right, "→"),
    ("up", Code::Up, "↑"),
    ("down", Code::Down, "↓"),
    ("home", Code::Home, "Home"),
    ("end", Code::End, "End"),
    ("pageup", Code::PageUp, "PgUp"),
    ("pagedown", Code::PageDown, "PgDn"),
    ("space", Code::Char(' '), "Space"),
];

impl Key {
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    pub const fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// Reads one key as COMMANDS and the configuration write it. `None`: no such key.
    pub fn parse(text: &str) -> Option<Self> {
        let mut key = Self::plain(Code::Esc);
        let mut rest = text;
        loop {
            if let Some(r) = rest.strip_prefix("ctrl-") {
                (key.ctrl, rest) = (true, r);
            } else if let Some(r) = rest.strip_prefix("alt-") {
                (key.alt, rest) = (true, r);
            } else if let Some(r) = rest.strip_prefix("shift-") {
                (key.shift, rest) = (true, r);
            } else {
                break;
            }
        }
        if let Some((_, code, _)) = NAMES.iter().find(|(name, _, _)| *name == rest) {
            key.code = *code;
            return Some(key);
        }
        let mut chars = rest.chars();
        match (chars.next(), chars.as_str()) {
            (Some(c), "") => key.code = Code::Char(c),
            (Some('f'), digits) => key.code = Code::F(digits.parse().ok().filter(|n| (1..=12).contains(n))?),
            _ => return None,
        }
        Some(key)
    }

    /// Reads a sequence such as `d d`.
    pub fn parse_sequence(text: &str) -> Option<Vec<Self>> {
        let keys: Option<Vec<Self>> = text.split_whitespace().map(Self::parse).collect();
        keys.filter(|keys| !keys.is_empty())
    }

    /// The character typed, when this key types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            write!(f, "Ctrl-")?;
        }
        if self.alt {
            write!(f, "Alt-")?;
        }
        if self.shift {
            write!(f, "Shift-")?;
        }
        if let Some((_, _, shown)) = NAMES.iter().find(|(_, code, _)| *code == self.code) {
            return write!(f, "{shown}");
        }
        match self.code {
            Code::Char(c) if self.ctrl => write!(f, "{}", c.to_ascii_uppercase()),
            Code::Char(c) => write!(f, "{c}"),
            Code::F(n) => write!(f, "F{n}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_keys_are_read_back() {
        assert_eq!(Key::parse("ctrl-r"), Some(Key::ctrl('r')));
        assert_eq!(Key::parse("f5"), Some(Key::plain(Code::F(5))));
        assert_eq!(Key::parse("f"), Some(Key::char('f')));
        assert_eq!(Key::parse("J"), Some(Key::char('J')));
        assert_eq!(Key::parse("alt-enter").map(|k| k.to_string()).as_deref(), Some("Alt-Enter"));
        assert_eq!(Key::parse("f99"), None);
        assert_eq!(Key::parse("hyper-x"), None);
        assert_eq!(Key::parse_sequence("d d"), Some(vec![Key::char('d'); 2]));
        assert_eq!(Key::ctrl('c').to_string(), "Ctrl-C");
    }
}
