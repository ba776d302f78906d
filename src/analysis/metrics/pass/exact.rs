//! Rows of lists in which scores are tied or items come more than once, with all that decides then.
//! The order is that of `metrics/unique` and `metrics/ranked`, which judge this one in tests.

use std::cmp::{Ordering, Reverse};
use std::io::{Error, Read, Result, Write};

use compact_str::CompactString;

use super::row::{Rank, Row, number};

/// No item.
const NOTHING: u64 = u64::MAX;

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Exact {
    pub rank: Rank,
    /// NaN: not judged.
    pub gain: f64,
    pub item: Option<CompactString>,
    pub label: Option<bool>,
    /// What breaks ties before items do: the logged position, best first.
    pub place: Place,
    /// And what breaks them in the end: appearance.
    pub seq: u64,
}

/// A position, ascending; none comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place(Reverse<Rank>);

impl Default for Place {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Place {
    pub fn new(position: Option<f64>) -> Self {
        // To the database NaN is the greatest number, but less than nothing.
        Self(Reverse(match position {
            None => Rank::from_bits(0),
            Some(position) if position.is_nan() => Rank::from_bits(1),
            Some(position) => Rank::of(position),
        }))
    }
}

impl Row for Exact {
    fn write(&self, to: &mut impl Write) -> Result<()> {
        let length = self.item.as_ref().map_or(NOTHING, |item| item.len() as u64);
        let label = self.label.map_or(NOTHING, u64::from);
        let (rank, gain, place) = (self.rank.to_bits(), self.gain.to_bits(), self.place.0.0.to_bits());
        let numbers = [rank, gain, label, place, self.seq, length].map(u64::to_le_bytes);
        to.write_all(numbers.as_flattened())?;
        to.write_all(self.item.as_deref().unwrap_or_default().as_bytes())
    }

    fn read(from: &mut impl Read) -> Result<Self> {
        let (rank, gain, label) = (number(from)?, number(from)?, number(from)?);
        let (place, seq) = (number(from)?, number(from)?);
        let item = match number(from)? {
            NOTHING => None,
            length => {
                let mut item = vec![0; length as usize];
                from.read_exact(&mut item)?;
                Some(CompactString::from_utf8(item).map_err(Error::other)?)
            }
        };
        let place = Place(Reverse(Rank::from_bits(place)));
        let label = (label != NOTHING).then_some(label == 1);
        Ok(Self { rank: Rank::from_bits(rank), gain: f64::from_bits(gain), item, label, place, seq })
    }
}

/// Ranks rows of different items. `by_item`: ties are broken by the item, descending.
pub(super) fn rank(list: &mut [Exact], by_item: bool) {
    list.sort_unstable_by(|a, b| {
        let place = a.rank.cmp(&b.rank).then(a.place.cmp(&b.place));
        let item = || if by_item { b.item.cmp(&a.item) } else { Ordering::Equal };
        place.then_with(item).then(a.seq.cmp(&b.seq))
    });
}

/// Puts the best row of each item first, in no order, and says how many these are; rows without an item
/// all stay.
pub(super) fn distinct(list: &mut [Exact]) -> usize {
    list.sort_unstable_by(|a, b| a.item.cmp(&b.item).then_with(|| better(a, b)));
    let mut kept = 0;
    for at in 0..list.len() {
        let copy = kept > 0 && list[at].item.is_some() && list[at].item == list[kept - 1].item;
        if !copy {
            list.swap(kept, at);
            kept += 1;
        }
    }
    kept
}

/// Which of an item's rows stays: the first.
fn better(a: &Exact, b: &Exact) -> Ordering {
    let gain = |row: &Exact| if row.gain.is_nan() { f64::NEG_INFINITY } else { row.gain };
    let place = a.rank.cmp(&b.rank).then(a.place.cmp(&b.place));
    place.then_with(|| gain(b).total_cmp(&gain(a))).then(b.label.cmp(&a.label)).then(a.seq.cmp(&b.seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(score: f64, item: &str, gain: f64) -> Exact {
        let item = (!item.is_empty()).then(|| item.into());
        Exact { rank: Rank::new(score), gain, item, ..Exact::default() }
    }

    fn gains(list: &[Exact]) -> Vec<f64> {
        list.iter().map(|row| row.gain).collect()
    }

    #[test]
    fn copies_go_and_ties_are_broken() {
        let mut list = [row(1.0, "a", 1.0), row(1.0, "c", 2.0), row(3.0, "b", 3.0), row(1.0, "b", 9.0)];
        assert_eq!(distinct(&mut list), 3);
        rank(&mut list[..3], true);
        assert_eq!(gains(&list[..3]), [3.0, 2.0, 1.0], "the better copy of b; c before a");
        let mut copies = [row(1.0, "a", 1.0), row(1.0, "a", 2.0), row(1.0, "a", f64::NAN)];
        assert_eq!(distinct(&mut copies), 1);
        assert_eq!(copies[0].gain, 2.0, "of equal ones the one that is worth most");
        let mut clicked = [row(1.0, "a", 1.0), row(1.0, "a", 1.0), row(1.0, "a", 1.0)];
        (clicked[1].label, clicked[2].label) = (Some(true), Some(false));
        (clicked[1].seq, clicked[2].seq) = (9, 3);
        distinct(&mut clicked);
        assert_eq!(clicked[0].seq, 9, "then the one with the label");
        let mut nameless = [row(1.0, "", 1.0), row(1.0, "", 2.0), row(1.0, "a", 3.0)];
        (nameless[0].seq, nameless[1].seq) = (7, 3);
        assert_eq!(distinct(&mut nameless), 3);
        rank(&mut nameless, true);
        assert_eq!(gains(&nameless), [3.0, 2.0, 1.0], "rows without an item all stay, last, as they came");
        assert_eq!(distinct(&mut []), 0);
    }

    #[test]
    fn positions_come_before_appearance() {
        let mut list = [row(1.0, "a", 1.0), row(1.0, "b", 2.0), row(1.0, "c", 3.0), row(1.0, "d", 4.0)];
        for (row, place) in list.iter_mut().zip([None, Some(2.0), Some(f64::NAN), Some(-1.0)]) {
            row.place = Place::new(place);
        }
        rank(&mut list, false);
        assert_eq!(gains(&list), [4.0, 2.0, 3.0, 1.0]);
    }

    #[test]
    fn rows_come_back_from_disk() {
        let clicked =
            Exact { label: Some(false), seq: 7, place: Place::new(Some(2.0)), ..row(1.0, "a", 1.0) };
        for row in [row(-1.5, "商品", 3.0), row(f64::NAN, "", 0.0), clicked] {
            let mut bytes = Vec::new();
            row.write(&mut bytes).unwrap();
            assert_eq!(Exact::read(&mut bytes.as_slice()).unwrap(), row);
        }
    }
}
