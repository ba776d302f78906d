//! The passes of a scoring job: first the rows that somebody looks at, then the rest in stretches; each
//! goes to the model lane, its scores come back in chunks. Stopped or held, a pass is let go within a
//! batch; what was held is picked up with the rows that are left.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use super::super::Stop;
use super::super::inputs::text_columns;
use super::super::stretch::{Buffer, Stretch};
use super::super::table::texts;
use super::{Scoring, Way};
use crate::engine::lanes::live::Live;
use crate::engine::lanes::problems::lane_gone;
use crate::engine::model::{ModelError, ScoreChunk, ScoreInputs, ScoreOptions, ScoreProgress, ScoreReport};
use crate::notebook::spec::TextInput;
use crate::protocol::{Problem, ProblemKind, Progress};
use crate::util::cancel::Cancel;

/// Rows whose texts are held at a time.
const STRETCH: u64 = 100_000;
/// How long scores may wait before they are appended and seen.
const LATENCY: Duration = Duration::from_millis(200);
/// How long the wait for a chunk lasts before flags are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What comes back from the model lane.
type Arrived = Receiver<ScoreChunk>;
type Ended = Receiver<Result<Result<ScoreReport, ModelError>, Problem>>;

/// A pass as it runs.
struct Pass {
    rows: Arc<Vec<u64>>,
    buffer: Buffer,
    stop: Cancel,
    progress: Arc<ScoreProgress>,
    flushed: Instant,
}

