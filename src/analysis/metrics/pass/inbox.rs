//! Rows that have come and wait for the others of their list. A list is handed on as soon as it is
//! complete, so rows that come list by list are hardly held at all; if too many wait, all that do are
//! written to disk, by ranges of lists that are read back one after the other.

use std::io::Result;
use std::path::Path;

use super::row::Row;
use super::spill::Spill;
use crate::util::cancel::Cancel;

pub(super) struct Inbox<'a, R> {
    /// How many rows each list has.
    expected: &'a [u32],
    /// Rows that are held at once, unless one list has more.
    most: usize,
    /// As they came, and their lists.
    fresh: (Vec<u32>, Vec<R>),
    /// With how many of them complete lists are looked for.
    enough: usize,
    /// Those whose list was not complete where they stood.
    waiting: (Vec<u32>, Vec<R>),
    /// With how many of these lists are put together: the fewer that completes, the more.
    many: usize,
    folder: &'a Path,
    spill: Option<Spill>,
}

/// Few enough to stay in the processor's cache.
const FRESH: usize = 1 << 14;
const WAITING: usize = 1 << 18;

impl<'a, R: Row> Inbox<'a, R> {
    /// `folder`: where rows may wait.
    pub fn new(expected: &'a [u32], most: usize, folder: &'a Path) -> Self {
        let most = most.max(1);
        let (enough, many) = (FRESH.min(most), WAITING.min(most));
        let (fresh, waiting) = Default::default();
        Self { expected, most, fresh, enough, waiting, many, folder, spill: None }
    }

    #[inline(always)]
    pub fn put(&mut self, list: u32, row: R) {
        self.fresh.0.push(list);
        self.fresh.1.push(row);
    }

    /// Hands on lists that are complete, once enough rows are here.
    pub fn relieve(&mut self, each: &mut impl FnMut(u32, &mut [R])) -> Result<()> {
        if self.fresh.0.len() < self.enough {
            return Ok(());
        }
        self.look_through(false, each);
        // A list that goes on here is not looked through with every batch.
        self.enough = (2 * self.fresh.0.len()).max(FRESH.min(self.most));
        if self.waiting.0.len() < self.many {
            return Ok(());
        }
        if self.spill.is_some() {
            // Most lists have rows on disk by now: nothing would be complete.
            return self.spill();
        }
        let before = self.waiting.0.len();
        self.put_together(each);
        let left = self.waiting.0.len();
        if left > self.most / 2 {
            return self.spill();
        }
        // Rows in no order complete nothing before the last ones: nearly the same are not sorted again.
        self.many = if left > before / 10 * 9 { self.most } else { (2 * left).max(WAITING.min(self.most)) };
        Ok(())
    }

    /// Hands on all lists that are left; a cancel ends it early, with what was not handed on lost.
    pub fn finish(mut self, cancel: &Cancel, each: &mut impl FnMut(u32, &mut [R])) -> Result<()> {
        self.look_through(true, each);
        if self.spill.is_none() {
            self.sorted().each(each);
            return Ok(());
        }
        self.spill()?;
        for mut part in self.spill.take().map_or(Ok(Vec::new()), Spill::parts)? {
            if cancel.is_cancelled() {
                break;
            }
            while let Some((list, row)) = part.next()? {
                self.waiting.0.push(list);
                self.waiting.1.push(row);
            }
            self.sorted().each(each);
        }
        Ok(())
    }

    /// Lists whose rows all stand together go on, others wait; the last may go on unless this is the `end`.
    fn look_through(&mut self, end: bool, each: &mut impl FnMut(u32, &mut [R])) {
        let (lists, rows) = &mut self.fresh;
        let mut from = 0;
        while let Some(&list) = lists.get(from) {
            let length = lists[from..].iter().position(|&other| other != list);
            let to = match length {
                Some(length) => from + length,
                None if end => lists.len(),
                None => break,
            };
            if is_whole(self.expected, list, to - from) {
                each(list, &mut rows[from..to]);
            } else {
                self.waiting.0.extend_from_slice(&lists[from..to]);
                self.waiting.1.extend(rows[from..to].iter_mut().map(std::mem::take));
            }
            from = to;
        }
        lists.drain(..from);
        rows.drain(..from);
    }

