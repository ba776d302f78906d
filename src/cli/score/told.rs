//! The line that tells how far `recscope score` is, in the words of the screen. Nothing here computes
//! or writes to the terminal.

use std::time::{Duration, Instant};

use crate::engine::model::{Meter, ScoreProgress, ScoreReport, forecast};
use crate::protocol::{Progress, Scoring};
use crate::util::memory::resident_bytes;

/// Columns of the line, behind its first word.
const LINE: usize = 90;

pub(super) struct Told<'a> {
    /// Rows of the input, where it is known without reading them.
    total: Option<u64>,
    /// The device's name and the number type.
    device: &'a (String, String),
    began: Instant,
    /// Time that the model has computed for, up to the last line.
    computed: Duration,
    meter: Meter,
}

impl<'a> Told<'a> {
    pub(super) fn new(total: Option<u64>, device: &'a (String, String)) -> Self {
        Self { total, device, began: Instant::now(), computed: Duration::ZERO, meter: Meter::default() }
    }

    /// The next line.
    pub(super) fn line(&mut self, progress: &ScoreProgress, report: &ScoreReport) -> String {
        let computed = Duration::try_from_secs_f64(report.seconds).unwrap_or_default();
        self.meter.tell(computed.saturating_sub(self.computed), report.tokens);
        self.computed = computed;
        let told = self.progress(progress, report);
        format!("scoring: {}", told.words(LINE, |words| words.chars().count()))
    }

    /// Rows to come are taken to be like those that came.
    fn progress(&self, progress: &ScoreProgress, report: &ScoreReport) -> Progress {
        let counted = progress.counted();
        let tokens_per_second = self.meter.per_second();
        let ahead = self.total.map(|total| total.saturating_sub(counted.rows_seen));
        let left =
            ahead.map(|ahead| forecast(&counted, &counted, ahead, tokens_per_second)).unwrap_or_default();
        let (device, dtype) = self.device.clone();
        let scoring = Scoring {
            inputs_done: counted.inputs_done,
            inputs_total: left.inputs_total,
            rows_cached: counted.rows_cached,
            inputs_cached: counted.inputs_cached,
            tokens_done: counted.tokens_done,
            tokens_total: left.tokens_total,
            estimated: left.estimated,
            tokens_per_second,
            device,
            dtype,
            rss_bytes: resident_bytes().unwrap_or(0),
        };
        Progress {
            done: report.rows,
            total: self.total,
            unit: "rows".into(),
            elapsed_ms: self.began.elapsed().as_millis() as u64,
            eta_ms: left.left.map(|left| left.as_millis() as u64),
            scoring: Some(Box::new(scoring)),
            ..Progress::default()
        }
    }
}
