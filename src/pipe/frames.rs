//! An Arrow IPC stream cut into its messages. Our own cutting, because the library's readers trust
//! the lengths that a stream claims (a damaged one asks for all memory) and hold a message back until
//! the next one has begun, which a coprocess cannot wait for. What a message holds is the library's
//! business.

use std::collections::HashMap;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::reader::{read_dictionary, read_record_batch};
use arrow::ipc::{MessageHeader, convert::fb_to_schema, root_as_message};
use arrow::record_batch::RecordBatch;

use super::Fault;
use super::fd::Input;
use crate::util::figures;

/// A message's description is small, also where a schema has thousands of columns.
const MAX_META: usize = 64 << 20;
/// A batch is held whole.
const MAX_BODY: usize = 2 << 30;

pub(super) struct Frames {
    input: Input,
    /// `None` while it is being read.
    schema: Option<SchemaRef>,
    dictionaries: HashMap<i64, ArrayRef>,
    /// Record batches read so far.
    batches: u64,
    ended: bool,
}

impl Frames {
    /// Reads the stream's schema.
    pub fn open(input: Input) -> Result<Self, Fault> {
        let mut frames = Self { input, schema: None, dictionaries: HashMap::new(), batches: 0, ended: false };
        let Some((meta, _)) = frames.message()? else {
            return Err(Fault::data("stdin holds no Arrow stream: it ends before a schema")
                .hint("write the schema also where there are no rows"));
        };
        let schema = frames.guard(|| {
            let message = root_as_message(&meta).map_err(|error| error.to_string())?;
            let schema = message.header_as_schema().ok_or("the first message is no schema")?;
            Ok(fb_to_schema(schema))
        })?;
        frames.schema = Some(Arc::new(schema));
        Ok(frames)
    }

    pub fn schema(&self) -> SchemaRef {
        self.schema.clone().unwrap_or_else(|| Arc::new(Schema::empty()))
    }

    /// Batches read so far.
    pub fn batches(&self) -> u64 {
        self.batches
    }

    /// Whether more can be read at once.
    pub fn waiting(&self) -> bool {
        !self.ended && self.input.waiting()
    }

    /// The next batch of rows; `None` at the end.
    pub fn next(&mut self) -> Result<Option<RecordBatch>, Fault> {
        while let Some((meta, body)) = self.message()? {
            let mut dictionaries = std::mem::take(&mut self.dictionaries);
            let schema = self.schema();
            let read = self.guard(|| {
                let message = root_as_message(&meta).map_err(|error| error.to_string())?;
                let version = message.version();
                match message.header_type() {
                    MessageHeader::RecordBatch => {
                        let batch = message.header_as_record_batch().ok_or("it has no content")?;
                        read_record_batch(&body, batch, schema, &dictionaries, None, &version)
                            .map(Some)
                            .map_err(|error| error.to_string())
                    }
                    MessageHeader::DictionaryBatch => {
                        let batch = message.header_as_dictionary_batch().ok_or("it has no content")?;
                        read_dictionary(&body, batch, &schema, &mut dictionaries, &version)
                            .map(|()| None)
                            .map_err(|error| error.to_string())
                    }
                    MessageHeader::NONE => Ok(None),
                    other => Err(format!("a message of kind {other:?} stands among the batches")),
                }
            })?;
            self.dictionaries = dictionaries;
            if read.is_some() {
                self.batches += 1;
                return Ok(read);
            }
        }
        Ok(None)
    }

    /// What is being read.
    fn name(&self) -> String {
        if self.schema.is_none() {
            return "the schema".into();
        }
        format!("batch {}", figures::thousands(i128::from(self.batches) + 1))
    }

    /// Runs the library on untrusted bytes: its error or panic becomes a sentence.
    fn guard<T>(&self, read: impl FnOnce() -> Result<T, String>) -> Result<T, Fault> {
        let why = match catch_unwind(AssertUnwindSafe(read)) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(why)) => why,
            Err(_) => "the Arrow library gave up on it".to_string(),
        };
        let what = self.name();
        let compressed = ["lz4", "zstd"].iter().any(|codec| why.contains(codec));
        Err(match compressed {
            true => Fault::data(format!("{what} of the Arrow stream is compressed"))
                .hint("write the stream without compression"),
            false => Fault::data(format!("{what} of the Arrow stream is damaged: {why}")),
        })
    }

    /// Description and body of the next message; `None` at the end.
    fn message(&mut self) -> Result<Option<(Vec<u8>, Buffer)>, Fault> {
        if self.ended {
            return Ok(None);
        }
        let Some(mut length) = self.length()? else { return Ok(None) };
        if length == u32::MAX {
            // The marker before every length.
            match self.length()? {
                Some(next) => length = next,
                None => return Err(self.cut_off(0, 4)),
            }
        }
        if length == 0 {
            self.ended = true;
            return Ok(None);
        }
        let meta = self.bytes(u64::from(length), MAX_META)?;
        let body = self.guard(|| {
            let message = root_as_message(&meta).map_err(|error| error.to_string())?;
            u64::try_from(message.bodyLength()).map_err(|_| "its length is negative".to_string())
        })?;
        let body = self.bytes(body, MAX_BODY)?;
        Ok(Some((meta, Buffer::from_vec(body))))
    }

    /// Four bytes; `None` where the input ends before them, as a stream may.
    fn length(&mut self) -> Result<Option<u32>, Fault> {
        let mut bytes = [0; 4];
        let mut had = 0;
        while had < bytes.len() {
            match self.input.read(bytes.get_mut(had..).unwrap_or_default()).map_err(unreadable)? {
                0 if had == 0 => {
                    self.ended = true;
                    return Ok(None);
                }
                0 => return Err(self.cut_off(had, bytes.len())),
                n => had += n,
            }
        }
        Ok(Some(u32::from_le_bytes(bytes)))
    }

    /// So many bytes; memory grows with what arrives, not with what is promised.
    fn bytes(&mut self, length: u64, most: usize) -> Result<Vec<u8>, Fault> {
        if length > most as u64 {
            let what = format!(
                "{} of the Arrow stream claims {}, more than {}",
                self.name(),
                figures::bytes(length),
                figures::bytes(most as u64)
            );
            return Err(
                Fault::data(what).hint("the stream is damaged, or its batches are to be made smaller")
            );
        }
        let mut bytes = Vec::new();
        (&mut self.input).take(length).read_to_end(&mut bytes).map_err(unreadable)?;
        match bytes.len() as u64 == length {
            true => Ok(bytes),
            false => Err(self.cut_off(bytes.len(), length as usize)),
        }
    }

    fn cut_off(&self, had: usize, of: usize) -> Fault {
        Fault::data(format!(
            "the Arrow stream is cut off in {}: {had} of {of} bytes of it are there",
            self.name()
        ))
        .hint("the program that writes it has failed, or the file was copied in part")
    }
}