    /// Hands on what is complete of those that wait.
    fn put_together(&mut self, each: &mut impl FnMut(u32, &mut [R])) {
        let expected = self.expected;
        self.sorted().each(&mut |list, rows| {
            if is_whole(expected, list, rows.len()) {
                return each(list, rows);
            }
            self.waiting.0.extend(std::iter::repeat_n(list, rows.len()));
            self.waiting.1.extend(rows.iter_mut().map(std::mem::take));
        });
    }

    /// Puts all that wait on disk.
    fn spill(&mut self) -> Result<()> {
        self.many = FRESH.min(self.most);
        let spill = match &mut self.spill {
            Some(spill) => spill,
            None => self.spill.insert(Spill::new(self.folder, self.expected, self.most)),
        };
        for (list, row) in self.waiting.0.drain(..).zip(self.waiting.1.drain(..)) {
            spill.write(list, &row)?;
        }
        Ok(())
    }

    /// All that wait, by list; none does, afterwards.
    fn sorted(&mut self) -> Sorted<R> {
        let (lists, rows) = std::mem::take(&mut self.waiting);
        Sorted::new(&lists, rows)
    }
}

fn is_whole(expected: &[u32], list: u32, rows: usize) -> bool {
    expected.get(list as usize).is_some_and(|&expected| expected as usize == rows)
}

/// Rows by list.
struct Sorted<R> {
    /// The number of the first list.
    first: u32,
    /// Where a list's rows start; one more than there are lists.
    starts: Vec<usize>,
    rows: Vec<R>,
}

impl<R: Row> Sorted<R> {
    /// By counting. Rows of a list stay in their order.
    fn new(list: &[u32], mut rows: Vec<R>) -> Self {
        let first = list.iter().copied().min().unwrap_or_default();
        let lists = list.iter().max().map_or(0, |last| (last - first) as usize + 1);
        let mut starts = vec![0; lists + 1];
        for list in list {
            starts[(list - first) as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut sorted: Vec<R> = std::iter::repeat_with(R::default).take(rows.len()).collect();
        for (list, row) in list.iter().zip(&mut rows) {
            let at = &mut next[(list - first) as usize];
            sorted[*at] = std::mem::take(row);
            *at += 1;
        }
        Self { first, starts, rows: sorted }
    }

    /// Lists without a row are left out.
    fn each(mut self, each: &mut impl FnMut(u32, &mut [R])) {
        for (list, range) in (self.first..).zip(self.starts.windows(2)) {
            match &mut self.rows[range[0]..range[1]] {
                [] => {}
                rows => each(list, rows),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::metrics::pass::row::Plain;

    /// What is handed on, and in which order, of rows that come like this, `most` at once.
    fn handed(coming: &[u32], most: usize) -> Vec<(u32, Vec<u64>)> {
        let folder = tempfile::tempdir().unwrap();
        let mut expected = vec![0; 10];
        coming.iter().for_each(|&list| expected[list as usize] += 1);
        let mut inbox = Inbox::new(&expected, most, folder.path());
        let mut handed = Vec::new();
        let mut each =
            |list, rows: &mut [Plain]| handed.push((list, rows.iter().map(|row| row.item).collect()));
        for (item, &list) in (0..).zip(coming) {
            inbox.put(list, Plain { item, ..Plain::default() });
            inbox.relieve(&mut each).unwrap();
        }
        inbox.finish(&Cancel::new(), &mut each).unwrap();
        assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing stays on disk");
        handed
    }

    #[test]
    fn lists_are_handed_on_whole_and_once() {
        assert!(handed(&[], 3).is_empty());
        let clustered = [2, 2, 2, 5, 5, 0, 9, 9, 9, 9];
        let whole = [(2, vec![0, 1, 2]), (5, vec![3, 4]), (0, vec![5]), (9, vec![6, 7, 8, 9])];
        assert_eq!(handed(&clustered, 4), whole, "as they are complete");
        let scattered = [7, 1, 0, 7, 1, 0, 7, 9, 1, 0, 1];
        let whole = [(0, vec![2, 5, 9]), (1, vec![1, 4, 8, 10]), (7, vec![0, 3, 6]), (9, vec![7])];
        for most in [1, 2, 3, 4, 5, 100] {
            let mut handed = handed(&scattered, most);
            handed.sort();
            assert_eq!(handed, whole, "{most} at once");
        }
    }
}
