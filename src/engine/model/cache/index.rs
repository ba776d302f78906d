//! Where the entries of a shelf are: a hash table of eight bytes a slot that holds 28 bits of each
//! key and its place. It only proposes; whoever reads an entry compares the whole key. Pure.

use super::key::Key;

const EMPTY: u64 = u64::MAX;
/// Bits of a record's number within its segment.
const RECORD_BITS: u32 = 24;
/// Bits of a segment's number.
const SEGMENT_BITS: u32 = 12;

/// Most records in one segment.
pub const MOST_RECORDS: u32 = (1 << RECORD_BITS) - 1;
/// Most segments in one shelf; one less than fits, so that no place is [`EMPTY`].
pub const MOST_SEGMENTS: u16 = (1 << SEGMENT_BITS) - 1;

/// Most slots: 256 MB. Eight tenths of them are used, so 26 million entries of a shelf can be found.
const MOST_SLOTS: usize = 1 << 25;

/// An entry's place: segment, then record. In this order they are read from disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub segment: u16,
    pub record: u32,
}

/// Keys to places, several places for one key where two processes computed the same.
#[derive(Debug)]
pub struct Index {
    slots: Vec<u64>,
    used: usize,
    most: usize,
}

impl Default for Index {
    fn default() -> Self {
        Self::with_most(MOST_SLOTS)
    }
}

impl Index {
    fn with_most(most: usize) -> Self {
        Self { slots: vec![EMPTY; 1 << 10], used: 0, most }
    }

    /// Makes room for so many more entries at once, as far as the bound goes.
    pub fn reserve(&mut self, more: usize) {
        let wanted = ((self.used + more) / 4 * 5 + 5).next_power_of_two().min(self.most);
        if wanted > self.slots.len() {
            self.grow(wanted);
        }
    }

    /// `false`: the table is as large as it may be and full; the entry will not be found.
    pub fn insert(&mut self, key: Key, place: Place) -> bool {
        if place.segment >= MOST_SEGMENTS || place.record > MOST_RECORDS {
            return false;
        }
        if (self.used + 1) * 5 > self.slots.len() * 4 {
            if self.slots.len() >= self.most {
                return false;
            }
            self.grow(self.slots.len() * 2);
        }
        let slot = u64::from(key.short()) << (SEGMENT_BITS + RECORD_BITS)
            | u64::from(place.segment) << RECORD_BITS
            | u64::from(place.record);
        put(&mut self.slots, slot);
        self.used += 1;
        true
    }

    /// Places where the key may be; rarely one of another key.
    pub fn places(&self, key: Key) -> impl Iterator<Item = Place> + '_ {
        let (short, mask) = (u64::from(key.short()), self.slots.len() - 1);
        let home = home(short, self.slots.len());
        (0..self.slots.len())
            .map(move |step| self.slots.get((home + step) & mask).copied().unwrap_or(EMPTY))
            .take_while(|slot| *slot != EMPTY)
            .filter(move |slot| slot >> (SEGMENT_BITS + RECORD_BITS) == short)
            .map(|slot| Place {
                segment: (slot >> RECORD_BITS & u64::from(MOST_SEGMENTS)) as u16,
                record: (slot & u64::from(MOST_RECORDS)) as u32,
            })
    }

    fn grow(&mut self, slots: usize) {
        let mut larger = vec![EMPTY; slots];
        self.slots.iter().filter(|slot| **slot != EMPTY).for_each(|slot| put(&mut larger, *slot));
        self.slots = larger;
    }
}

/// The first slot to look at: the key's highest bits.
fn home(short: u64, slots: usize) -> usize {
    (short >> (28 - slots.trailing_zeros())) as usize
}

fn put(slots: &mut [u64], slot: u64) {
    let mask = slots.len() - 1;
    let mut at = home(slot >> (SEGMENT_BITS + RECORD_BITS), slots.len());
    while let Some(taken) = slots.get(at).filter(|taken| **taken != EMPTY) {
        debug_assert_ne!(*taken, EMPTY);
        at = (at + 1) & mask;
    }
    if let Some(free) = slots.get_mut(at) {
        *free = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> Key {
        Key::of(&n.to_string(), None)
    }

    fn place(n: u32) -> Place {
        Place { segment: (n % 7) as u16, record: n }
    }

    #[test]
    fn entries_are_found_through_growth_and_absent_ones_hardly_ever() {
        let mut index = Index::default();
        for n in 0..100_000 {
            assert!(index.insert(key(n), place(n)));
        }
        for n in 0..100_000 {
            assert!(index.places(key(n)).any(|found| found == place(n)), "{n}");
        }
        let wrong = (100_000..200_000).filter(|n| index.places(key(*n)).next().is_some()).count();
        assert!(wrong < 200, "{wrong} of 100000 absent keys were proposed a place");
    }

    #[test]
    fn equal_keys_keep_every_place_and_the_extreme_ones_fit() {
        let mut index = Index::default();
        let last = Place { segment: MOST_SEGMENTS - 1, record: MOST_RECORDS };
        assert!(index.insert(key(1), place(5)) && index.insert(key(1), last));
        assert_eq!(index.places(key(1)).collect::<Vec<_>>(), [place(5), last]);
        assert!(!index.insert(key(1), Place { segment: MOST_SEGMENTS, record: 0 }));
        let ones = Key([0xff; 16]);
        assert!(index.insert(ones, last));
        assert_eq!(index.places(ones).collect::<Vec<_>>(), [last]);
    }

    #[test]
    fn a_full_table_refuses_and_keeps_what_it_has() {
        let mut index = Index::with_most(1 << 11);
        index.reserve(1 << 20);
        let taken = (0..5000).filter(|n| index.insert(key(*n), place(*n))).count();
        assert_eq!(taken, (1 << 11) * 4 / 5);
        assert!((0..taken as u32).all(|n| index.places(key(n)).any(|found| found == place(n))));
    }
}
