//! `recscope-score` on Arrow streams: types, nulls and metadata as they were, batch by batch, and
//! what a schema or a stream can have wrong. (Every way to cut or damage one: unit tests of `frames`.)

use std::collections::HashMap;
use std::io::BufReader;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, DictionaryArray, Float64Array, Int64Array, LargeStringArray,
    ListArray, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, Int64Type, Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;

use crate::score_pipe::{Coprocess, code, command, err, model, run};

const PAIR: [&str; 2] = ["--pair", "query,title"];

fn stream(schema: &Schema, batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn read(bytes: &[u8]) -> (SchemaRef, Vec<RecordBatch>) {
    let reader = StreamReader::try_new(bytes, None).unwrap();
    (reader.schema(), reader.map(Result::unwrap).collect())
}

/// Rows of many types; every tenth has no title.
fn rows(from: i64, n: i64) -> RecordBatch {
    let numbers = || from..from + n;
    let title = |i: i64| (i % 10 != 9).then(|| ["running shoes", "跑 鞋", "mouse"][(i % 3) as usize]);
    let titles: DictionaryArray<Int32Type> = numbers().map(title).collect();
    let lists = numbers().map(|i| Some(vec![Some(i), None]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(numbers()))),
        ("query", Arc::new(StringViewArray::from_iter_values(numbers().map(|i| format!("red {}", i % 7))))),
        ("title", Arc::new(titles)),
        ("when", Arc::new(TimestampMicrosecondArray::from_iter_values(numbers()).with_timezone("UTC"))),
        ("tags", Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let metadata = HashMap::from([("made".to_string(), "by a test".to_string())]);
    let schema = batch.schema().as_ref().clone().with_metadata(metadata);
    batch.with_schema(Arc::new(schema)).unwrap()
}

fn scores(batch: &RecordBatch) -> &Float64Array {
    batch.column_by_name("score").unwrap().as_primitive::<Float64Type>()
}

#[test]
fn batches_come_back_with_every_column() {
    let model = model(1);
    let batches = [rows(0, 1000), rows(1000, 0), rows(1000, 1), rows(1001, 300)];
    let schema = batches[0].schema();
    let output = run(&model, &PAIR, &stream(&schema, &batches));
    assert_eq!(code(&output), 0, "{}", err(&output));
    let (answered, answers) = read(&output.stdout);
    assert_eq!(answered.fields()[..5], schema.fields()[..]);
    assert_eq!(answered.metadata(), schema.metadata());
    let field = &answered.fields()[5];
    assert_eq!(
        (field.name().as_str(), field.data_type(), field.is_nullable()),
        ("score", &DataType::Float64, true)
    );
    let all = arrow::compute::concat_batches(&answered, &answers).unwrap();
    let asked = arrow::compute::concat_batches(&schema, &batches).unwrap();
    assert_eq!(all.num_rows(), 1301);
    for column in 0..5 {
        assert_eq!(all.column(column), asked.column(column), "{}", schema.field(column).name());
    }
    let scores = scores(&all);
    for row in 0..1301 {
        assert_eq!(scores.is_null(row), row % 10 == 9, "row {row}");
    }
    // Rows 0 and 21 hold the same texts, 0 and 1 do not.
    assert_eq!(scores.value(0), scores.value(21));
    assert_ne!(scores.value(0), scores.value(1));
    assert!(err(&output).contains("1,301 rows (21 different)"), "{}", err(&output));
}

#[test]
fn a_batch_is_answered_before_the_next_is_asked() {
    let model = model(3);
    let mut asked = Coprocess::start(command(&model, &["--text", "title"]));
    let stdin = asked.stdin.take().unwrap();
    let mut writer = StreamWriter::try_new(stdin, &rows(0, 1).schema()).unwrap();
    writer.flush().unwrap();
    // The schema alone is answered: a client may want it before it sends rows.
    let mut reader = StreamReader::try_new(BufReader::new(asked.stdout), None).unwrap();
    let names: Vec<String> = reader.schema().fields().iter().skip(5).map(|f| f.name().clone()).collect();
    assert_eq!(names, ["score", "score_LABEL_0", "score_LABEL_1", "score_LABEL_2"]);
    for n in [1, 300, 0, 2] {
        writer.write(&rows(n, n)).unwrap();
        writer.flush().unwrap();
        let mut had = 0;
        loop {
            let Some(answer) = reader.next() else {
                let mut said = String::new();
                std::io::Read::read_to_string(&mut asked.child.stderr.take().unwrap(), &mut said).unwrap();
                panic!("ended at {n}: {said}");
            };
            let answer = answer.unwrap();
            had += answer.num_rows() as i64;
            if had >= n {
                break;
            }
        }
        assert_eq!(had, n);
    }
    writer.finish().unwrap();
    drop(writer);
    assert!(reader.next().is_none());
    assert!(asked.child.wait().unwrap().success());
}

#[test]
fn lines_and_batches_give_the_same_scores() {
    let model = model(1);
    let batch = rows(0, 200);
    let (_, answers) =
        read(&run(&model, &PAIR, &stream(&batch.schema(), std::slice::from_ref(&batch))).stdout);
    let titles = arrow::compute::cast(batch.column(2), &DataType::Utf8).unwrap();
    let lines: String = (0..200)
        .map(|row| {
            let title = titles.as_string::<i32>();
            let title = (!title.is_null(row)).then(|| title.value(row));
            let query = batch.column(1).as_string_view().value(row);
            serde_json::json!({ "query": query, "title": title }).to_string() + "\n"
        })
        .collect();
    let output = run(&model, &PAIR, lines.as_bytes());
    let answers = arrow::compute::concat_batches(&answers[0].schema(), &answers).unwrap();
    for (row, line) in String::from_utf8(output.stdout).unwrap().lines().enumerate() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        match (line["score"].as_f64(), scores(&answers)) {
            (Some(a), scores) => assert!((a - scores.value(row)).abs() < 1e-5, "row {row}"),
            (None, scores) => assert!(scores.is_null(row), "row {row}"),
        }
    }
}

#[test]
fn a_schema_that_does_not_fit_is_refused_before_any_row() {
    let model = model(1);
    let text = || -> ArrayRef { Arc::new(StringArray::from(vec!["a"])) };
    let of = |columns: Vec<(&str, ArrayRef)>| {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        stream(&batch.schema(), &[batch])
    };
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1)])]));
    for (columns, words) in [
        (vec![("query", text()), ("titel", text())], "did you mean `titel`?"),
        (vec![("query", text()), ("title", text()), ("score", text())], "already has a column `score`"),
        (
            vec![("query", Arc::new(BinaryArray::from_vec(vec![b"a"])) as ArrayRef), ("title", text())],
            "Binary, not text",
        ),
        (vec![("query", list), ("title", text())], "not text"),
    ] {
        let output = run(&model, &PAIR, &of(columns));
        assert_eq!((code(&output), output.stdout.len()), (3, 0), "{}", err(&output));
        assert!(err(&output).contains(words), "{}", err(&output));
    }
    // Numbers and large texts read as they print; a column is found in any case of letters.
    let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(1.5), None]));
    let large: ArrayRef = Arc::new(LargeStringArray::from(vec!["a", "b"]));
    let output = run(&model, &PAIR, &of(vec![("Query", numbers), ("TITLE", large)]));
    assert_eq!(code(&output), 0, "{}", err(&output));
    let (_, answers) = read(&output.stdout);
    assert!(scores(&answers[0]).is_valid(0) && scores(&answers[0]).is_null(1));
}

