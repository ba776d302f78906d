//! A `train` cell: labelled rows become examples, the trainer writes a model folder, each epoch is a
//! row of the result.

mod aim;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Float64Array, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use crossbeam_channel::{RecvTimeoutError, unbounded};

use aim::Aim;

use super::inputs::{device, need_columns, text_columns};
use super::table::{keep, texts};
use super::{Done, Figures, Known, Stop, Work};
use crate::engine::lanes::checks::evaluate;
use crate::engine::lanes::outputs;
use crate::engine::lanes::problems::lane_gone;
use crate::engine::model::train::{
    ClassFigures, Epoch, Example, Objective, TrainEvent, TrainJob, TrainOptions, train as fit,
};
use crate::engine::store::{HIDDEN, Select};
use crate::notebook::spec::{DevSplit, TextInput, TrainSpec};
use crate::protocol::{
    Body, CellState, ClassReport, EpochReport, Outcome, Problem, ProblemKind, TrainReport,
};

/// Classes whose figures stand in a note.
const CLASSES_TOLD: usize = 8;

/// A labelled row before its label has a number.
pub(super) struct Labelled {
    pub query: String,
    pub text: Option<String>,
    pub label: String,
    /// What keeps rows together when a share is split off: the query where there is one.
    group: u64,
}

pub(super) fn train(work: &Work, spec: &TrainSpec, known: &dyn Known) -> Result<Done, Stop> {
    work.phase("reading", "rows", 0, None);
    let out = place(work, spec)?;
    if matches!(spec.text, TextInput::Embed(..)) {
        return Err(work.usage("a train cell reads `pair` or `text`, not `embed`").into());
    }
    let mut unlabelled = 0;
    let (rows, dev) = split(work, spec, &mut unlabelled)?;
    let labels = match &spec.labels {
        Some(labels) => labels.clone(),
        None => labels_of(rows.iter().chain(&dev)),
    };
    let aim = Aim::of(work, spec, labels)?;
    let examples = |rows: Vec<Labelled>| -> Result<Vec<Example>, Problem> {
        rows.into_iter().map(|row| aim.example(work, row)).collect()
    };
    let (rows, dev) = (examples(rows)?, examples(dev)?);
    let (report, mut notes) = run(work, spec, &out, rows, dev, aim.objective.clone())?;
    notes.extend(aim.note);
    notes.extend((unlabelled > 0).then(|| format!("{unlabelled} rows without a label are left out")));
    notes.extend(by_class(&report));
    outputs::record(work.options, work.workspace, work.cell, &out.folder);
    let info = keep(work, work.cell, &relation(&report)?)?;
    let mut done = Done::new(work, Some(info), Figures::of_training(&report));
    done.outcome.checks = evaluate(&spec.checks, &done.figures, known);
    done.outcome.notes = notes;
    done.outcome.body = Body::Train(report);
    done.made = Some(out.folder);
    Ok(done)
}

/// Where the model goes.
struct Place {
    folder: PathBuf,
    /// A model that is there already may be replaced.
    overwrite: bool,
}

/// Before any work: whether the notebook may write there, and over what is there.
fn place(work: &Work, spec: &TrainSpec) -> Result<Place, Problem> {
    let named = work.workspace.locate(&spec.out);
    // A trusted notebook beside data that is not: what its own text names may be written.
    let anywhere = work.options.write_anywhere
        || (work.options.access.is_limited() && work.options.access.may_write(&named));
    let folder = outputs::may_write(&work.workspace.base, &named, anywhere)
        .map_err(|problem| problem.in_cell(work.cell))?;
    let overwrite = spec.overwrite || outputs::is_own(work.options, work.workspace, work.cell, &folder);
    Ok(Place { folder, overwrite })
}

/// Training and dev rows.
fn split(
    work: &Work,
    spec: &TrainSpec,
    unlabelled: &mut usize,
) -> Result<(Vec<Labelled>, Vec<Labelled>), Stop> {
    let filter = spec.input.filter.as_deref();
    let and = |more: &str| match filter {
        Some(filter) => format!("({filter}) AND ({more})"),
        None => more.to_owned(),
    };
    Ok(match &spec.dev {
        DevSplit::Share(share) => {
            let rows = read(work, spec, &spec.input.from, filter, unlabelled)?;
            let edge = (share.clamp(0.0, 1.0) * u64::MAX as f64) as u64;
            let (dev, train) = rows.into_iter().partition(|row| row.group < edge);
            (train, dev)
        }
        DevSplit::Where(dev) => {
            let train = and(&format!("({dev}) IS NOT TRUE"));
            let dev = and(dev);
            (
                read(work, spec, &spec.input.from, Some(&train), unlabelled)?,
                read(work, spec, &spec.input.from, Some(&dev), unlabelled)?,
            )
        }
        DevSplit::From(dev) => (
            read(work, spec, &spec.input.from, filter, unlabelled)?,
            read(work, spec, dev, filter, unlabelled)?,
        ),
    })
}

