//! A `score` cell: a snapshot of its rows, their texts through the model lane in stretches, scores
//! appended as they arrive, and at the end every column of the input with the scores beside it.
//! Whatever stops it, the rows that were scored are kept and marked partial.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use arrow::datatypes::{DataType, Field, Schema};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};

use super::inputs::{load_options, need_columns, text_columns};
use super::stretch::{Buffer, Stretch};
use super::table::texts;
use super::{Done, Figures, Stop, Work};
use crate::engine::lanes::dialect::relation_info;
use crate::engine::lanes::live::Live;
use crate::engine::lanes::problems::lane_gone;
use crate::engine::model::cache::Memo;
use crate::engine::model::{
    Dtype, Model, ModelError, ModelInfo, ScoreChunk, ScoreInputs, ScoreOptions, ScoreProgress, ScoreReport,
};
use crate::engine::store::{HIDDEN, Relation, Select};
use crate::notebook::spec::{ScoreSpec, TextInput};
use crate::protocol::{Body, Outcome, Problem, ProblemKind, ScoreSummary};
use crate::util::cancel::Cancel;

/// Rows whose texts are held at a time.
const STRETCH: u64 = 100_000;
/// How long scores may wait before they are appended and seen.
const LATENCY: Duration = Duration::from_millis(200);

pub(super) fn score(work: &Work, spec: &ScoreSpec, live: &mut Live) -> Result<Done, Stop> {
    let names = Names::of(work.cell);
    let scored = prepare(work, spec, &names).and_then(|mut job| {
        let ended = job.run(live);
        job.finish(ended)
    });
    for table in [&names.rows, &names.scores] {
        if let Err(error) = work.connection.drop_cell(table) {
            tracing::warn!("{table} not dropped: {error}");
        }
    }
    scored
}

/// The tables of a scoring job.
pub(in crate::engine::lanes) struct Names {
    pub rows: String,
    pub scores: String,
}

impl Names {
    fn of(cell: &str) -> Self {
        Self { rows: format!("{HIDDEN}{cell}_rows"), scores: format!("{HIDDEN}{cell}_scores") }
    }
}

struct Job<'a> {
    work: &'a Work<'a>,
    spec: &'a ScoreSpec,
    names: &'a Names,
    model: Arc<Model>,
    dtype: Dtype,
    /// Known scores, and what earlier stretches have computed; `None` where neither is to be had.
    memo: Option<Arc<Memo>>,
    /// Rows in the snapshot.
    total: u64,
    schema: Arc<Schema>,
    summary: ScoreSummary,
    began: Instant,
}

fn prepare<'a>(work: &'a Work<'a>, spec: &'a ScoreSpec, names: &'a Names) -> Result<Job<'a>, Stop> {
    work.phase("reading", "rows", 0, None);
    let from = work.connection.describe(&spec.input.from)?;
    need_columns(work, &from, &text_columns(&spec.text))?;
    let select = Select {
        from: spec.input.from.clone(),
        filter: spec.input.filter.clone(),
        order: spec.order.clone(),
        limit: spec.limit,
        columns: None,
    };
    let rows = work.connection.snapshot(&names.rows, &select, &work.workspace.values, work.cancel)?;
    let total = rows.rows.unwrap_or(0);

    work.phase("loading the model", "rows", 0, Some(total));
    let (dir, options) = (work.workspace.locate(&spec.model), load_options(work, spec)?);
    let asked = spec.dtype.as_deref().map(str::parse::<Dtype>).transpose()?;
    let model = work.on_model_lane(move |models| models.get(&dir, &options))??;
    work.cancel.check().map_err(|_| ModelError::from(crate::util::cancel::Cancelled))?;
    let dtype = asked.unwrap_or(model.default_dtype());
    model.check_dtype(dtype)?;

    let columns = columns(work.cell, model.info());
    if let Some(taken) = columns.iter().find(|c| from.columns.iter().any(|f| f.name.eq_ignore_ascii_case(c)))
    {
        let message = format!("{} already has a column {taken}", spec.input.from);
        return Err(work
            .usage(message)
            .hint("rename this cell, or leave the column out in an SQL cell")
            .into());
    }
    let mut fields = vec![Field::new("row", DataType::Int64, false)];
    fields.extend(columns.iter().map(|name| Field::new(name, DataType::Float64, true)));
    let schema = Arc::new(Schema::new(fields));
    work.connection.create_table(&names.scores, &schema)?;
    let info = model.info();
    let summary = ScoreSummary {
        model: info.name.clone(),
        device: info.device.clone(),
        dtype: dtype.to_string(),
        ..ScoreSummary::default()
    };
    // Without a folder a memo only remembers earlier stretches.
    let scores = &work.models.scores;
    let memo = (scores.folder().is_some() || total > STRETCH).then(|| Memo::new(scores));
    Ok(Job { work, spec, names, model, dtype, memo, total, schema, summary, began: Instant::now() })
}

