//! How a scoring job goes: what its passes have counted, how fast it computes, how long it has left.
//! No lane and no connection here.

use std::time::{Duration, Instant};

use crate::engine::model::{Counted, Meter, ScoreProgress, forecast};
use crate::protocol::{Progress, Scoring};
use crate::util::memory::resident_bytes;

#[derive(Default)]
pub(super) struct Course {
    /// Passes that have ended.
    before: Counted,
    /// What rows that nobody has looked at are taken to be like: the latest pass.
    like: Counted,
    meter: Meter,
    /// Time between the first row and now, pauses left out.
    pub spent: Duration,
    /// When it was last looked at, and whether the model computed then. `None`: it stands.
    looked: Option<(Instant, bool)>,
}

impl Course {
    /// Looks at a pass that runs.
    pub fn tick(&mut self, now: Instant, pass: &ScoreProgress) {
        let computing = pass.computing();
        if let Some((at, computed)) = self.looked {
            let passed = now.saturating_duration_since(at);
            self.spent += passed;
            let passed = if computing || computed { passed } else { Duration::ZERO };
            self.meter.tell(passed, self.before.tokens_done + pass.counted().tokens_done);
        }
        self.looked = Some((now, computing));
    }

    /// A pass has ended; `whole`: it was not stopped.
    pub fn end_pass(&mut self, now: Instant, pass: &ScoreProgress, whole: bool) {
        self.tick(now, pass);
        self.looked = None;
        let counted = pass.counted();
        let counted = if whole { counted } else { counted.stopped() };
        if counted.rows_seen > 0 {
            self.like = counted;
        }
        self.before = self.before.and(counted);
    }

    /// Counted so far, the pass that runs included.
    pub fn counted(&self, pass: &ScoreProgress) -> Counted {
        self.before.and(pass.counted())
    }

    /// What is told of it. `rows`: done, and in all.
    pub fn progress(&self, pass: &ScoreProgress, rows: (u64, u64), device: &str, dtype: &str) -> Progress {
        let (counted, (done, total)) = (pass.counted(), rows);
        let seen = self.before.and(counted);
        let like = if counted.rows_seen > 0 { counted } else { self.like };
        let tokens_per_second = self.meter.per_second();
        let left = forecast(&seen, &like, total.saturating_sub(seen.rows_seen), tokens_per_second);
        let scoring = Scoring {
            inputs_done: seen.inputs_done,
            inputs_total: left.inputs_total,
            rows_cached: seen.rows_cached,
            inputs_cached: seen.inputs_cached,
            tokens_done: seen.tokens_done,
            tokens_total: left.tokens_total,
            estimated: left.estimated,
            tokens_per_second,
            device: device.to_owned(),
            dtype: dtype.to_owned(),
            rss_bytes: resident_bytes().unwrap_or(0),
        };
        let seconds = self.spent.as_secs_f64();
        Progress {
            done,
            total: Some(total),
            unit: "rows".into(),
            per_second: if seconds > 0.0 { done as f64 / seconds } else { 0.0 },
            eta_ms: left.left.map(|left| left.as_millis() as u64),
            phase: "scoring".into(),
            scoring: Some(Box::new(scoring)),
            ..Progress::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_that_it_stands_is_no_time() {
        let (mut course, pass) = (Course::default(), ScoreProgress::default());
        let began = Instant::now();
        let at = |seconds| began + Duration::from_secs(seconds);
        course.tick(at(0), &pass);
        course.end_pass(at(2), &pass, false);
        // Held for an hour.
        course.tick(at(3_602), &pass);
        course.end_pass(at(3_605), &pass, true);
        assert_eq!(course.spent, Duration::from_secs(5));
    }

    #[test]
    fn device_number_type_and_memory_are_told_before_there_is_a_speed() {
        let told = Course::default().progress(&ScoreProgress::default(), (0, 40), "cuda:1", "f16");
        assert_eq!((told.done, told.total, told.eta_ms), (0, Some(40), None));
        let scoring = told.scoring.unwrap();
        assert_eq!((scoring.device.as_str(), scoring.dtype.as_str()), ("cuda:1", "f16"));
        assert!(scoring.estimated && scoring.rss_bytes > 1 << 20);
    }
}
