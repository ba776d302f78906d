//! Rows on their way from the database into lists: collected as they come, sorted into their list by
//! counting, ranked there. Says what it saw: ties, repeated items, scores that are no numbers.

use arrow::record_batch::RecordBatch;

use crate::analysis::QueryError;
use crate::analysis::metrics::columns::{counts, flags, floats, numbers};

/// One row until its list is ranked.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// Higher is better; minus infinity for what is no number. NaN: not retrieved.
    score: f64,
    /// NaN: not judged.
    gain: f64,
    /// Hash of the item; 0 without one.
    item: u64,
}

/// What the rows are like; see `prepared::Facts`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Seen {
    pub rows: u64,
    pub shown: u64,
    pub bad_scores: u64,
    pub unjudged: u64,
    /// Do all scores that are numbers lie within 0..=1?
    pub probabilities: bool,
    /// Rows whose item occurs before in their list, and retrieved rows that share their score: with
    /// either, the order needs more than scores.
    pub repeats: u64,
    pub tied: u64,
}

/// Lists in rank order.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// Where a list's gains start; one more than there are lists.
    starts: Vec<usize>,
    /// How many of a list's gains are of retrieved rows; they come first.
    shown: Vec<u32>,
    /// NaN: not judged.
    gains: Vec<f64>,
    pub seen: Seen,
}

impl Seen {
    pub fn nothing() -> Self {
        Self { probabilities: true, ..Self::default() }
    }

    /// Counts what other lists were like.
    pub fn add(&mut self, other: &Seen) {
        self.rows += other.rows;
        self.shown += other.shown;
        self.bad_scores += other.bad_scores;
        self.unjudged += other.unjudged;
        self.probabilities &= other.probabilities;
        self.repeats += other.repeats;
        self.tied += other.tied;
    }
}

/// Rows as they come.
#[derive(Debug)]
pub(crate) struct Rows {
    /// The number of the first list.
    first: u32,
    list: Vec<u32>,
    entries: Vec<Entry>,
    seen: Seen,
}

impl Rows {
    pub fn new(first: u32) -> Self {
        Self { first, list: Vec::new(), entries: Vec::new(), seen: Seen::nothing() }
    }

    /// Takes rows of `metrics/list_rows` or `metrics/ordered`.
    pub fn take(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        let read = |error: crate::analysis::AnalysisError| QueryError::Failed(error.to_string());
        let (score, gain) = (floats(batch, "score").map_err(read)?, floats(batch, "gain").map_err(read)?);
        let (shown, item) = (flags(batch, "shown").map_err(read)?, counts(batch, "item").map_err(read)?);
        let list = numbers(batch, "list").map_err(read)?;
        self.list.extend(list.into_iter().map(|list| list.saturating_sub(self.first)));
        self.entries.reserve(score.len());
        for (((score, gain), shown), item) in score.into_iter().zip(gain).zip(shown).zip(item) {
            let entry = self.entry(score, gain, shown, item);
            self.entries.push(entry);
        }
        Ok(())
    }

    fn entry(&mut self, score: f64, gain: f64, shown: bool, item: u64) -> Entry {
        let seen = &mut self.seen;
        let gain = if gain.is_finite() { gain } else { f64::NAN };
        seen.rows += 1;
        seen.unjudged += u64::from(gain.is_nan());
        if !shown {
            return Entry { score: f64::NAN, gain, item };
        }
        seen.shown += 1;
        if !score.is_finite() {
            seen.bad_scores += 1;
            return Entry { score: f64::NEG_INFINITY, gain, item };
        }
        seen.probabilities &= (0.0..=1.0).contains(&score);
        // -0.0 and 0.0 are one score.
        Entry { score: score + 0.0, gain, item }
    }

    /// Sorts them into `lists` lists and ranks each.
    pub fn into_lists(self, lists: usize) -> Gathered {
        let starts = starts(&self.list, lists);
        let mut entries = vec![Entry::default(); self.entries.len()];
        let mut next = starts.clone();
        for (&list, entry) in self.list.iter().zip(&self.entries) {
            let Some(at) = next.get_mut(list as usize) else { continue };
            if let Some(slot) = entries.get_mut(*at) {
                *slot = *entry;
            }
            *at += 1;
        }
        drop(self.entries);
        let (mut seen, mut shown) = (self.seen, Vec::with_capacity(lists));
        let mut items = Vec::new();
        for range in starts.windows(2) {
            let list = entries.get_mut(range[0]..range[1]).unwrap_or_default();
            let retrieved = rank(list);
            shown.push(retrieved as u32);
            seen.tied += tied(&list[..retrieved]);
            seen.repeats += repeats(list, &mut items);
        }
        Gathered { starts, shown, gains: entries.iter().map(|entry| entry.gain).collect(), seen }
    }
}

/// Where each list begins, by counting.
fn starts(list: &[u32], lists: usize) -> Vec<usize> {
    let mut starts = vec![0; lists + 1];
    for &list in list {
        if let Some(count) = starts.get_mut(list as usize + 1) {
            *count += 1;
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    starts
}

/// Best first, what was not retrieved last; how many were.
fn rank(list: &mut [Entry]) -> usize {
    // NaN is below everything here; equal ones keep no order, which is why ties are counted.
    let key = |entry: &Entry| if entry.score.is_nan() { (false, 0.0) } else { (true, entry.score) };
    list.sort_unstable_by(|a, b| {
        let (a, b) = (key(a), key(b));
        b.0.cmp(&a.0).then(b.1.total_cmp(&a.1))
    });
    list.partition_point(|entry| !entry.score.is_nan())
}

/// Rows that share their score with another one.
fn tied(shown: &[Entry]) -> u64 {
    let runs = shown.chunk_by(|a, b| a.score == b.score).map(<[Entry]>::len);
    runs.filter(|&length| length > 1).map(|length| length as u64).sum()
}

/// Rows whose item occurs before. Two items of one hash would count too: then the slower way, which
/// looks at the items themselves, is taken for nothing.
fn repeats(list: &[Entry], items: &mut Vec<u64>) -> u64 {
    items.clear();
    items.extend(list.iter().map(|entry| entry.item).filter(|&item| item != 0));
    items.sort_unstable();
    items.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64
}

impl Gathered {
    pub fn lists(&self) -> usize {
        self.shown.len()
    }

    pub fn longest(&self) -> usize {
        self.starts.windows(2).map(|range| range[1] - range[0]).max().unwrap_or(0)
    }

    /// Gains in rank order.
    pub fn list(&self, list: usize) -> &[f64] {
        let range = self.starts.get(list).zip(self.starts.get(list + 1));
        range.and_then(|(&from, &to)| self.gains.get(from..to)).unwrap_or_default()
    }

    /// How many of them were retrieved.
    pub fn shown(&self, list: usize) -> usize {
        self.shown.get(list).map_or(0, |&shown| shown as usize)
    }

    /// Do scores alone give the order, and is every item there once?
    pub fn is_plain(&self) -> bool {
        self.seen.tied == 0 && self.seen.repeats == 0
    }
}
