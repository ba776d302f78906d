//! Which format a file has: by what was said, by extension, by its first bytes. Never by guessing silently.

use std::fs::File;
use std::io::Read;
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceFormat {
    Parquet,
    /// Also TSV and other delimiters.
    Csv,
    /// JSON lines or one array.
    Json,
    DuckDb,
}

impl SourceFormat {
    /// As written in the front matter.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "parquet" => Self::Parquet,
            "csv" | "tsv" => Self::Csv,
            "json" | "jsonl" | "ndjson" => Self::Json,
            "duckdb" => Self::DuckDb,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::DuckDb => "duckdb",
        }
    }

    /// By the end of the name; `.gz` and `.zst` are looked through.
    pub fn of_name(name: &str) -> Option<Self> {
        let mut name = name.to_ascii_lowercase();
        // A URL's query string is no extension.
        if let (true, Some(at)) = (name.contains("://"), name.find('?')) {
            name.truncate(at);
        }
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        let (_, extension) = name.rsplit_once('.')?;
        Some(match extension {
            "parquet" | "parq" | "pq" => Self::Parquet,
            "csv" | "tsv" | "psv" => Self::Csv,
            "json" | "jsonl" | "ndjson" => Self::Json,
            "duckdb" | "db" | "ddb" => Self::DuckDb,
            _ => return None,
        })
    }

    /// By its first bytes; `None` for what is neither binary of a known kind nor text.
    pub(super) fn of_bytes(path: &Path) -> Option<Self> {
        let mut head = Vec::new();
        File::open(path).ok()?.take(4096).read_to_end(&mut head).ok()?;
        if head.starts_with(b"PAR1") {
            return Some(Self::Parquet);
        }
        if head.get(8..12) == Some(b"DUCK") {
            return Some(Self::DuckDb);
        }
        let text = String::from_utf8_lossy(&head);
        let first = text.trim_start_matches('\u{feff}').trim_start().chars().next()?;
        match first {
            '{' | '[' => Some(Self::Json),
            _ if head.contains(&0) => None,
            _ => Some(Self::Csv),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_and_bytes() {
        assert_eq!(SourceFormat::of_name("a/b.TSV.gz"), Some(SourceFormat::Csv));
        assert_eq!(SourceFormat::of_name("https://x/y.parquet?sig=a.b"), Some(SourceFormat::Parquet));
        assert_eq!(SourceFormat::of_name("day=*/part-*.jsonl.zst"), Some(SourceFormat::Json));
        assert_eq!(SourceFormat::of_name("log"), None);
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            SourceFormat::of_bytes(&path)
        };
        assert_eq!(write("a", b"PAR1...."), Some(SourceFormat::Parquet));
        assert_eq!(write("b", b"\xef\xbb\xbf [1]"), Some(SourceFormat::Json));
        assert_eq!(write("c", b"a,b\n1,2\n"), Some(SourceFormat::Csv));
        assert_eq!(write("d", b"\x00\x01\x02"), None);
        assert_eq!(write("e", b""), None);
    }
}
