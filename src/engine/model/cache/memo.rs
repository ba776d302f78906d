//! What one job knows of the cache: which entries it has met, so that an input that comes again in a
//! later stretch of the job is neither computed nor counted twice. Made per job, shared by its stretches.

use std::sync::Arc;

use parking_lot::Mutex;

use super::ScoreCache;
use super::index::Place;
use super::key::{Key, ShelfId};
use super::record::Entry;
use super::shelf::{Shelf, Written};

/// An entry that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Number of the key in what was asked.
    pub number: usize,
    pub entry: Entry,
    pub origin: Origin,
}

/// Where an entry that was found comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the cache; this job has not met it before.
    Cache,
    /// From the cache; the job has met it before.
    CacheAgain,
    /// The job has computed it itself.
    Job,
}

/// One job's view of a [`ScoreCache`].
#[derive(Debug)]
pub struct Memo {
    cache: Arc<ScoreCache>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    shelf: Option<(ShelfId, Arc<Mutex<Shelf>>)>,
    met: Marks,
    computed: Marks,
}

impl Memo {
    pub fn new(cache: &Arc<ScoreCache>) -> Arc<Self> {
        Arc::new(Self { cache: Arc::clone(cache), state: Mutex::default() })
    }

    /// Begins a piece of the job's work. Another shelf than before makes another job of it.
    pub fn begin(&self, id: &ShelfId) {
        let mut state = self.state.lock();
        if let Some((known, shelf)) = &state.shelf
            && known == id
        {
            shelf.lock().refresh();
            return;
        }
        if let Some((_, shelf)) = &state.shelf {
            shelf.lock().leave();
        }
        let shelf = self.cache.shelf(id);
        *state = State { shelf: Some((id.clone(), shelf)), ..State::default() };
    }

    /// The entries that are known, in no particular order.
    pub fn find(&self, keys: &[Key]) -> Vec<Hit> {
        let state = &mut *self.state.lock();
        let (mut hits, Some((_, shelf))) = (Vec::new(), &state.shelf) else { return Vec::new() };
        shelf.lock().find(keys, |number, place, entry| {
            let origin = match (state.computed.has(place), state.met.mark(place, 1)) {
                (true, _) => Origin::Job,
                (false, true) => Origin::Cache,
                (false, false) => Origin::CacheAgain,
            };
            hits.push(Hit { number, entry, origin });
        });
        hits
    }

    /// Keeps what has been computed.
    pub fn put(&self, key: Key, entry: &Entry) {
        let state = &mut *self.state.lock();
        let Some((_, shelf)) = &state.shelf else { return };
        let written = shelf.lock().put(key, entry);
        state.computed.add(written);
    }

    /// Ends a piece of the job's work, whether it succeeded or not: all is written.
    pub fn rest(&self) {
        let state = &mut *self.state.lock();
        let Some((_, shelf)) = &state.shelf else { return };
        let written = shelf.lock().rest();
        state.computed.add(written);
    }

    /// Of the processes that compute for the shelf now: the place of this one, and how many they are.
    pub fn company(&self) -> (usize, usize) {
        let state = self.state.lock();
        state.shelf.as_ref().map_or((0, 1), |(_, shelf)| shelf.lock().company())
    }

    /// Writes what waits, and takes notice of what others have written.
    pub fn exchange(&self) {
        self.rest();
        if let Some((_, shelf)) = &self.state.lock().shelf {
            shelf.lock().refresh();
        }
    }

    /// A sentence about why the cache does not keep what this job computes.
    pub fn trouble(&self) -> Option<String> {
        let state = self.state.lock();
        let (_, shelf) = state.shelf.as_ref()?;
        shelf.lock().trouble().map(String::from)
    }
}

impl Drop for Memo {
    fn drop(&mut self) {
        if let Some((_, shelf)) = &self.state.get_mut().shelf {
            shelf.lock().leave();
        }
    }
}

/// One bit per entry.
#[derive(Debug, Default)]
struct Marks(Vec<Vec<u64>>);

impl Marks {
    fn has(&self, place: Place) -> bool {
        let words = self.0.get(usize::from(place.segment));
        words
            .and_then(|words| words.get(place.record as usize / 64))
            .is_some_and(|w| w >> (place.record % 64) & 1 == 1)
    }

    /// Marks `count` entries from a place on; whether the first was not marked yet.
    fn mark(&mut self, place: Place, count: u32) -> bool {
        let new = !self.has(place);
        let (segment, end) = (usize::from(place.segment), (place.record + count) as usize);
        if self.0.len() <= segment {
            self.0.resize(segment + 1, Vec::new());
        }
        if let Some(words) = self.0.get_mut(segment) {
            if words.len() * 64 < end {
                words.resize(end.div_ceil(64).max(words.len() * 2), 0);
            }
            for record in place.record as usize..end {
                if let Some(word) = words.get_mut(record / 64) {
                    *word |= 1 << (record % 64);
                }
            }
        }
        new
    }

    fn add(&mut self, written: Option<Written>) {
        if let Some(Written { first, count }) = written {
            self.mark(first, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_kept_per_entry() {
        let mut marks = Marks::default();
        let place = |segment, record| Place { segment, record };
        assert!(marks.mark(place(2, 63), 3));
        let marked: Vec<u32> = (0..200).filter(|record| marks.has(place(2, *record))).collect();
        assert_eq!(marked, [63, 64, 65]);
        assert!(!marks.has(place(1, 63)) && !marks.has(place(9, 0)));
        assert!(!marks.mark(place(2, 65), 1) && marks.mark(place(0, 0), 1));
    }
}
