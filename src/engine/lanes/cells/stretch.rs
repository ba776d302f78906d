//! A stretch of a scoring job's rows: their texts on the way to the model, their scores on the way
//! back. No lane and no connection here.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;

use crate::engine::model::ScoreChunk;

/// The texts of a stretch of rows.
pub(super) struct Stretch {
    pub first: Vec<Option<String>>,
    pub second: Vec<Option<String>>,
}

/// Scores (and classes) by a hash of the texts.
pub(super) type Memory = HashMap<u128, Vec<Option<f64>>>;

impl Stretch {
    pub fn only(self, asked: &[usize]) -> Self {
        if asked.len() == self.first.len() {
            return self;
        }
        let pick = |texts: &[Option<String>]| -> Vec<Option<String>> {
            asked.iter().filter_map(|row| texts.get(*row).cloned()).collect()
        };
        Self { first: pick(&self.first), second: pick(&self.second) }
    }
}

/// 128 bits of a row's texts.
pub(super) fn input_hash(stretch: &Stretch, row: usize) -> u128 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, stretch.first.get(row), stretch.second.get(row)).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    (half(1) << 64) | half(2)
}

/// Score and classes of a chunk's row.
pub(super) fn values(chunk: &ScoreChunk, at: usize) -> Vec<Option<f64>> {
    let score = chunk.scores.get(at).copied().flatten();
    let classes = chunk.classes.iter().map(|class| class.get(at).copied().flatten().map(f64::from));
    std::iter::once(score).chain(classes).collect()
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

    pub fn push(&mut self, row: u64, values: impl Iterator<Item = Option<f64>>) {
        self.rows.push(row as i64);
        let mut values = values.chain(std::iter::repeat(None));
        for column in &mut self.columns {
            column.push(values.next().flatten());
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
