//! Sources as people bring them, through whole notebooks: what is read, what is said, and what is an error
//! that names its remedy.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::models_support::recscope;
use crate::support::repo;

/// Runs one cell `q` over a front matter; its exit code, its report, and all that was said.
fn run(folder: &Path, front: &str, sql: &str) -> (Option<i32>, Value, String) {
    fs::write(folder.join("n.md"), format!("---\nrecscope: 1\n{front}\n---\n```sql q\n{sql}\n```\n"))
        .unwrap();
    let output = recscope(folder, &["run", "n.md", "--no-cache", "--format", "json"], &[]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap_or_default(), said)
}

fn rows(report: &Value) -> String {
    report["cells"][0]["result"]["rows"].to_string()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    if let Some(parent) = folder.join(name).parent() {
        fs::create_dir_all(parent).unwrap();
    }
    fs::write(folder.join(name), bytes).unwrap();
}

/// 60,000 rows whose last has a word where the others have a number.
fn late(folder: &Path) {
    let mut text = String::from("session,item,category\n");
    (1..=60_000).for_each(|n| text.push_str(&format!("{n},7,0\n")));
    write(folder, "y.csv", text + "60001,9,S\n");
}

#[test]
fn ids_that_look_like_numbers_stay_apart() {
    let dir = folder();
    write(
        dir.path(),
        "ga.csv",
        "client_id,page\n1026454423.1650000001,a\n1026454423.1650000002,b\n1026454423.165,c\n",
    );
    let (code, report, said) = run(
        dir.path(),
        "sources: { t: ga.csv }",
        "SELECT count(DISTINCT client_id) AS users, min(client_id) AS one FROM t",
    );
    assert_eq!((code, rows(&report)), (Some(0), "[[3,\"1026454423.165\"]]".to_owned()), "{said}");
}

/// duckdb#25521: statistics that pyarrow writes hide NaN from filters.
#[test]
fn filters_see_nan_in_parquet_of_pyarrow() {
    let dir = folder();
    fs::copy(repo("fixtures/files/nan_statistics.parquet"), dir.path().join("s.parquet")).unwrap();
    let sql = "SELECT count(*) FILTER (isnan(score)) AS nans, (SELECT count(*) FROM t WHERE score < 0.6) AS below, \
               (SELECT count(*) FROM t WHERE score > 0.5) AS above FROM t";
    let (_, report, said) = run(dir.path(), "sources: { t: s.parquet }", sql);
    assert_eq!(rows(&report), "[[1,3,1]]", "{said}");
}

#[test]
fn a_folder_that_shadows_a_column_is_said() {
    let dir = folder();
    for day in ["2026-11-01", "2026-11-02"] {
        write(dir.path(), &format!("logs/dt={day}/a.csv"), format!("dt,n\n{day} 07:04:58,1\n"));
    }
    let (code, report, said) = run(dir.path(), "sources: { t: logs }", "SELECT * FROM t");
    assert!(
        code == Some(0) && report["cells"][0]["notes"].to_string().contains("hive_partitioning: false"),
        "{said}"
    );
}

#[test]
fn rows_that_are_left_out_are_counted() {
    let dir = folder();
    late(dir.path());
    let front = "sources: { t: { path: y.csv, format: csv, options: { ignore_errors: true } } }";
    let (code, report, said) = run(dir.path(), front, "SELECT category, count(*) AS n FROM t GROUP BY ALL");
    assert_eq!((code, rows(&report)), (Some(0), "[[0,60000]]".to_owned()), "{said}");
    assert!(report["cells"][0]["notes"].to_string().contains("1 row does not fit"), "{said}");
    // Latin-1: every row is one that does not fit.
    write(dir.path(), "l1.csv", b"q,title\ncaf\xe9,a\nna\xefve,b\n");
    let front = "sources: { t: { path: l1.csv, format: csv, options: { ignore_errors: true } } }";
    let (_, report, said) = run(dir.path(), front, "SELECT count(*) AS n FROM t");
    assert!(
        rows(&report) == "[[2]]" || report["cells"][0]["notes"].to_string().contains("2 rows do not fit"),
        "{said}"
    );
}

#[test]
fn keys_that_a_source_does_not_have_are_errors() {
    let dir = folder();
    write(dir.path(), "m.dat", "1::a\n2::b\n");
    let front = "sources: { t: { path: m.dat, format: csv, delimiter: \"::\", header: false, bogus: 7 } }";
    let (code, _, said) = run(dir.path(), front, "SELECT * FROM t");
    assert_eq!(code, Some(2), "{said}");
    for key in ["delimiter", "header", "bogus"] {
        assert!(said.contains(&format!("no key `{key}`")), "{key}: {said}");
    }
}

