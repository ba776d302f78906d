//! What stdin holds, by its first bytes; formats that people have and that cannot be read here are
//! named with the way out. Pure.

use super::Fault;
use super::args::RowFormat;

/// First bytes, and what they mean.
const KNOWN: &[(&[u8], Meaning)] = &[
    (b"\xff\xff\xff\xff", Meaning::Arrow),
    (
        b"ARROW1",
        Meaning::Other(
            "an Arrow file, and a stream is needed",
            "write a stream, e.g. pyarrow.ipc.new_stream(sink, schema)",
        ),
    ),
    (b"PAR1", Meaning::Other("a Parquet file", "use recscope score --input FILE.parquet")),
    (b"\x1f\x8b", Meaning::Other("compressed with gzip", "put `gzip -dc |` before it")),
    (b"\x28\xb5\x2f\xfd", Meaning::Other("compressed with zstd", "put `zstd -dc |` before it")),
    (b"\xff\xfe", Meaning::Other("UTF-16", "put `iconv -f utf-16 -t utf-8 |` before it")),
    (b"\xfe\xff", Meaning::Other("UTF-16", "put `iconv -f utf-16 -t utf-8 |` before it")),
    (
        b"[",
        Meaning::Other("one JSON list, and one object per line is needed", "put `jq -c '.[]' |` before it"),
    ),
];

#[derive(Clone, Copy)]
enum Meaning {
    Arrow,
    /// What it is, and what to do.
    Other(&'static str, &'static str),
}

/// The format of an input that begins so; `None`: more bytes are needed to tell. Where the input ends
/// with these bytes, `ended` is set.
pub(super) fn detect(start: &[u8], ended: bool) -> Option<Result<RowFormat, Fault>> {
    let start = start.trim_ascii_start();
    for (first, meaning) in KNOWN {
        if start.starts_with(first) {
            return Some(match meaning {
                Meaning::Arrow => Ok(RowFormat::Arrow),
                Meaning::Other(what, hint) => Err(Fault::data(format!("stdin is {what}")).hint(*hint)),
            });
        }
    }
    let undecided = KNOWN.iter().any(|(first, _)| first.starts_with(start));
    // Whatever is not JSON is told with its line.
    if undecided && !ended { None } else { Some(Ok(RowFormat::Jsonl)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_tell_as_early_as_they_can() {
        let json = |start: &[u8]| detect(start, false).unwrap().unwrap() == RowFormat::Jsonl;
        assert!(json(b"{") && json(b"\xef\xbb\xbf{") && json(b"  {\"a\":1}") && json(b"x"));
        assert!(detect(b"", false).is_none() && detect(b"\n ", false).is_none());
        assert!(detect(b"\xff", false).is_none() && detect(b"\xff\xff\xff", false).is_none());
        assert_eq!(detect(b"\xff\xff\xff\xff\x10", false).unwrap().unwrap(), RowFormat::Arrow);
        assert_eq!(detect(b"", true).unwrap().unwrap(), RowFormat::Jsonl);
    }

    #[test]
    fn what_cannot_be_read_says_what_to_do() {
        for (start, word) in [
            (&b"PAR1\x15\x04"[..], "recscope score"),
            (b"\x1f\x8b\x08", "gzip -dc"),
            (b"ARROW1\0\0", "new_stream"),
            (b" [{\"a\":1}]", "jq -c"),
            (b"\xff\xfe{\0", "iconv"),
        ] {
            let fault = detect(start, false).unwrap().unwrap_err();
            assert!(fault.exit() == 3 && fault.to_string().contains(word), "{fault}");
        }
    }
}