impl Scoring<'_> {
    /// Scores what is left, until it is done, held, or something stops it.
    pub(super) fn run(&mut self, live: &mut Live) -> Result<Way, Stop> {
        // Other cells may have run since it was held, and what is below counts from the first row again.
        self.job.shown = 0;
        let first = std::mem::take(&mut self.job.first);
        if !first.rows.is_empty() {
            let way = self.pass(first, live)?;
            self.refresh(live, false);
            if way == Way::Held {
                return Ok(way);
            }
        }
        while self.job.from < self.job.total {
            let stretch = self.read(self.job.from)?;
            if !stretch.rows.is_empty() && self.pass(stretch, live)? == Way::Held {
                self.refresh(live, true);
                return Ok(Way::Held);
            }
            self.job.from += STRETCH;
        }
        Ok(Way::Whole)
    }

    fn read(&self, from: u64) -> Result<Stretch, Stop> {
        let wanted = text_columns(&self.spec.text);
        let columns: Vec<String> = wanted.iter().map(|c| (*c).clone()).collect();
        let (connection, names) = (self.work.connection, &self.job.names);
        let rows = connection.rows_at(&names.rows, &columns, from, STRETCH, self.work.cancel)?;
        let mut found = wanted.iter().map(|column| texts(&rows, column));
        let first = found.next().transpose()?.unwrap_or_default();
        let second = found.next().transpose()?.unwrap_or_default();
        Ok(Stretch::of(from, first, second, &self.job.scored))
    }

    /// Scores some rows through the model lane.
    fn pass(&mut self, stretch: Stretch, live: &mut Live) -> Result<Way, Stop> {
        let mut pass = Pass {
            rows: Arc::clone(&stretch.rows),
            buffer: Buffer::new(self.job.schema.fields().len() - 1),
            stop: Cancel::new(),
            progress: Arc::new(ScoreProgress::default()),
            flushed: Instant::now(),
        };
        let (chunks, ended) = self.start(stretch, &pass.stop, &pass.progress);
        let before = self.done();
        self.job.course.tick(Instant::now(), &pass.progress);
        let mut failed: Option<Stop> = None;
        loop {
            if self.work.cancel.is_cancelled() || self.work.hold.is_set() || failed.is_some() {
                pass.stop.cancel();
            }
            match chunks.recv_timeout(LOOK) {
                Ok(chunk) => self.take(&chunk, &mut pass),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.job.course.tick(Instant::now(), &pass.progress);
            if pass.flushed.elapsed() >= LATENCY && failed.is_none() {
                failed = self.flush(&mut pass).err();
                if failed.is_none() && !pass.stop.is_cancelled() && self.done() > before && live.due() {
                    self.refresh(live, true);
                }
            }
            if self.work.is_due() {
                self.tell(&pass.progress);
            }
        }
        if failed.is_none() {
            failed = self.flush(&mut pass).err();
        }
        let report = ended.recv().map_err(|_| lane_gone("model"))?;
        self.end(&pass, report, failed)
    }

    /// What has become of a pass that has ended.
    fn end(
        &mut self,
        pass: &Pass,
        report: Result<Result<ScoreReport, ModelError>, Problem>,
        failed: Option<Stop>,
    ) -> Result<Way, Stop> {
        let whole = matches!(report, Ok(Ok(_)));
        self.job.course.end_pass(Instant::now(), &pass.progress, whole);
        self.sum(&ScoreProgress::default());
        if let Some(failed) = failed {
            return Err(failed);
        }
        match report? {
            Ok(_) => Ok(Way::Whole),
            Err(error) if error.is_cancelled() && !self.work.cancel.is_cancelled() => {
                self.job.told = self.progress(&ScoreProgress::default());
                Ok(Way::Held)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn take(&mut self, chunk: &ScoreChunk, pass: &mut Pass) {
        for row in chunk.rows.iter().filter_map(|row| pass.rows.get(*row)) {
            self.job.scored.add(*row);
        }
        pass.buffer.push(&pass.rows, chunk);
    }

    /// Hands a stretch to the model lane.
    fn start(&self, stretch: Stretch, stop: &Cancel, progress: &Arc<ScoreProgress>) -> (Arrived, Ended) {
        let (arrived, chunks): (Sender<ScoreChunk>, Arrived) = unbounded();
        let (model, stop, progress) = (Arc::clone(&self.job.model), stop.clone(), Arc::clone(progress));
        let kind = self.spec.text.clone();
        let options = ScoreOptions {
            batch_tokens: self.spec.batch_tokens.unwrap_or(0),
            dtype: self.job.dtype,
            memo: Some(Arc::clone(&self.job.memo)),
            notes: Arc::clone(&self.job.notes),
            ..ScoreOptions::default()
        };
        let ended = self.work.models.run(move |_| {
            let inputs = match kind {
                TextInput::Text(_) => ScoreInputs::Text(&stretch.first),
                TextInput::Pair(..) => ScoreInputs::Pair(&stretch.first, &stretch.second),
                TextInput::Embed(..) => ScoreInputs::Embed(&stretch.first, &stretch.second),
            };
            model.score(&inputs, &options, &stop, &progress, |chunk| {
                // Nobody listens only when the job has failed, and then `stop` is set.
                let _ = arrived.send(chunk);
                Ok(())
            })
        });
        (chunks, ended)
    }

    fn flush(&mut self, pass: &mut Pass) -> Result<(), Stop> {
        pass.flushed = Instant::now();
        let buffer = &mut pass.buffer;
        if !buffer.rows.is_empty() {
            self.job.summary.rows += buffer.rows.len() as u64;
            self.job.summary.nan += buffer.not_numbers();
            let rows = buffer.take(&self.job.schema);
            let rows = rows.map_err(|e| Problem::new(ProblemKind::Bug, e.to_string()))?;
            self.work.connection.append(&self.job.names.scores, &rows)?;
        }
        self.sum(&pass.progress);
        Ok(())
    }

    pub(super) fn done(&self) -> u64 {
        self.job.summary.rows
    }

    /// The summary as the counters stand.
    fn sum(&mut self, pass: &ScoreProgress) {
        let (counted, seconds) = (self.job.course.counted(pass), self.job.course.spent.as_secs_f64());
        let summary = &mut self.job.summary;
        summary.unique_inputs = counted.inputs_done + counted.inputs_cached;
        summary.cached_inputs = counted.inputs_cached;
        summary.cached_rows = counted.rows_cached;
        summary.empty = counted.empty;
        summary.tokens = counted.tokens_done;
        summary.truncated = counted.truncated;
        summary.tokens_per_second = counted.tokens_done as f64 / seconds.max(1e-3);
    }

    fn progress(&self, pass: &ScoreProgress) -> Progress {
        let job = &self.job;
        let (device, dtype) = (&job.summary.device, &job.summary.dtype);
        let told = job.course.progress(pass, (self.done(), job.total), device, dtype);
        Progress { elapsed_ms: self.work.elapsed_ms(), ..told }
    }

    fn tell(&mut self, pass: &ScoreProgress) {
        self.job.told = self.progress(pass);
        self.work.running(self.job.told.clone());
    }

    /// Makes partial rows of what has arrived, where live tables are wanted; `below`: and of what is
    /// made of them.
    fn refresh(&mut self, live: &mut Live, below: bool) {
        if !live.is_on() || self.done() == 0 || self.work.cancel.is_cancelled() {
            return;
        }
        let (work, names, shown) = (self.work, &self.job.names, self.job.shown);
        let arrived = || {
            let (rows, scores) = (&names.rows, &names.scores);
            let relation = work.connection.arrived_scores(work.cell, rows, scores, shown, work.cancel)?;
            Ok(self.outcome(&relation, true))
        };
        let made = match below {
            true => live.refresh(work, arrived),
            false => live.show(work, arrived),
        };
        if made {
            self.job.shown = self.done();
        }
    }
}