/// Rows with a label; `unlabelled` counts the others.
fn read(
    work: &Work,
    spec: &TrainSpec,
    from: &str,
    filter: Option<&str>,
    unlabelled: &mut usize,
) -> Result<Vec<Labelled>, Stop> {
    let found = work.connection.describe(from)?;
    let sides = text_columns(&spec.text);
    let mut wanted = sides.clone();
    wanted.push(&spec.label);
    need_columns(work.view(), &found, &wanted)?;
    let query = work.workspace.notebook.front().schema.query.clone();
    let group = query.filter(|q| found.columns.iter().any(|c| c.name.eq_ignore_ascii_case(q)));
    let group = group.as_ref().unwrap_or(sides.first().copied().unwrap_or(&spec.label));
    let mut columns: Vec<String> = wanted.iter().map(|c| (*c).clone()).collect();
    if !columns.iter().any(|c| c.eq_ignore_ascii_case(group)) {
        columns.push(group.clone());
    }
    let name = format!("{HIDDEN}{}_rows", work.cell);
    let select = Select {
        from: from.to_owned(),
        filter: filter.map(str::to_owned),
        columns: Some(columns.clone()),
        ..Select::default()
    };
    let kept = work.connection.snapshot(&name, &select, &work.workspace.values, work.cancel)?;
    let rows = work.connection.rows_at(&name, &columns, 0, kept.rows.unwrap_or(0), work.cancel);
    work.connection.drop_cell(&name)?;
    let rows = rows?;
    let mut labels = texts(&rows, &spec.label)?;
    // NaN in a column of numbers is no label, as NULL is none.
    let numbers = rows.column_by_name(&spec.label).is_some_and(|column| column.data_type().is_floating());
    for label in labels.iter_mut().filter(|_| numbers) {
        *label = label.take().filter(|label| !label.eq_ignore_ascii_case("nan"));
    }
    *unlabelled += labels.iter().filter(|label| label.is_none()).count();
    let groups = texts(&rows, group)?;
    let mut sides = sides.into_iter().map(|column| texts(&rows, column));
    let first = sides.next().transpose()?.unwrap_or_default();
    let second = sides.next().transpose()?;
    let at = |texts: &[Option<String>], row: usize| texts.get(row).cloned().flatten().unwrap_or_default();
    let labelled = labels.iter().enumerate().filter_map(|(row, label)| {
        Some(Labelled {
            query: at(&first, row),
            text: second.as_ref().map(|second| at(second, row)),
            label: label.clone()?,
            group: group_hash(spec.seed, groups.get(row)),
        })
    });
    Ok(labelled.collect())
}

fn group_hash(seed: u64, group: Option<&Option<String>>) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, group).hash(&mut hasher);
    hasher.finish()
}

/// Distinct labels: by value where all are numbers, else by text.
fn labels_of<'a>(rows: impl Iterator<Item = &'a Labelled>) -> Vec<String> {
    let mut labels: Vec<String> =
        rows.map(|row| row.label.clone()).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let numbers: Option<Vec<f64>> = labels.iter().map(|label| label.parse().ok()).collect();
    if numbers.is_some() {
        let value = |label: &String| label.parse::<f64>().unwrap_or(f64::NAN);
        labels.sort_by(|a, b| value(a).total_cmp(&value(b)));
    }
    labels
}

enum Told {
    Stepped { epoch: usize, step: usize, steps: usize, loss: f64 },
    Epoch(EpochReport),
}

