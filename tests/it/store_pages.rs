//! Windows of rows: at any offset, filtered, ordered, over tables and over files.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use recscope::engine::store::{Connection, PageRows, SourceSpec};
use recscope::terms::SqlValue;
use recscope::terms::{PageSpec, RowCount};

use crate::store::{never, open};

fn request(relation: &str, offset: u64, limit: u32) -> PageSpec {
    PageSpec { relation: relation.into(), offset, limit, ..PageSpec::default() }
}

fn page(c: &Connection, r: &PageSpec) -> PageRows {
    c.page(r, &[], &never()).unwrap_or_else(|e| panic!("{r:?}: {e}"))
}

fn first(p: &PageRows) -> Vec<i64> {
    p.batch.column(0).as_primitive::<Int64Type>().values().to_vec()
}

#[test]
fn deep_in_a_million_rows() {
    let (store, c) = open();
    let sql = "SELECT range AS n, range * 7919 % 1000003 AS h, 'row ' || range AS t FROM range(1000000)";
    c.materialise("m", sql, &[], &never()).unwrap();
    let peek = store.connect().unwrap();
    let got = page(&peek, &request("m", 900_000, 50));
    assert_eq!(first(&got), (900_000..900_050).collect::<Vec<_>>());
    assert_eq!(got.total, RowCount::Exact(1_000_000));
    assert_eq!(first(&page(&peek, &request("m", 999_990, 50))).len(), 10);
    assert!(first(&page(&peek, &request("m", 2_000_000, 50))).is_empty());
    assert!(first(&page(&peek, &request("m", u64::MAX, 50))).is_empty());
    let filtered = PageSpec { filter: Some("n % 10 = 3".into()), ..request("m", 90_000, 3) };
    let got = page(&peek, &filtered);
    assert_eq!((first(&got), got.total), (vec![900_003, 900_013, 900_023], RowCount::Exact(100_000)));
    let ordered = PageSpec { order: Some("h DESC, n".into()), ..request("m", 900_000, 2) };
    let want = "SELECT n FROM m ORDER BY h DESC, n LIMIT 2 OFFSET 900000";
    let want = c.rows(want, &[], &never()).unwrap();
    assert_eq!(first(&page(&peek, &ordered)), want.column(0).as_primitive::<Int64Type>().values().to_vec());
    let both = PageSpec { filter: Some("n < 5".into()), order: Some("n DESC".into()), ..request("m", 1, 2) };
    let got = page(&peek, &both);
    assert_eq!((first(&got), got.total), (vec![3, 2], RowCount::Exact(5)));
}

#[test]
fn a_new_result_gives_new_pages() {
    let (store, c) = open();
    let peek = store.connect().unwrap();
    let ordered = PageSpec { order: Some("n DESC".into()), ..request("m", 0, 1) };
    for top in [10_i64, 20, 5] {
        c.materialise("m", &format!("SELECT range AS n FROM range({})", top + 1), &[], &never()).unwrap();
        assert_eq!(first(&page(&peek, &ordered)), [top]);
    }
    // More orders than are kept.
    for k in 1..12 {
        let r = PageSpec { order: Some(format!("n % {k}, n")), ..request("m", 0, 1) };
        assert_eq!(first(&page(&peek, &r)), [0]);
    }
    let with = |k: i64| {
        let r = PageSpec { filter: Some("n = {{k}}".into()), ..request("m", 0, 9) };
        first(&peek.page(&r, &[("k".into(), SqlValue::Int(k))], &never()).unwrap())
    };
    assert_eq!((with(2), with(3)), (vec![2], vec![3]), "another value is another page");
}

#[test]
fn all_types_can_be_shown() {
    let (_store, c) = open();
    c.materialise("t", "SELECT * EXCLUDE (bignum) FROM test_all_types()", &[], &never()).unwrap();
    let got = page(&c, &request("t", 0, 10));
    assert_eq!(got.batch.num_rows(), 3);
    assert_eq!(got.batch.num_columns(), got.columns.len());
    let sum = "SELECT sum(range) AS s, [1, 2] AS l, {'a': 跑} AS st, '2026-01-01'::DATE AS d FROM (SELECT 1 AS 跑), range(4) GROUP BY 跑";
    c.materialise("t", sum, &[], &never()).unwrap();
    let got = page(&c, &request("t", 0, 1));
    let text = |i: usize| got.batch.column(i).as_string::<i32>().value(0).to_owned();
    assert_eq!((text(0), text(1), text(3)), ("6".into(), "[1, 2]".into(), "2026-01-01".into()));
    assert_eq!(got.columns[0].sql_type, "HUGEINT");
}