fn unreadable(error: std::io::Error) -> Fault {
    Fault::resource(format!("cannot read stdin: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use arrow::array::{DictionaryArray, Int64Array, StringArray, StringViewArray};
    use arrow::datatypes::Int32Type;
    use arrow::ipc::writer::StreamWriter;
    use proptest::prelude::*;

    use super::*;

    fn batch(from: i64) -> RecordBatch {
        let words = ["red", "跑鞋", "a text that is too long for a view to hold"];
        let dictionary: DictionaryArray<Int32Type> = words.iter().map(|word| Some(*word)).collect();
        RecordBatch::try_from_iter([
            ("id", Arc::new(Int64Array::from(vec![Some(from), None, Some(3)])) as ArrayRef),
            ("text", Arc::new(StringArray::from(words.to_vec())) as ArrayRef),
            ("view", Arc::new(StringViewArray::from(words.to_vec())) as ArrayRef),
            ("dictionary", Arc::new(dictionary) as ArrayRef),
        ])
        .unwrap()
    }

    /// A stream of two batches, and where its schema and its batches end.
    fn stream() -> (Vec<u8>, [usize; 3]) {
        let mut writer = StreamWriter::try_new(Vec::new(), &batch(0).schema()).unwrap();
        let schema = writer.get_ref().len();
        writer.write(&batch(0)).unwrap();
        let first = writer.get_ref().len();
        writer.write(&batch(1)).unwrap();
        let second = writer.get_ref().len();
        writer.finish().unwrap();
        (writer.into_inner().unwrap(), [schema, first, second])
    }

    /// Batches that can be read, and what is wrong behind them.
    fn read(bytes: &[u8]) -> (Vec<RecordBatch>, Option<Fault>) {
        let (from, mut to) = std::io::pipe().unwrap();
        let bytes = bytes.to_vec();
        // The reader may stop first.
        let feeder = std::thread::spawn(move || to.write_all(&bytes));
        let mut batches = Vec::new();
        let fault = Frames::open(Input::new(from.into())).and_then(|mut frames| {
            while let Some(batch) = frames.next()? {
                batches.push(batch);
            }
            Ok(())
        });
        let _ = feeder.join().unwrap();
        (batches, fault.err())
    }

    #[test]
    fn batches_are_read_as_they_were_written() {
        let (bytes, _) = stream();
        let (batches, fault) = read(&bytes);
        assert_eq!((batches, fault), (vec![batch(0), batch(1)], None));
    }

    #[test]
    fn a_cut_anywhere_is_a_sentence() {
        let (bytes, [schema, first, second]) = stream();
        for cut in 0..bytes.len() {
            let (batches, fault) = read(&bytes[..cut]);
            // Between messages a stream may end; dictionaries are messages too.
            let whole = [first, second].iter().filter(|end| **end <= cut).count();
            assert_eq!(batches.len(), whole, "cut at {cut}");
            match fault {
                Some(fault) => {
                    assert_eq!(fault.exit(), 3, "cut at {cut}: {fault}");
                    let words = if cut < 4 && cut > 0 || cut >= 4 { "cut off in" } else { "before a schema" };
                    assert!(fault.message.contains(words), "cut at {cut}: {fault}");
                }
                None => assert!(cut >= schema && cut % 8 == 0 || cut >= second, "cut at {cut}"),
            }
        }
    }

    #[test]
    fn a_length_that_lies_asks_for_no_memory() {
        let (bytes, _) = stream();
        for claim in [u32::MAX - 1, i32::MAX as u32, 65 << 20] {
            let mut bytes = bytes.clone();
            bytes[4..8].copy_from_slice(&claim.to_le_bytes());
            let (_, fault) = read(&bytes);
            assert!(fault.as_ref().unwrap().message.contains("claims"), "{fault:?}");
        }
        let mut bytes = bytes;
        bytes[4..8].copy_from_slice(&(60u32 << 20).to_le_bytes());
        assert!(read(&bytes).1.unwrap().message.contains("cut off in the schema"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
        #[test]
        fn damage_is_a_sentence_or_goes_unnoticed(
            places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        ) {
            let (mut bytes, _) = stream();
            for (place, byte) in places {
                let at = place.index(bytes.len());
                bytes[at] = byte;
            }
            let (batches, fault) = read(&bytes);
            prop_assert!(batches.len() <= 2);
            prop_assert!(fault.is_none_or(|fault| fault.exit() == 3));
        }
    }
}
