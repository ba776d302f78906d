//! Sources: what opens, and that what does not says why, where and what to do, and harms nothing.

use std::fs;
use std::path::Path;

use recscope::engine::store::{Connection, ErrorKind, Relation, SourceFormat, SourceSpec, StoreError};
use recscope::terms::SqlValue;

use crate::store::{never, open};
use crate::support::shared;

fn add(c: &Connection, base: &Path, name: &str, path: &str) -> Result<Vec<Relation>, StoreError> {
    c.register_source(name, &SourceSpec::path(path), base, &never())
}

fn columns(relations: &[Relation]) -> Vec<String> {
    relations[0].columns.iter().map(|c| format!("{} {}", c.name, c.sql_type)).collect()
}

/// A Parquet file of 100,000 rows; written by DuckDB itself, outside of the store.
fn parquet(path: &Path, rows: u64) {
    let duck = duckdb::Connection::open_in_memory().unwrap();
    duck.execute_batch(&format!(
        "COPY (SELECT range AS a, md5(range::VARCHAR) AS b FROM range({rows})) TO '{}'",
        path.display()
    ))
    .unwrap();
}

#[test]
fn every_format_opens() {
    let (_store, c) = open();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    parquet(&at("a.parquet"), 10);
    fs::copy(at("a.parquet"), at("no_extension")).unwrap();
    fs::write(at("b.csv"), "query,商品 名,价格\n跑鞋,A,1.5\n靴子,B,2\n").unwrap();
    fs::write(at("b.tsv"), "q\tn\nx\t1\n").unwrap();
    fs::write(at("semi.csv"), "q;n\nx;1\n").unwrap();
    fs::write(at("one.csv"), "text\nhello\nworld\n").unwrap();
    fs::write(at("c.jsonl"), "{\"q\": \"x\", \"n\": 1}\n{\"q\": \"y\", \"n\": 2}\n").unwrap();
    fs::write(at("c.json"), "[{\"q\": \"x\", \"n\": 1}, {\"q\": \"y\"}]").unwrap();
    for (name, how) in [("d.csv.gz", "gzip"), ("d.csv.zst", "zstd"), ("e.jsonl.zst", "zstd")] {
        let duck = duckdb::Connection::open_in_memory().unwrap();
        let copy = format!("COPY (SELECT 'x' AS q, 1 AS n) TO '{}' (COMPRESSION {how})", at(name).display());
        duck.execute_batch(&copy).unwrap();
    }
    for (path, want) in [
        ("a.parquet", vec!["a BIGINT", "b VARCHAR"]),
        ("no_extension", vec!["a BIGINT", "b VARCHAR"]),
        ("b.csv", vec!["query VARCHAR", "商品 名 VARCHAR", "价格 DOUBLE"]),
        ("b.tsv", vec!["q VARCHAR", "n BIGINT"]),
        ("semi.csv", vec!["q VARCHAR", "n BIGINT"]),
        ("one.csv", vec!["text VARCHAR"]),
        ("c.jsonl", vec!["q VARCHAR", "n BIGINT"]),
        ("c.json", vec!["q VARCHAR", "n BIGINT"]),
        ("d.csv.gz", vec!["q VARCHAR", "n BIGINT"]),
        ("d.csv.zst", vec!["q VARCHAR", "n BIGINT"]),
        ("e.jsonl.zst", vec!["q VARCHAR", "n BIGINT"]),
    ] {
        let made = add(&c, folder.path(), "源", path).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert_eq!(columns(&made), want, "{path}");
        c.materialise("out", "FROM 源", &[], &never()).unwrap_or_else(|e| panic!("{path}: {e}"));
    }
}

#[test]
fn globs_lists_and_folders() {
    let (_store, c) = open();
    let folder = tempfile::tempdir().unwrap();
    for (day, text) in [("1", "q,n\nx,1\n"), ("2", "q,n,extra\ny,2,3\n")] {
        let day = folder.path().join(format!("logs/day={day}"));
        fs::create_dir_all(&day).unwrap();
        fs::write(day.join("part.csv"), text).unwrap();
        fs::write(day.join("_SUCCESS"), "").unwrap();
    }
    let list = vec!["logs/day=1/part.csv".to_owned(), "logs/day=2/part.csv".to_owned()];
    for spec in [
        SourceSpec::path("logs"),
        SourceSpec::path("logs/*/*.csv"),
        SourceSpec { paths: list, ..SourceSpec::default() },
    ] {
        let made = c.register_source("logs", &spec, folder.path(), &never()).unwrap();
        let names: Vec<&str> = made[0].columns.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["q", "n", "extra", "day"], "{spec:?}");
        assert_eq!(c.count("logs", &never()).unwrap(), 2);
    }
    fs::write(folder.path().join("a[1]*.csv"), "z\n5\n").unwrap();
    assert_eq!(columns(&add(&c, folder.path(), "odd", "a[1]*.csv").unwrap()), ["z BIGINT"]);
    let error = add(&c, folder.path(), "none", "logs/*.parquet").unwrap_err();
    assert_eq!(error.kind, ErrorKind::Io);
    assert!(error.message.contains("logs/*.parquet"), "{error}");
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(add(&c, folder.path(), "none", "empty").is_err());
}

