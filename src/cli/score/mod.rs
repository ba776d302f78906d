//! `recscope score`: a file's rows with a model's score beside them, as a file. Nothing of a notebook
//! is needed, so this goes straight to the store and the model. However many rows there are, memory
//! holds some thousand of their texts, and their scores in the store, which spills.

mod told;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use crossbeam_channel::{Receiver, Sender, bounded};

use self::told::Told;
use super::args::ScoreArgs;
use super::output::{Ticker, cancel_on_signal};
use super::shrink::{self, Reservoir};
use super::{Failure, access, err_line, settings};
use crate::engine::lanes::EngineOptions;
use crate::engine::model::cache::{Memo, ScoreCache};
use crate::engine::model::{
    Chunk, Dtype, Model, RowStream, ScoreProgress, Scored, StreamOptions, score_columns,
};
use crate::engine::store::{
    Connection, ErrorKind, Flow, SourceSpec, Store, StoreError, StoreOptions, Target,
};
use crate::pipe::{find_column, summary};
use crate::util::cancel::Cancel;
use crate::util::{csv, figures, sanitise};

const INPUT: &str = "input";
const SCORES: &str = "input_scores";
/// Rows that are handed to the model together, and how many such chunks are read ahead.
const CHUNK_ROWS: usize = 256;
const AHEAD: usize = 32;
/// Rows on which a smaller number type is compared with f32.
const CHECKED_ROWS: usize = 512;

/// Scores and writes; a summary goes to stderr.
pub(super) fn score(args: &ScoreArgs) -> Result<u8, Failure> {
    let engine = settings::load().engine_options(&Default::default())?;
    args.model.dtype()?;
    let memo = if args.no_cache { None } else { memo(&engine) };
    let (kind, asked) = args.text.columns()?;
    let cancel = cancel_on_signal();
    let (store, connection) = open(&engine, args)?;
    connection.can_export(&args.out)?;
    let spec = SourceSpec::path(&args.input);
    let base =
        std::env::current_dir().map_err(|e| Failure::resource(format!("no working directory: {e}")))?;
    connection.register_source(INPUT, &spec, &base, &cancel)?;
    let relation = connection.describe(INPUT)?;
    let names: Vec<&str> = relation.columns.iter().map(|column| column.name.as_str()).collect();
    let columns = asked
        .iter()
        .map(|asked| find_column(asked, &names).map(String::from))
        .collect::<Result<Vec<_>, _>>()?;
    let model = Model::load(&args.model.folder, &args.model.load_options()?)?;
    let mut options = StreamOptions { score: args.model.score_options(&model)?, ..StreamOptions::default() };
    options.score.memo = memo.clone();
    let notes = Arc::clone(&options.score.notes);
    let dtype = options.score.dtype;
    let added = score_columns(&model.info().labels);
    refuse_taken(&names, &added)?;
    let mut job = Job {
        device: (model.info().device.clone(), dtype.to_string()),
        stream: RowStream::new(&model, kind, options)?,
        connection: &connection,
        schema: schema(&added),
        total: connection.count_if_cheap(INPUT, &cancel)?,
        cancel: &cancel,
    };
    connection.create_table(SCORES, &job.schema)?;
    let mut checked = Reservoir::new(CHECKED_ROWS, columns.len() == 2);
    let files = connection.source_files(&spec, &base)?.unwrap_or_default();
    let before = versions(&files);
    job.run(&store, &columns, &mut checked)?;
    let report = job.stream.report();
    if versions(&files) != before {
        return Err(Failure::data(format!("{} was changed while it was scored", args.input))
            .hint("wait until nobody writes to it, then run again"));
    }
    let to = Target { path: &args.out, raw: args.raw };
    let guarded = connection.export_scored(INPUT, SCORES, report.rows, to, &cancel)?;
    let summary = summary(report, job.stream.remembers_all());
    err_line(&format!("{summary}; written to {}", args.out.display()));
    if dtype != Dtype::F32 {
        tell_loss(&model, dtype, checked, &cancel)?;
    }
    let trouble = memo.and_then(|memo| memo.trouble());
    let said = model.info().notes.iter().cloned();
    for note in
        said.chain(notes.lines()).chain(trouble).chain(connection.doubt(INPUT)).chain(csv::told(guarded))
    {
        err_line(&format!("note: {}", sanitise::excerpt(&note, 400)));
    }
    Ok(0)
}

/// What a smaller number type cost, on some rows of this very input.
fn tell_loss(model: &Model, dtype: Dtype, rows: Reservoir, cancel: &Cancel) -> Result<(), Failure> {
    let sample = rows.into_sample();
    let lost = shrink::dtypes(model, &sample, (Dtype::F32, dtype), cancel)?;
    let rows = figures::plural(sample.rows() as u64, "row", "rows");
    let verdict = if lost.verdict.passes { "" } else { " (less than 0.99: look before you rank by it)" };
    err_line(&format!("{dtype} against f32 on {rows} of these: {}{verdict}", shrink::scores(&lost)));
    Ok(())
}

/// What is known from earlier jobs, unless that is switched off.
fn memo(engine: &EngineOptions) -> Option<Arc<Memo>> {
    let scores = engine.scores();
    scores.folder.is_some().then(|| Memo::new(&ScoreCache::new(scores)))
}

