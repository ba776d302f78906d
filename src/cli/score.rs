//! `recscope score`: a file's rows with a model's score beside them, as a file. Nothing of a notebook
//! is needed, so this goes straight to the store and the model.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;

use super::args::{ScoreArgs, TextArgs};
use super::output::{Ticker, cancel_on_signal};
use super::{Failure, err_line, settings};
use crate::engine::model::{
    LoadOptions, Model, Prefixes, ScoreInputs, ScoreOptions, ScoreProgress, ScoreReport,
};
use crate::engine::store::{Connection, Select, SourceSpec, Store, StoreOptions};
use crate::util::cancel::Cancel;
use crate::util::{arrow_text, figures};

const INPUT: &str = "input";
const ROWS: &str = "input_rows";
const SCORES: &str = "input_scores";
const OUT: &str = "scored";
/// Rows read from the store at a time.
const CHUNK: u64 = 65_536;

/// Scores and writes; a summary goes to stderr.
pub(super) fn score(args: &ScoreArgs) -> Result<u8, Failure> {
    check_dtype(&args.dtype)?;
    let cancel = cancel_on_signal();
    let options = settings::load().engine_options(&Default::default())?;
    let mut store_options = StoreOptions::default();
    store_options.memory_limit = options.memory_bytes.unwrap_or(store_options.memory_limit);
    let store = Store::open(&store_options)?;
    let connection = store.connect()?;
    let base =
        std::env::current_dir().map_err(|e| Failure::resource(format!("no working directory: {e}")))?;
    connection.register_source(INPUT, &SourceSpec::path(&args.input), &base, &cancel)?;
    let relation = connection.describe(INPUT)?;
    let names: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
    let wanted = columns(&args.text, &names)?;
    refuse_taken(&names)?;
    connection.snapshot(ROWS, &Select { from: INPUT.into(), ..Select::default() }, &[], &cancel)?;
    let rows = connection.count(ROWS, &cancel)?;
    let texts = wanted
        .iter()
        .map(|column| read_texts(&connection, column, rows, &cancel))
        .collect::<Result<Vec<_>, _>>()?;
    let load = load_options(args)?;
    let model = Model::load(&args.model, &load)?;
    let report = write_scores(&connection, &model, &inputs(&args.text, &texts)?, &cancel)?;
    connection.join_scores(OUT, ROWS, SCORES, &cancel)?;
    connection.export(OUT, &args.out, &cancel)?;
    tell(&report, &args.out);
    Ok(0)
}

fn load_options(args: &ScoreArgs) -> Result<LoadOptions, Failure> {
    let asked = &args.model_options;
    let prefixes = match asked.prefixes.as_slice() {
        [query, text] => Some(Prefixes { query: query.clone(), text: text.clone() }),
        _ => None,
    };
    let gains = (!asked.gains.is_empty()).then(|| asked.gains.clone());
    Ok(LoadOptions { device: args.device.parse()?, max_tokens: args.max_tokens, prefixes, gains })
}

fn check_dtype(dtype: &str) -> Result<(), Failure> {
    match dtype {
        "f32" => Ok(()),
        "f16" | "bf16" | "int8" => {
            Err(Failure::usage(format!("scoring in {dtype} is reserved for a later version"))
                .hint("leave --dtype out: f32"))
        }
        other => Err(Failure::usage(format!("there is no number type `{other}`")).hint("f32")),
    }
}

/// The text columns, as the file spells them.
fn columns(args: &TextArgs, names: &[String]) -> Result<Vec<String>, Failure> {
    let asked: Vec<&String> = args.pair.iter().chain(&args.text).chain(&args.embed).collect();
    if args.text.is_none() && asked.len() != 2 {
        return Err(Failure::usage("two columns are needed").hint("e.g. --pair query,title"));
    }
    asked
        .into_iter()
        .map(|asked| {
            let found = names.iter().find(|name| name.to_lowercase() == asked.trim().to_lowercase());
            found.cloned().ok_or_else(|| {
                let failure = Failure::data(format!("the input has no column `{asked}`"));
                match crate::notebook::diagnostics::nearest(asked, names.iter().map(String::as_str)) {
                    Some(near) => failure.hint(format!("did you mean `{near}`?")),
                    None => failure.hint(format!("it has: {}", names.join(", "))),
                }
            })
        })
        .collect()
}

