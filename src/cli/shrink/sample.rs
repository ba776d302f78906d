//! The rows that models are measured on: whole lists of a file, or of the demo's shop.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;
use arrow::record_batch::RecordBatch;

use super::super::demo::judged_shop;
use super::super::{Failure, settings};
use super::args::SampleArgs;
use crate::engine::model::{Model, ModelInfo, ScoreInputs};
use crate::engine::store::{Connection, SourceSpec, Store, StoreOptions};
use crate::pipe::find_column;
use crate::terms::{Bindings, quote_ident};
use crate::util::cancel::Cancel;
use crate::util::sanitise;

const INPUT: &str = "input";

/// Texts, and judgments where there are some; columns of equal length.
pub struct Sample {
    /// Where they are from, in words.
    pub source: String,
    pub first: Vec<Option<String>>,
    /// `None`: a classifier's only texts.
    pub second: Option<Vec<Option<String>>>,
    pub gains: Option<Vec<Option<f64>>>,
}

impl Sample {
    pub fn rows(&self) -> usize {
        self.first.len()
    }

    /// As the model reads them: an encoder apart, a classifier together.
    pub fn inputs(&self, model: &Model) -> ScoreInputs<'_> {
        match &self.second {
            None => ScoreInputs::Text(&self.first),
            Some(second) if embeds(model.info()) => ScoreInputs::Embed(&self.first, second),
            Some(second) => ScoreInputs::Pair(&self.first, second),
        }
    }

    /// At most so many of its rows, spread over all of them.
    pub fn thinned(&self, most: usize) -> Self {
        let step = self.rows().div_ceil(most.max(1)).max(1);
        fn every<T: Clone>(column: &[T], step: usize) -> Vec<T> {
            column.iter().step_by(step).cloned().collect()
        }
        Self {
            source: self.source.clone(),
            first: every(&self.first, step),
            second: self.second.as_ref().map(|second| every(second, step)),
            gains: None,
        }
    }

    /// Reads the rows that the arguments ask for.
    pub fn open(args: &SampleArgs, info: &ModelInfo, cancel: &Cancel) -> Result<Self, Failure> {
        let columns: Vec<&str> = args.columns.iter().map(|name| name.trim()).collect();
        if columns.is_empty() || columns.len() > 2 || (columns.len() == 1 && embeds(info)) {
            return Err(Failure::usage(format!(
                "--columns {} does not fit {}",
                columns.join(","),
                info.name
            ))
            .hint("name query and title, e.g. --columns query,title"));
        }
        let sample = match &args.input {
            Some(path) => file(path, &columns, args, cancel)?,
            None if args.gain.is_some() => {
                return Err(Failure::usage("--gain names a column of --input").hint("add --input FILE"));
            }
            None => shop(args, cancel)?,
        };
        match sample.rows() {
            0 => Err(Failure::data(format!("{} has no rows with a text", sanitise::line(&sample.source)))),
            _ => Ok(sample),
        }
    }
}

fn embeds(info: &ModelInfo) -> bool {
    info.pooling.is_some()
}

fn file(path: &str, asked: &[&str], args: &SampleArgs, cancel: &Cancel) -> Result<Sample, Failure> {
    let engine = settings::load().engine_options(&Default::default())?;
    let mut options = StoreOptions::default();
    options.memory_limit = engine.memory_bytes.unwrap_or(options.memory_limit);
    options.limits = crate::cli::access::of_inputs(&[path], Vec::new());
    let connection = Store::open(&options)?.connect()?;
    let base =
        std::env::current_dir().map_err(|e| Failure::resource(format!("no working directory: {e}")))?;
    connection.register_source(INPUT, &SourceSpec::path(path), &base, cancel)?;
    let relation = connection.describe(INPUT)?;
    let names: Vec<&str> = relation.columns.iter().map(|column| column.name.as_str()).collect();
    let find = |name: &str| {
        find_column(name, &names).map_err(|mut fault| {
            let there = fault.hint.take().map_or_else(String::new, |hint| format!("{hint} "));
            Failure::from(fault).hint(format!("{there}(--columns names query and title, --gain judgments)"))
        })
    };
    let columns = asked.iter().map(|name| find(name)).collect::<Result<Vec<_>, _>>()?;
    let gain = args.gain.as_deref().map(find).transpose()?;
    let (first, last) = (columns.first().copied().unwrap_or_default(), columns.last().copied());
    let fill = Bindings::new()
        .ident("input", INPUT)
        .ident("query", first)
        .ident("title", last.unwrap_or(first))
        .expr("gain", gain.map_or_else(|| "NULL".to_string(), quote_ident))
        .value("rows", i64::from(args.rows));
    let source = sanitise::excerpt(path, 200);
    read(&connection, &fill, (source, columns.len() == 2, gain.is_some()), cancel)
}

/// Lists that a search of the demo's shop could show, with its judgments; English and Chinese.
fn shop(args: &SampleArgs, cancel: &Cancel) -> Result<Sample, Failure> {
    let connection = judged_shop(cancel)?;
    let fill = Bindings::new()
        .ident("input", "demo_judged")
        .ident("query", "query")
        .ident("title", if args.columns.len() == 2 { "title" } else { "query" })
        .expr("gain", "grade")
        .value("rows", i64::from(args.rows));
    let about = ("the demo's shop".to_string(), args.columns.len() == 2, args.columns.len() == 2);
    read(&connection, &fill, about, cancel)
}

fn read(
    connection: &Connection,
    fill: &Bindings,
    (source, two, judged): (String, bool, bool),
    cancel: &Cancel,
) -> Result<Sample, Failure> {
    let rows = connection.registered_rows("models/sample", fill, cancel)?;
    let gains = rows.column(2).as_primitive_opt::<Float64Type>();
    let gains = gains.ok_or_else(|| Failure::bug("models/sample gives no numbers"))?;
    Ok(Sample {
        source,
        first: texts(&rows, 0)?,
        second: two.then(|| texts(&rows, 1)).transpose()?,
        gains: judged.then(|| gains.iter().collect()),
    })
}

fn texts(rows: &RecordBatch, column: usize) -> Result<Vec<Option<String>>, Failure> {
    let texts = rows.column(column).as_string_opt::<i32>();
    let texts = texts.ok_or_else(|| Failure::bug("models/sample gives no texts"))?;
    Ok((0..texts.len()).map(|row| texts.is_valid(row).then(|| texts.value(row).to_owned())).collect())
}
