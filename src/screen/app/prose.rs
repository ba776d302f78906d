//! Long prose cut into rows, so that a hundred megabytes can be scrolled: a row is a line, or a piece of a
//! long one. Where rows begin is remembered for some of them only.

use std::ops::Range;

/// Shorter prose is shown whole.
pub const LONG: usize = 64 << 10;
/// Bytes of a row; longer lines are cut at a blank where there is one.
const ROW: usize = 400;
/// Every so many rows, the place is remembered.
const EVERY: usize = 64;

/// Where the rows of a text begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    places: Vec<usize>,
    pub count: usize,
    /// The row with what is wrong in the text, if anything is.
    pub fault: Option<usize>,
}

impl Rows {
    pub fn of(text: &str) -> Self {
        let mut rows = Self::default();
        let mut at = 0;
        while at < text.len() {
            if rows.count % EVERY == 0 {
                rows.places.push(at);
            }
            at = behind(text, at);
            rows.count += 1;
        }
        rows
    }

    /// These rows of the text, without line ends.
    pub fn get<'t>(&self, text: &'t str, rows: Range<usize>) -> Vec<&'t str> {
        let mut at = self.places.get(rows.start / EVERY).copied().unwrap_or(text.len());
        for _ in 0..rows.start % EVERY {
            at = behind(text, at);
        }
        let mut found = Vec::new();
        while found.len() < rows.len() && at < text.len() {
            let end = behind(text, at);
            found.push(text.get(at..end).unwrap_or_default().trim_end_matches(['\n', '\r']));
            at = end;
        }
        found
    }

    /// The row in which a line (counted from 0) begins.
    pub fn of_line(&self, text: &str, line: usize) -> usize {
        let (mut at, mut row, mut left) = (0, 0, line);
        while left > 0 && at < text.len() {
            let end = behind(text, at);
            left -= usize::from(text[..end].ends_with('\n'));
            (at, row) = (end, row + 1);
        }
        row
    }
}

/// Where the row that begins at `at` ends, its line end included.
fn behind(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let most = (at + ROW).min(bytes.len());
    let near = bytes.get(at..most).unwrap_or_default();
    if let Some(end) = near.iter().position(|b| *b == b'\n') {
        return at + end + 1;
    }
    if most == bytes.len() || bytes.get(most) == Some(&b'\n') {
        return (most + 1).min(bytes.len());
    }
    let blank = near.iter().rposition(|b| *b == b' ').filter(|blank| *blank > ROW / 2);
    let end = blank.map_or(most, |blank| at + blank + 1);
    (at + 1..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_cover_the_text() {
        let text = format!("# a\r\n\n{}\n{}\nend", "跑鞋 and more ".repeat(100), "x".repeat(1000)).repeat(30);
        let rows = Rows::of(&text);
        let all = rows.get(&text, 0..usize::MAX);
        assert_eq!(all.len(), rows.count);
        assert!(all.iter().all(|row| row.len() <= ROW && !row.contains('\n')));
        let plain = |text: &str| text.replace(['\n', '\r'], "");
        assert_eq!(plain(&all.concat()), plain(&text));
        for from in [0, 1, 63, 64, 65, 200] {
            assert_eq!(rows.get(&text, from..from + 3), all[from..from + 3], "{from}");
        }
        assert_eq!(rows.get(&text, rows.count..rows.count + 9), Vec::<&str>::new());
        assert_eq!((rows.of_line(&text, 0), rows.of_line(&text, 2)), (0, 2));
        assert_eq!(Rows::of("").count, 0);
    }
}
