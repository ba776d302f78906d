//! The store's own tests: what a cell's query may do, how its errors read, cancel, bounds.

use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use arrow::record_batch::RecordBatch;
use recscope::engine::store::{
    Connection, ErrorKind, Flow, Params, RelationKind, Select, Store, StoreError, StoreOptions,
};
use recscope::terms::{Bindings, PageSpec, SqlValue};
use recscope::util::cancel::Cancel;

/// A small instance and one connection.
pub fn open() -> (Store, Connection) {
    let options = StoreOptions { memory_limit: 512 << 20, threads: 2, ..StoreOptions::default() };
    let store = Store::open(&options).unwrap();
    let connection = store.connect().unwrap();
    (store, connection)
}

pub fn never() -> Cancel {
    Cancel::new()
}

fn cell(c: &Connection, name: &str, sql: &str) -> Result<recscope::engine::store::Relation, StoreError> {
    c.materialise(name, sql, &[], &never())
}

fn ints(c: &Connection, sql: &str) -> Vec<i64> {
    let rows = c.rows(sql, &[], &never()).unwrap();
    rows.column(0).as_primitive::<Int64Type>().values().to_vec()
}

fn params(list: &[(&str, SqlValue)]) -> Vec<(String, SqlValue)> {
    list.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect()
}

#[test]
fn a_result_is_a_relation_that_later_cells_and_other_connections_read() {
    let (store, c) = open();
    let made = cell(&c, "first", "SELECT range AS n, 'x' AS s FROM range(1000) ORDER BY n DESC").unwrap();
    assert_eq!((made.rows, made.kind), (Some(1000), RelationKind::Cell));
    assert_eq!((made.columns[0].name.as_str(), made.columns[0].sql_type.as_str()), ("n", "BIGINT"));
    cell(&c, "second", "SELECT max(n) AS n FROM first").unwrap();
    let peek = store.connect().unwrap();
    assert_eq!(ints(&peek, "FROM second"), [999]);
    assert_eq!(ints(&peek, "SELECT n FROM first LIMIT 2"), [999, 998], "rows keep their order");
    let names: Vec<String> = peek.relations().unwrap().into_iter().map(|r| r.name).collect();
    assert_eq!(names, ["first", "second"]);
}

