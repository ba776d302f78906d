//! How many colours a terminal has, and the nearest colour it can show. Pure: the environment is a
//! parameter.

use ratatui::style::{Color, Style};

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    None,
    Ansi16,
    Ansi256,
    True,
}

impl Depth {
    /// Reads `NO_COLOR` (any non-empty value), `COLORTERM` and `TERM` through `get`.
    pub fn detect(get: impl Fn(&str) -> Option<String>) -> Depth {
        let term = get("TERM").unwrap_or_default();
        if get("NO_COLOR").is_some_and(|v| !v.is_empty()) || term == "dumb" {
            return Depth::None;
        }
        let colorterm = get("COLORTERM").unwrap_or_default();
        if colorterm == "truecolor" || colorterm == "24bit" || term.ends_with("-direct") {
            return Depth::True;
        }
        if term.contains("256") || !colorterm.is_empty() {
            return Depth::Ansi256;
        }
        Depth::Ansi16
    }
}

/// A style with its colours reduced to `depth`; attributes stay.
pub fn reduce(mut style: Style, depth: Depth) -> Style {
    style.fg = style.fg.and_then(|c| nearest(c, depth));
    style.bg = style.bg.and_then(|c| nearest(c, depth));
    style
}

fn nearest(color: Color, depth: Depth) -> Option<Color> {
    match (depth, color) {
        (Depth::None, _) => None,
        (Depth::True, c) => Some(c),
        (Depth::Ansi256, Color::Rgb(r, g, b)) => Some(Color::Indexed(to_256(r, g, b))),
        (Depth::Ansi256, c) => Some(c),
        (Depth::Ansi16, Color::Rgb(r, g, b)) => Some(to_16(r, g, b)),
        (Depth::Ansi16, Color::Indexed(i)) => {
            let (r, g, b) = from_256(i);
            Some(to_16(r, g, b))
        }
        (Depth::Ansi16, c) => Some(c),
    }
}

const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// Nearest of the 6x6x6 cube and the 24 greys (xterm's palette, entries 16..=255).
fn to_256(r: u8, g: u8, b: u8) -> u8 {
    let level = |v: u8| (0u8..6).min_by_key(|&i| v.abs_diff(cube(i))).unwrap_or(0);
    let (ri, gi, bi) = (level(r), level(g), level(b));
    let cube_index = 16 + 36 * ri + 6 * gi + bi;
    let mean = ((u32::from(r) + u32::from(g) + u32::from(b)) / 3) as u8;
    let step = (mean.saturating_sub(3) / 10).min(23);
    let grey = 8 + 10 * step;
    let to_cube = distance((r, g, b), (cube(ri), cube(gi), cube(bi)));
    if distance((r, g, b), (grey, grey, grey)) < to_cube { 232 + step } else { cube_index }
}

fn cube(i: u8) -> u8 {
    CUBE.get(usize::from(i)).copied().unwrap_or(255)
}

fn from_256(i: u8) -> (u8, u8, u8) {
    match i {
        0..=15 => SIXTEEN.get(usize::from(i)).map_or((0, 0, 0), |&(_, rgb)| rgb),
        16..=231 => (cube((i - 16) / 36), cube((i - 16) / 6 % 6), cube((i - 16) % 6)),
        232..=255 => {
            let v = 8 + 10 * (i - 232);
            (v, v, v)
        }
    }
}

/// The sixteen names with xterm's usual values.
const SIXTEEN: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 0, 0)),
    (Color::Green, (0, 205, 0)),
    (Color::Yellow, (205, 205, 0)),
    (Color::Blue, (0, 0, 238)),
    (Color::Magenta, (205, 0, 205)),
    (Color::Cyan, (0, 205, 205)),
    (Color::Gray, (229, 229, 229)),
    (Color::DarkGray, (127, 127, 127)),
    (Color::LightRed, (255, 0, 0)),
    (Color::LightGreen, (0, 255, 0)),
    (Color::LightYellow, (255, 255, 0)),
    (Color::LightBlue, (92, 92, 255)),
    (Color::LightMagenta, (255, 0, 255)),
    (Color::LightCyan, (0, 255, 255)),
    (Color::White, (255, 255, 255)),
];

fn to_16(r: u8, g: u8, b: u8) -> Color {
    SIXTEEN.iter().min_by_key(|(_, rgb)| distance((r, g, b), *rgb)).map_or(Color::Reset, |(color, _)| *color)
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let square = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    // The eye is most sensitive to green, least to blue.
    2 * square(a.0, b.0) + 4 * square(a.1, b.1) + 3 * square(a.2, b.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &'static [(&str, &str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_string())
    }

    #[test]
    fn depth_follows_the_environment() {
        assert_eq!(
            Depth::detect(env(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")])),
            Depth::True
        );
        assert_eq!(Depth::detect(env(&[("TERM", "xterm-256color")])), Depth::Ansi256);
        assert_eq!(Depth::detect(env(&[("TERM", "linux")])), Depth::Ansi16);
        assert_eq!(Depth::detect(env(&[("TERM", "dumb")])), Depth::None);
        assert_eq!(Depth::detect(env(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")])), Depth::None);
        assert_eq!(Depth::detect(env(&[("TERM", "xterm-256color"), ("NO_COLOR", "")])), Depth::Ansi256);
    }

    #[test]
    fn colours_go_to_their_neighbours() {
        assert_eq!(to_256(255, 0, 0), 196);
        assert_eq!(to_256(128, 128, 128), 244);
        assert_eq!(to_16(250, 10, 10), Color::LightRed);
        assert_eq!(to_16(10, 10, 10), Color::Black);
        for i in 16..=231u8 {
            let (r, g, b) = from_256(i);
            let (r2, g2, b2) = from_256(to_256(r, g, b));
            assert_eq!((r, g, b), (r2, g2, b2));
        }
    }

    #[test]
    fn no_colour_is_none_not_reset() {
        let style = Style::new().fg(Color::Red).bg(Color::Rgb(1, 2, 3));
        assert_eq!(reduce(style, Depth::None), Style::new());
    }
}