#[test]
fn duckdb_files_are_attached_read_only() {
    let (store, c) = open();
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, sql: &str| {
        let path = folder.path().join(name);
        duckdb::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    };
    make("one.duckdb", "CREATE TABLE orders AS SELECT 1 AS a");
    make(
        "two.db",
        "CREATE TABLE users AS SELECT 1 AS u; CREATE VIEW big AS SELECT 2 AS b; CREATE TABLE 商品 AS SELECT 3 AS c",
    );
    let made = add(&c, folder.path(), "shop", "one.duckdb").unwrap();
    assert_eq!((made[0].name.as_str(), columns(&made)), ("shop", vec!["a INTEGER".to_owned()]));
    let peek = store.connect().unwrap();
    assert_eq!(peek.rows("SELECT * FROM shop, shop.orders", &[], &never()).unwrap().num_rows(), 1);
    let made = add(&c, folder.path(), "all", "two.db").unwrap();
    let names: Vec<&str> = made.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["big", "users", "商品"]);
    fs::write(folder.path().join("users.csv"), "n\n1\n").unwrap();
    let error = add(&c, folder.path(), "users", "users.csv").unwrap_err();
    assert!(error.message.contains("all"), "another source already has that name: {error}");
    make("three.db", "CREATE TABLE big AS SELECT 1 AS a; CREATE TABLE tiny AS SELECT 1 AS a");
    assert!(add(&c, folder.path(), "other", "three.db").is_err());
    add(&c, folder.path(), "all", "three.db").unwrap();
    assert!(c.describe("users").is_err(), "tables that are no more there are gone");
    c.drop_source("all").unwrap();
    c.drop_source("all").unwrap();
    assert!(c.describe("tiny").is_err());
    add(&c, folder.path(), "all", "two.db").unwrap();
    let chosen = SourceSpec { table: Some("users".into()), ..SourceSpec::path("two.db") };
    let made = c.register_source("people", &chosen, folder.path(), &never()).unwrap();
    assert_eq!((made.len(), made[0].name.as_str()), (1, "people"));
    let wrong = SourceSpec { table: Some("usres".into()), ..SourceSpec::path("two.db") };
    let error = c.register_source("people2", &wrong, folder.path(), &never()).unwrap_err();
    assert!(error.hint.unwrap().contains("users"));
    assert!(c.register_source("cells", &SourceSpec::path("one.duckdb"), folder.path(), &never()).is_err());
    // Again under the same name.
    add(&c, folder.path(), "shop", "one.duckdb").unwrap();
    fs::write(folder.path().join("bad.duckdb"), vec![7_u8; 9000]).unwrap();
    let error = add(&c, folder.path(), "bad", "bad.duckdb").unwrap_err();
    assert!(error.message.contains("bad.duckdb") && !error.poisoned(), "{error}");
}

