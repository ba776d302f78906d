//! Whether a .gz file is whole: DuckDB reads one that is cut off up to the cut, without a word.

use std::fs::File;
use std::io::{BufReader, ErrorKind as Io, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::super::{ErrorKind, Result, StoreError};
use crate::util::cancel::Cancel;

/// Larger files are not read twice for this: a second or so on one core.
const CHECKED_BYTES: u64 = 64 << 20;

/// An error if the file is cut off or damaged; files that are large or cannot be opened pass.
pub(super) fn check_whole(path: &Path, cancel: &Cancel) -> Result<()> {
    let Ok(file) = File::open(path) else { return Ok(()) };
    if file.metadata().map_or(true, |meta| meta.len() > CHECKED_BYTES) {
        return Ok(());
    }
    let mut decoder = MultiGzDecoder::new(BufReader::new(file));
    let mut buffer = vec![0; 1 << 16];
    loop {
        cancel.check()?;
        match decoder.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == Io::Interrupted => {}
            Err(error) => {
                let why = if error.kind() == Io::UnexpectedEof {
                    "it is cut off".into()
                } else {
                    error.to_string()
                };
                return Err(StoreError::new(
                    ErrorKind::Data,
                    format!("{} is not whole: {why}", path.display()),
                )
                .hint("copy or write it again; `gzip -t` tells whether it is whole"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn cut_anywhere_is_noticed() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all("text\n".repeat(20_000).as_bytes()).unwrap();
        let whole = encoder.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv.gz");
        for keep in [whole.len(), whole.len() - 1, whole.len() - 8, whole.len() / 2, 12] {
            std::fs::write(&path, &whole[..keep]).unwrap();
            assert_eq!(check_whole(&path, &Cancel::new()).is_ok(), keep == whole.len(), "{keep}");
        }
    }
}
