//! A run and its judgments, read side by side and evaluated where they are, without a join in the database.
//! Whatever is out of the ordinary (an item twice, a grade that is a word, sides that hardly belong together)
//! is left to the database, which says what.

use std::borrow::Cow;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;
use arrow::record_batch::RecordBatch;

use super::files::{self, Input};
use super::judgments::{are_of_one_kind, joined, tell_missing};
use super::trec::Trec;
use super::{EvalArgs, Failure, JOINED, analysis_failure, column, request};
use crate::analysis::metrics::MetricsTable;
use crate::analysis::metrics::sides::{Part, Side, Sides};
use crate::analysis::{Bindings, Queries, QueryError};
use crate::engine::lanes::StoreQueries;
use crate::engine::store::{Connection, Store};
use crate::util::cancel::Cancel;
use crate::util::sanitise;

/// Rows of a side that are held in memory; more are joined in the database, which spills.
const MOST_ROWS: usize = 20_000_000;
/// Lists that a thread measures at once, at least.
const LEAST_LISTS: usize = 64;

/// The files, read.
pub(super) struct Files<'p> {
    run: Input<'p>,
    qrels: Option<Input<'p>>,
}

impl<'p> Files<'p> {
    /// Both at once.
    pub fn read(args: &'p EvalArgs, run: &'p str) -> Result<Self, Failure> {
        let (run, qrels) = side_by_side(
            || Input::read(args, run, true),
            || args.qrels.as_deref().map(|path| Input::read(args, path, false)).transpose(),
        );
        Ok(Self { run: run?, qrels: qrels? })
    }

    /// Both at once.
    pub fn parse(&self) -> Result<Texts<'_>, Failure> {
        let (run, qrels) =
            side_by_side(|| self.run.parse(), || self.qrels.as_ref().map_or(Ok(None), Input::parse));
        let texts = Texts { files: self, run: run?, qrels: qrels? };
        let told = [(Some(&self.run), &texts.run), (self.qrels.as_ref(), &texts.qrels)];
        for (input, found) in told {
            if let (Some(input), Some(found)) = (input, found) {
                files::tell(input.path, found);
            }
        }
        Ok(texts)
    }
}

/// Two pieces of work, the first on a thread of its own.
fn side_by_side<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        match one.join() {
            Ok(one) => (one, other),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// What of the files is TREC's text.
pub(super) struct Texts<'f> {
    files: &'f Files<'f>,
    run: Option<Trec<'f>>,
    qrels: Option<Trec<'f>>,
}

/// Columns of a run, and of its judgments.
type Columns = (Vec<String>, Option<Vec<String>>);

impl Texts<'_> {
    /// Makes the other files readable as `run` and `qrels`. Gives the columns of both.
    pub fn register(
        &self,
        connection: &Connection,
        args: &EvalArgs,
        cancel: &Cancel,
    ) -> Result<Columns, Failure> {
        let columns = |name: &str, path: &str, found: &Option<Trec<'_>>, value: &str| match found {
            Some(_) => Ok(["query", "item", value].map(str::to_owned).to_vec()),
            None => files::register_source(connection, args, name, path, cancel),
        };
        let run = columns("run", self.files.run.path, &self.run, "score")?;
        let qrels = self.files.qrels.as_ref();
        let qrels = qrels.map(|file| columns("qrels", file.path, &self.qrels, "gain")).transpose()?;
        Ok((run, qrels))
    }

    /// Makes the texts readable, too.
    pub fn put(&self, connection: &Connection) -> Result<(), Failure> {
        for (name, found) in [("run", &self.run), ("qrels", &self.qrels)] {
            if let Some(found) = found {
                files::put(connection, name, found)?;
            }
        }
        Ok(())
    }
}