#[test]
fn a_stream_that_is_cut_off_keeps_what_came_before() {
    let model = model(1);
    let batches = [rows(0, 10), rows(10, 10)];
    let whole = stream(&batches[0].schema(), &batches);
    let one = stream(&batches[0].schema(), &batches[..1]);
    let output = run(&model, &PAIR, &whole[..one.len() + 40]);
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("cut off in batch 2"), "{}", err(&output));
    let answers: Vec<_> = StreamReader::try_new(output.stdout.as_slice(), None).unwrap().collect();
    assert_eq!(answers[0].as_ref().unwrap().num_rows(), 10);

    let output = run(&model, &["--pair", "query,title", "--format", "arrow"], b"");
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("ends before a schema"), "{}", err(&output));
    let output = run(&model, &["--pair", "query,title", "--format", "arrow"], b"{\"query\":1}\n");
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("Arrow stream"), "{}", err(&output));
}

#[test]
fn an_end_without_a_marker_is_an_end() {
    // Writers that are closed without a word leave the marker out, and readers take it.
    let model = model(1);
    let batch = rows(0, 5);
    let mut whole = stream(&batch.schema(), std::slice::from_ref(&batch));
    whole.truncate(whole.len() - 8);
    let output = run(&model, &PAIR, &whole);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(read(&output.stdout).1[0].num_rows(), 5);
    let empty = stream(
        &Schema::new(vec![
            Field::new("query", DataType::Utf8, true),
            Field::new("title", DataType::Utf8, true),
        ]),
        &[],
    );
    let output = run(&model, &PAIR, &empty);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let (schema, batches) = read(&output.stdout);
    assert_eq!((schema.fields().len(), batches.len()), (3, 0));
}
