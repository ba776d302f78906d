//! `recscope score` on files: the same scores as `recscope-score`, every row beside its own score
//! however the input is stored, types kept, and nothing written where something is wrong.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use duckdb::Connection;
use recscope::engine::store::{Flow, SourceSpec, Store, StoreOptions, Target};
use recscope::util::cancel::Cancel;

use crate::score_pipe::{code, err, model, run};

fn score(folder: &Path, model: &tempfile::TempDir, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_recscope"))
        .arg("score")
        .arg("--model")
        .arg(model.path())
        .args(["--device", "cpu"])
        .args(args)
        .current_dir(folder)
        .env("RECSCOPE_CONFIG", folder.join("none.toml"))
        .env("RECSCOPE_SCORE_CACHE", "off")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("none.toml"), "").unwrap();
    folder
}

/// Runs SQL with `{}` for the folder.
fn sql(folder: &Path, text: &str) {
    let text = text.replace("{}", folder.to_str().unwrap());
    Connection::open_in_memory().unwrap().execute_batch(&text).unwrap();
}

fn one<T: duckdb::types::FromSql>(folder: &Path, text: &str) -> T {
    let text = text.replace("{}", folder.to_str().unwrap());
    Connection::open_in_memory().unwrap().query_row(&text, [], |row| row.get(0)).unwrap()
}

/// Files of 5,000 rows with types of many kinds; texts repeat, one in 17 is missing.
const MANY_TYPES: &str = "COPY (
    SELECT i AS id, i::HUGEINT * 10000000000000000000 AS huge, (i / 7)::DECIMAL(18, 3) AS price,
        CASE WHEN i % 17 > 0 THEN 'red ' || i % 23 END AS query, ['跑鞋', 'mouse', 'boots'][1 + i % 3] AS title,
        TIMESTAMPTZ '2026-11-03 10:00:00+00' + INTERVAL (i) SECOND AS at, [i, NULL] AS list,
        {'a': i, 'b': 'x'} AS struct, ('a' || i % 2)::ENUM ('a0', 'a1') AS side, i % 2 = 0 AS even
    FROM range(5000) t(i)) TO '{}/in.parquet'";

#[test]
fn files_and_pipes_give_the_same_scores_and_types_stay() {
    let (folder, model) = (folder(), model(3));
    sql(folder.path(), MANY_TYPES);
    sql(folder.path(), "COPY (SELECT query, title FROM '{}/in.parquet') TO '{}/in.jsonl' (FORMAT json)");
    let args = ["--input", "in.parquet", "--pair", "QUERY,title", "--out", "out.parquet"];
    let output = score(folder.path(), &model, &args);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(output.stdout.is_empty());
    assert!(err(&output).contains("5,000 rows (69 different)"), "{}", err(&output));
    assert!(err(&output).contains("295 without text"), "{}", err(&output));
    let types = |name: &str| -> String {
        one(
            folder.path(),
            &format!(
                "SELECT string_agg(column_name || ' ' || column_type, ', ') FROM (DESCRIBE FROM '{{}}/{name}')"
            ),
        )
    };
    let added = "score DOUBLE, score_LABEL_0 DOUBLE, score_LABEL_1 DOUBLE, score_LABEL_2 DOUBLE";
    assert_eq!(types("out.parquet"), format!("{}, {added}", types("in.parquet")));
    let moved: i64 = one(
        folder.path(),
        "SELECT count(*) FROM '{}/in.parquet' i POSITIONAL JOIN '{}/out.parquet' o
         WHERE i.id <> o.id OR i.huge <> o.huge OR i.price <> o.price OR i.query IS DISTINCT FROM o.query
            OR i.at <> o.at OR i.struct <> o.struct OR (o.score IS NULL) <> (o.query IS NULL)",
    );
    assert_eq!(moved, 0);

    let lines = std::fs::read(folder.path().join("in.jsonl")).unwrap();
    let piped = run(&model, &["--pair", "query,title", "--missing", "null"], &lines);
    assert_eq!(code(&piped), 0, "{}", err(&piped));
    std::fs::write(folder.path().join("piped.jsonl"), &piped.stdout).unwrap();
    let apart: f64 = one(
        folder.path(),
        "SELECT max(greatest(abs(o.score - p.score), abs(o.score_LABEL_2 - p.score_LABEL_2),
                             (o.query IS DISTINCT FROM p.query)::INT, ((o.score IS NULL) <> (p.score IS NULL))::INT))
         FROM '{}/out.parquet' o POSITIONAL JOIN read_json('{}/piped.jsonl') p",
    );
    assert!(apart < 1e-5, "{apart}");
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_str().unwrap().starts_with(".saving")), "{left:?}");
}