/// The table; `None` where the database has to make it. Nothing is said then.
pub(super) fn evaluate(
    (store, cancel): (&Store, &Cancel),
    args: &EvalArgs,
    texts: &Texts<'_>,
    (run, qrels): (&[String], Option<&[String]>),
) -> Result<Option<MetricsTable>, Failure> {
    let (Some(columns), Some(path)) = (qrels, &args.qrels) else { return Ok(None) };
    if args.convention == "all" {
        return Ok(None);
    }
    let request = request(args, joined(JOINED))?;
    let run_path = texts.files.run.path;
    let reader = |both: bool| -> Result<Connection, Failure> {
        let connection = store.connect()?;
        if both {
            connection.stream_beside_others()?;
        }
        Ok(connection)
    };
    let both = texts.run.is_none() && texts.qrels.is_none();
    let (first, second) = (reader(both)?, reader(both)?);
    let (qrels, run) = side_by_side(
        move || match &texts.qrels {
            Some(text) => Ok(of_text(text)),
            None => rows((&second, cancel), args, ("qrels", path), columns, "gain"),
        },
        || match &texts.run {
            Some(text) => Ok(of_text(text)),
            None => rows((&first, cancel), args, ("run", run_path), run, "score"),
        },
    );
    let (Some(run), Some(qrels)) = (run?, qrels?) else { return Ok(None) };
    let Some(sides) = Sides::new(&run, &qrels, &request).map_err(analysis_failure)? else { return Ok(None) };
    let Some(parts) = measure(&sides, cancel)? else { return Ok(None) };
    let (table, overlap) = sides.table(parts, cancel).map_err(analysis_failure)?;
    let [judged, answered, matched] = [overlap.judged, overlap.answered, overlap.matched].map(|n| n as i64);
    if !args.unmatched && !are_of_one_kind(judged, matched) {
        return Ok(None);
    }
    tell_missing(&sanitise::line(run_path), judged, answered);
    Ok(Some(table))
}

/// The side of a text; `None` where values are words.
fn of_text<'s, 't>(text: &'s Trec<'t>) -> Option<Cow<'s, Side<'t>>> {
    text.words.is_none().then_some(Cow::Borrowed(&text.side))
}

/// Every list, on as many threads as there are cores; `None`: an item comes twice.
fn measure(sides: &Sides<'_>, cancel: &Cancel) -> Result<Option<Vec<Part>>, Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // Some parts each, as lists differ in length.
    let size = sides.lists().div_ceil(4 * threads).max(LEAST_LISTS);
    let starts: Vec<usize> = (0..sides.lists()).step_by(size).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        loop {
            let number = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let Some(&from) = starts.get(number) else { return found };
            found.push((number, sides.part(from..(from + size).min(sides.lists()), cancel)));
        }
    };
    let mut parts = std::thread::scope(|scope| {
        let workers: Vec<_> = (1..threads.min(starts.len())).map(|_| scope.spawn(work)).collect();
        let mut parts = work();
        for worker in workers {
            match worker.join() {
                Ok(more) => parts.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    });
    parts.sort_by_key(|(number, _)| *number);
    let parts = parts.into_iter().map(|(_, part)| part.map_err(analysis_failure));
    let parts = parts.collect::<Result<Vec<Option<Part>>, Failure>>()?;
    Ok(parts.into_iter().collect())
}

/// The rows of a relation; `None` where they are too many, or a value is missing or no number.
fn rows<'s, 't>(
    (connection, cancel): (&Connection, &Cancel),
    args: &EvalArgs,
    (name, path): (&str, &str),
    columns: &[String],
    value: &str,
) -> Result<Option<Cow<'s, Side<'t>>>, Failure> {
    let [query, item, value] = ["query", "item", value].map(|role| column(args, role, columns, path));
    let bindings = Bindings::new()
        .ident("rows", name)
        .ident("query", query?)
        .ident("item", item?)
        .ident("value", value?);
    let mut side = Side::holding();
    // Copied batch by batch: kept, they would be four times the memory, and every page of it new.
    let read = StoreQueries { connection, cancel }.stream("eval/side", &bindings, &mut |batch| {
        let whole = add(&mut side, batch).is_some() && side.rows() <= MOST_ROWS;
        whole.then_some(()).ok_or_else(|| QueryError::Failed(String::new()))
    });
    Ok(read.is_ok().then_some(Cow::Owned(side)))
}

/// Adds rows of query, item and value; `None` where one of them is NULL somewhere.
fn add(side: &mut Side<'_>, batch: &RecordBatch) -> Option<()> {
    let texts = |name: &str| batch.column_by_name(name)?.as_string_opt::<i32>();
    let (query, item) = (texts("query")?, texts("item")?);
    let values = batch.column_by_name("value")?.as_primitive_opt::<Float64Type>()?;
    if query.null_count() + item.null_count() + values.null_count() > 0 {
        return None;
    }
    for (row, &number) in values.values().iter().enumerate() {
        side.push_copy(query.value(row), item.value(row), number);
    }
    Some(())
}
