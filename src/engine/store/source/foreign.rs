//! What a file is that no reader here takes, told from its first bytes: its kind, and what to do with it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::SourceFormat;

/// A kind of file that is known and not read as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Foreign {
    /// With its article.
    pub what: &'static str,
    pub remedy: &'static str,
}

const fn kind(what: &'static str, remedy: &'static str) -> Option<Foreign> {
    Some(Foreign { what, remedy })
}

/// The first bytes of a file; empty where it cannot be read.
pub(super) fn head(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    if let Ok(file) = File::open(path) {
        let _ = file.take(4096).read_to_end(&mut head);
    }
    head
}

/// What these bytes begin, where that is no text and nothing that is read.
pub(super) fn of(head: &[u8]) -> Option<Foreign> {
    match head {
        [b'P', b'K', 3, 4, ..] if holds(head, b"xl/") || holds(head, b"[Content_Types].xml") => {
            kind("an Excel workbook", "save the sheet as CSV (UTF-8) and open that, or write it as Parquet")
        }
        [b'P', b'K', 3, 4, ..] if holds(head, b"mimetypeapplication/vnd.oasis") => {
            kind("an OpenDocument sheet", "save the sheet as CSV (UTF-8) and open that")
        }
        [b'P', b'K', 3, 4, ..] => kind("a zip archive", "unpack it (`unzip`) and open what is in it"),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            kind("an old Excel workbook (.xls)", "save the sheet as CSV (UTF-8) and open that")
        }
        [b'B', b'Z', b'h', ..] => {
            kind("compressed with bzip2", "unpack it (`bunzip2`), or compress it as .gz or .zst")
        }
        [0xfd, b'7', b'z', b'X', b'Z', ..] => {
            kind("compressed with xz", "unpack it (`unxz`), or compress it as .gz or .zst")
        }
        [b'7', b'z', 0xbc, 0xaf, ..] => kind("a 7z archive", "unpack it (`7z x`) and open what is in it"),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [b'F', b'E', b'A', b'1', ..] => kind(
            "an Arrow (Feather) file",
            "write it as Parquet: pyarrow.parquet.write_table(pyarrow.feather.read_table(FILE), NEW), or to_parquet in pandas",
        ),
        [0xff, 0xff, 0xff, 0xff, _, _, 0, 0, 0x10, 0, ..] => kind(
            "an Arrow stream",
            "write it as Parquet, or pipe it to `recscope-score`, which reads Arrow streams",
        ),
        [b'O', b'R', b'C', ..] => kind("an ORC file", "write it as Parquet"),
        [b'O', b'b', b'j', 1, ..] => kind("an Avro file", "write it as Parquet or JSON lines"),
        [0x89, b'H', b'D', b'F', ..] => {
            kind("an HDF5 file", "write its table as Parquet (pandas: read_hdf, to_parquet)")
        }
        [0x80, 2..=5, ..] => kind(
            "a Python pickle",
            "write its table as Parquet (pandas: to_parquet); a pickle can run code and is never loaded",
        ),
        _ if head.starts_with(b"SQLite format 3\0") => kind(
            "an SQLite database",
            "export the table as CSV: sqlite3 FILE -csv -header \"SELECT * FROM ...\" > t.csv",
        ),
        _ if head.starts_with(b"version https://git-lfs.github.com") => {
            kind("a Git LFS pointer, not the data", "fetch it: git lfs pull")
        }
        _ if head.starts_with(b"%PDF") => kind("a PDF", "export its table as CSV"),
        _ if head.get(257..262) == Some(b"ustar") => {
            kind("a tar archive", "unpack it (`tar xf`) and open what is in it")
        }
        _ => None,
    }
}

fn holds(head: &[u8], part: &[u8]) -> bool {
    head.windows(part.len()).any(|window| window == part)
}

/// The format that these bytes say beyond doubt.
pub(super) fn certain(head: &[u8]) -> Option<SourceFormat> {
    match head {
        _ if head.starts_with(b"PAR1") => Some(SourceFormat::Parquet),
        _ if head.get(8..12) == Some(b"DUCK") => Some(SourceFormat::DuckDb),
        _ => None,
    }
}

/// Whether the bytes are compressed in a way that is read (.gz, .zst).
pub(super) fn compressed(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x1f, 0x8b, ..] => Some(".gz"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(".zst"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_table_is_named() {
        let what = |head: &[u8]| of(head).map(|found| found.what);
        assert_eq!(what(b"PK\x03\x04....xl/workbook.xml"), Some("an Excel workbook"));
        assert_eq!(what(b"PK\x03\x04....k.csv"), Some("a zip archive"));
        assert_eq!(what(b"BZh91AY"), Some("compressed with bzip2"));
        assert_eq!(what(b"ARROW1\0\0"), Some("an Arrow (Feather) file"));
        assert_eq!(what(b"SQLite format 3\0"), Some("an SQLite database"));
        assert_eq!(
            what(b"version https://git-lfs.github.com/spec/v1\n"),
            Some("a Git LFS pointer, not the data")
        );
        assert_eq!((what(b"query,title\n"), what(b"PAR1"), what(b"")), (None, None, None));
        assert_eq!(certain(b"PAR1xxxx"), Some(SourceFormat::Parquet));
        assert_eq!((compressed(&[0x1f, 0x8b, 8]), compressed(b"abc")), (Some(".gz"), None));
    }
}
