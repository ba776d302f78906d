//! A run and its judgments in files of their own: as TREC's text, and as Parquet.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Timed, apart, in_turns, peer_of, run_ours, table};

/// The same rows in two files of either format, out of one.
const SPLIT: &str = "
    COPY (SELECT query || ' Q0 ' || item || ' 1 ' || score || ' run' FROM '$file') TO '$base.run' (FORMAT csv, HEADER false, QUOTE '', DELIMITER '');
    COPY (SELECT query || ' 0 ' || item || ' ' || gain FROM '$file') TO '$base.qrels' (FORMAT csv, HEADER false, QUOTE '', DELIMITER '');
    COPY (SELECT query, item, score FROM '$file') TO '$base.run.parquet' (FORMAT parquet);
    COPY (SELECT query, item, gain FROM '$file') TO '$base.qrels.parquet' (FORMAT parquet);
";

/// Prints two tables: text beside its peers, and two Parquet files beside the one that they are of.
pub fn contest(one: &Path, small: &Path, python: Option<&Path>, rounds: u32, rows: u64) {
    let (base, small_base) = (split(one), split(small));
    let path = |base: &Path, end: &str| base.with_extension(end);
    let (run, qrels) = (path(&base, "run"), path(&base, "qrels"));
    let inputs =
        |run: &'_ Path, qrels: &'_ Path| ["--run".into(), run.into(), "--qrels".into(), qrels.into()];
    let ours = |name: &str, run: &Path, qrels: &Path| {
        let inputs: [std::ffi::OsString; 4] = inputs(run, qrels);
        run_ours(name, run, &inputs.iter().map(AsRef::as_ref).collect::<Vec<&OsStr>>())
    };
    println!("\nas TREC's text, {rows} lines each");
    let texts = in_turns(rounds, || {
        let mut round = vec![ours("recscope eval", &run, &qrels)];
        round.extend(peer_of(python, "pytrec_eval_text", &run, &path(&small_base, "run")));
        round.extend(trec_eval(&run, &qrels));
        round
    });
    table(&texts, rows);
    println!("\ntwo Parquet files beside one");
    let two = (path(&base, "run.parquet"), path(&base, "qrels.parquet"));
    let parquet = in_turns(rounds, || {
        let single = run_ours("one file", one, &["--run".as_ref(), one.as_os_str()]);
        vec![single, ours("two files", &two.0, &two.1)]
    });
    table(&parquet, rows);
    for file in [&run, &qrels, &two.0, &two.1] {
        std::fs::remove_file(file).unwrap();
    }
}

fn split(file: &Path) -> std::path::PathBuf {
    let base = file.with_extension("");
    let statements =
        SPLIT.replace("$file", &file.display().to_string()).replace("$base", &base.display().to_string());
    duckdb::Connection::open_in_memory().unwrap().execute_batch(&statements).unwrap();
    base
}

/// trec_eval itself, exec to exit; it prints four digits, so its values are not compared here.
fn trec_eval(run: &Path, qrels: &Path) -> Option<Timed> {
    let known = Command::new("trec_eval").arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if known.is_err() {
        println!("trec_eval: not on the PATH (github.com/usnistgov/trec_eval, make)");
        return None;
    }
    let report = run.with_extension("report");
    let values = run.with_extension("trec_eval.txt");
    let mut command = apart::command(&report, "trec_eval".as_ref());
    command.args([
        "-q",
        "-m",
        "ndcg_cut.10",
        "-m",
        "recip_rank",
        "-m",
        "map",
        "-m",
        "P.10",
        "-m",
        "recall.10",
    ]);
    command.arg(qrels).arg(run).stdout(std::fs::File::create(&values).unwrap());
    assert!(command.status().unwrap().success(), "trec_eval failed");
    let (seconds, rss) = apart::read(&report);
    Some(Timed { name: "trec_eval".into(), seconds, rss, notes: String::new(), values })
}