#[test]
fn pages_of_files() {
    let (store, c) = open();
    let folder = tempfile::tempdir().unwrap();
    let csv: String = (0..5000).map(|i| format!("{i},t{i}\n")).collect();
    std::fs::write(folder.path().join("a.csv"), format!("n,t\n{csv}")).unwrap();
    c.register_source("a", &SourceSpec::path("a.csv"), folder.path(), &never()).unwrap();
    let peek = store.connect().unwrap();
    let got = page(&peek, &request("a", 4000, 10));
    assert_eq!((first(&got)[0], got.total), (4000, RowCount::AtLeast(4010)), "a bound, and says so");
    let got = page(&peek, &request("a", 4990, 50));
    assert_eq!((first(&got).len(), got.total), (10, RowCount::Exact(5000)));
    assert_eq!(c.count("a", &never()).unwrap(), 5000);
    assert_eq!(page(&peek, &request("a", 0, 10)).total, RowCount::Exact(5000), "counted once, known to all");
    let ordered = PageSpec {
        filter: Some("n < 100".into()),
        order: Some("n DESC".into()),
        columns: Some(vec!["n".into()]),
        ..request("a", 1, 2)
    };
    assert_eq!(first(&page(&peek, &ordered)), [98, 97]);
}

#[test]
fn a_broken_filter_is_an_error_of_the_filter() {
    let (_store, c) = open();
    c.materialise("m", "SELECT range AS n FROM range(10)", &[], &never()).unwrap();
    for bad in ["nope = 1", "n =", "1); DROP TABLE cells.m; SELECT (1", "{{who}} = 1", "n = 'x'"] {
        for r in [
            PageSpec { filter: Some(bad.into()), ..request("m", 0, 5) },
            PageSpec { order: Some(bad.into()), ..request("m", 0, 5) },
        ] {
            match c.page(&r, &[], &never()) {
                Err(e) => assert_eq!(e.line, None, "{bad}: the place would be in text that nobody wrote"),
                Ok(_) => assert_eq!((bad, r.order.is_some()), ("n = 'x'", false), "{bad} passed"),
            }
        }
    }
    assert_eq!(page(&c, &request("m", 0, 5)).total, RowCount::Exact(10));
}

#[test]
fn a_column_named_rowid_is_a_column() {
    let (_store, c) = open();
    let sql = "SELECT 1000 - range AS rowid, range AS n, 'x' AS row, 'y' AS __at FROM range(1000)";
    c.materialise("odd", sql, &[], &never()).unwrap();
    assert_eq!(first(&page(&c, &request("odd", 10, 2))), [990, 989]);
    let ordered =
        PageSpec { order: Some("n DESC".into()), filter: Some("n < 500".into()), ..request("odd", 0, 2) };
    assert_eq!(first(&page(&c, &ordered)), [501, 502]);
    let rows = c.rows_at("odd", &["n".into()], 7, 2, &never()).unwrap();
    assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[7, 8]);
    c.materialise(
        "__s",
        "SELECT range AS row, range / 2 AS odd_score FROM range(1000) WHERE range != 3",
        &[],
        &never(),
    )
    .unwrap();
    c.join_scores("joined", "odd", "__s", &never()).unwrap();
    // Without a row id rows cannot be added: all of them are made again.
    for since in [0, 500] {
        let arrived = c.arrived_scores("arrived", "odd", "__s", since, &never()).unwrap();
        assert_eq!(arrived.rows, Some(999));
    }
    let sql = "SELECT count(*) FROM joined WHERE odd_score = n / 2";
    let rows = c.rows(sql, &[], &never()).unwrap();
    assert_eq!(rows.column(0).as_primitive::<Int64Type>().value(0), 999);
}