fn open(engine: &EngineOptions, args: &ScoreArgs) -> Result<(Store, Connection), Failure> {
    let mut store_options = StoreOptions::default();
    store_options.memory_limit = engine.memory_bytes.unwrap_or(store_options.memory_limit);
    store_options.limits = access::of_inputs(&[&args.input], Vec::new());
    let store = Store::open(&store_options)?;
    let connection = store.connect()?;
    Ok((store, connection))
}

fn refuse_taken(names: &[&str], added: &[String]) -> Result<(), Failure> {
    let taken = names.iter().find(|name| added.iter().any(|added| added.eq_ignore_ascii_case(name)));
    match taken {
        None => Ok(()),
        Some(name) => Err(Failure::data(format!("the input already has a column `{name}`"))
            .hint("rename it first: what scoring adds is written under this name")),
    }
}

fn schema(added: &[String]) -> Arc<Schema> {
    let field = |name: &String| Field::new(name, DataType::Float64, true);
    Arc::new(Schema::new(added.iter().map(field).collect::<Vec<_>>()))
}

/// What tells whether files are what they were: they are read a second time when the result is
/// written.
fn versions(files: &[PathBuf]) -> Vec<Option<(u64, Option<SystemTime>)>> {
    let version = |file: &PathBuf| file.metadata().ok().map(|file| (file.len(), file.modified().ok()));
    files.iter().map(version).collect()
}

struct Job<'a> {
    stream: RowStream<'a>,
    connection: &'a Connection,
    /// Of the table of scores.
    schema: Arc<Schema>,
    /// Rows of the input, where it is known without reading them.
    total: Option<u64>,
    /// Its name and the number type.
    device: (String, String),
    cancel: &'a Cancel,
}

/// Chunks on their way from the store to the model.
type Rows = Result<Chunk<()>, Failure>;

impl Job<'_> {
    /// Scores every row into the table [`SCORES`], in order; reading and computing side by side.
    fn run(&mut self, store: &Store, columns: &[String], checked: &mut Reservoir) -> Result<(), Failure> {
        let (reader, cancel) = (store.connect()?, self.cancel);
        let (send, chunks) = bounded(AHEAD);
        std::thread::scope(|scope| {
            let read = scope.spawn(move || read(&reader, columns, (&send, checked), cancel));
            let computed = self.compute(chunks);
            match read.join() {
                Ok(()) => computed,
                Err(_) => Err(Failure::bug("reading the input panicked")),
            }
        })
    }

    /// Takes the channel, so that the reader stops when this does.
    fn compute(&mut self, chunks: Receiver<Rows>) -> Result<(), Failure> {
        let (connection, schema) = (self.connection, &self.schema);
        let (mut ticker, mut told) = (Ticker::new(), Told::new(self.total, &self.device));
        let (never, progress) = (Cancel::new(), ScoreProgress::default());
        self.stream.run(&chunks, &never, self.cancel, &progress, |window, report| {
            connection.append(SCORES, &rows_of(schema, window)?)?;
            ticker.show(&told.line(&progress, report));
            Ok(())
        })
    }
}

/// Sends the texts of every row, and why they end where they do not end by themselves.
fn read(
    connection: &Connection,
    columns: &[String],
    (send, checked): (&Sender<Rows>, &mut Reservoir),
    cancel: &Cancel,
) {
    let read = connection.texts(INPUT, columns, cancel, |rows| {
        for from in (0..rows.num_rows()).step_by(CHUNK_ROWS) {
            let rows = rows.slice(from, CHUNK_ROWS.min(rows.num_rows() - from));
            let mut texts = rows.columns().iter().map(texts_of);
            let first = texts.next().transpose()?.unwrap_or_default();
            let second = texts.next().transpose()?.unwrap_or_default();
            checked.offer(&first, &second);
            let chunk = Chunk { first, second, keep: (), bytes: 0, pause: false };
            if send.send(Ok(chunk)).is_err() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    });
    if let Err(error) = read {
        // Nobody listens only where the job has failed already.
        let _ = send.send(Err(error.into()));
    }
}

fn texts_of(column: &ArrayRef) -> Result<Vec<Option<String>>, StoreError> {
    let texts = column
        .as_string_opt::<i32>()
        .ok_or_else(|| StoreError::new(ErrorKind::Bug, format!("texts came as {}", column.data_type())))?;
    Ok(texts.iter().map(|text| text.map(String::from)).collect())
}

/// The scores of a window as rows of the table of scores.
fn rows_of(schema: &Arc<Schema>, window: Vec<Scored<()>>) -> Result<RecordBatch, Failure> {
    let wide = |class: Vec<Option<f32>>| class.into_iter().map(|logit| logit.map(f64::from)).collect();
    let mut columns: Vec<Vec<Option<f64>>> = vec![Vec::new(); schema.fields().len()];
    for scored in window {
        let classes = scored.classes.into_iter().map(wide);
        for (column, more) in columns.iter_mut().zip(std::iter::once(scored.scores).chain(classes)) {
            column.extend(more);
        }
    }
    let columns = columns.into_iter().map(|column| Arc::new(Float64Array::from(column)) as ArrayRef);
    RecordBatch::try_new(Arc::clone(schema), columns.collect())
        .map_err(|error| Failure::bug(error.to_string()))
}
