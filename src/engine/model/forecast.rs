//! How much a scoring job has left, and for how long: from tokens, because inputs run longest first
//! and known ones not at all, so that rows per second lie. Pure; clocks are the caller's.

use std::collections::VecDeque;
use std::time::Duration;

use super::progress::Counted;

/// How far back the speed looks: long enough for big batches, short enough to follow a busy machine.
const WINDOW: Duration = Duration::from_secs(15);
/// Two samples of the speed lie at least so far apart.
const GRAIN: Duration = Duration::from_millis(100);
/// Bytes per token before any text was tokenised.
const BYTES_PER_TOKEN: f64 = 4.0;

/// What is left of a job, as far as can be told.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Forecast {
    pub inputs_total: u64,
    pub tokens_total: u64,
    /// Not every text has been tokenised: totals and time are estimates.
    pub estimated: bool,
    /// `None` while there is no speed to go by.
    pub left: Option<Duration>,
}

/// `seen`: what has been looked at, of `rows_ahead` further rows is known how many they are only. They
/// are taken to be like `like`: as many inputs that are new and unknown, of that length.
pub fn forecast(seen: &Counted, like: &Counted, rows_ahead: u64, tokens_per_second: f64) -> Forecast {
    let ahead = |part: u64| rows_ahead as f64 * part as f64 / like.rows_seen.max(1) as f64;
    let tokens_per_byte = match seen.bytes_sized {
        0 => 1.0 / BYTES_PER_TOKEN,
        bytes => seen.tokens_sized as f64 / bytes as f64,
    };
    let unsized_bytes = seen.bytes.saturating_sub(seen.bytes_sized) as f64 + ahead(like.bytes);
    let tokens_total = seen.tokens_sized + (unsized_bytes * tokens_per_byte).round() as u64;
    let tokens_left = tokens_total.saturating_sub(seen.tokens_done) as f64;
    // Of rows that nobody has looked at, nothing is known before others were.
    let known = rows_ahead == 0 || like.rows_seen > 0;
    let left = (known && tokens_per_second > 0.0).then(|| tokens_left / tokens_per_second);
    Forecast {
        inputs_total: seen.inputs_open + ahead(like.inputs_open).round() as u64,
        tokens_total,
        estimated: rows_ahead > 0 || unsized_bytes > 0.0,
        left: left.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    }
}

/// Tokens per second of computing. Its clock stands while nothing is computed: loading, looking up
/// what is known and pauses slow nothing down.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    clock: Duration,
    /// When on that clock how many tokens were done; the first when the first batch had come, because
    /// that one waits for weights to be made ready.
    samples: VecDeque<(Duration, u64)>,
    latest: u64,
}

impl Meter {
    /// `passed`: time of computing since the last call; `tokens`: of the whole job.
    pub fn tell(&mut self, passed: Duration, tokens: u64) {
        self.clock += passed;
        self.latest = tokens;
        let due = self.samples.back().is_none_or(|(at, _)| self.clock >= *at + GRAIN);
        if tokens > 0 && due {
            self.samples.push_back((self.clock, tokens));
        }
        // One sample from before the window stays: the speed is that since then.
        while self.samples.get(1).is_some_and(|(at, _)| self.clock >= *at + WINDOW) {
            self.samples.pop_front();
        }
    }

    /// 0 until a second batch has come.
    pub fn per_second(&self) -> f64 {
        let Some((at, tokens)) = self.samples.front() else { return 0.0 };
        let seconds = self.clock.saturating_sub(*at).as_secs_f64();
        if seconds > 0.0 { self.latest.saturating_sub(*tokens) as f64 / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn seen() -> Counted {
        Counted {
            rows_done: 900,
            rows_seen: 1_000,
            inputs_open: 200,
            inputs_done: 120,
            bytes: 8_000,
            bytes_sized: 8_000,
            tokens_sized: 2_000,
            tokens_done: 1_500,
            ..Counted::default()
        }
    }

    #[test]
    fn the_time_left_is_that_of_the_tokens_left() {
        let found = forecast(&seen(), &seen(), 0, 100.0);
        assert_eq!((found.tokens_total, found.inputs_total, found.estimated), (2_000, 200, false));
        // Nine rows of ten are done, but a quarter of the tokens is not.
        assert_eq!(found.left, Some(5 * SECOND));
        assert_eq!(forecast(&seen(), &seen(), 0, 0.0).left, None);
    }

    #[test]
    fn texts_that_are_not_tokenised_count_by_their_bytes_and_say_so() {
        let half = Counted { bytes: 16_000, ..seen() };
        let found = forecast(&half, &half, 0, 100.0);
        assert_eq!((found.tokens_total, found.estimated), (4_000, true));
        assert_eq!(found.left, Some(25 * SECOND));
        let none = Counted { bytes: 400, ..Counted::default() };
        assert_eq!(forecast(&none, &none, 0, 10.0).tokens_total, 100, "before the first: four bytes each");
    }

    #[test]
    fn rows_ahead_are_like_those_that_were_looked_at() {
        let found = forecast(&seen(), &seen(), 3_000, 100.0);
        assert_eq!((found.tokens_total, found.inputs_total, found.estimated), (8_000, 800, true));
        assert_eq!(found.left, Some(65 * SECOND));
        // Everything so far was in the cache: so may be the rest.
        let known = Counted { rows_seen: 1_000, rows_done: 1_000, rows_cached: 1_000, ..Counted::default() };
        assert_eq!(forecast(&known, &known, 5_000, 100.0).left, Some(Duration::ZERO));
        let blind = Counted::default();
        assert_eq!(forecast(&blind, &blind, 5_000, 100.0).left, None);
    }

    #[test]
    fn what_a_stopped_piece_left_undone_is_not_counted_twice() {
        let stopped = seen().stopped();
        assert_eq!((stopped.rows_seen, stopped.inputs_open, stopped.tokens_sized), (900, 120, 1_500));
        assert_eq!((stopped.bytes, stopped.bytes_sized), (6_000, 6_000));
        let rest = Counted { bytes: 2_000, rows_seen: 100, inputs_open: 80, ..Counted::default() };
        let found = forecast(&stopped.and(rest), &rest, 0, 100.0);
        assert_eq!((found.tokens_total, found.inputs_total), (2_000, 200));
    }

    #[test]
    fn the_speed_begins_with_the_first_batch_and_forgets_what_was_long_ago() {
        let mut meter = Meter::default();
        meter.tell(3 * SECOND, 0);
        meter.tell(SECOND, 500);
        assert_eq!(meter.per_second(), 0.0, "the first batch waited for the weights");
        meter.tell(SECOND, 700);
        assert_eq!(meter.per_second(), 200.0);
        // A pause: no time of computing passes.
        meter.tell(Duration::ZERO, 700);
        assert_eq!(meter.per_second(), 200.0);
        for second in 1..=40 {
            meter.tell(SECOND, 700 + second * 50);
        }
        assert_eq!(meter.per_second(), 50.0);
    }
}
