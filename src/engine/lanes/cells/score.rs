//! A `score` cell: a snapshot of its rows, their texts through the model lane pass by pass (`passes.rs`),
//! scores appended as they arrive, and at the end every column of the input with the scores beside it.
//! Whatever stops it, the rows that were scored are kept and marked partial; held, it stands still and
//! goes on with the rows that are left.

mod course;
mod first;
mod passes;

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};

use super::inputs::{load_options, need_columns, text_columns};
use super::stretch::{Rows, Stretch};
use super::{Done, Ended, Figures, Stop, Work};
use crate::engine::lanes::dialect::relation_info;
use crate::engine::lanes::live::Live;
use crate::engine::model::cache::Memo;
use crate::engine::model::{DeviceNotes, Dtype, Model, ModelError, ModelInfo};
use crate::engine::store::{HIDDEN, Relation, Select};
use crate::notebook::spec::ScoreSpec;
use crate::protocol::{Body, CellState, Outcome, ProblemKind, Progress, ScoreSummary};
use crate::util::cancel::Cancel;
use course::Course;

/// Runs the cell from its beginning, or from where it was held.
pub(super) fn score(
    work: &Work,
    spec: &ScoreSpec,
    live: &mut Live,
    begun: Option<Box<ScoreJob>>,
) -> Result<Ended, Stop> {
    let names = Names::of(work.cell);
    let begun = begun.map_or_else(|| prepare(work, spec, &names).map(Box::new), Ok);
    let ended = begun.and_then(|mut job| {
        let mut scoring = Scoring { work, spec, job: &mut job };
        match scoring.run(live) {
            Ok(Way::Held) => {
                work.state(CellState::Paused(job.told.clone()));
                Ok(Ended::Held(job))
            }
            Ok(Way::Whole) => scoring.finish(Ok(())),
            Err(stop) => scoring.finish(Err(stop)),
        }
    });
    if matches!(ended, Ok(Ended::Held(_))) {
        return ended;
    }
    for table in [&names.rows, &names.scores] {
        if let Err(error) = work.connection.drop_cell(table) {
            tracing::warn!("{table} not dropped: {error}");
        }
    }
    ended
}

/// The tables of a scoring job.
pub(super) struct Names {
    pub rows: String,
    pub scores: String,
}

impl Names {
    fn of(cell: &str) -> Self {
        Self { rows: format!("{HIDDEN}{cell}_rows"), scores: format!("{HIDDEN}{cell}_scores") }
    }
}

/// A scoring job between two passes: what a pause keeps. Its rows and scores lie in tables.
pub(in crate::engine::lanes) struct ScoreJob {
    names: Names,
    model: Arc<Model>,
    dtype: Dtype,
    /// Known scores, and what earlier passes have computed.
    memo: Arc<Memo>,
    /// What the devices went through, over all passes.
    notes: Arc<DeviceNotes>,
    /// Rows in the snapshot, those that are scored, and where the next stretch of the others begins.
    total: u64,
    scored: Rows,
    from: u64,
    /// Scores that are in the cell's partial rows.
    shown: u64,
    /// What is scored before the rest.
    first: Stretch,
    schema: Arc<Schema>,
    summary: ScoreSummary,
    course: Course,
    /// What was told last.
    told: Progress,
}

/// A job at work.
struct Scoring<'a> {
    work: &'a Work<'a>,
    spec: &'a ScoreSpec,
    job: &'a mut ScoreJob,
}

/// How far a job's passes got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Whole,
    Held,
}

fn prepare(work: &Work, spec: &ScoreSpec, names: &Names) -> Result<ScoreJob, Stop> {
    work.phase("reading", "rows", 0, None);
    let from = work.connection.describe(&spec.input.from)?;
    need_columns(work.view(), &from, &text_columns(&spec.text))?;
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
    let (dir, options) = (work.workspace.model_folder(&spec.model)?, load_options(work, spec)?);
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
    // Without a folder a memo only remembers what earlier passes have computed.
    let memo = Memo::new(&work.models.scores);
    let first = first::rows(work, spec, names);
    Ok(ScoreJob {
        names: Names::of(work.cell),
        model,
        dtype,
        memo,
        notes: Arc::default(),
        total,
        scored: Rows::default(),
        from: 0,
        shown: 0,
        first,
        schema,
        summary,
        course: Course::default(),
        told: Progress::default(),
    })
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

impl Scoring<'_> {
    fn outcome(&self, relation: &Relation, partial: bool) -> Outcome {
        Outcome {
            cell: self.work.cell.to_owned(),
            relation: Some(relation_info(relation, self.work.workspace)),
            elapsed_ms: self.work.elapsed_ms(),
            partial,
            body: Body::Score(self.job.summary.clone()),
            notes: self.notes(partial),
            ..Outcome::default()
        }
    }

    fn notes(&self, partial: bool) -> Vec<String> {
        let s = &self.job.summary;
        let mut notes = Vec::new();
        if partial {
            notes.push(format!("{} of {} rows are scored", s.rows, self.job.total));
        }
        if s.truncated > 0 {
            let limit = self.job.model.info().max_tokens;
            notes.push(format!("{} inputs are longer than {limit} tokens and were cut", s.truncated));
        }
        if s.empty > 0 {
            notes.push(format!("{} rows have no text: their score is NULL", s.empty));
        }
        if s.nan > 0 {
            notes.push(format!("{} scores are not finite numbers", s.nan));
        }
        notes.extend(self.job.model.info().notes.iter().cloned());
        notes.extend(self.job.notes.lines());
        notes.extend(self.job.memo.trouble());
        notes
    }

    /// The result of a finished job, or what is left of a stopped one.
    fn finish(&self, ended: Result<(), Stop>) -> Result<Ended, Stop> {
        let (connection, names) = (self.work.connection, &self.job.names);
        let Err(mut stop) = ended else {
            let relation =
                connection.join_scores(self.work.cell, &names.rows, &names.scores, self.work.cancel)?;
            let info = relation_info(&relation, self.work.workspace);
            let mut done = Done::new(self.work, Some(info), Figures::of_rows(relation.rows.unwrap_or(0)));
            done.outcome.body = Body::Score(self.job.summary.clone());
            done.outcome.notes = self.notes(false);
            return Ok(Ended::Done(Box::new(done)));
        };
        // A device that fails leaves rows behind, as a stop does.
        let kept = matches!(stop.problem.kind, ProblemKind::Cancelled | ProblemKind::Resource);
        if kept && self.done() > 0 {
            // Not under the job's own flag, which is set.
            match connection.arrived_scores(self.work.cell, &names.rows, &names.scores, 0, &Cancel::new()) {
                Ok(relation) => stop.partial = Some(Box::new(self.outcome(&relation, true))),
                Err(error) => tracing::warn!("scored rows not kept: {error}"),
            }
        }
        Err(stop)
    }
}