/// Each bad file: its error names the file and a remedy, and everything else still works.
#[test]
fn bad_files_say_so_and_poison_nothing() {
    let (store, c) = open();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let write = |name: &str, bytes: &[u8]| fs::write(at(name), bytes).unwrap();
    parquet(&at("ok.parquet"), 100_000);
    let good = fs::read(at("ok.parquet")).unwrap();
    write("cut.parquet", &good[..good.len() / 2]);
    write("empty.parquet", b"");
    write("text.parquet", b"hello, I am no parquet file at all");
    let mut torn = good.clone();
    torn[1000..5000].fill(0xa7);
    write("torn.parquet", &torn);
    let mut footer = good.clone();
    let from = good.len() - 200;
    footer[from..from + 150].fill(0xff);
    write("footer.parquet", &footer);
    write("empty.csv", b"");
    write("ragged.csv", b"query,item,score\na,1,2\nb,2\nc,3,4,5\nd,4,5\n");
    let mut late: String = (0..40_000).map(|i| format!("q{i},{i},{i}\n")).collect();
    late.insert_str(0, "query,item,score\n");
    late.push_str("b,2\n");
    write("late.csv", late.as_bytes());
    write(
        "binary.csv",
        &(0..4000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>(),
    );
    write("latin1.csv", b"a,b\ncaf\xe9,1\n");
    write("empty.json", b"");
    write("broken.json", b"{\"a\": 1}\n{\"a\":\n");
    write("words.json", b"hello world");
    let mut mixed = "{\"a\": 1}\n".repeat(40_000);
    mixed.push_str("{\"a\": \"x\"}\n");
    write("mixed.json", mixed.as_bytes());
    write("cut.csv.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]);
    add(&c, folder.path(), "fine", "ok.parquet").unwrap();
    for path in [
        "missing.parquet",
        "missing.csv",
        "cut.parquet",
        "empty.parquet",
        "text.parquet",
        "torn.parquet",
        "footer.parquet",
        "empty.csv",
        "ragged.csv",
        "late.csv",
        "binary.csv",
        "latin1.csv",
        "empty.json",
        "broken.json",
        "words.json",
        "mixed.json",
        "cut.csv.gz",
    ] {
        // Either opening or reading fails; both must say so.
        let error = match add(&c, folder.path(), "bad", path) {
            Err(error) => {
                assert!(error.hint.is_some(), "{path}: {error}");
                error
            }
            Ok(_) => {
                let cell =
                    c.materialise("out", "SELECT count(*), min(COLUMNS(*)::VARCHAR) FROM bad", &[], &never());
                let error = cell.err().unwrap_or_else(|| panic!("{path} was read as if nothing were wrong"));
                c.drop_source("bad").unwrap();
                error
            }
        };
        let said = error.to_string();
        assert!(path != "ragged.csv" || said.contains("Line: 3"), "{said}");
        assert!(said.contains(path), "{path}: {said}");
        assert!(!said.contains("exception_type") && said.lines().count() < 15, "{path}: {said}");
        assert!(!error.poisoned(), "{path}: {said}");
        println!("{path}\n  {said}\n");
        assert!(c.describe("bad").is_err(), "{path}: nothing is left behind");
        assert_eq!(store.connect().unwrap().count("fine", &never()).unwrap(), 100_000, "{path}");
    }
}

#[test]
fn bad_rows_can_be_left_out() {
    let (_store, c) = open();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("r.csv"), "query,item,score\na,1,2\nb,2\nc,3,4,5\nd,4,5\n").unwrap();
    let spec = SourceSpec::path("r.csv").option("ignore_errors", &SqlValue::Bool(true)).unwrap();
    let made = c.register_source("r", &spec, folder.path(), &never()).unwrap();
    assert_eq!(made[0].columns.len(), 3);
    assert_eq!(c.count("r", &never()).unwrap(), 2);
    fs::write(folder.path().join("m.json"), "{\"a\": 1}\n{\"a\": \"x\"}\n{\"a\": 3}\n").unwrap();
    let made = add(&c, folder.path(), "m", "m.json").unwrap();
    assert_eq!(columns(&made), ["a JSON"], "both kinds of value are kept");
    let spec = SourceSpec::path("m.json").option("types.a", &SqlValue::from("VARCHAR")).unwrap();
    assert_eq!(columns(&c.register_source("m", &spec, folder.path(), &never()).unwrap()), ["a VARCHAR"]);
    let spec = SourceSpec::path("m.json").option("types", &SqlValue::from("a: INTEGER")).unwrap();
    c.register_source("m", &spec, folder.path(), &never()).unwrap();
    assert!(c.count("m", &never()).is_err() || c.rows("SELECT sum(a) FROM m", &[], &never()).is_err());
}

#[test]
fn options_reach_the_reader() {
    let (_store, c) = open();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("x.txt"), "007|a\n008|b\n").unwrap();
    let spec = SourceSpec { format: Some(SourceFormat::Csv), ..SourceSpec::path("x.txt") }
        .option("delimiter", &SqlValue::from("|"))
        .and_then(|s| s.option("header", &SqlValue::Bool(false)))
        .and_then(|s| s.option("types", &SqlValue::from("column0: VARCHAR")))
        .unwrap();
    let made = c.register_source("x", &spec, folder.path(), &never()).unwrap();
    assert_eq!(columns(&made), ["column0 VARCHAR", "column1 VARCHAR"]);
    let wrong = SourceSpec::path("x.txt").option("types", &SqlValue::from("column0: NOPE')")).unwrap();
    assert!(c.register_source("y", &wrong, folder.path(), &never()).is_err());
}

#[test]
fn a_failed_change_keeps_the_source_that_was() {
    let (_store, c) = open();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "n\n1\n").unwrap();
    add(&c, folder.path(), "s", "a.csv").unwrap();
    assert!(add(&c, folder.path(), "s", "gone.csv").unwrap_err().hint.is_some());
    assert_eq!(c.count("s", &never()).unwrap(), 1);
    for name in ["", "__x", "a\0b"] {
        assert_eq!(add(&c, folder.path(), name, "a.csv").unwrap_err().kind, ErrorKind::Usage);
    }
}

#[test]
fn remote_paths_fail_with_a_hint_where_there_is_no_httpfs() {
    let (_store, c) = open();
    let base = Path::new("/");
    for path in ["https://127.0.0.1:9/x.parquet", "s3://nowhere-at-all/x.parquet"] {
        let error = add(&c, base, "far", &format!("{path}?sig=secret")).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(matches!(error.kind, ErrorKind::Extension | ErrorKind::Io | ErrorKind::Data), "{error:?}");
        assert!(error.hint.is_some(), "{error:?}");
        assert!(error.to_string().contains("x.parquet"), "{error}");
    }
}

#[test]
fn real_logs_open() {
    let Some(products) = shared("data/chorus-electronics/products.parquet") else { return };
    let (_store, c) = open();
    let base = products.parent().unwrap();
    let made = add(&c, base, "products", "products.parquet").unwrap();
    assert!(made[0].columns.len() > 2);
    assert!(c.count("products", &never()).unwrap() > 1000);
    let made = add(&c, base, "ratings", "Broad_Query_Set_rated.csv").unwrap();
    assert!(made[0].columns.len() > 1, "{made:?}");
}
