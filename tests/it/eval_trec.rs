//! trec_eval's own names and lines: `recscope eval --format trec` beside what trec_eval 10 printed.

use std::fs;

use serde_json::Value;

use crate::models_support::recscope;

#[test]
fn lines_are_those_of_trec_eval() {
    let golden: Value = serde_json::from_str(include_str!("goldens/trec_eval_lines.json")).unwrap();
    let lines = |key: &str| -> Vec<String> {
        golden[key].as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("g.run"), lines("run").join("\n")).unwrap();
    fs::write(folder.path().join("g.qrels"), lines("qrels").join("\n")).unwrap();
    let values: Vec<Vec<String>> = serde_json::from_value(golden["values"].clone()).unwrap();
    let mut names: Vec<&str> = values.iter().map(|value| value[0].as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 15, "{names:?}");
    let output = recscope(
        folder.path(),
        &[
            "eval",
            "--run",
            "g.run",
            "--qrels",
            "g.qrels",
            "--convention",
            "trec",
            "--format",
            "trec",
            "--per-query",
            "--resamples",
            "0",
            "--measures",
            &names.join(","),
        ],
        &[],
    );
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ours: Vec<Vec<&str>> = said.lines().map(|line| line.split('\t').map(str::trim).collect()).collect();
    for value in &values {
        let wanted: Vec<&str> = value.iter().map(String::as_str).collect();
        assert!(ours.contains(&wanted), "{wanted:?} is not in\n{said}");
    }
    // Per query we print one line more: gmap's own, which is map's.
    assert!(ours.len() >= values.len());
    let output = recscope(
        folder.path(),
        &["eval", "--run", "g.run", "--qrels", "g.qrels", "--measures", "alpha_ndcg@5"],
        &[],
    );
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(2) && errors.contains("in a metrics cell of a notebook"),
        "{errors}"
    );
    let output = recscope(
        folder.path(),
        &["eval", "--run", "g.run", "--qrels", "g.qrels", "--measures", "set_F"],
        &[],
    );
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && errors.contains("left out"), "{errors}");
}
