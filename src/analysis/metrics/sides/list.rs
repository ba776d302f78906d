//! One list of both sides: its items found on either, ranked, ties broken as the rules say.

use super::Sides;
use crate::analysis::metrics::pass::Rank;
use crate::analysis::metrics::{Scores, Ties, Unjudged};

/// An item of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    pub rank: Rank,
    /// NaN: not judged.
    pub gain: f64,
    item: &'a str,
    /// Where it stands in the run; `u32::MAX`: nowhere.
    place: u32,
}

/// A list in rank order; what was not retrieved stands at the end.
pub(super) struct Listed<'r, 'a> {
    pub rows: &'r [Row<'a>],
    /// Is there a row of the run, one with a score, one with a judged item?
    pub answered: bool,
    pub scored: bool,
    pub matched: bool,
    pub bad_scores: u64,
    pub tied: u64,
    pub probabilities: bool,
}

/// Memory that lists share, one after the other.
#[derive(Default)]
pub(super) struct Room<'a> {
    rows: Vec<Row<'a>>,
    table: Table,
}

/// Where an item's row is: open addressing, emptied by counting on.
#[derive(Default)]
struct Table {
    /// The list for which it was put there, and the row.
    slots: Vec<(u32, u32)>,
    list: u32,
}

impl Table {
    fn begin(&mut self, items: usize) {
        let wanted = (2 * items).next_power_of_two().max(16);
        if self.slots.len() < wanted || self.list == u32::MAX {
            self.slots = vec![(0, 0); wanted];
            self.list = 0;
        }
        self.list += 1;
    }

    /// The row of this item, or where to put it.
    #[inline(always)]
    fn find(&self, item: &str, rows: &[Row<'_>]) -> Result<usize, usize> {
        let mask = self.slots.len() - 1;
        let mut at = hash(item.as_bytes()) as usize & mask;
        loop {
            match self.slots.get(at) {
                Some(&(list, row)) if list == self.list => {
                    if rows.get(row as usize).is_some_and(|known| known.item == item) {
                        return Ok(row as usize);
                    }
                    at = (at + 1) & mask;
                }
                _ => return Err(at),
            }
        }
    }

    fn put(&mut self, at: usize, row: usize) {
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = (self.list, row as u32);
        }
    }
}

/// Eight bytes at a time, folded by a product (as in Fx and wyhash); equal items are compared anyway.
fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut state = bytes.len() as u64;
    let mut mix = |word: u64| {
        let product = u128::from(state ^ word) * u128::from(FACTOR);
        state = (product as u64) ^ (product >> 64) as u64;
    };
    let (whole, rest) = bytes.as_chunks::<8>();
    whole.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(u64::from_le_bytes(last));
    state
}

impl<'a> Room<'a> {
    /// `None`: an item comes twice on one side.
    pub fn list(&mut self, sides: &Sides<'a>, list: usize) -> Option<Listed<'_, 'a>> {
        let (run, qrels) = (sides.run_rows.of(list), sides.qrels_rows.of(list));
        self.rows.clear();
        self.table.begin(run.len() + qrels.len());
        for &row in qrels {
            let item = sides.qrels.item(row as usize);
            let at = self.table.find(item, &self.rows).err()?;
            self.table.put(at, self.rows.len());
            let gain = sides.gain(row);
            self.rows.push(Row { rank: Rank::NOT_RETRIEVED, gain, item, place: u32::MAX });
        }
        let rules = &sides.request.rows.rules;
        let (mut scored, mut matched, mut probabilities) = (false, false, true);
        for &row in run {
            let (item, score) = (sides.run.item(row as usize), *sides.run.value.get(row as usize)?);
            let score = match rules.scores {
                Scores::Double => score,
                Scores::Single => f64::from(score as f32),
            };
            scored |= !score.is_nan();
            probabilities &= !score.is_finite() || (0.0..=1.0).contains(&score);
            let rank = Rank::new(score);
            match self.table.find(item, &self.rows) {
                Ok(known) => {
                    let known = self.rows.get_mut(known).filter(|known| known.place == u32::MAX)?;
                    (known.rank, known.place) = (rank, row);
                    matched = true;
                }
                Err(at) => {
                    self.table.put(at, self.rows.len());
                    self.rows.push(Row { rank, gain: f64::NAN, item, place: row });
                }
            }
        }
        if rules.unjudged == Unjudged::Condensed {
            self.rows.retain(|row| !row.gain.is_nan());
        }
        let bad = |row: &&Row<'_>| row.place != u32::MAX && !row.rank.retrieved();
        let bad_scores = self.rows.iter().filter(bad).count() as u64;
        let tied = rank(&mut self.rows, sides.request.rows.ties);
        let answered = !run.is_empty();
        Some(Listed { rows: &self.rows, answered, scored, matched, bad_scores, tied, probabilities })
    }
}

/// Sorts, and says how many retrieved rows share their score.
fn rank(rows: &mut [Row<'_>], ties: Ties) -> u64 {
    rows.sort_unstable_by_key(|row| row.rank);
    let mut tied = 0;
    for run in rows.chunk_by_mut(|a, b| a.rank == b.rank) {
        if run.len() < 2 || !run.first().is_some_and(|row| row.rank.retrieved()) {
            continue;
        }
        tied += run.len() as u64;
        match ties {
            Ties::Docid | Ties::Expected => run.sort_unstable_by(|a, b| b.item.cmp(a.item)),
            Ties::Logged => run.sort_unstable_by_key(|row| row.place),
        }
    }
    tied
}