#[test]
fn a_type_that_changes_late_names_the_key_that_keeps_the_row() {
    let dir = folder();
    late(dir.path());
    let (code, _, said) =
        run(dir.path(), "sources: { t: y.csv }", "SELECT category, count(*) AS n FROM t GROUP BY ALL");
    assert!(code == Some(3) && said.contains("category: VARCHAR") && said.contains("60002"), "{said}");
    let front = "sources: { t: { path: y.csv, options: { types: \"category: VARCHAR\" } } }";
    let (code, report, said) = run(dir.path(), front, "SELECT count(*) AS n, max(category) AS last FROM t");
    assert_eq!((code, rows(&report)), (Some(0), "[[60001,\"S\"]]".to_owned()), "{said}");
}

#[test]
fn a_short_line_is_named() {
    let dir = folder();
    let mut text = String::from("query,item,label\n");
    (1..=3000).for_each(|n| text.push_str(&format!("q{n},i{n},1\n")));
    write(dir.path(), "s.csv", text + "q9,i9\nq10,i10,0,extra\n");
    let (code, _, said) = run(dir.path(), "sources: { t: s.csv }", "SELECT count(*) FROM t");
    assert!(code == Some(3) && said.contains("3002"), "{said}");
}

#[test]
fn encodings_are_read_when_said_and_named_when_not() {
    let dir = folder();
    // GBK: 跑鞋, 帽子.
    write(dir.path(), "g.csv", b"query,title\n\xc5\xdc\xd0\xac,a\n\xc3\xb1\xd7\xd3,b\n");
    let (code, _, said) = run(dir.path(), "sources: { t: g.csv }", "SELECT * FROM t");
    assert!(code == Some(3) && said.contains("encoding: gb") && !said.contains("ignore_errors"), "{said}");
    let front = "sources: { t: { path: g.csv, options: { encoding: gbk } } }";
    let (code, report, said) = run(dir.path(), front, "SELECT query FROM t ORDER BY title");
    assert_eq!((code, rows(&report)), (Some(0), "[[\"跑鞋\"],[\"帽子\"]]".to_owned()), "{said}");
}

#[test]
fn files_without_endings_are_read_under_a_declared_format() {
    let dir = folder();
    for (day, row) in [("2026-11-01", "q1,1"), ("2026-11-02", "q2,2")] {
        write(dir.path(), &format!("hive/dt={day}/part-00000"), format!("query,n\n{row}\n"));
    }
    let front = "sources: { t: { path: hive, format: csv } }";
    let (code, report, said) =
        run(dir.path(), front, "SELECT sum(n) AS n, count(DISTINCT dt) AS days FROM t");
    assert!(code == Some(0) && report["cells"][0]["result"]["rows"][0][1] == 2, "{said}");
}

/// NULL, NaN, infinities and empty text are five things, in every format; and no format hides an error.
#[test]
fn reports_tell_values_apart_and_show_errors() {
    let dir = folder();
    let sql = "SELECT 'nan'::DOUBLE AS n, 'inf'::FLOAT AS i, '-inf'::DOUBLE AS m, NULL::DOUBLE AS u, '' AS e";
    let (_, report, said) = run(dir.path(), "title: x", sql);
    assert_eq!(rows(&report), "[[\"NaN\",\"inf\",\"-inf\",null,\"\"]]", "{said}");
    let csv = recscope(dir.path(), &["run", "n.md", "--no-cache", "--format", "csv"], &[]);
    let csv = String::from_utf8_lossy(&csv.stdout).into_owned();
    assert!(csv.contains("NaN,inf,-inf,,\"\""), "{csv}");
    let text = recscope(dir.path(), &["run", "n.md", "--no-cache"], &[]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(["NaN", "inf", "-inf", "NULL"].iter().all(|value| text.contains(value)), "{text}");
    run(dir.path(), "title: x", "SELECT nosuch FROM range(3)");
    for format in ["text", "csv", "json", "md", "html"] {
        let output =
            recscope(dir.path(), &["run", "n.md", "--no-cache", "--format", format, "--out", "r.out"], &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let file = fs::read_to_string(dir.path().join("r.out")).unwrap_or_default();
        assert!(said.contains("nosuch") || file.contains("nosuch"), "{format}: {said} {file}");
        assert_eq!(output.status.code(), Some(3), "{format}");
    }
}

/// Whoever opens a pipe for a notebook would wait for its writer for ever.
#[test]
#[cfg(unix)]
fn a_pipe_is_no_notebook() {
    let dir = folder();
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("p.md")).status().unwrap();
    assert!(made.success());
    let output = recscope(dir.path(), &["run", "p.md"], &[]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.code() == Some(2) && said.contains("no regular file"), "{said}");
}
