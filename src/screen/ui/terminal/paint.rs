//! What changed between two frames, as few bytes as a slow line deserves: styles and moves are written
//! as differences, and a few unchanged letters are written again where that is shorter than a move.
//! Knows escape sequences; does no I/O of its own.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Unchanged letters that are written again rather than passed over: a move takes four bytes or more.
const BRIDGE: u16 = 4;

const ATTRIBUTES: [(Modifier, &str); 9] = [
    (Modifier::BOLD, "1"),
    (Modifier::DIM, "2"),
    (Modifier::ITALIC, "3"),
    (Modifier::UNDERLINED, "4"),
    (Modifier::SLOW_BLINK, "5"),
    (Modifier::RAPID_BLINK, "6"),
    (Modifier::REVERSED, "7"),
    (Modifier::HIDDEN, "8"),
    (Modifier::CROSSED_OUT, "9"),
];

/// The bytes that turn `shown` into `next`, which have the same size. The terminal's style is plain
/// before and after.
pub fn difference(shown: &Buffer, next: &Buffer) -> String {
    let mut brush = Brush { out: String::new(), at: None, style: Style::default() };
    let changed: Vec<(u16, u16)> = shown.diff(next).into_iter().map(|(x, y, _)| (x, y)).collect();
    let columns = |buffer: &Buffer, at| buffer.cell(at).map_or(1, |cell| cell.symbol().width().max(1) as u16);
    for (number, &(x, y)) in changed.iter().enumerate() {
        let last = x + columns(next, (x, y)) - 1;
        // A wide glyph that loses its first half leaves the other in the pen's colours.
        let orphan = Some((last + 1, y)).filter(|&(x, _)| {
            columns(shown, (last, y)) > 1 && x < next.area.right() && changed.get(number + 1) != Some(&(x, y))
        });
        for at in std::iter::once((x, y)).chain(orphan) {
            if let Some(cell) = next.cell(at) {
                brush.go(at.0, at.1, next);
                brush.put(at.0, at.1, cell, next.area.right());
            }
        }
    }
    if brush.style != Style::default() {
        brush.out.push_str("\x1b[0m");
    }
    brush.out
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Style {
    fg: Color,
    bg: Color,
    attributes: Modifier,
}

impl Style {
    fn of(cell: &Cell) -> Self {
        Self { fg: cell.fg, bg: cell.bg, attributes: cell.modifier }
    }
}

struct Brush {
    out: String,
    /// Where the terminal writes next; `None` where terminals may differ.
    at: Option<(u16, u16)>,
    style: Style,
}

impl Brush {
    fn go(&mut self, x: u16, y: u16, next: &Buffer) {
        match self.at {
            Some(at) if at == (x, y) => {}
            Some((from, row)) if row == y && from < x => {
                let gap = (from..x).map(|x| next.cell((x, y)));
                let letters: Option<String> = gap.map(|cell| self.letter(cell?)).collect();
                match letters.filter(|_| x - from <= BRIDGE) {
                    Some(letters) => self.out.push_str(&letters),
                    None => self.write(format_args!("\x1b[{}C", x - from)),
                }
            }
            _ => self.write(format_args!("\x1b[{};{}H", y + 1, x + 1)),
        }
    }

    /// A cell that can be written again without a change of style or of column.
    fn letter(&self, cell: &Cell) -> Option<char> {
        let mut chars = cell.symbol().chars();
        let letter = chars.next().filter(char::is_ascii)?;
        (chars.next().is_none() && Style::of(cell) == self.style).then_some(letter)
    }

    fn put(&mut self, x: u16, y: u16, cell: &Cell, right: u16) {
        self.wear(Style::of(cell));
        self.out.push_str(cell.symbol());
        let end = sure_width(cell.symbol()).map(|width| x + width);
        // Behind the last column, terminals wait to wrap.
        self.at = end.filter(|end| *end < right).map(|end| (end, y));
    }

    fn wear(&mut self, style: Style) {
        if style == self.style {
            return;
        }
        let mut codes = String::new();
        let mut code = |text: &str| {
            if !codes.is_empty() {
                codes.push(';');
            }
            codes.push_str(text);
        };
        let mut now = self.style;
        if style.attributes != now.attributes {
            // Taking one away takes all away.
            if !style.attributes.contains(now.attributes) {
                code("0");
                now = Style::default();
            }
            let added = style.attributes - now.attributes;
            ATTRIBUTES.iter().filter(|(attribute, _)| added.contains(*attribute)).for_each(|(_, c)| code(c));
        }
        if style.fg != now.fg {
            code(&color(style.fg, 30));
        }
        if style.bg != now.bg {
            code(&color(style.bg, 40));
        }
        self.write(format_args!("\x1b[{codes}m"));
        self.style = style;
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = self.out.write_fmt(text);
    }
}

/// The code of a colour; `base` is 30 for the letters, 40 for what is behind them.
fn color(color: Color, base: u8) -> String {
    let named = |at: u8| (base + at).to_string();
    let bright = |at: u8| (base + 60 + at).to_string();
    match color {
        Color::Reset => named(9),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(i) => format!("{};5;{i}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

/// Columns of a symbol, where every terminal gives it that many: not of emoji, not of letters with
/// marks.
fn sure_width(symbol: &str) -> Option<u16> {
    let mut chars = symbol.chars();
    let c = chars.next()?;
    if chars.next().is_some() {
        return None;
    }
    match c.width()? {
        1 => Some(1),
        2 if matches!(c, '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}') => {
            Some(2)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style as Look;

    use super::*;

    const WIDTH: u16 = 24;
    const HEIGHT: u16 = 4;

    fn frame(texts: &[(u16, u16, String, u8)]) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
        for (x, y, text, look) in texts {
            let colors =
                [Color::Reset, Color::Red, Color::LightBlue, Color::Indexed(77), Color::Rgb(1, 200, 3)];
            let mut style =
                Look::new().fg(colors[usize::from(*look) % 5]).bg(colors[usize::from(*look) / 5 % 5]);
            for (attribute, bit) in
                [(Modifier::BOLD, 25), (Modifier::REVERSED, 50), (Modifier::UNDERLINED, 100)]
            {
                if look / bit % 2 == 1 {
                    style = style.add_modifier(attribute);
                }
            }
            buffer.set_stringn(*x, *y, text, usize::from(WIDTH - x), style);
        }
        buffer
    }

    /// Symbol and look of every cell, as a terminal has them.
    fn seen(screen: &vt100::Screen) -> Vec<String> {
        let cell = |(row, column)| {
            let cell = screen.cell(row, column).unwrap();
            let symbol = if cell.has_contents() { cell.contents() } else { " " };
            // Nobody sees in which colour nothing is written.
            let empty = symbol == " " && !cell.inverse() && !cell.underline();
            let color = if empty { vt100::Color::Default } else { cell.fgcolor() };
            format!(
                "{symbol:?} {color:?} {:?} {} {} {}",
                cell.bgcolor(),
                cell.bold(),
                cell.inverse(),
                cell.underline()
            )
        };
        (0..HEIGHT).flat_map(|row| (0..WIDTH).map(move |column| (row, column))).map(cell).collect()
    }

    fn texts() -> impl Strategy<Value = Vec<(u16, u16, String, u8)>> {
        let text = "([a-c ]|跑|鞋|é|─|👟|e\u{301}|ｱ){0,12}";
        prop::collection::vec((0..WIDTH, 0..HEIGHT, text, 0..200u8), 0..8)
    }

    proptest! {
        #[test]
        fn the_terminal_shows_the_next_frame(frames in prop::collection::vec(texts(), 1..5)) {
            let mut terminal = vt100::Parser::new(HEIGHT.try_into().unwrap(), WIDTH.try_into().unwrap(), 0);
            let mut shown = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
            for texts in &frames {
                let next = frame(texts);
                terminal.process(difference(&shown, &next).as_bytes());
                // Painted at once on an empty terminal: the same.
                let mut fresh = vt100::Parser::new(HEIGHT.try_into().unwrap(), WIDTH.try_into().unwrap(), 0);
                let empty = Buffer::empty(Rect::new(0, 0, WIDTH, HEIGHT));
                for (x, y, cell) in empty.diff(&next) {
                    let mut brush = Brush { out: String::new(), at: None, style: Style::default() };
                    brush.go(x, y, &next);
                    brush.put(x, y, cell, WIDTH);
                    fresh.process(format!("{}\x1b[0m", brush.out).as_bytes());
                }
                let (got, want) = (seen(terminal.screen()), seen(fresh.screen()));
                let differing = (0..got.len()).find(|&at| got[at] != want[at]);
                let told = differing.map(|at| (at, got[at].clone(), want[at].clone()));
                prop_assert_eq!(told, None, "cell, painted, wanted");
                shown = next;
            }
        }
    }

    #[test]
    fn letters_beside_each_other_need_no_moves_and_near_ones_no_jump() {
        let plain = |text: &str| frame(&[(0, 0, text.into(), 0)]);
        assert_eq!(difference(&plain("a  b"), &plain("a  b")), "");
        assert_eq!(difference(&plain(""), &plain("跑鞋 ab")), "\x1b[1;1H跑鞋 ab");
        assert_eq!(difference(&plain("1.2345"), &plain("9.2349")), "\x1b[1;1H9.2349");
        assert_eq!(difference(&plain("1.2345678"), &plain("9.2345679")), "\x1b[1;1H9\x1b[7C9");
        let red = frame(&[(0, 0, "x".into(), 1)]);
        assert_eq!(difference(&plain("x"), &red), "\x1b[1;1H\x1b[31mx\x1b[0m");
        // Behind an emoji nobody knows where the terminal is.
        assert_eq!(difference(&plain(""), &plain("👟a")), "\x1b[1;1H👟\x1b[1;3Ha");
    }
}
