//! An `explain` cell: which words moved the scores of a few rows. Model and text columns come from
//! the score cell above where the cell names none. Each row is shown as soon as it is explained.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use crossbeam_channel::{RecvTimeoutError, unbounded};

use super::inputs::{device, load_options, need_columns, prefixes, text_columns};
use super::table::{keep, texts};
use super::{Done, Figures, Stop, Work};
use crate::analysis::explain::{Attribution, ExplainError, ExplainOptions, explain as attribute};
use crate::engine::lanes::problems::lane_gone;
use crate::engine::lanes::scorer::ModelScorer;
use crate::engine::model::{LoadOptions, Model, ModelInfo};
use crate::engine::store::{HIDDEN, Select};
use crate::notebook::spec::{CellSpec, ExplainSpec, ScoreSpec, TextInput};
use crate::protocol::{
    Body, CellState, Explanation, Outcome, Passes, Problem, ProblemKind, TokenAttribution, WordAttribution,
};
use crate::terms::Choice as _;
use crate::terms::PageSpec;
use crate::util::arrow_text::{Kind, short};
use crate::util::cancel::Cancel;

/// Longest text of a column in the record that travels with an explanation, in characters.
const RECORD_CHARS: usize = 20_000;

pub(super) fn explain(work: &Work, spec: &ExplainSpec) -> Result<Done, Stop> {
    let asked = ask(work, spec)?;
    let rows = read(work, spec, &asked.text)?;
    work.phase("loading the model", "rows", 0, Some(rows.len() as u64));
    let (dir, options) = (work.workspace.model_folder(&asked.model)?, asked.options.clone());
    let model = work.on_model_lane(move |models| models.get(&dir, &options))??;
    let target = target(spec, &model)?;
    let about = model.info().clone();
    let explanations = attribute_all(work, spec, &model, target, rows)?;
    let info = keep(work, work.cell, &relation(&explanations)?)?;
    let mut done = Done::new(work, Some(info), Figures::of_rows(explanations.len() as u64));
    done.outcome.notes = asked.note.into_iter().chain(notes(&explanations, &about)).collect();
    done.outcome.body = Body::Explain(explanations);
    Ok(done)
}

/// Model and texts, from the cell or from the score cell above it.
struct Asked {
    model: String,
    text: TextInput,
    options: LoadOptions,
    note: Option<String>,
}

fn ask(work: &Work, spec: &ExplainSpec) -> Result<Asked, Problem> {
    let above = scored_above(work, spec)?;
    let missing = |what: &str| {
        work.usage(format!("no {what} to explain with: the cell names none and no score cell is above it"))
            .hint("name `model` and `pair` (or `text`, `embed`), or read from a score cell")
    };
    let model = spec.model.clone().or_else(|| above.as_ref().map(|(_, s)| s.model.clone()));
    let text = spec.text.clone().or_else(|| above.as_ref().map(|(_, s)| s.text.clone()));
    let same_model = above.as_ref().filter(|(_, s)| spec.model.as_ref().is_none_or(|m| *m == s.model));
    let mut options = match same_model {
        Some((_, score)) => load_options(work, score)?,
        None => LoadOptions { device: device(work, None)?, ..LoadOptions::default() },
    };
    if let Some(asked) = &spec.prefixes {
        options.prefixes = Some(prefixes(asked));
    }
    Ok(Asked {
        model: model.ok_or_else(|| missing("model"))?,
        text: text.ok_or_else(|| missing("text"))?,
        options,
        note: above
            .filter(|_| spec.model.is_none())
            .map(|(name, s)| format!("explains {}, the model of {name}", s.model)),
    })
}

fn scored_above(work: &Work, spec: &ExplainSpec) -> Result<Option<(String, ScoreSpec)>, Problem> {
    let Some(name) = work.workspace.graph.score_ancestor(&spec.input.from) else { return Ok(None) };
    match work.workspace.spec(&name)? {
        CellSpec::Score(score) => Ok(Some((name, score))),
        _ => Ok(None),
    }
}

/// A row to explain.
struct Row {
    query: String,
    /// `None`: the model reads one text.
    text: Option<String>,
    record: Vec<(String, Option<String>)>,
}

