//! Makes hostile text safe to draw: control characters, escape sequences, direction overrides,
//! invisible characters and piles of accents become visible marks. For display only: data that is
//! saved is never passed through here. Cutting to a width is the drawer's business.

use std::borrow::Cow;

/// Accents that may stand on one letter; more are dropped and marked. Real scripts need at most
/// about four (Vietnamese, Hebrew, Thai, vocalised Arabic).
const ACCENTS: usize = 6;

/// One line for a terminal: line breaks and tabs become marks too. Borrows when nothing is wrong.
pub fn line(text: &str) -> Cow<'_, str> {
    clean(text, false)
}

/// Several lines for a terminal: `\n` stays (`\r\n` becomes `\n`), tabs become four blanks.
pub fn lines(text: &str) -> Cow<'_, str> {
    clean(text, true)
}

/// At most `limit` characters of [`line`], with `…` where more was cut: for error messages and cells
/// whose text may be a megabyte. Reads no further than it must.
pub fn excerpt(text: &str, limit: usize) -> String {
    let end = text.char_indices().nth(limit).map_or(text.len(), |(at, _)| at);
    let mut out = line(&text[..end]).into_owned();
    if end < text.len() {
        out.push('…');
    }
    out
}

/// JSON leaves all but the C0 controls as they are: DEL, the C1 controls (one of them starts escape
/// sequences), what turns text around, what is not seen. As `\uXXXX` they mean the same to a reader and
/// nothing to a terminal. They stand in texts only, so the rest of the document stays as it is.
pub fn json(json: &str) -> String {
    use std::fmt::Write as _;
    let mut clean = String::with_capacity(json.len());
    for c in json.chars() {
        if c < '\u{7f}' || mark(c).is_none() {
            clean.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String does not fail.
            let _ = write!(clean, "\\u{unit:04x}");
        }
    }
    clean
}

fn clean(text: &str, keep_lines: bool) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut accents = 0usize;
    let mut previous = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let joins =
            is_joiner(c) && previous.is_some_and(joinable) && chars.peek().is_some_and(|n| joinable(*n));
        if is_accent(c) && !joins {
            accents += 1;
            match accents {
                1..=ACCENTS => out.push(c),
                n if n == ACCENTS + 1 => out.push('\u{fffd}'),
                _ => {}
            }
            previous = Some(c);
            continue;
        }
        accents = 0;
        match c {
            '\n' if keep_lines => out.push('\n'),
            '\r' if keep_lines && chars.peek() == Some(&'\n') => {}
            '\t' if keep_lines => out.push_str("    "),
            '\n' => out.push('↵'),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\t' => out.push('⇥'),
            _ if joins => out.push(c),
            _ => match mark(c) {
                Some(mark) => out.push(mark),
                None => out.push(c),
            },
        }
        previous = Some(c);
    }
    Cow::Owned(out)
}

/// Nothing below needs a look at single characters.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b))
        || text.chars().all(|c| mark(c).is_none() && !is_accent(c) && !is_joiner(c) && !c.is_control())
}

/// What stands for a character that must not reach a terminal.
fn mark(c: char) -> Option<char> {
    Some(match c {
        // The pictures of control characters: ␀ ... ␛ ... ␟, ␡.
        '\u{00}'..='\u{1f}' => char::from_u32(0x2400 + c as u32)?,
        '\u{7f}' => '␡',
        // C1 controls are escape sequences in one character on some terminals.
        '\u{80}'..='\u{9f}' => '\u{fffd}',
        // Direction marks, embeddings, overrides and isolates.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '⇋',
        // Width zero, or a line break by another name.
        '\u{200b}' | '\u{200c}' | '\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' => '·',
        '\u{feff}' | '\u{00ad}' | '\u{180e}' | '\u{034f}' | '\u{3164}' | '\u{115f}' | '\u{1160}' => '·',
        '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{2065}' | '\u{17b4}'..='\u{17b5}' => '·',
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => '·',
        '\u{2028}' | '\u{2029}' => '↵',
        // Tags: invisible copies of ASCII, a way to hide text.
        '\u{e0000}'..='\u{e0fff}' => '\u{fffd}',
        // Private use: icons of some fonts, boxes or nothing in others.
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}' => '\u{fffd}',
        _ => return None,
    })
}

