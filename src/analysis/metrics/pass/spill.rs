//! Rows that wait on disk: files without a name, one for each range of lists, read back one at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Result, Seek, Write};
use std::path::{Path, PathBuf};

use super::row::Row;

/// Every part is an open file.
const PARTS: u64 = 256;

pub(super) struct Spill {
    folder: PathBuf,
    /// The list behind each part's last one.
    ends: Vec<u32>,
    /// Made when their first row comes.
    parts: Vec<Option<BufWriter<File>>>,
}

impl Spill {
    /// Parts of about `most` rows, for lists of `rows` rows each.
    pub fn new(folder: &Path, rows: &[u32], most: usize) -> Self {
        let ends = ends(rows, most as u64);
        Self { folder: folder.to_owned(), parts: ends.iter().map(|_| None).collect(), ends }
    }

    pub fn write(&mut self, list: u32, row: &impl Row) -> Result<()> {
        let at = self.ends.partition_point(|&end| end <= list).min(self.parts.len().saturating_sub(1));
        let Some(part) = self.parts.get_mut(at) else { return Ok(()) };
        let part = match part {
            Some(part) => part,
            None => part.insert(BufWriter::with_capacity(1 << 16, tempfile::tempfile_in(&self.folder)?)),
        };
        part.write_all(&list.to_le_bytes())?;
        row.write(part)
    }

    /// What was written, in order of lists from part to part.
    pub fn parts(self) -> Result<Vec<Part>> {
        let read = |part: BufWriter<File>| {
            let mut file = part.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.rewind()?;
            Ok(Part(BufReader::with_capacity(1 << 16, file)))
        };
        self.parts.into_iter().flatten().map(read).collect()
    }
}

/// Whole lists, about `most` rows a part.
fn ends(rows: &[u32], most: u64) -> Vec<u32> {
    let sum: u64 = rows.iter().copied().map(u64::from).sum();
    let most = most.max(sum.div_ceil(PARTS));
    let (mut ends, mut part) = (Vec::new(), 0);
    for (list, &rows) in (0..).zip(rows) {
        part += u64::from(rows);
        if part >= most {
            ends.push(list + 1);
            part = 0;
        }
    }
    ends.push(u32::MAX);
    ends
}

pub(super) struct Part(BufReader<File>);

impl Part {
    pub fn next<R: Row>(&mut self) -> Result<Option<(u32, R)>> {
        if self.0.fill_buf()?.is_empty() {
            return Ok(None);
        }
        let mut list = [0; 4];
        self.0.read_exact(&mut list)?;
        Ok(Some((u32::from_le_bytes(list), R::read(&mut self.0)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_whole_lists() {
        assert_eq!(ends(&[], 10), [u32::MAX]);
        assert_eq!(ends(&[3, 4, 5, 20, 1], 10), [3, 4, u32::MAX]);
        assert!(ends(&[1; 10_000], 1).len() <= PARTS as usize + 1);
    }
}