#[test]
fn every_reading_statement_is_a_cell() {
    let (_store, c) = open();
    cell(&c, "t", "SELECT range AS a, range % 2 AS b FROM range(6)").unwrap();
    for (sql, rows) in [
        ("WITH q AS (SELECT 1) SELECT * FROM q", 1),
        ("FROM t", 6),
        ("FROM t SELECT a WHERE a > 3", 2),
        ("VALUES (1), (2)", 2),
        ("TABLE t", 6),
        ("DESCRIBE t", 2),
        ("describe select a from t", 1),
        ("SUMMARIZE t", 2),
        ("PIVOT t ON b USING sum(a)", 1),
        ("PIVOT t ON b IN (0, 1) USING sum(a);", 1),
        ("-- why\nPIVOT t ON b USING sum(a) -- so", 1),
        ("WITH p AS (PIVOT t ON b USING sum(a)) FROM p", 1),
        ("UNPIVOT t ON a, b", 12),
        ("(SELECT 1 UNION ALL SELECT 2) ORDER BY 1", 2),
        ("SELECT ';' AS \"a;b\" -- ; \n ; ;", 1),
        ("/* ; */ SELECT $$;$$;", 1),
        ("SELECT a AS x, a AS x FROM t", 6),
        ("SELECT * FROM t WHERE false", 0),
    ] {
        let made = cell(&c, "out", sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        assert_eq!(made.rows, Some(rows), "{sql}");
    }
}

#[test]
fn nothing_but_reading_passes() {
    let (_store, c) = open();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv");
    let path = out.display();
    cell(&c, "kept", "SELECT 1::BIGINT AS n").unwrap();
    for sql in [
        "SELECT 1; SELECT 2".to_owned(),
        format!("COPY (SELECT 1) TO '{path}'"),
        format!("SELECT 1; COPY (SELECT 1) TO '{path}'"),
        format!("COPY (SELECT 1) TO '{path}'; SELECT 1"),
        format!("SELECT 1) TO '{path}'; SELECT (1"),
        format!("SELECT 1 AS n; COPY (SELECT 1) TO '{path}'; PIVOT kept ON n USING sum(n)"),
        format!("PIVOT kept ON n USING sum(n)); COPY (SELECT 1) TO '{path}'; SELECT (1"),
        format!("COPY (PIVOT kept ON n USING sum(n)) TO '{path}'"),
        format!("ATTACH '{path}' AS x"),
        "PRAGMA database_list".into(),
        "PRAGMA memory_limit='1TB'".into(),
        "SET memory_limit='1TB'".into(),
        "INSTALL httpfs".into(),
        "LOAD httpfs".into(),
        "DROP TABLE cells.kept".into(),
        "CREATE TABLE cells.x AS SELECT 1".into(),
        "INSERT INTO cells.kept VALUES (2)".into(),
        "DELETE FROM cells.kept".into(),
        "WITH x AS (DELETE FROM cells.kept RETURNING *) FROM x".into(),
        "EXPLAIN ANALYZE SELECT 1".into(),
        "CALL pragma_version()".into(),
        format!("EXPORT DATABASE '{path}'"),
        "BEGIN".into(),
        "VACUUM".into(),
        "FROM arrow_scan(1, 2, 3)".into(),
        "SELECT * FROM (FROM checkpoint())".into(),
        "FROM query('FROM arrow_scan(1,2,3)')".into(),
        "SELECT write_log('x')".into(),
        "".into(),
        " -- nothing\n".into(),
        ";;".into(),
        "SELECT 1\0".into(),
    ] {
        let error = cell(&c, "out", &sql).err().unwrap_or_else(|| panic!("passed: {sql}"));
        let ours = matches!(error.kind, ErrorKind::Usage | ErrorKind::Parser);
        assert!(ours, "{sql}: {error:?}");
        assert!(!error.poisoned(), "{sql}");
        assert!(!out.exists(), "{sql} wrote a file");
    }
    assert_eq!(ints(&c, "FROM kept"), [1]);
    assert!(!c.has_cell("out").unwrap());
}

#[test]
fn errors_say_where_in_the_cell() {
    let (_store, c) = open();
    cell(&c, "clicks", "SELECT 1 AS query, 2 AS 商品").unwrap();
    let at = |sql: &str| {
        let e = cell(&c, "out", sql).unwrap_err();
        assert!(!e.message.contains("LINE "), "{e}");
        assert!(!e.message.contains("exception_type"), "{e}");
        (e.line, e.column, e.kind, e.message)
    };
    let (line, column, kind, message) = at("SELECT query,\n       qeury\nFROM clicks");
    assert_eq!((line, column, kind), (Some(2), Some(8), ErrorKind::Binder));
    assert!(message.contains("qeury") && message.contains("\"query\""), "{message}");
    let (line, column, kind, message) = at("SELECT *\nFROM clcks");
    assert_eq!((line, column, kind), (Some(2), Some(6), ErrorKind::Catalog));
    assert!(message.contains("clicks"), "{message}");
    let (line, column, kind, _) = at("SELECT '跑鞋', 商 FROM clicks");
    assert_eq!((line, column, kind), (Some(1), Some(14), ErrorKind::Binder), "characters, not bytes");
    let (line, column, kind, _) = at("SELECT 1\nFROM clicks\nWHERE AND 2");
    assert_eq!((line, column, kind), (Some(3), Some(7), ErrorKind::Parser));
    let (line, column, kind, _) = at("DESCRIBE SELECT\n nope FROM clicks");
    assert_eq!((line, column, kind), (Some(2), Some(2), ErrorKind::Binder));
    let (line, column, kind, _) = at("SELECT 1;\n\n SELECT 2");
    assert_eq!((line, column, kind), (Some(3), Some(2), ErrorKind::Usage));
    let (_, _, kind, message) = at("SELECT 'abc'::INTEGER");
    assert_eq!(kind, ErrorKind::Data);
    assert!(message.contains("abc"), "{message}");
}

#[test]
fn parameters_are_bound_and_their_shift_is_undone() {
    let (_store, c) = open();
    let p = params(&[
        ("k", SqlValue::Int(3)),
        ("who", SqlValue::from("跑鞋'; DROP TABLE x; --")),
        ("t", SqlValue::Float(0.5)),
    ]);
    let run = |sql: &str, p: &Params| c.materialise("out", sql, p, &never());
    let made = run("SELECT range AS n, {{who}} AS w, {{t}} AS t FROM range(10) LIMIT {{k}}", &p).unwrap();
    assert_eq!(made.rows, Some(3));
    let rows = c.rows("FROM out", &[], &never()).unwrap();
    assert_eq!(rows.column(1).as_string::<i32>().value(2), "跑鞋'; DROP TABLE x; --");
    let text = run("SELECT '{{k}}' AS s -- {{nope}}", &p).unwrap();
    assert_eq!(text.rows, Some(1));
    let e = run("SELECT {{k}}, {{who}},\n {{t}} + nope FROM range(1)", &p).unwrap_err();
    assert_eq!((e.line, e.column), (Some(2), Some(10)), "{e}");
    let e = run("SELECT {{k}}, nope FROM range(1)", &p).unwrap_err();
    assert_eq!((e.line, e.column), (Some(1), Some(15)), "{e}");
    let e = run("SELECT 1,\n {{kk}}", &p).unwrap_err();
    assert_eq!((e.line, e.column, e.kind), (Some(2), Some(2), ErrorKind::Usage));
    let e = run("SELECT $other", &p).unwrap_err();
    assert!(e.message.contains("$other"), "{e}");
    for value in [SqlValue::Null, SqlValue::Bool(true), SqlValue::from("")] {
        run("SELECT {{v}} AS v", &params(&[("v", value)])).unwrap();
    }
    let wrapped = run("SUMMARIZE SELECT range FROM range(9) WHERE range < {{k}}", &p).unwrap();
    assert_eq!(wrapped.rows, Some(1));
}

#[test]
fn a_failure_leaves_the_previous_result() {
    let (_store, c) = open();
    cell(&c, "out", "SELECT 7::BIGINT AS n").unwrap();
    assert!(cell(&c, "out", "SELECT error('boom') FROM range(5)").is_err());
    assert!(cell(&c, "out", "SELECT nope").is_err());
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(c.materialise("out", "SELECT 8::BIGINT AS n", &[], &cancel).unwrap_err().is_cancelled());
    assert_eq!(ints(&c, "FROM out"), [7]);
    cell(&c, "out", "SELECT n + 1 AS n FROM out").unwrap();
    assert_eq!(ints(&c, "FROM out"), [8], "a cell may read its own previous result");
}

#[test]
fn cancel_stops_a_cross_product_and_the_connection_goes_on() {
    let (_store, c) = open();
    cell(&c, "out", "SELECT 1::BIGINT AS n").unwrap();
    let sql = "SELECT count(*) AS n FROM range(10000000) a, range(10000000) b WHERE a.range + b.range = 3";
    for pause in [0, 1, 20, 120] {
        let cancel = Cancel::new();
        let flag = cancel.clone();
        let later = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(pause));
            flag.cancel();
        });
        let error = c.materialise("out", sql, &[], &cancel).unwrap_err();
        later.join().unwrap();
        assert!(error.is_cancelled(), "{error:?}");
        assert!(!error.poisoned());
        // A late interrupt must not hit the next statement.
        for _ in 0..20 {
            assert_eq!(ints(&c, "FROM out"), [1]);
        }
    }
    let cancel = Cancel::new();
    let flag = cancel.clone();
    let mut seen = 0;
    let error = c
        .query("SELECT range AS n FROM range(1000000000)", &[], &cancel, |rows| {
            seen += rows.num_rows();
            flag.cancel();
            Ok(Flow::Continue(()))
        })
        .unwrap_err();
    assert!(error.is_cancelled() && seen > 0, "a stream tells that it was cut off");
}

