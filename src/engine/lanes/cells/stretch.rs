//! A stretch of a scoring job's rows: their texts on the way to the model, their scores on the way
//! back. No lane and no connection here.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;

use crate::engine::model::ScoreChunk;

/// The texts of a stretch of rows.
pub(super) struct Stretch {
    /// The stretch's first row within the job.
    pub from: u64,
    pub first: Vec<Option<String>>,
    /// Empty where the model reads one text.
    pub second: Vec<Option<String>>,
}

/// Scores on their way to the table.
pub(super) struct Buffer {
    pub rows: Vec<i64>,
    columns: Vec<Vec<Option<f64>>>,
}

impl Buffer {
    pub fn new(columns: usize) -> Self {
        Self { rows: Vec::new(), columns: vec![Vec::new(); columns] }
    }

    /// Adds a chunk of the stretch that begins at row `from` of the job.
    pub fn push(&mut self, from: u64, chunk: &ScoreChunk) {
        self.rows.extend(chunk.rows.iter().map(|row| from as i64 + *row as i64));
        let mut columns = self.columns.iter_mut();
        if let Some(scores) = columns.next() {
            scores.extend_from_slice(&chunk.scores);
        }
        for (column, class) in columns.zip(&chunk.classes) {
            column.extend(class.iter().map(|logit| logit.map(f64::from)));
        }
    }

    pub fn not_numbers(&self) -> u64 {
        let scores = self.columns.first().map(Vec::as_slice).unwrap_or_default();
        scores.iter().flatten().filter(|score| !score.is_finite()).count() as u64
    }

    pub fn take(&mut self, schema: &Arc<Schema>) -> Result<RecordBatch, arrow::error::ArrowError> {
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(std::mem::take(&mut self.rows)))];
        for column in &mut self.columns {
            arrays.push(Arc::new(Float64Array::from(std::mem::take(column))));
        }
        RecordBatch::try_new(Arc::clone(schema), arrays)
    }
}
