//! Counters that another thread may watch while a scoring job runs, and what they stood at. What they
//! say about the time left is `forecast.rs`'s business.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counters of one call, or of a stream of rows.
#[derive(Debug, Default)]
pub struct ScoreProgress {
    pub rows_done: AtomicU64,
    pub rows_total: AtomicU64,
    pub tokens_done: AtomicU64,
    /// Of the rows done: those whose score came from the cache.
    pub rows_cached: AtomicU64,
    /// Rows of which it is known whether the cache has them.
    pub(super) rows_seen: AtomicU64,
    /// Inputs that the model has to compute, each once, and those that it has.
    pub(super) inputs_open: AtomicU64,
    pub(super) inputs_done: AtomicU64,
    pub(super) inputs_cached: AtomicU64,
    /// Inputs that were longer than the model reads, and rows without a text.
    pub(super) truncated: AtomicU64,
    pub(super) empty: AtomicU64,
    /// Text of the inputs to compute, and as much of it as has been tokenised so far.
    pub(super) bytes: AtomicU64,
    pub(super) bytes_sized: AtomicU64,
    pub(super) tokens_sized: AtomicU64,
    /// The model is at work, rather than the cache or nobody.
    pub(super) computing: AtomicBool,
}

/// What the counters stood at.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counted {
    pub rows_done: u64,
    pub rows_cached: u64,
    pub rows_seen: u64,
    pub inputs_open: u64,
    pub inputs_done: u64,
    pub inputs_cached: u64,
    pub truncated: u64,
    pub empty: u64,
    pub bytes: u64,
    pub bytes_sized: u64,
    pub tokens_sized: u64,
    pub tokens_done: u64,
}

impl ScoreProgress {
    pub fn counted(&self) -> Counted {
        // What is done first: read the other way round, a part could be more than its whole.
        let (tokens_done, inputs_done) = (self.tokens_done.load(Relaxed), self.inputs_done.load(Relaxed));
        let (bytes_sized, tokens_sized) = (self.bytes_sized.load(Relaxed), self.tokens_sized.load(Relaxed));
        Counted {
            rows_done: self.rows_done.load(Relaxed),
            rows_cached: self.rows_cached.load(Relaxed),
            inputs_open: self.inputs_open.load(Relaxed),
            inputs_done,
            inputs_cached: self.inputs_cached.load(Relaxed),
            truncated: self.truncated.load(Relaxed),
            empty: self.empty.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            bytes_sized,
            tokens_sized: tokens_sized.max(tokens_done),
            tokens_done,
            rows_seen: self.rows_seen.load(Relaxed),
        }
    }

    pub fn computing(&self) -> bool {
        self.computing.load(Relaxed)
    }

    pub(super) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Relaxed);
    }
}

impl Counted {
    /// Two pieces of one job.
    pub fn and(self, other: Counted) -> Counted {
        Counted {
            rows_done: self.rows_done + other.rows_done,
            rows_cached: self.rows_cached + other.rows_cached,
            rows_seen: self.rows_seen + other.rows_seen,
            inputs_open: self.inputs_open + other.inputs_open,
            inputs_done: self.inputs_done + other.inputs_done,
            inputs_cached: self.inputs_cached + other.inputs_cached,
            truncated: self.truncated + other.truncated,
            empty: self.empty + other.empty,
            bytes: self.bytes + other.bytes,
            bytes_sized: self.bytes_sized + other.bytes_sized,
            tokens_sized: self.tokens_sized + other.tokens_sized,
            tokens_done: self.tokens_done + other.tokens_done,
        }
    }

    /// Of a piece that was stopped: only what it has done, because the rest will be looked at again.
    pub fn stopped(self) -> Counted {
        let share = self.tokens_done as f64 / self.tokens_sized.max(1) as f64;
        let bytes = (self.bytes_sized as f64 * share) as u64;
        Counted {
            rows_seen: self.rows_done,
            inputs_open: self.inputs_done,
            bytes,
            bytes_sized: bytes,
            tokens_sized: self.tokens_done,
            ..self
        }
    }
}