#[test]
fn a_stream_never_ends_early_in_silence() {
    let (_store, c) = open();
    let sql = "SELECT CASE WHEN range = 500000 THEN error('boom') ELSE range END AS n FROM range(1000000)";
    let mut seen = 0;
    let error = c.query(sql, &[], &never(), |rows| {
        seen += rows.num_rows();
        Ok(Flow::Continue(()))
    });
    let error = error.unwrap_err();
    assert!(error.message.contains("boom"), "after {seen} rows: {error:?}");
    let mut batches = 0;
    let schema = c
        .query("SELECT range AS n FROM range(1000000)", &[], &never(), |_| {
            batches += 1;
            Ok(if batches == 3 { Flow::Break(()) } else { Flow::Continue(()) })
        })
        .unwrap();
    assert_eq!((batches, schema.field(0).name().as_str()), (3, "n"));
    assert_eq!(ints(&c, "SELECT 5::BIGINT"), [5], "after breaking off, the connection is free");
}

#[test]
fn strange_names_and_shapes() {
    let (_store, c) = open();
    for name in ["跑鞋", "a\"b", "a;b", "select", "x y", "-- c", "Robert'); DROP TABLE x;--"] {
        cell(&c, name, "SELECT 1::BIGINT AS \"列\"\"1\", 2 AS \"order\"").unwrap();
        let seen = c.describe(name).unwrap();
        assert_eq!((seen.name.as_str(), seen.columns[0].name.as_str()), (name, "列\"1"));
        let request = PageSpec {
            relation: name.into(),
            limit: 5,
            columns: Some(vec!["order".into(), "列\"1".into()]),
            ..PageSpec::default()
        };
        assert_eq!(c.page(&request, &[], &never()).unwrap().batch.num_columns(), 2);
    }
    let wide: Vec<String> = (0..1000).map(|i| format!("{i} AS c{i}")).collect();
    let made = cell(&c, "wide", &format!("SELECT {}", wide.join(", "))).unwrap();
    assert_eq!(made.columns.len(), 1000);
    let none = cell(&c, "none", "SELECT 1 AS a, 'x' AS b WHERE false").unwrap();
    assert_eq!((none.rows, none.columns.len()), (Some(0), 2));
    let rows = c.rows("FROM none", &[], &never()).unwrap();
    assert_eq!((rows.num_rows(), rows.num_columns()), (0, 2));
    let big = "x".repeat(100_000);
    let text = "🏃\u{202e}\u{1b}[31m\u{0301}";
    let p = params(&[("big", SqlValue::Text(big.clone())), ("t", SqlValue::from(text))]);
    c.materialise(
        "texts",
        "SELECT {{big}} AS a, {{t}} AS b, '' AS c, NULL AS d, 'nan'::DOUBLE AS e",
        &p,
        &never(),
    )
    .unwrap();
    let rows = c.rows("FROM texts", &[], &never()).unwrap();
    assert_eq!(rows.column(0).as_string::<i32>().value(0), big);
    assert_eq!(rows.column(1).as_string::<i32>().value(0), text, "data is kept as it is");
    assert!(rows.column(4).as_primitive::<Float64Type>().value(0).is_nan());
}

