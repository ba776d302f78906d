//! Text that is not UTF-8: decoded where it says what it is, by its byte order mark or by whoever reads it;
//! otherwise told where it stops being UTF-8 and what it looks like. Nothing is decoded on a guess.

use std::io::{self, Read, Write};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding};

/// What the beginning of a text, or all of it, shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Look {
    /// UTF-8, with a byte order mark or without.
    Utf8,
    /// Another encoding, by its byte order mark.
    Marked(&'static Encoding),
    /// Not UTF-8 from this line on (from 1). `likely`: the name of what it looks like.
    Other { line: u64, likely: &'static str },
    /// No text: NUL characters where no encoding has them.
    Binary,
}

/// Looks at the first bytes of a text; `whole`: there are no more.
pub fn look(bytes: &[u8], whole: bool) -> Look {
    let utf32 = [[0xff, 0xfe, 0, 0], [0, 0, 0xfe, 0xff]];
    if utf32.iter().any(|mark| bytes.starts_with(mark)) {
        return Look::Other { line: 1, likely: "UTF-32" };
    }
    if let Some((encoding, _)) = Encoding::for_bom(bytes)
        && encoding != encoding_rs::UTF_8
    {
        return Look::Marked(encoding);
    }
    if bytes.contains(&0) {
        return unmarked_utf16(bytes).map_or(Look::Binary, |likely| Look::Other { line: 1, likely });
    }
    match std::str::from_utf8(bytes) {
        Ok(_) => Look::Utf8,
        // The last character is cut off, and the rest of it was not looked at.
        Err(error) if error.error_len().is_none() && !whole => Look::Utf8,
        Err(error) => {
            let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u64;
            Look::Other { line, likely: likely(bytes) }
        }
    }
}

/// Every other byte of ASCII in UTF-16 is NUL.
fn unmarked_utf16(bytes: &[u8]) -> Option<&'static str> {
    let nul = |odd: usize| bytes.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (nul(0), nul(1));
    let many = bytes.len() / 8;
    match (even > many, odd > many) {
        (false, true) if even == 0 => Some("UTF-16LE"),
        (true, false) if odd == 0 => Some("UTF-16BE"),
        _ => None,
    }
}

fn likely(bytes: &[u8]) -> &'static str {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny).name()
}

/// The encoding of this label, in any of its spellings (`gbk`, `latin1`, `shift-jis`, `cp1252`).
pub fn named(label: &str) -> Option<&'static Encoding> {
    let label = label.trim().to_ascii_lowercase().replace('_', "-");
    let label = match label.as_str() {
        "latin-1" => "latin1",
        "utf-16" => "utf-16le",
        "big-5" => "big5",
        "sjis" | "shift-jis" | "cp932" | "ms932" => "shift_jis",
        "cp936" | "gb-18030" => "gb18030",
        "cp949" | "euckr" => "euc-kr",
        "eucjp" => "euc-jp",
        other => other,
    };
    Encoding::for_label(label.as_bytes())
}

/// Encodings to choose from, for messages.
pub const NAMES: &str = "utf-8, utf-16, windows-1252 (latin-1), gb18030 (gbk), big5, shift_jis, euc-jp, euc-kr, \
                         windows-1251 and the others of the WHATWG standard";

/// Writes a text as UTF-8 without a mark, and says how many places could not be read; each of them becomes
/// U+FFFD. A byte order mark wins over `encoding`.
pub fn transcode(mut input: impl Read, encoding: &'static Encoding, out: &mut impl Write) -> io::Result<u64> {
    let mut decoder = encoding.new_decoder();
    let (mut from, mut to) = (vec![0; 1 << 16], vec![0; 1 << 18]);
    let mut unreadable = 0;
    loop {
        let read = match input.read(&mut from) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let mut rest = &from[..read];
        loop {
            // Only whether there was one is told, so each is looked for by itself.
            let (result, taken, made) = decoder.decode_to_utf8_without_replacement(rest, &mut to, read == 0);
            rest = &rest[taken..];
            out.write_all(&to[..made])?;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    unreadable += 1;
                    out.write_all("\u{fffd}".as_bytes())?;
                }
            }
        }
        if read == 0 {
            return Ok(unreadable);
        }
    }
}

/// As [`transcode`], of a text that is held.
pub fn decoded(bytes: &[u8], encoding: &'static Encoding) -> (String, u64) {
    let mut out = Vec::with_capacity(bytes.len() * 3 / 2);
    let unreadable = transcode(bytes, encoding, &mut out).unwrap_or(0);
    (String::from_utf8(out).unwrap_or_default(), unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "跑鞋,男士轻便透气跑步鞋\n帽子,保暖羊毛帽\n";

    #[test]
    fn marks_and_utf8_are_certain() {
        assert_eq!(look(TEXT.as_bytes(), true), Look::Utf8);
        assert_eq!(look("\u{feff}a".as_bytes(), true), Look::Utf8);
        assert_eq!(look(&TEXT.as_bytes()[..4], false), Look::Utf8);
        assert!(matches!(look(&TEXT.as_bytes()[..4], true), Look::Other { line: 1, .. }));
        let wide: Vec<u8> = "\u{feff}a跑\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(look(&wide, true), Look::Marked(encoding_rs::UTF_16LE));
        assert_eq!(decoded(&wide, encoding_rs::UTF_16LE), ("a跑\n".into(), 0));
    }

    #[test]
    fn the_rest_is_told_and_decoded_only_as_somebody_says() {
        for name in ["gb18030", "big5", "shift_jis", "euc-kr"] {
            let text = match name {
                "shift_jis" => "ランニングシューズ,靴のにおい\nそれはよい,とても軽い\n",
                "euc-kr" => "운동화,가볍고 통기성이 좋은\n모자,따뜻한 모자\n",
                "big5" => "跑鞋,輕便透氣的跑步鞋\n帽子,保暖的羊毛帽\n",
                _ => TEXT,
            };
            let encoding = named(name).unwrap();
            let bytes = [b"query,title\n", &encoding.encode(text).0[..]].concat();
            let Look::Other { line: 2, likely } = look(&bytes, true) else { panic!("{name}") };
            assert_eq!(
                named(likely).map(|e| e.name().replace("GBK", "gb18030").to_lowercase()),
                Some(name.into())
            );
            assert_eq!(decoded(&bytes, encoding), (format!("query,title\n{text}"), 0));
        }
        let wide: Vec<u8> = "query\n1 0 d 1\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(look(&wide, true), Look::Other { line: 1, likely: "UTF-16BE" });
        assert_eq!(look(b"\x00\x01\x02\x00\x00\x00", true), Look::Binary);
        assert_eq!(decoded(b"a\xff\xfeb", encoding_rs::UTF_8), ("a\u{fffd}\u{fffd}b".into(), 2));
        assert_eq!(named("cp1252").map(Encoding::name), Some("windows-1252"));
        assert_eq!(named("klingon"), None);
    }
}