fn refuse_taken(names: &[String]) -> Result<(), Failure> {
    match names.iter().find(|name| name.eq_ignore_ascii_case("score")) {
        None => Ok(()),
        Some(name) => Err(Failure::data(format!("the input already has a column `{name}`"))
            .hint("rename it first: the model's score is written under this name")),
    }
}

fn read_texts(
    connection: &Connection,
    column: &String,
    rows: u64,
    cancel: &Cancel,
) -> Result<Vec<Option<String>>, Failure> {
    let mut texts = Vec::with_capacity(rows as usize);
    let mut from = 0;
    while from < rows {
        let batch = connection.rows_at(ROWS, std::slice::from_ref(column), from, CHUNK, cancel)?;
        let array = batch.column(0);
        match array.data_type() {
            DataType::Utf8 => {
                texts.extend(array.as_string::<i32>().iter().map(|text| text.map(String::from)))
            }
            // Numbers and others as they print.
            _ => texts
                .extend((0..array.len()).map(|row| {
                    (!array.is_null(row)).then(|| arrow_text::short(array, row, usize::MAX).text)
                })),
        }
        if batch.num_rows() == 0 {
            break;
        }
        from += batch.num_rows() as u64;
    }
    Ok(texts)
}

fn inputs<'a>(args: &TextArgs, texts: &'a [Vec<Option<String>>]) -> Result<ScoreInputs<'a>, Failure> {
    match texts {
        [text] => Ok(ScoreInputs::Text(text)),
        [query, title] if !args.pair.is_empty() => Ok(ScoreInputs::Pair(query, title)),
        [query, title] => Ok(ScoreInputs::Embed(query, title)),
        _ => Err(Failure::bug("one or two text columns were expected")),
    }
}

/// Scores every row into the table [`SCORES`].
fn write_scores(
    connection: &Connection,
    model: &Model,
    inputs: &ScoreInputs<'_>,
    cancel: &Cancel,
) -> Result<ScoreReport, Failure> {
    let labels = &model.info().labels;
    let classes: Vec<String> = if labels.len() > 1 {
        labels.iter().map(|label| format!("score_{label}")).collect()
    } else {
        Vec::new()
    };
    let mut fields =
        vec![Field::new("row", DataType::Int64, false), Field::new("score", DataType::Float64, true)];
    fields.extend(classes.iter().map(|name| Field::new(name, DataType::Float64, true)));
    let schema = Arc::new(Schema::new(fields));
    connection.create_table(SCORES, &schema)?;
    let progress = ScoreProgress::default();
    let mut ticker = Ticker::new();
    let mut failed = None;
    let report = model.score(inputs, &ScoreOptions::default(), cancel, &progress, |chunk| {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(chunk.rows.iter().map(|row| *row as i64).collect::<Int64Array>()),
            Arc::new(chunk.scores.iter().copied().collect::<Float64Array>()),
        ];
        for class in chunk.classes.iter().take(classes.len()) {
            columns.push(Arc::new(class.iter().map(|value| value.map(f64::from)).collect::<Float64Array>()));
        }
        let appended = RecordBatch::try_new(schema.clone(), columns)
            .map_err(|error| Failure::bug(error.to_string()))
            .and_then(|batch| connection.append(SCORES, &batch).map_err(Failure::from));
        if let Err(failure) = appended {
            // The closure speaks the model's errors: stop it, and say the real one below.
            failed = Some(failure);
            cancel.cancel();
        }
        let done = progress.rows_done.load(Ordering::Relaxed);
        let total = progress.rows_total.load(Ordering::Relaxed).max(1);
        ticker.show(&format!("scoring {:.0} %", done as f64 / total as f64 * 100.0));
        Ok(())
    });
    match failed {
        Some(failure) => Err(failure),
        None => Ok(report?),
    }
}

fn tell(report: &ScoreReport, out: &Path) {
    let count = |n: u64| figures::thousands(i128::from(n));
    let mut line = format!(
        "{} ({} different), {} tokens/s, written to {}",
        figures::plural(report.rows, "row", "rows"),
        count(report.unique_inputs),
        figures::compact(report.tokens_per_second as u64),
        out.display()
    );
    for (n, what) in
        [(report.truncated, "cut to the limit"), (report.empty, "without text"), (report.nan, "NaN")]
    {
        if n > 0 {
            line.push_str(&format!("; {} {what}", count(n)));
        }
    }
    err_line(&line);
}