#[test]
fn an_unknown_relation_suggests() {
    let (_store, c) = open();
    cell(&c, "clicks", "SELECT 1 AS n").unwrap();
    let error = c.describe("clik").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Catalog);
    assert!(error.hint.unwrap().contains("clicks"));
    let wrong = PageSpec {
        relation: "clicks".into(),
        limit: 1,
        columns: Some(vec!["m".into()]),
        ..PageSpec::default()
    };
    assert!(c.page(&wrong, &[], &never()).unwrap_err().hint.unwrap().contains('n'));
}

#[test]
fn too_much_for_memory_or_disk_is_an_error_and_not_the_end() {
    let options =
        StoreOptions { memory_limit: 64 << 20, threads: 1, spill_limit: 1 << 20, ..StoreOptions::default() };
    let store = Store::open(&options).unwrap();
    let c = store.connect().unwrap();
    cell(&c, "kept", "SELECT 1::BIGINT AS n").unwrap();
    let error =
        cell(&c, "big", "SELECT range AS n, md5(range::VARCHAR) AS h FROM range(20000000) ORDER BY h")
            .unwrap_err();
    assert!(matches!(error.kind, ErrorKind::OutOfMemory | ErrorKind::Disk), "{error:?}");
    assert!(error.hint.is_some() && !error.poisoned(), "{error:?}");
    assert_eq!(ints(&c, "FROM kept"), [1]);
    assert!(!c.has_cell("big").unwrap());
}

