//! What the pass keeps of a row until its list is ranked: little, with a hash for an item. Lists whose
//! order needs more than that are read again as [`super::exact`] rows.

use std::io::{Read, Result, Write};

/// A row that can wait on disk.
pub(super) trait Row: Default {
    fn write(&self, to: &mut impl Write) -> Result<()>;
    fn read(from: &mut impl Read) -> Result<Self>;
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Plain {
    pub rank: Rank,
    /// NaN: not judged.
    pub gain: f64,
    /// Hash of the item; 0 without one.
    pub item: u64,
}

/// A score in a form that sorts best first: descending numbers, infinities among them, then what was not
/// retrieved. Equal ones are tied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank(u64);

impl Rank {
    pub const NOT_RETRIEVED: Self = Self(u64::MAX);

    #[inline(always)]
    /// NaN is no score: not retrieved.
    pub fn new(score: f64) -> Self {
        if score.is_nan() { Self::NOT_RETRIEVED } else { Self::of(score) }
    }

    /// Of anything but NaN.
    #[inline(always)]
    pub fn of(score: f64) -> Self {
        // -0.0 and 0.0 are one score. The bits of positive numbers ascend with them, those of negative
        // ones descend; all of them are to descend.
        let bits = (score + 0.0).to_bits();
        Self(if bits >> 63 == 1 { bits } else { !bits & !(1 << 63) })
    }

    #[inline(always)]
    pub fn retrieved(self) -> bool {
        self != Self::NOT_RETRIEVED
    }

    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub fn to_bits(self) -> u64 {
        self.0
    }
}

impl Row for Plain {
    fn write(&self, to: &mut impl Write) -> Result<()> {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.rank.0.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.gain.to_le_bytes());
        bytes[16..].copy_from_slice(&self.item.to_le_bytes());
        to.write_all(&bytes)
    }

    fn read(from: &mut impl Read) -> Result<Self> {
        let (rank, gain, item) = (number(from)?, number(from)?, number(from)?);
        Ok(Self { rank: Rank(rank), gain: f64::from_bits(gain), item })
    }
}

/// The next eight bytes.
pub(super) fn number(from: &mut impl Read) -> Result<u64> {
    let mut bytes = [0; 8];
    from.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

/// Ranks a list and says in how far its order is in doubt: retrieved rows that share their score, rows
/// whose item occurs before. Two items of one hash count too; the exact rows then tell them apart.
pub(super) fn rank(list: &mut [Plain], items: &mut Items) -> (u64, u64) {
    list.sort_unstable_by_key(|row| row.rank);
    (tied(list), items.repeats(list))
}

fn tied(list: &[Plain]) -> u64 {
    let (mut tied, mut alike) = (0, 1);
    for at in 1..list.len() {
        if list[at].rank == list[at - 1].rank && list[at].rank.retrieved() {
            // The first of them counts too.
            tied += if alike == 1 { 2 } else { 1 };
            alike += 1;
        } else {
            alike = 1;
        }
    }
    tied
}

/// A set of hashes that lists use one after the other.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// A hash, and for which list it was put there; a power of two of them.
    slots: Vec<(u64, u64)>,
    list: u64,
}

impl Items {
    fn repeats(&mut self, list: &[Plain]) -> u64 {
        let slots = (2 * list.len()).next_power_of_two();
        if self.slots.len() < slots {
            self.slots = vec![(0, 0); slots];
            self.list = 0;
        }
        self.list += 1;
        let mut repeats = 0;
        for row in list {
            repeats += u64::from(row.item != 0 && !self.insert(row.item, slots - 1));
        }
        repeats
    }

    /// Whether it was not there.
    #[inline(always)]
    fn insert(&mut self, item: u64, mask: usize) -> bool {
        let mut at = item as usize & mask;
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.1 != self.list {
                *slot = (item, self.list);
                return true;
            }
            if slot.0 == item {
                return false;
            }
            at = (at + 1) & mask;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_descend() {
        let infinite = f64::INFINITY;
        let scores = [infinite, f64::MAX, 2.0, 1e-300, 0.0, -1e-300, -2.0, f64::MIN, -infinite, f64::NAN];
        let ranks: Vec<Rank> = scores.into_iter().map(Rank::new).collect();
        assert!(ranks.windows(2).all(|pair| pair[0] < pair[1]), "{ranks:?}");
        assert_eq!(Rank::new(0.0), Rank::new(-0.0));
        assert_eq!(Rank::new(f64::NAN), Rank::NOT_RETRIEVED, "what is no number is no score");
    }

    #[test]
    fn doubts_are_counted() {
        let row = |score: f64, item| Plain { rank: Rank::new(score), gain: 0.0, item };
        let missed = Plain { rank: Rank::NOT_RETRIEVED, ..row(0.0, 1 << 40) };
        let mut items = Items::default();
        let mut list = [row(1.0, 1), row(2.0, 2), row(1.0, 1 + (1 << 20)), missed, missed];
        assert_eq!(rank(&mut list, &mut items), (2, 1), "two share a score, one item comes twice");
        assert_eq!(list[0].item, 2);
        assert_eq!(rank(&mut [row(1.0, 0), row(2.0, 0)], &mut items), (0, 0), "without items none repeats");
        assert_eq!(rank(&mut [row(1.0, 1), row(2.0, 2)], &mut items), (0, 0), "lists do not mix");
        assert_eq!(rank(&mut [], &mut items), (0, 0));
    }

    #[test]
    fn rows_come_back_from_disk() {
        let row = Plain { rank: Rank::new(-1.5), gain: 3.0, item: u64::MAX };
        let mut bytes = Vec::new();
        row.write(&mut bytes).unwrap();
        assert_eq!(Plain::read(&mut bytes.as_slice()).unwrap(), row);
        assert!(Plain::read(&mut &bytes[1..]).is_err(), "cut off");
    }
}
