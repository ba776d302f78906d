//! From the database's batches to rows with the number of their list.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type};
use arrow::record_batch::RecordBatch;
use compact_str::CompactString;

use super::exact::{Exact, Place};
use super::inbox::Inbox;
use super::row::{Plain, Rank};
use crate::analysis::metrics::AnalysisError;
use crate::analysis::metrics::columns::{counts, flags, floats, typed};

/// What the rows are like; see `prepared::Facts`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seen {
    pub rows: u64,
    pub shown: u64,
    pub bad_scores: u64,
    pub unjudged: u64,
    /// NaN: nothing is judged.
    pub largest_gain: f64,
    /// Do all scores that are numbers lie within 0..=1?
    pub probabilities: bool,
}

impl Default for Seen {
    fn default() -> Self {
        Self { rows: 0, shown: 0, bad_scores: 0, unjudged: 0, largest_gain: f64::NAN, probabilities: true }
    }
}

/// How rows name their list.
pub(super) enum Whose {
    /// By its number.
    Number,
    /// By its key.
    Key(HashMap<u64, u32, BuildHasherDefault<AsItIs>>),
}

impl Whose {
    /// `None`: two lists have one key.
    pub fn keys(keys: &[u64]) -> Option<Self> {
        let map: HashMap<u64, u32, _> = keys.iter().copied().zip(0..).collect();
        (map.len() == keys.len()).then_some(Self::Key(map))
    }
}

/// Keys are hashes already.
#[derive(Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

pub(super) struct Reader {
    whose: Whose,
    /// The last key and its list: rows of a list often come one after the other.
    last: Option<(u64, u32)>,
    /// Rows whose key no list has.
    pub strangers: u64,
}

impl Reader {
    pub fn new(whose: Whose) -> Self {
        Self { whose, last: None, strangers: 0 }
    }

    #[inline(always)]
    fn list(&mut self, name: u64) -> Option<u32> {
        match self.last {
            Some((last, list)) if last == name => Some(list),
            _ => self.look_up(name),
        }
    }

    fn look_up(&mut self, name: u64) -> Option<u32> {
        let Whose::Key(map) = &self.whose else { return u32::try_from(name).ok() };
        let found = map.get(&name).copied();
        self.last = found.map(|list| (name, list));
        self.strangers += u64::from(found.is_none());
        found
    }

    fn names(&self, batch: &RecordBatch) -> Result<Vec<u64>, AnalysisError> {
        counts(batch, if matches!(self.whose, Whose::Number) { "list" } else { "key" })
    }

    /// Rows of `metrics/list_rows` or `metrics/rows_of_lists`.
    pub fn plain(
        &mut self,
        batch: &RecordBatch,
        seen: &mut Seen,
        inbox: &mut Inbox<'_, Plain>,
    ) -> Result<(), AnalysisError> {
        let (names, item) = (self.names(batch)?, counts(batch, "item")?);
        let judged = Judged::of(batch)?;
        for at in 0..names.len() {
            let Some(list) = self.list(names[at]) else { continue };
            let (rank, gain) = judged.row(at, seen);
            inbox.put(list, Plain { rank, gain, item: item[at] });
        }
        Ok(())
    }

    /// Rows of `metrics/exact_rows` or `metrics/exact_rows_of_lists`, of the lists that are wanted.
    pub fn exact(
        &mut self,
        batch: &RecordBatch,
        wanted: &impl Fn(u32) -> bool,
        inbox: &mut Inbox<'_, Exact>,
    ) -> Result<(), AnalysisError> {
        let (names, seq) = (self.names(batch)?, counts(batch, "seq")?);
        let (item, place) =
            (typed(batch, "item", &DataType::Utf8)?, typed(batch, "place", &DataType::Float64)?);
        let (item, place) = (item.as_string::<i32>(), place.as_primitive::<Float64Type>());
        let label = typed(batch, "label", &DataType::Boolean)?;
        let (label, judged) = (label.as_boolean(), Judged::of(batch)?);
        for at in 0..names.len() {
            let Some(list) = self.list(names[at]).filter(|&list| wanted(list)) else { continue };
            let (rank, gain) = judged.row(at, &mut Seen::default());
            let item = item.is_valid(at).then(|| CompactString::new(item.value(at)));
            let place = Place::new(place.is_valid(at).then(|| place.value(at)));
            let label = label.is_valid(at).then(|| label.value(at));
            inbox.put(list, Exact { rank, gain, item, label, place, seq: seq[at] });
        }
        Ok(())
    }
}

/// The columns that both kinds of rows have; a gain that is NULL is NaN, a score that is NaN is none.
struct Judged {
    score: Vec<f64>,
    gain: Vec<f64>,
    shown: Vec<bool>,
}

impl Judged {
    fn of(batch: &RecordBatch) -> Result<Self, AnalysisError> {
        let (score, gain) = (floats(batch, "score")?, floats(batch, "gain")?);
        Ok(Self { score, gain, shown: flags(batch, "shown")? })
    }

    #[inline(always)]
    fn row(&self, at: usize, seen: &mut Seen) -> (Rank, f64) {
        let (gain, score) = (self.gain[at], self.score[at]);
        let gain = if gain.is_finite() { gain } else { f64::NAN };
        seen.rows += 1;
        if gain.is_nan() {
            seen.unjudged += 1;
        } else {
            // The largest of nothing is NaN, which `max` passes over.
            seen.largest_gain = seen.largest_gain.max(gain);
        }
        if score.is_nan() {
            seen.bad_scores += 1;
        }
        if !self.shown[at] || score.is_nan() {
            return (Rank::NOT_RETRIEVED, gain);
        }
        seen.shown += 1;
        if score.is_finite() {
            seen.probabilities &= (0.0..=1.0).contains(&score);
        }
        (Rank::new(score), gain)
    }
}