#[test]
fn a_spill_folder_that_cannot_be_made_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let options = StoreOptions { spill_root: Some(file.join("below")), ..StoreOptions::default() };
    let error = Store::open(&options).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Disk);
    assert!(error.hint.is_some());
}

#[test]
fn the_spill_folder_goes_with_the_instance() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { spill_root: Some(folder.path().into()), ..StoreOptions::default() };
    let store = Store::open(&options).unwrap();
    let c = store.connect().unwrap();
    let count = || std::fs::read_dir(folder.path()).unwrap().count();
    drop(store);
    assert_eq!(count(), 1, "a connection still lives");
    drop(c);
    assert_eq!(count(), 0);
}

#[test]
fn computed_rows_become_a_relation() {
    let (store, c) = open();
    let select = Select {
        from: "t".into(),
        filter: Some("n % 2 = {{odd}} -- odd ones".into()),
        order: Some("n DESC".into()),
        limit: Some(4),
        columns: Some(vec!["n".into(), "标题".into()]),
    };
    cell(&c, "t", "SELECT range AS n, 'title ' || range AS 标题, 1 AS other FROM range(100)").unwrap();
    let p = params(&[("odd", SqlValue::Int(1))]);
    let snapshot = c.snapshot("__in_rel", &select, &p, &never()).unwrap();
    assert_eq!((snapshot.rows, snapshot.columns.len()), (Some(4), 2));
    let titles = c.rows_at("__in_rel", &["标题".into()], 1, 2, &never()).unwrap();
    assert_eq!(titles.column(0).as_string::<i32>().value(0), "title 97");
    let schema = Schema::new(vec![
        Field::new("row", DataType::Int64, false),
        Field::new("rel_score", DataType::Float64, true),
    ]);
    c.create_table("__score_rel", &schema).unwrap();
    let rows = |ids: Vec<i64>, scores: Vec<Option<f64>>| {
        let columns: Vec<std::sync::Arc<dyn Array>> = vec![
            std::sync::Arc::new(arrow::array::Int64Array::from(ids)),
            std::sync::Arc::new(arrow::array::Float64Array::from(scores)),
        ];
        RecordBatch::try_new(schema.clone().into(), columns).unwrap()
    };
    c.append("__score_rel", &rows(vec![2, 0], vec![Some(0.2), None])).unwrap();
    let partial = c.join_scores("rel", "__in_rel", "__score_rel", &never()).unwrap();
    assert_eq!((partial.rows, partial.columns.len()), (Some(4), 3));
    let arrived = c.arrived_scores("early", "__in_rel", "__score_rel", 0, &never()).unwrap();
    assert_eq!((arrived.rows, arrived.columns), (Some(2), partial.columns));
    c.append("__score_rel", &rows(vec![3, 1], vec![Some(0.3), Some(f64::NAN)])).unwrap();
    let arrived = c.arrived_scores("early", "__in_rel", "__score_rel", 2, &never()).unwrap();
    assert_eq!(arrived.rows, Some(4));
    let some = c.rows("FROM early", &[], &never()).unwrap();
    assert_eq!(some.column(0).as_primitive::<Int64Type>().values(), &[99, 95, 97, 93], "added behind");
    c.drop_cell("early").unwrap();
    c.join_scores("rel", "__in_rel", "__score_rel", &never()).unwrap();
    let peek = store.connect().unwrap();
    let all = peek.rows("FROM rel", &[], &never()).unwrap();
    assert_eq!(all.column(0).as_primitive::<Int64Type>().values(), &[99, 97, 95, 93]);
    let scores = all.column(2).as_primitive::<Float64Type>();
    assert!(scores.is_null(0) && scores.value(1).is_nan());
    assert_eq!((scores.value(2), scores.value(3)), (0.2, 0.3));
    let visible: Vec<String> = peek.relations().unwrap().into_iter().map(|r| r.name).collect();
    assert_eq!(visible, ["rel", "t"], "the engine's own relations are hidden");
    c.rename("__score_rel", "scores").unwrap();
    assert!(c.has_cell("scores").unwrap());
    c.drop_cell("scores").unwrap();
    c.drop_cell("scores").unwrap();
    assert!(!c.has_cell("scores").unwrap());
    let broken = Select { filter: Some("1); DROP TABLE t; SELECT (1".into()), ..select };
    assert!(c.snapshot("__in_rel", &broken, &p, &never()).is_err());
}