fn read(work: &Work, spec: &ExplainSpec, text: &TextInput) -> Result<Vec<Row>, Stop> {
    work.phase("reading", "rows", 0, None);
    let from = work.connection.describe(&spec.input.from)?;
    let columns = text_columns(text);
    need_columns(work.view(), &from, &columns)?;
    let name = format!("{HIDDEN}{}_rows", work.cell);
    let select = Select {
        from: spec.input.from.clone(),
        filter: spec.input.filter.clone(),
        order: spec.order.clone(),
        limit: Some(spec.limit),
        columns: None,
    };
    work.connection.snapshot(&name, &select, &work.workspace.values, work.cancel)?;
    let limit = u32::try_from(spec.limit).unwrap_or(u32::MAX);
    let page = PageSpec { relation: name.clone(), limit, ..PageSpec::default() };
    let page = work.connection.page(&page, &[], work.cancel);
    work.connection.drop_cell(&name)?;
    let batch = page?.batch;
    let mut sides = columns.iter().map(|column| texts(&batch, column));
    let queries = sides.next().transpose()?.unwrap_or_default();
    let others = sides.next().transpose()?;
    let text = |texts: &[Option<String>], row: usize| texts.get(row).cloned().flatten().unwrap_or_default();
    Ok((0..batch.num_rows())
        .map(|row| Row {
            query: text(&queries, row),
            text: others.as_ref().map(|others| text(others, row)),
            record: record(&batch, row),
        })
        .collect())
}

fn record(batch: &RecordBatch, row: usize) -> Vec<(String, Option<String>)> {
    let schema = batch.schema();
    let values = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
        let value = short(column, row, RECORD_CHARS);
        (field.name().clone(), (value.kind != Kind::Null).then_some(value.text))
    });
    values.collect()
}

/// The class to explain, by its name or number.
fn target(spec: &ExplainSpec, model: &Model) -> Result<Option<usize>, Problem> {
    let Some(wanted) = &spec.target else { return Ok(None) };
    let labels = &model.info().labels;
    let found = labels.iter().position(|label| label == wanted);
    let found = found.or_else(|| wanted.parse().ok().filter(|at: &usize| *at < labels.len()));
    found.map(Some).ok_or_else(|| {
        let what = format!("{} has no class {wanted}", model.info().name);
        Problem::new(ProblemKind::Usage, what).hint(format!("its classes: {}", labels.join(", ")))
    })
}

/// What the model lane tells while it explains.
enum Told {
    Passes(u64, u64),
    Row(Result<Box<Explanation>, ExplainError>),
}