#[test]
fn every_row_gets_its_own_score_however_the_rows_are_stored() {
    const N: u64 = 400_000;
    let folder = folder();
    // Several files, several row groups, several threads: where order could be lost.
    for file in 0..3 {
        let (from, to) = (N * file / 3, N * (file + 1) / 3);
        let rows = format!("SELECT i AS id, 'red ' || i % 100 AS query FROM range({from}, {to}) t(i)");
        sql(folder.path(), &format!("COPY ({rows}) TO '{{}}/p{file}.parquet' (ROW_GROUP_SIZE 20000)"));
        sql(folder.path(), &format!("COPY ({rows}) TO '{{}}/c{file}.csv'"));
        sql(folder.path(), &format!("COPY ({rows}) TO '{{}}/j{file}.jsonl' (FORMAT json)"));
    }
    let store = Store::open(&StoreOptions { threads: 4, ..StoreOptions::default() }).unwrap();
    let never = Cancel::new();
    for (glob, out) in [("p*.parquet", "o.parquet"), ("c*.csv", "o.csv"), ("j*.jsonl", "o.jsonl")] {
        let connection = store.connect().unwrap();
        connection.register_source("input", &SourceSpec::path(glob), folder.path(), &never).unwrap();
        let schema = Arc::new(Schema::new(vec![Field::new("score", DataType::Float64, true)]));
        connection.create_table("scores", &schema).unwrap();
        let mut batches = Vec::new();
        let ids = ["id".to_string()];
        connection
            .texts("input", &ids, &never, |rows| {
                let ids = rows.column(0).as_string::<i32>().iter();
                let ids: ArrayRef =
                    Arc::new(ids.map(|id| id.unwrap().parse().ok()).collect::<Float64Array>());
                batches.push(RecordBatch::try_new(schema.clone(), vec![ids]).unwrap());
                Ok(Flow::Continue(()))
            })
            .unwrap();
        for batch in &batches {
            connection.append("scores", batch).unwrap();
        }
        let out = folder.path().join(out);
        let to = Target { path: &out, raw: false };
        connection.export_scored("input", "scores", N, to, &never).unwrap();
        let path = out.to_str().unwrap();
        let wrong: i64 = one(folder.path(), &format!("SELECT count(*) FILTER (id <> score) FROM '{path}'"));
        let ordered: i64 = one(
            folder.path(),
            &format!(
                "SELECT count(*) FROM (SELECT id, lag(id) OVER () AS before FROM '{path}') WHERE id <> before + 1"
            ),
        );
        let rows: i64 = one(folder.path(), &format!("SELECT count(*) FROM '{path}'"));
        assert_eq!((rows, wrong, ordered), (N as i64, 0, 0), "{glob}");

        // An input that has grown since is noticed, and what was written of it is taken away.
        let other = folder.path().join("other.parquet");
        let error = connection
            .export_scored("input", "scores", N - 1, Target { path: &other, ..to }, &never)
            .unwrap_err();
        assert!(error.message.contains("399999 rows when it was scored"), "{}", error.message);
        assert!(!other.exists());
    }
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names.len(), 9 + 3 + 1, "{names:?}");
}

#[test]
fn nothing_is_read_where_the_result_could_not_be_written() {
    let (folder, model) = (folder(), model(1));
    std::fs::write(folder.path().join("in.csv"), "q,t,Score_x\nred,mouse,1\n").unwrap();
    let three = crate::score_pipe::model(3);
    for (out, words) in
        [("out.xlsx", "names no format"), ("no/out.csv", "does not exist"), ("a.csv/", "is a folder")]
    {
        std::fs::create_dir_all(folder.path().join("a.csv")).unwrap();
        let output = score(folder.path(), &model, &["--input", "in.csv", "--pair", "q,t", "--out", out]);
        assert_eq!(code(&output), 2, "{}", err(&output));
        assert!(err(&output).contains(words), "{}", err(&output));
    }
    std::fs::write(folder.path().join("taken.csv"), "q,t,SCORE_label_1\nred,mouse,1\n").unwrap();
    let args = ["--input", "taken.csv", "--pair", "q,t", "--out", "out.csv"];
    let output = score(folder.path(), &three, &args);
    assert_eq!(code(&output), 3, "{}", err(&output));
    assert!(err(&output).contains("already has a column `SCORE_label_1`"), "{}", err(&output));
    assert_eq!(code(&score(folder.path(), &model, &args)), 0, "a model without classes does not mind");

    // (A CSV of one line is read as a row without a header: DuckDB cannot tell.)
    one::<i64>(folder.path(), "COPY (SELECT 'x' AS q, 'x' AS t WHERE false) TO '{}/none.parquet'");
    let args = ["--input", "none.parquet", "--pair", "q,t", "--out", "empty.parquet"];
    let output = score(folder.path(), &model, &args);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(one::<i64>(folder.path(), "SELECT count(*) FROM '{}/empty.parquet'"), 0);
}