#[test]
fn extensions_are_told() {
    let (store, _) = open();
    let all = store.extensions().unwrap();
    assert!(all.iter().any(|e| e.name == "parquet" && e.loaded), "{all:?}");
}

#[test]
fn registered_statements_are_filled() {
    let (_store, c) = open();
    let error = c.registered_rows("no/such", &Bindings::new(), &never()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Bug);
    assert!(error.message.contains("no/such"));
    cell(&c, "t", "SELECT range AS n FROM range(10)").unwrap();
    let none: Option<&str> = None;
    let fill = Bindings::new().value("name", none.map_or(SqlValue::Null, SqlValue::from));
    let rows = c.registered_rows("store/relations", &fill, &never()).unwrap();
    assert_eq!(rows.num_rows(), 1);
}

#[test]
fn completion_knows_relations_columns_and_keywords() {
    let (_store, c) = open();
    cell(&c, "impressions", "SELECT 1 AS query, 2 AS 商品").unwrap();
    let complete = |sql: &str| c.complete(sql, sql.len()).unwrap();
    let done = complete("SELECT * FROM impr");
    assert_eq!(done.from, 14);
    assert!(done.items.contains(&"impressions".to_owned()), "{done:?}");
    let done = complete("SELECT 商");
    assert_eq!(done.from, 7);
    let done = complete("FROM impressions WHERE qu");
    assert!(done.items.contains(&"query".to_owned()), "{done:?}");
    assert_eq!(c.complete("跑鞋", 1).unwrap().from, 0, "a cursor inside a character");
    assert!(c.complete("", 99).is_ok());
    assert!(c.complete("SELECT 'open", 12).is_ok());
}

#[test]
fn kept_rows_come_back_and_a_type_is_only_a_type() {
    let (_store, c) = open();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it's.parquet");
    let sql = "SELECT 170141183460469231731687303715884105727::HUGEINT // 10 AS h, 'a'::ENUM('a', 'b') AS e, [1] AS l, \
               {'跑': 1.5::DECIMAL(9, 2)} AS s, NULL::DATE AS d, 'nan'::FLOAT AS f, '12:00'::TIME AS t";
    let made = cell(&c, "kept", sql).unwrap();
    c.save_cell("kept", &file, &never()).unwrap();
    let read = c.load_cell("again", &file, &made.columns, &never()).unwrap();
    assert_eq!((read.rows, &read.columns), (Some(1), &made.columns));
    assert_eq!(ints(&c, "SELECT count(*) FROM (FROM kept EXCEPT FROM again)"), [0]);
    let out = folder.path().join("out.csv");
    let mut types = made.columns;
    for evil in ["VARCHAR) AS x; COPY (SELECT 1) TO '@'; SELECT (1", "VARCHAR), (SELECT 1", "nope", ""] {
        types[0].sql_type = evil.replace('@', &out.display().to_string());
        assert!(c.load_cell("again", &file, &types, &never()).is_err(), "{evil}");
        assert!(!out.exists());
    }
}
