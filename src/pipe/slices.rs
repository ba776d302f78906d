//! Arrow batches become chunks of rows: which columns the model wants and how they read as text. A
//! batch is passed on in slices, without copying.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;

use super::Fault;
use super::fault::find_column;
use super::frames::Frames;
use super::run::{Kept, Rows, Wanted};
use crate::engine::model::Chunk;
use crate::util::figures;

/// Rows of a chunk.
const CHUNK_ROWS: usize = 256;

/// Some rows of a batch: neighbours are put together again when they are written.
#[derive(Debug)]
pub(super) struct Slice {
    pub batch: RecordBatch,
    /// Which batch of the stream it is, from 1.
    pub number: u64,
    pub from: usize,
    pub rows: usize,
}

/// The wanted columns by their places; faults of the schema are told before any row is read.
pub(super) fn find(schema: &Schema, wanted: &Wanted) -> Result<Vec<usize>, Fault> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    if let Some(taken) = wanted.added.iter().find(|name| names.contains(&name.as_str())) {
        return Err(Fault::data(format!("the input already has a column `{taken}`"))
            .hint("rename it first: what scoring adds is written under this name"));
    }
    let mut places = Vec::new();
    for column in &wanted.columns {
        let name = find_column(column, &names)?;
        let place = names.iter().position(|other| *other == name).unwrap_or_default();
        let kind = schema.field(place).data_type();
        if !reads_as_text(kind) {
            return Err(Fault::data(format!("column `{name}` is of type {kind}, not text"))
                .hint("cast it to a string before it is written"));
        }
        places.push(place);
    }
    Ok(places)
}

/// Sends the batches of a stream; `Err`: the rest cannot be read. What was read before has been sent.
pub(super) fn read(mut frames: Frames, places: &[usize], send: &Rows) -> Result<(), Fault> {
    while let Some(batch) = frames.next()? {
        let rows = batch.num_rows();
        let (number, bytes_of_row) = (frames.batches(), bytes(&batch) / rows.max(1));
        // A batch without rows is passed on too: somebody may count them.
        for from in (0..rows.max(1)).step_by(CHUNK_ROWS) {
            let slice = batch.slice(from, CHUNK_ROWS.min(rows - from));
            let mut texts = Vec::with_capacity(2);
            for place in places {
                texts.push(texts_of(slice.column(*place)).map_err(|why| {
                    let name = slice.schema_ref().field(*place).name().clone();
                    let number = figures::thousands(i128::from(number));
                    Fault::data(format!("batch {number}: column `{name}` cannot be read as text: {why}"))
                })?);
            }
            let mut texts = texts.into_iter();
            let chunk = Chunk {
                first: texts.next().unwrap_or_default(),
                second: texts.next().unwrap_or_default(),
                bytes: bytes_of_row * slice.num_rows(),
                keep: Kept::Slice(Slice { batch: batch.clone(), number, from, rows: slice.num_rows() }),
                pause: from + CHUNK_ROWS >= rows && !frames.waiting(),
            };
            if send.send(Ok(chunk)).is_err() {
                // The job has ended.
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Bytes of the rows themselves: their buffers may be parts of one that they share.
fn bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| column.to_data().get_slice_memory_size().unwrap_or(0)).sum()
}

/// The stream's schema with the columns that scoring adds.
pub(super) fn with_scores(schema: &SchemaRef, added: &[String]) -> Schema {
    let mut fields = schema.fields().to_vec();
    let field = |name: &String| arrow::datatypes::Field::new(name, DataType::Float64, true);
    fields.extend(added.iter().map(|name| field(name).into()));
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

/// Texts, and what prints as one without a doubt.
fn reads_as_text(kind: &DataType) -> bool {
    match kind {
        DataType::Dictionary(_, values) => reads_as_text(values),
        DataType::RunEndEncoded(_, values) => reads_as_text(values.data_type()),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Null | DataType::Boolean => true,
        other => other.is_numeric() || other.is_temporal(),
    }
}

fn texts_of(array: &ArrayRef) -> Result<Vec<Option<String>>, String> {
    // What does not convert is an error, not a null.
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let array = cast_with_options(array, &DataType::Utf8, &strict).map_err(|error| error.to_string())?;
    let array = array.as_string::<i32>();
    Ok((0..array.len()).map(|row| (!array.is_null(row)).then(|| array.value(row).to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
        LargeStringArray, NullArray, StringArray, StringViewArray,
    };
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn whatever_prints_is_a_text() {
        let dictionary: DictionaryArray<Int32Type> = [Some("跑鞋"), None, Some("跑鞋")].into_iter().collect();
        let two = [Some("跑鞋"), None];
        let arrays: Vec<(ArrayRef, &str)> = vec![
            (Arc::new(StringArray::from_iter(two)), "跑鞋"),
            (Arc::new(LargeStringArray::from_iter(two)), "跑鞋"),
            (Arc::new(StringViewArray::from_iter(two)), "跑鞋"),
            (Arc::new(dictionary), "跑鞋"),
            (Arc::new(Int64Array::from(vec![Some(i64::MAX), None])), "9223372036854775807"),
            (Arc::new(Float64Array::from(vec![Some(1.5), None])), "1.5"),
            (Arc::new(BooleanArray::from(vec![Some(true), None])), "true"),
            (Arc::new(Date32Array::from(vec![Some(0), None])), "1970-01-01"),
            (
                Arc::new(
                    Decimal128Array::from(vec![Some(1250), None]).with_precision_and_scale(10, 2).unwrap(),
                ),
                "12.50",
            ),
        ];
        for (array, wanted) in arrays {
            assert!(reads_as_text(array.data_type()), "{}", array.data_type());
            let texts = texts_of(&array).unwrap();
            assert_eq!((texts[0].as_deref(), &texts[1]), (Some(wanted), &None), "{}", array.data_type());
        }
        let nothing: ArrayRef = Arc::new(NullArray::new(2));
        assert_eq!(texts_of(&nothing).unwrap(), [None, None]);
        assert!(!reads_as_text(&DataType::Binary));
        assert!(!reads_as_text(&DataType::new_list(DataType::Utf8, true)));
    }
}