fn is_joiner(c: char) -> bool {
    c == '\u{200d}' || c == '\u{200c}'
}

/// Emoji families and the scripts that are written with joiners may keep them.
fn joinable(c: char) -> bool {
    matches!(c as u32, 0x1f000..=0x1faff | 0x2600..=0x27bf | 0xfe0f | 0x0600..=0x06ff | 0x0900..=0x0dff)
}

/// Characters that draw on the letter before them.
fn is_accent(c: char) -> bool {
    matches!(c as u32,
        0x0300..=0x034e | 0x0350..=0x036f | 0x0483..=0x0489 | 0x0591..=0x05bd | 0x05bf | 0x05c1..=0x05c2
        | 0x05c4..=0x05c5 | 0x0610..=0x061a | 0x064b..=0x065f | 0x06d6..=0x06dc | 0x06df..=0x06e4
        | 0x0e31 | 0x0e34..=0x0e3a | 0x0e47..=0x0e4e | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff
        | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f | 0x302a..=0x302f | 0x3099..=0x309a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_borrowed() {
        for text in ["", "Men's boots 10\"", "跑鞋 男", "naïve café", "🥾 boots"] {
            assert!(matches!(line(text), Cow::Borrowed(_)), "{text:?}");
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn controls_become_pictures() {
        assert_eq!(line("a\u{1b}[31mred\u{7}\u{0}"), "a␛[31mred␇␀");
        assert_eq!(line("a\tb\r\nc\rd"), "a⇥b↵c␍d");
        assert_eq!(lines("a\tb\r\nc\rd"), "a    b\nc␍d");
        assert_eq!(line("\u{9b}31m\u{85}"), "\u{fffd}31m\u{fffd}");
    }

    #[test]
    fn directions_and_invisibles_are_shown() {
        assert_eq!(line("abc\u{202e}txt.exe"), "abc⇋txt.exe");
        assert_eq!(line("a\u{200b}b\u{feff}c\u{200d}d"), "a·b·c·d");
        assert_eq!(line("x\u{e0041}"), "x\u{fffd}");
    }

    #[test]
    fn json_escapes_whatever_is_marked_elsewhere_and_means_the_same() {
        let hostile = "a\u{9b}31m\u{7f}\u{85}\u{ad}\u{34f}\u{61c}\u{115f}\u{180e}\u{200b}\u{200d}\u{200f}\u{2028}\u{2029}\
                       \u{202e}\u{2060}\u{2066}\u{3164}\u{e000}\u{feff}\u{fff9}\u{e0001}\u{e0041}\u{e007f}\u{10fffd}跑鞋🥾é";
        let plain = serde_json::json!({ "k\u{200b}": [hostile, "\n\t\u{1b}"] });
        for text in [serde_json::to_string(&plain).unwrap(), serde_json::to_string_pretty(&plain).unwrap()] {
            let clean = json(&text);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&clean).unwrap(), plain);
            let (shown, lines) = (clean.replace('\n', ""), lines(&clean).into_owned());
            assert_eq!(
                (line(&shown).into_owned(), &lines),
                (shown.clone(), &clean),
                "nothing is left to mark"
            );
            assert!(clean.contains("\\udb40\\udc41") && clean.contains("跑鞋🥾é"), "{clean}");
        }
        assert_eq!(json("plain"), "plain");
    }

    #[test]
    fn emoji_families_and_real_scripts_stay() {
        for text in ["👨\u{200d}👩\u{200d}👧", "नमस्ते", "ภาษาไทย", "tiếng Việt", "e\u{301}", "❤\u{fe0f}"]
        {
            assert_eq!(line(text), text);
        }
    }

    #[test]
    fn accents_do_not_pile_up() {
        let pile = format!("a{}b", "\u{301}".repeat(200));
        assert_eq!(line(&pile).chars().count(), 1 + ACCENTS + 1 + 1);
    }

    #[test]
    fn excerpts_say_that_they_are_cut() {
        assert_eq!(excerpt("跑鞋男款", 2), "跑鞋…");
        assert_eq!(excerpt("ab", 2), "ab");
        assert_eq!(excerpt(&"x".repeat(1_000_000), 3), "xxx…");
    }
}
