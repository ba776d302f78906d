//! What each named role looks like, at the colour depth this terminal has. No widget names a colour;
//! no colour carries a meaning alone (glyphs, signs and words do).
//!
//! Themes are TOML (`themes/*.toml`) and may inherit. Without colour (`NO_COLOR`, `TERM=dumb`) a theme
//! keeps bold, reverse and underline and every colour is `Color::Reset`, so that ratatui never queues
//! a colour command (crossterm would write a bare `CSI m`, which drops bold and reverse too).

mod color;
mod file;
mod role;

use ratatui::style::{Modifier, Style};

pub use color::Depth;
pub use file::{BUILTIN, ThemeError};
pub use role::Role;

/// A resolved theme: one style per role, already reduced to the terminal's depth.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    pub name: String,
    pub depth: Depth,
    styles: Vec<Style>,
}

impl Theme {
    /// A theme that ships with the program: `dark`, `light`, `mono`, `high_contrast`.
    ///
    /// # Errors
    /// An unknown name; the message lists the known ones.
    pub fn builtin(name: &str, depth: Depth) -> Result<Theme, ThemeError> {
        let text = file::builtin_text(name).ok_or_else(|| ThemeError::unknown(name))?;
        Theme::parse(text, depth)
    }

    /// A theme from TOML text; `inherits` may name a built-in theme.
    ///
    /// # Errors
    /// Broken TOML, an unknown role, colour or parent, a cycle of parents.
    pub fn parse(text: &str, depth: Depth) -> Result<Theme, ThemeError> {
        let (name, full) = file::resolve(text)?;
        let plain = match depth {
            Depth::None => file::resolve(file::MONO)?.1,
            _ => Vec::new(),
        };
        let styles = full
            .into_iter()
            .enumerate()
            .map(|(i, style)| match depth {
                Depth::None => color::reduce(style, depth).patch(plain.get(i).copied().unwrap_or_default()),
                _ => color::reduce(style, depth),
            })
            .collect();
        Ok(Theme { name, depth, styles })
    }

    /// The dark theme, or (were it broken, which a test rules out) no styles at all: never fails.
    pub fn fallback(depth: Depth) -> Theme {
        Theme::builtin("dark", depth).unwrap_or_else(|_| Theme {
            name: "plain".into(),
            depth,
            styles: vec![Style::new(); Role::ALL.len()],
        })
    }

    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// Style of a signed value; `strength` runs from 0 (nothing) to 4 (strongest).
    pub fn signed(&self, value: f64, strength: u8) -> Style {
        self.style(Role::signed(value, strength))
    }

    /// One role laid over another: colours and attributes of `over` win.
    pub fn over(&self, under: Role, over: Role) -> Style {
        self.style(under).patch(self.style(over))
    }

    /// Whether this theme shows any colour at all.
    pub fn has_colour(&self) -> bool {
        self.depth != Depth::None
    }
}

impl Default for Theme {
    fn default() -> Self {
        Theme::fallback(Depth::True)
    }
}

/// Attributes only, for tests and for callers who must not touch colour.
pub fn attributes(style: Style) -> Modifier {
    style.add_modifier
}

#[cfg(test)]
mod tests {
    use ratatui::style::Color;

    use super::*;

    #[test]
    fn every_builtin_resolves_every_role_at_every_depth() {
        for name in BUILTIN {
            for depth in [Depth::None, Depth::Ansi16, Depth::Ansi256, Depth::True] {
                let theme = Theme::builtin(name, depth).unwrap();
                assert_eq!(theme.styles.len(), Role::ALL.len(), "{name}");
                assert_eq!(theme.name, *name);
            }
        }
    }

    #[test]
    fn without_colour_only_attributes_remain() {
        for name in BUILTIN {
            let theme = Theme::builtin(name, Depth::None).unwrap();
            for role in Role::ALL {
                let style = theme.style(*role);
                let plain = |c: Option<Color>| c.is_none() || c == Some(Color::Reset);
                assert!(plain(style.fg) && plain(style.bg), "{name}: {role:?} has a colour");
            }
            assert!(attributes(theme.style(Role::Cursor)).contains(Modifier::REVERSED), "{name}");
            assert!(attributes(theme.style(Role::Header)).contains(Modifier::BOLD), "{name}");
        }
    }

    #[test]
    fn what_must_be_told_apart_differs_without_colour() {
        let theme = Theme::builtin("dark", Depth::None).unwrap();
        for (a, b) in [
            (Role::Focus, Role::Text),
            (Role::Cursor, Role::Focus),
            (Role::Marked, Role::Text),
            (Role::Failed, Role::Text),
            (Role::Positive4, Role::Negative4),
            (Role::Match, Role::Text),
        ] {
            assert_ne!(theme.style(a), theme.style(b), "{a:?} looks like {b:?}");
        }
    }

    #[test]
    fn strengths_differ_in_true_colour() {
        let theme = Theme::builtin("dark", Depth::True).unwrap();
        for value in [1.0, -1.0] {
            let shades: Vec<_> = (1..=4).map(|s| theme.signed(value, s)).collect();
            for pair in shades.windows(2) {
                assert_ne!(pair[0], pair[1]);
            }
        }
        assert_eq!(theme.signed(0.0, 3), theme.style(Role::Neutral));
        assert_eq!(theme.signed(f64::NAN, 3), theme.style(Role::Neutral));
    }

    #[test]
    fn an_unknown_theme_names_the_known_ones() {
        let message = Theme::builtin("drak", Depth::True).unwrap_err().to_string();
        assert!(message.contains("drak") && message.contains("dark"), "{message}");
    }

    #[test]
    fn inheritance_overrides_and_refuses_cycles() {
        let theme =
            Theme::parse("name='mine'\ninherits='dark'\n[roles]\nok = { fg = '#010203' }", Depth::True)
                .unwrap();
        assert_eq!(theme.style(Role::Ok).fg, Some(Color::Rgb(1, 2, 3)));
        let dark = Theme::builtin("dark", Depth::True).unwrap();
        assert_eq!(theme.style(Role::Header), dark.style(Role::Header));
        assert!(Theme::parse("inherits='nowhere'\n[roles]", Depth::True).is_err());
        let message =
            Theme::parse("inherits='dark'\n[roles]\nheadr={fg='red'}", Depth::True).unwrap_err().to_string();
        assert!(message.contains("headr") && message.contains("header"), "{message}");
    }
}
