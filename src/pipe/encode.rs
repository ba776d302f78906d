//! Scored rows as bytes, in the format in which they came. Nothing is written here.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;

use super::Fault;
use super::lines::Lines;
use super::run::Kept;
use super::slices::Slice;
use crate::engine::model::Scored;
use crate::util::sanitise;

pub(super) enum Encoder {
    Lines {
        /// The keys that scoring adds, as they are written.
        keys: Vec<String>,
        /// What steers a terminal is escaped.
        harmless: bool,
    },
    Arrow {
        writer: Box<StreamWriter<Vec<u8>>>,
        schema: SchemaRef,
    },
}

impl Encoder {
    pub fn lines(added: &[String], harmless: bool) -> Self {
        // A text always prints.
        let key = |name: &String| serde_json::to_string(name).unwrap_or_default() + ":";
        Encoder::Lines { keys: added.iter().map(key).collect(), harmless }
    }

    pub fn arrow(schema: Schema) -> Result<Self, Fault> {
        let writer = StreamWriter::try_new(Vec::new(), &schema).map_err(bug)?;
        Ok(Encoder::Arrow { writer: Box::new(writer), schema: Arc::new(schema) })
    }

    /// Bytes that come before the first row.
    pub fn start(&mut self) -> Vec<u8> {
        match self {
            Encoder::Lines { .. } => Vec::new(),
            Encoder::Arrow { writer, .. } => std::mem::take(writer.get_mut()),
        }
    }

    pub fn rows(&mut self, window: Vec<Scored<Kept>>) -> Result<Vec<u8>, Fault> {
        match self {
            Encoder::Lines { keys, harmless } => {
                let mut bytes = Vec::new();
                for scored in window {
                    if let Kept::Lines(lines) = &scored.keep {
                        append(&mut bytes, lines, &scored, keys);
                    }
                }
                Ok(match (*harmless, std::str::from_utf8(&bytes)) {
                    (true, Ok(text)) => sanitise::json(text).into_bytes(),
                    _ => bytes,
                })
            }
            Encoder::Arrow { writer, schema } => {
                for batch in together(window, schema)? {
                    writer.write(&batch).map_err(bug)?;
                }
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }

    /// Bytes that say that the rows are complete.
    pub fn end(&mut self) -> Result<Vec<u8>, Fault> {
        match self {
            Encoder::Lines { .. } => Ok(Vec::new()),
            Encoder::Arrow { writer, .. } => {
                writer.finish().map_err(bug)?;
                Ok(std::mem::take(writer.get_mut()))
            }
        }
    }
}

/// Every line as it was, with the added keys before its closing brace.
fn append(bytes: &mut Vec<u8>, lines: &Lines, scored: &Scored<Kept>, keys: &[String]) {
    let mut from = 0;
    for (row, line) in lines.lines.iter().enumerate() {
        bytes.extend_from_slice(lines.text.get(from..line.end).unwrap_or_default().as_bytes());
        from = line.end;
        let score = scored.scores.get(row).copied().flatten();
        let classes = scored.classes.iter().map(|class| class.get(row).copied().flatten().map(f64::from));
        let mut comma = !line.empty;
        for (key, value) in keys.iter().zip(std::iter::once(score).chain(classes)) {
            if std::mem::replace(&mut comma, true) {
                bytes.push(b',');
            }
            bytes.extend_from_slice(key.as_bytes());
            // Writing to memory does not fail; what is no finite number becomes null.
            let _ = serde_json::to_writer(&mut *bytes, &value);
        }
        if let Some(error) = &line.error {
            bytes.extend_from_slice(b",\"error\":");
            let _ = serde_json::to_writer(&mut *bytes, error);
        }
        bytes.extend_from_slice(b"}\n");
    }
}

/// One batch per run of neighbouring slices, with the added columns.
fn together(window: Vec<Scored<Kept>>, schema: &SchemaRef) -> Result<Vec<RecordBatch>, Fault> {
    let mut runs: Vec<(Slice, Vec<Vec<Option<f64>>>)> = Vec::new();
    for scored in window {
        let Kept::Slice(slice) = scored.keep else { continue };
        let wide = |class: Vec<Option<f32>>| class.into_iter().map(|logit| logit.map(f64::from)).collect();
        let added: Vec<Vec<Option<f64>>> =
            std::iter::once(scored.scores).chain(scored.classes.into_iter().map(wide)).collect();
        match runs.last_mut() {
            Some((run, columns)) if run.number == slice.number && run.from + run.rows == slice.from => {
                run.rows += slice.rows;
                for (column, more) in columns.iter_mut().zip(added) {
                    column.extend(more);
                }
            }
            _ => runs.push((slice, added)),
        }
    }
    let batch = |(run, added): (Slice, Vec<Vec<Option<f64>>>)| {
        let mut columns = run.batch.slice(run.from, run.rows).columns().to_vec();
        columns.extend(added.into_iter().map(|column| Arc::new(Float64Array::from(column)) as ArrayRef));
        RecordBatch::try_new(Arc::clone(schema), columns).map_err(bug)
    };
    runs.into_iter().map(batch).collect()
}

fn bug(error: arrow::error::ArrowError) -> Fault {
    Fault::bug(format!("scored rows cannot be written: {error}"))
}