/// `<cell>_score`, and per class `<cell>_score_<label>` where there are several.
fn columns(cell: &str, info: &ModelInfo) -> Vec<String> {
    let mut names = vec![format!("{cell}_score")];
    if info.labels.len() >= 2 {
        for label in &info.labels {
            let mut name = format!("{cell}_score_{label}");
            while names.iter().any(|n| n.eq_ignore_ascii_case(&name)) {
                name.push('_');
            }
            names.push(name);
        }
    }
    names
}

/// What comes back from the model lane.
type Arrived = Receiver<ScoreChunk>;
type Ended = Receiver<Result<Result<ScoreReport, ModelError>, Problem>>;

impl Job<'_> {
    fn run(&mut self, live: &mut Live) -> Result<(), Stop> {
        let mut from = 0;
        while from < self.total {
            let stretch = self.read(from)?;
            self.stretch(stretch, live)?;
            from += STRETCH;
        }
        Ok(())
    }

    fn read(&self, from: u64) -> Result<Stretch, Stop> {
        let wanted = text_columns(&self.spec.text);
        let columns: Vec<String> = wanted.iter().map(|c| (*c).clone()).collect();
        let rows =
            self.work.connection.rows_at(&self.names.rows, &columns, from, STRETCH, self.work.cancel)?;
        let mut found = wanted.iter().map(|column| texts(&rows, column));
        let first = found.next().transpose()?.unwrap_or_default();
        let second = found.next().transpose()?.unwrap_or_default();
        Ok(Stretch { from, first, second })
    }

    /// Scores one stretch through the model lane.
    fn stretch(&mut self, stretch: Stretch, live: &mut Live) -> Result<(), Stop> {
        let from = stretch.from;
        let mut buffer = Buffer::new(self.schema.fields().len() - 1);
        let before = self.done();
        let stop = Cancel::new();
        let progress = Arc::new(ScoreProgress::default());
        let (chunks, ended) = self.start(stretch, &stop, &progress);
        let mut flushed = Instant::now();
        let mut failed: Option<Stop> = None;
        loop {
            if self.work.cancel.is_cancelled() || failed.is_some() {
                stop.cancel();
            }
            match chunks.recv_timeout(Duration::from_millis(20)) {
                Ok(chunk) => buffer.push(from, &chunk),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let tokens = progress.tokens_done.load(Ordering::Relaxed);
            if flushed.elapsed() >= LATENCY && failed.is_none() {
                failed = self.flush(&mut buffer).err();
                flushed = Instant::now();
                self.pace(tokens);
                if failed.is_none() && !self.work.cancel.is_cancelled() && self.done() > before {
                    self.refresh(live);
                }
            }
            self.work.progress("scoring", "rows", self.done(), Some(self.total));
        }
        if failed.is_none() {
            failed = self.flush(&mut buffer).err();
        }
        let report = ended.recv().map_err(|_| lane_gone("model"))?;
        let added = self.add(report);
        failed.map_or(added, Err)
    }

    /// Hands a stretch to the model lane.
    fn start(&self, stretch: Stretch, stop: &Cancel, progress: &Arc<ScoreProgress>) -> (Arrived, Ended) {
        let (arrived, chunks): (Sender<ScoreChunk>, Arrived) = unbounded();
        let (model, stop, progress) = (Arc::clone(&self.model), stop.clone(), Arc::clone(progress));
        let kind = self.spec.text.clone();
        let options = ScoreOptions {
            batch_tokens: self.spec.batch_tokens.unwrap_or(0),
            dtype: self.dtype,
            memo: self.memo.clone(),
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

    fn flush(&mut self, buffer: &mut Buffer) -> Result<(), Stop> {
        if buffer.rows.is_empty() {
            return Ok(());
        }
        self.summary.rows += buffer.rows.len() as u64;
        self.summary.nan += buffer.not_numbers();
        let rows = buffer.take(&self.schema).map_err(|e| Problem::new(ProblemKind::Bug, e.to_string()))?;
        Ok(self.work.connection.append(&self.names.scores, &rows)?)
    }

    fn done(&self) -> u64 {
        self.summary.rows
    }

    /// Tokens per second so far, while it runs.
    fn pace(&mut self, tokens_of_stretch: u64) {
        let tokens = self.summary.tokens + tokens_of_stretch;
        self.summary.tokens_per_second = tokens as f64 / self.began.elapsed().as_secs_f64().max(1e-3);
    }

    fn add(&mut self, report: Result<Result<ScoreReport, ModelError>, Problem>) -> Result<(), Stop> {
        let report = report??;
        self.summary.unique_inputs += report.unique_inputs;
        self.summary.cached_inputs += report.cached_inputs;
        self.summary.cached_rows += report.cached_rows;
        self.summary.empty += report.empty;
        self.summary.tokens += report.tokens;
        self.summary.truncated += report.truncated;
        self.pace(0);
        Ok(())
    }

    fn refresh(&self, live: &mut Live) {
        if !live.due() {
            return;
        }
        let (connection, cancel) = (self.work.connection, self.work.cancel);
        live.refresh(self.work, || {
            let relation =
                connection.arrived_scores(self.work.cell, &self.names.rows, &self.names.scores, cancel)?;
            Ok(self.outcome(&relation, true))
        });
    }

    fn outcome(&self, relation: &Relation, partial: bool) -> Outcome {
        Outcome {
            cell: self.work.cell.to_owned(),
            relation: Some(relation_info(relation, self.work.workspace)),
            elapsed_ms: self.work.elapsed_ms(),
            partial,
            body: Body::Score(self.summary.clone()),
            notes: self.notes(partial),
            ..Outcome::default()
        }
    }

    fn notes(&self, partial: bool) -> Vec<String> {
        let s = &self.summary;
        let mut notes = Vec::new();
        if partial {
            notes.push(format!("{} of {} rows are scored", s.rows, self.total));
        }
        if s.truncated > 0 {
            let limit = self.model.info().max_tokens;
            notes.push(format!("{} inputs are longer than {limit} tokens and were cut", s.truncated));
        }
        if s.empty > 0 {
            notes.push(format!("{} rows have no text: their score is NULL", s.empty));
        }
        if s.nan > 0 {
            notes.push(format!("{} scores are not finite numbers", s.nan));
        }
        notes.extend(self.memo.as_ref().and_then(|memo| memo.trouble()));
        notes
    }

    /// The result of a finished job, or what is left of a stopped one.
    fn finish(&self, ended: Result<(), Stop>) -> Result<Done, Stop> {
        let (connection, names) = (self.work.connection, self.names);
        let Err(mut stop) = ended else {
            let relation =
                connection.join_scores(self.work.cell, &names.rows, &names.scores, self.work.cancel)?;
            let info = relation_info(&relation, self.work.workspace);
            let mut done = Done::new(self.work, Some(info), Figures::of_rows(relation.rows.unwrap_or(0)));
            done.outcome.body = Body::Score(self.summary.clone());
            done.outcome.notes = self.notes(false);
            return Ok(done);
        };
        if stop.problem.kind == ProblemKind::Cancelled && self.done() > 0 {
            // Not under the job's own flag, which is set.
            match connection.arrived_scores(self.work.cell, &names.rows, &names.scores, &Cancel::new()) {
                Ok(relation) => stop.partial = Some(Box::new(self.outcome(&relation, true))),
                Err(error) => tracing::warn!("scored rows not kept: {error}"),
            }
        }
        Err(stop)
    }
}
