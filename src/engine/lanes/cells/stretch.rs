//! A stretch of a scoring job's rows: their texts on the way to the model, their scores on the way
//! back, and which rows have been there. No lane and no connection here.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array};
use arrow::datatypes::Schema;
use arrow::record_batch::RecordBatch;

use crate::engine::model::ScoreChunk;

/// The texts of some of a job's rows.
#[derive(Default)]
pub(super) struct Stretch {
    /// Which rows of the job these are.
    pub rows: Arc<Vec<u64>>,
    pub first: Vec<Option<String>>,
    /// Empty where the model reads one text.
    pub second: Vec<Option<String>>,
}

impl Stretch {
    /// Rows `from..`, less those that are in `done`.
    pub fn of(from: u64, first: Vec<Option<String>>, second: Vec<Option<String>>, done: &Rows) -> Self {
        let open = |at: &usize| !done.has(from + *at as u64);
        let rows: Vec<u64> = (0..first.len()).filter(open).map(|at| from + at as u64).collect();
        if rows.len() == first.len() {
            return Self { rows: Arc::new(rows), first, second };
        }
        let keep = |texts: Vec<Option<String>>| {
            let texts = texts.into_iter().enumerate().filter(|(at, _)| open(at));
            texts.map(|(_, text)| text).collect()
        };
        Self { rows: Arc::new(rows), first: keep(first), second: keep(second) }
    }
}

/// A set of rows, a bit each.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows(Vec<u64>);

impl Rows {
    pub fn has(&self, row: u64) -> bool {
        self.0.get((row / 64) as usize).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    pub fn add(&mut self, row: u64) {
        let at = (row / 64) as usize;
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        if let Some(word) = self.0.get_mut(at) {
            *word |= 1 << (row % 64);
        }
    }
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

    /// Adds a chunk of the stretch that these rows are.
    pub fn push(&mut self, rows: &[u64], chunk: &ScoreChunk) {
        self.rows.extend(chunk.rows.iter().filter_map(|row| rows.get(*row)).map(|row| *row as i64));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_done_are_left_out_of_a_stretch() {
        let mut done = Rows::default();
        [3, 64, 1_000].iter().for_each(|row| done.add(*row));
        let texts = |rows: std::ops::Range<u64>| rows.map(|row| Some(row.to_string())).collect::<Vec<_>>();
        let stretch = Stretch::of(62, texts(62..67), Vec::new(), &done);
        assert_eq!(*stretch.rows, [62, 63, 65, 66]);
        assert_eq!(stretch.first.iter().flatten().collect::<Vec<_>>(), ["62", "63", "65", "66"]);
        assert!(stretch.second.is_empty() && !done.has(9_999));
        let whole = Stretch::of(200, texts(0..3), texts(0..3), &done);
        assert_eq!((whole.rows.len(), whole.second.len()), (3, 3));
    }
}