fn attribute_all(
    work: &Work,
    spec: &ExplainSpec,
    model: &Arc<Model>,
    target: Option<usize>,
    rows: Vec<Row>,
) -> Result<Vec<Explanation>, Stop> {
    let total = rows.len() as u64;
    let (tell, told) = unbounded();
    let (model, cancel, method) = (Arc::clone(model), work.cancel.clone(), spec.method);
    let mut options = ExplainOptions { method, ..ExplainOptions::default() };
    if let Some(nodes) = spec.nodes {
        options.nodes = nodes.max(1);
        options.max_nodes = options.max_nodes.max(nodes);
    }
    let ended = work.models.run(move |_| {
        for (number, row) in rows.into_iter().enumerate() {
            let shown = one(&model, target, &options, &cancel, number as u64, row, &mut |done, total| {
                let _ = tell.send(Told::Passes(done, total));
            });
            let failed = shown.is_err();
            if tell.send(Told::Row(shown.map(Box::new))).is_err() || failed {
                return;
            }
        }
    });
    let mut explanations = Vec::new();
    loop {
        match told.recv_timeout(std::time::Duration::from_millis(100)) {
            Ok(Told::Passes(done, passes)) => {
                let phase = format!("row {} of {total}", explanations.len() + 1);
                work.progress(&phase, "passes", done, Some(passes));
            }
            Ok(Told::Row(Ok(found))) => {
                explanations.push(*found);
                work.state(CellState::Partial(Box::new(so_far(work, &explanations))));
            }
            Ok(Told::Row(Err(error))) => return Err(problem(error).into()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    ended.recv().map_err(|_| lane_gone("model"))??;
    Ok(explanations)
}

fn so_far(work: &Work, explanations: &[Explanation]) -> Outcome {
    Outcome {
        cell: work.cell.to_owned(),
        partial: true,
        elapsed_ms: work.elapsed_ms(),
        body: Body::Explain(explanations.to_vec()),
        ..Outcome::default()
    }
}

fn problem(error: ExplainError) -> Problem {
    let kind = match &error {
        ExplainError::Cancelled => ProblemKind::Cancelled,
        ExplainError::Scorer(_) | ExplainError::NotFinite(_) => ProblemKind::Model,
    };
    Problem::new(kind, error.to_string())
}

fn one(
    model: &Arc<Model>,
    target: Option<usize>,
    options: &ExplainOptions,
    cancel: &Cancel,
    number: u64,
    row: Row,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Explanation, ExplainError> {
    let began = Instant::now();
    let mut scorer = ModelScorer::new(model, target, cancel);
    let mut tell = |p: crate::analysis::explain::ExplainProgress| progress(p.done, p.total);
    let found = attribute(&mut scorer, &row.query, row.text.as_deref(), options, cancel, &mut tell)?;
    Ok(shown(found, (model.info(), target), began.elapsed().as_millis() as u64, number, row))
}

fn shown(
    found: Attribution,
    (model, target): (&ModelInfo, Option<usize>),
    elapsed_ms: u64,
    number: u64,
    row: Row,
) -> Explanation {
    let method = crate::analysis::explain::METHODS.iter().find(|info| info.method == found.method);
    let tokens = found.tokens.into_iter().map(|t| TokenAttribution {
        token: t.token,
        side: t.side,
        word: t.word,
        attribution: t.attribution,
    });
    let words = found.words.into_iter().map(|w| WordAttribution {
        text: w.text,
        side: w.side,
        attribution: w.attribution,
        std_error: w.std_error,
    });
    Explanation {
        model: model.name.clone(),
        target: target.and_then(|class| model.labels.get(class).cloned()),
        method: method.map(|info| info.method.id().to_owned()).unwrap_or_default(),
        score: found.score,
        baseline_score: found.baseline_score,
        delta: found.delta,
        settled: found.converged,
        truncated: found.truncated,
        tokens: tokens.collect(),
        words: words.collect(),
        passes: Passes { forward: found.passes.forward, backward: found.passes.backward },
        elapsed_ms,
        row: number,
        query: row.query,
        text: row.text.unwrap_or_default(),
        record: row.record,
    }
}

fn notes(explanations: &[Explanation], model: &ModelInfo) -> Vec<String> {
    let all = explanations.len();
    if all == 0 {
        return vec!["no rows to explain".into()];
    }
    let count = |of: &dyn Fn(&Explanation) -> bool| explanations.iter().filter(|e| of(e)).count();
    let rough = count(&|e| e.delta.is_some_and(|delta| delta.abs() > 0.01));
    let restless = count(&|e| !e.settled) - count(&|e| !e.settled && e.delta.is_some_and(|d| d.abs() > 0.01));
    let cut = count(&|e| e.truncated);
    let said = [
        (
            cut,
            format!(
                "{cut} of {all} rows are longer than {} tokens: words past that are not shown",
                model.max_tokens
            ),
        ),
        (rough, format!("in {rough} of {all} rows the words miss the score by more than 1 %")),
        (
            restless,
            format!("in {restless} of {all} rows words still move by more than 1 %: `nodes` takes more"),
        ),
    ];
    said.into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(_, note)| note)
        .chain(model.notes.iter().cloned())
        .collect()
}

/// `row, side, position, word, attribution, std_error`.
fn relation(explanations: &[Explanation]) -> Result<RecordBatch, Problem> {
    let words = || {
        explanations.iter().flat_map(|e| {
            let mut places = [0i64; 2];
            e.words.iter().map(move |word| {
                let place = places.get_mut(usize::from(word.side.min(1)));
                let position = place.map_or(0, |place| {
                    *place += 1;
                    *place
                });
                (e.row as i64, position, word)
            })
        })
    };
    let side = |side: u8| if side == 0 { "query" } else { "title" };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("row", Arc::new(words().map(|(row, ..)| row).collect::<Int64Array>())),
        ("side", Arc::new(words().map(|(.., w)| Some(side(w.side))).collect::<StringArray>())),
        ("position", Arc::new(words().map(|(_, position, _)| position).collect::<Int64Array>())),
        ("word", Arc::new(words().map(|(.., w)| Some(w.text.as_str())).collect::<StringArray>())),
        ("attribution", Arc::new(words().map(|(.., w)| w.attribution).collect::<Float64Array>())),
        ("std_error", Arc::new(words().map(|(.., w)| w.std_error).collect::<Float64Array>())),
    ];
    let fields = columns.iter().map(|(name, column)| {
        let nullable = column.data_type() == &DataType::Float64;
        Field::new(*name, column.data_type().clone(), nullable)
    });
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, column)| column).collect())
        .map_err(|e| Problem::new(ProblemKind::Bug, e.to_string()))
}