fn run(
    work: &Work,
    spec: &TrainSpec,
    place: &Place,
    rows: Vec<Example>,
    dev: Vec<Example>,
    objective: Objective,
) -> Result<(TrainReport, Vec<String>), Stop> {
    let options = TrainOptions {
        epochs: spec.epochs,
        batch: spec.batch,
        learning_rate: spec.learning_rate,
        weight_decay: spec.weight_decay,
        warmup: spec.warmup,
        clip: spec.clip,
        dropout: spec.dropout,
        max_tokens: spec.max_tokens,
        seed: spec.seed,
        overwrite: place.overwrite,
        ..TrainOptions::default()
    };
    let (start, out) = (work.workspace.model_folder(&spec.model)?, place.folder.clone());
    let (device, cancel, shown_out) = (device(work, None)?, work.cancel.clone(), spec.out.clone());
    let (tell, told) = unbounded();
    let mut report = TrainReport {
        out: shown_out,
        labels: objective.outputs(),
        train_rows: rows.len() as u64,
        dev_rows: dev.len() as u64,
        ..TrainReport::default()
    };
    let ended = work.models.run(move |_| {
        let job = TrainJob { start: &start, out: &out, device, objective, train: &rows, dev: &dev, options };
        fit(&job, &cancel, &mut |event| {
            let _ = match event {
                TrainEvent::Started { .. } => Ok(()),
                TrainEvent::Stepped { epoch, step, steps, loss, .. } => {
                    tell.send(Told::Stepped { epoch, step, steps, loss })
                }
                TrainEvent::Epoch(epoch) => {
                    tell.send(Told::Epoch(epoch_report(epoch, job.train.len() as u64)))
                }
            };
        })
    });
    loop {
        match told.recv_timeout(Duration::from_millis(100)) {
            Ok(Told::Stepped { epoch, step, steps, loss }) => {
                let phase = format!("epoch {epoch}, loss {loss:.4}");
                work.progress(&phase, "steps", step as u64, Some(steps as u64));
            }
            Ok(Told::Epoch(epoch)) => {
                report.epochs.push(epoch);
                work.state(CellState::Partial(Box::new(so_far(work, &report))));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let found = ended.recv().map_err(|_| lane_gone("model"))???;
    report.best_epoch = found.best_epoch;
    report.epochs = found.epochs.iter().map(|epoch| epoch_report(epoch, found.train_rows)).collect();
    Ok((report, found.notes))
}

fn so_far(work: &Work, report: &TrainReport) -> Outcome {
    Outcome {
        cell: work.cell.to_owned(),
        partial: true,
        elapsed_ms: work.elapsed_ms(),
        body: Body::Train(report.clone()),
        ..Outcome::default()
    }
}

/// The best epoch's figures by class, in a sentence.
fn by_class(report: &TrainReport) -> Option<String> {
    let best = report.epochs.iter().find(|epoch| epoch.epoch == report.best_epoch)?;
    let share = |value: Option<f64>| value.map_or_else(|| "n/a".to_owned(), |value| format!("{value:.3}"));
    let class = |class: &ClassReport| {
        format!(
            "{}: precision {}, recall {}, F1 {} (n {})",
            class.label,
            share(class.precision),
            share(class.recall),
            share(class.f1),
            class.support
        )
    };
    let classes: Vec<String> = best.classes.iter().take(CLASSES_TOLD).map(class).collect();
    let more = best.classes.len().saturating_sub(CLASSES_TOLD);
    let more = if more > 0 { format!("; and {more} more in training.json") } else { String::new() };
    (report.dev_rows > 0 && !classes.is_empty()).then(|| {
        format!(
            "precision, recall and F1 are macro averages (a class never predicted counts 0). Epoch {} by class: {}{more}",
            best.epoch,
            classes.join("; ")
        )
    })
}

fn epoch_report(epoch: &Epoch, train_rows: u64) -> EpochReport {
    let class = |class: &ClassFigures| ClassReport {
        label: class.label.clone(),
        support: class.support,
        predicted: class.predicted,
        precision: class.precision,
        recall: class.recall,
        f1: class.f1,
    };
    EpochReport {
        epoch: epoch.epoch,
        train_loss: epoch.train_loss,
        dev_loss: epoch.dev_loss.unwrap_or(f64::NAN),
        accuracy: epoch.figures.accuracy.unwrap_or(f64::NAN),
        precision: epoch.figures.precision,
        recall: epoch.figures.recall,
        f1: epoch.figures.f1,
        classes: epoch.figures.classes.iter().map(class).collect(),
        seconds: epoch.seconds,
        rows_per_second: epoch.rows_per_second(train_rows),
    }
}

/// One row per epoch; what was not measured is NULL.
fn relation(report: &TrainReport) -> Result<RecordBatch, Problem> {
    let epochs = &report.epochs;
    let number = |get: fn(&EpochReport) -> Option<f64>| -> ArrayRef {
        Arc::new(epochs.iter().map(|e| get(e).filter(|v| !v.is_nan())).collect::<Float64Array>())
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("epoch", Arc::new(UInt64Array::from_iter_values(epochs.iter().map(|e| e.epoch as u64)))),
        ("train_loss", number(|e| Some(e.train_loss))),
        ("dev_loss", number(|e| Some(e.dev_loss))),
        ("accuracy", number(|e| Some(e.accuracy))),
        ("precision", number(|e| e.precision)),
        ("recall", number(|e| e.recall)),
        ("f1", number(|e| e.f1)),
        ("seconds", number(|e| Some(e.seconds))),
        ("rows_per_second", number(|e| Some(e.rows_per_second))),
    ];
    let fields = columns.iter().map(|(name, column)| {
        Field::new(*name, column.data_type().clone(), column.data_type() == &DataType::Float64)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, column)| column).collect())
        .map_err(|e| Problem::new(ProblemKind::Bug, e.to_string()))
}
