//! CSV as this program writes it: RFC 4180, and no cell that a spreadsheet would run. The one place that
//! knows what begins like a formula; whoever writes tabs instead of commas asks [`guard`] as well. Reading
//! CSV is the database's business.

use std::borrow::Cow;
use std::io::{self, Write};

/// Spreadsheets take a cell for a formula by its first sign; in Chinese and Japanese ones the wide forms
/// (and the small ones) do as well.
const SIGNS: [char; 12] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫'];

/// Whether a spreadsheet may take the text for a formula: it begins with one of the signs, behind blanks
/// and invisible characters at most, or with a tab or a line break, which some programs drop together
/// with the quotes around. What is a number stays one.
pub fn is_formula(text: &str) -> bool {
    let bare = text.trim_start_matches(is_skipped);
    (text.starts_with(['\t', '\r', '\n']) || bare.starts_with(SIGNS)) && !is_number(bare.trim_end())
}

/// The text with `'` in front where it begins like a formula: spreadsheets show the rest as text.
pub fn guard(text: &str) -> Cow<'_, str> {
    if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// What is said where cells were guarded; `None` where none was.
pub fn told(guarded: u64) -> Option<String> {
    (guarded > 0).then(|| {
        let cells =
            super::figures::plural(guarded, "cell begins like a formula", "cells begin like formulas");
        format!("{cells}: guarded with '; --raw writes them as they are")
    })
}

/// Blanks of every kind, control characters, and what is not seen.
fn is_skipped(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{feff}' | '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{034f}')
}

/// `-3`, `+.5`, `-1.5e-7`: digits as everybody reads them. `-inf` would be a name to a spreadsheet.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    all_digits(whole)
        && all_digits(part)
        && !(whole.is_empty() && part.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent))
}

/// Writes rows field by field, and counts what it guards.
pub struct Writer<W> {
    out: W,
    raw: bool,
    begun: bool,
    guarded: u64,
}

impl<W: Write> Writer<W> {
    /// `raw`: texts as they are.
    pub fn new(out: W, raw: bool) -> Self {
        Self { out, raw, begun: false, guarded: 0 }
    }

    /// A text of somebody's: a value, or the name of a column.
    pub fn text(&mut self, text: &str) -> io::Result<()> {
        if self.raw || !is_formula(text) {
            return self.value(text);
        }
        self.guarded += 1;
        self.value(&format!("'{text}"))
    }

    /// What cannot be a formula: a number, a date. Quoted where it must be; an empty one is `""`, to be
    /// told from [`Writer::null`].
    pub fn value(&mut self, value: &str) -> io::Result<()> {
        self.null()?;
        if value.is_empty() || value.contains([',', '"', '\n', '\r']) || value.starts_with('#') {
            write!(self.out, "\"{}\"", value.replace('"', "\"\""))
        } else {
            self.out.write_all(value.as_bytes())
        }
    }

    /// Nothing between two commas.
    pub fn null(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.begun, true) { self.out.write_all(b",") } else { Ok(()) }
    }

    pub fn end_row(&mut self) -> io::Result<()> {
        self.begun = false;
        self.out.write_all(b"\n")
    }

    /// Cells that were guarded so far.
    pub fn guarded(&self) -> u64 {
        self.guarded
    }

    pub fn into_inner(self) -> W {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_told_from_numbers_and_words() {
        for formula in [
            "=1+1",
            "+SUM(A1)",
            "-A1",
            "@SUM(1)",
            "＝1+1",
            "＋1+1",
            "－cmd",
            "＠SUM(1)",
            "﹦1",
            "\t=1",
            "\rx",
            "\nx",
            "\tx",
            " =1",
            "\u{3000}＝1",
            "\u{feff}=1",
            "\u{200b}\u{a0}=1",
            "-",
            "--5",
            "+86 138 0000",
            "-5%",
            "-inf",
            "+nan",
            "-1e",
            "+1e+",
            "-.",
            "－５",
            "-1-1",
            "-1.2.3",
            "=",
            "-0x1f",
            "\u{1}=1",
        ] {
            assert!(is_formula(formula), "{formula:?}");
            assert_eq!(guard(formula), format!("'{formula}"));
        }
        for harmless in [
            "", " ", "a=1", "跑鞋", "-3.5", "+4", "-.5", "-5.", "-1e9", "+1.5E-7", " -3", "\t-3", "1=1",
            "'=1", "#=1", "[=1]", "a\n=1", "−3",
        ] {
            assert!(!is_formula(harmless), "{harmless:?}");
            assert!(matches!(guard(harmless), Cow::Borrowed(_)));
        }
        assert_eq!(told(0), None);
        assert!(told(3).is_some_and(|said| said.starts_with("3 cells begin like formulas: guarded with '")));
        assert!(told(1).is_some_and(|said| said.starts_with("1 cell begins like a formula: ")));
    }

    fn written(raw: bool, rows: &[[Option<&str>; 3]]) -> (String, u64) {
        let mut csv = Writer::new(Vec::new(), raw);
        for row in rows {
            for field in row {
                match field {
                    Some(text) => csv.text(text).unwrap(),
                    None => csv.null().unwrap(),
                }
            }
            csv.end_row().unwrap();
        }
        let guarded = csv.guarded();
        (String::from_utf8(csv.into_inner()).unwrap(), guarded)
    }

    #[test]
    fn rows_are_quoted_guarded_and_counted() {
        let rows =
            [[Some("=1"), None, Some("a\"b")], [Some(""), Some("a,b"), Some("-3")], [None, None, None]];
        assert_eq!(written(false, &rows), ("'=1,,\"a\"\"b\"\n\"\",\"a,b\",-3\n,,\n".into(), 1));
        assert_eq!(written(true, &rows).0.lines().next(), Some("=1,,\"a\"\"b\""));
        assert_eq!(written(true, &rows).1, 0);
        assert_eq!(written(false, &[[Some("=a,\nb"), None, None]]).0, "\"'=a,\nb\",,\n");
    }

    /// What a spreadsheet does with a cell, written down a second time: drop what is not seen, look at the
    /// first sign, try a number.
    fn runs_it(cell: &str) -> bool {
        let seen: String = cell.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
        let number = seen.parse::<f64>().is_ok_and(f64::is_finite);
        !number && seen.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_runs(text in "[\\t\\r\\n =+@＝＋－＠0-9.eE,\"'a跑-]{0,8}") {
            let (csv, _) = written(false, &[[Some(&text), None, None]]);
            let first = match csv.strip_prefix('"') {
                Some(quoted) => quoted.strip_suffix("\",,\n").unwrap().replace("\"\"", "\""),
                None => csv.strip_suffix(",,\n").unwrap().to_owned(),
            };
            prop_assert!(!runs_it(&first), "{first:?}");
            prop_assert!(first == text || first.strip_prefix('\'') == Some(text.as_str()));
        }
    }
}
