//! A gate that is off must not pass: misnamed, misplaced, swallowed, empty or lost checks end a headless run
//! with 2, and the screen says so. And long chains of cells, which programs write.

use std::path::Path;

use recscope::cli::run::{RunOptions, run_notebook};
use recscope::engine::lanes::EngineOptions;
use recscope::report::RunReport;

fn run(text: &str, only: &[&str]) -> RunReport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n.md");
    std::fs::write(&path, text).unwrap();
    run_at(&path, only)
}

fn run_at(path: &Path, only: &[&str]) -> RunReport {
    let options = RunOptions {
        engine: EngineOptions { cache: false, ..RunOptions::default().engine },
        only: only.iter().map(|name| (*name).to_owned()).collect(),
        result_rows: 1,
        ..RunOptions::default()
    };
    run_notebook(path, &[], &options, &mut |_| {})
}

/// A notebook whose gate would fail, with this as the gate's first line.
fn with(head: &str) -> String {
    format!("```sql q\nSELECT 1 AS a\n```\n\n{head}\ncheck = [\"rows(q) > 1000\"]\n```\n")
}

#[test]
fn no_spelling_of_a_gate_passes_in_silence() {
    assert_eq!(run(&with("```check my_gate"), &[]).exit, 1);
    // Blanks of every script part words.
    for head in [
        "```check\tgate",
        "```check\u{3000}gate",
        "```check\u{a0}gate",
        "``` check gate",
        "```check gate a=b",
    ] {
        assert_eq!(run(&with(head), &[]).exit, 1, "{head:?}");
    }
    for head in [
        "```check my-gate",
        "```check my.gate",
        "```check",
        "```Check gate",
        "```chekc gate",
        "```chek gate",
        "  ```check gate",
        "```check gate on",
        "```check gate key = value",
        "```check：gate",
        "```{check gate}",
        "```\u{feff}check gate",
        "```check gate\u{200b}",
        "```check 1gate",
        "```check q",
        "```metrcs m",
        "```fairness",
        "```behavior b",
    ] {
        let report = run(&with(head), &[]);
        assert_eq!((report.exit, report.problems.len()), (2, 1), "{head:?}: {:?}", report.problems);
        assert!(report.problems[0].message.contains("n.md:5:1: "), "{head:?}: {:?}", report.problems);
        assert!(report.problems[0].hint.is_some(), "{head:?}");
        // Also where only another cell was asked for.
        assert_eq!(run(&with(head), &["q"]).exit, 2, "{head:?}");
        assert_eq!(run(&with(head).replace('\n', "\r\n"), &[]).exit, 2, "{head:?}");
    }
    let tilde = with("```check my-gate").replace("```check", "~~~~check").replace("\n```\n", "\n~~~~\n");
    assert_eq!(
        run(&tilde.replace("```sql q\nSELECT 1 AS a\n~~~~", "```sql q\nSELECT 1 AS a\n```"), &[]).exit,
        2
    );
}

#[test]
fn a_gate_in_the_wrong_place_does_not_pass() {
    let cell = "```sql q\nSELECT 1 AS a\n```\n\n";
    for wrong in [
        "- ```check gate\n  check = [\"rows(q) > 9\"]\n  ```\n",
        "> ```check gate\n> check = [\"rows(q) > 9\"]\n> ```\n",
        "1. text\n\n    ```check gate\n    check = [\"rows(q) > 9\"]\n    ```\n",
        "```text\nnot closed\n```check gate\ncheck = [\"rows(q) > 9\"]\n```\n",
        "~~~\n```check gate\ncheck = [\"rows(q) > 9\"]\n```\n",
        "```check gate\ncheck = [\"rows(q) > 9\"]\n",
        "```check gate\ncheck = []\n```\n",
        "```check gate\n# check = [\"rows(q) > 9\"]\n```\n",
        "```check gate\n```\n",
    ] {
        let report = run(&format!("{cell}{wrong}"), &[]);
        assert_eq!(report.exit, 2, "{wrong:?}: {:?}", report.problems);
    }
    // A byte order mark before the first fence hides nothing.
    assert_eq!(run(&format!("\u{feff}{}", with("```check gate")), &[]).exit, 1);
    // Shown on purpose: by longer marks, as another language, as a language's name.
    for fine in
        ["````md\n```check gate\n```\n````\n", "```python x\n```\n", "```psql\n```\n", "```chart.js\n```\n"]
    {
        let report = run(&format!("{cell}{fine}"), &[]);
        assert_eq!((report.exit, report.remarks.len()), (0, 0), "{fine:?}: {:?}", report.problems);
    }
    // Shown, and said to be.
    for shown in ["```sql\nSELECT 1\n```\n", "text\n\n\t```check gate\n\tcheck = []\n\t```\n"] {
        let report = run(&format!("{cell}{shown}"), &[]);
        assert_eq!((report.exit, report.remarks.len()), (0, 1), "{shown:?}: {:?}", report.problems);
    }
}

#[test]
fn what_is_not_there_is_no_success() {
    assert_eq!(run("# Only prose\n", &[]).exit, 2);
    assert_eq!(run("", &[]).exit, 2);
    assert!(run("", &[]).problems[0].message.contains("no cells"));
    assert_eq!(run(&with("```check gate"), &["nonexistent"]).exit, 2);
}

#[test]
fn a_failure_skips_all_below_it_and_nothing_else() {
    let mut text = String::from("```sql bad\nSELECT 1 / x FROM nowhere\n```\n```sql q0\nFROM bad\n```\n");
    for i in 1..200 {
        text.push_str(&format!("```sql q{i}\nFROM q{}\n```\n", i - 1));
    }
    text.push_str("```sql fine\nSELECT 1 AS a\n```\n```check gate\ncheck = [\"rows(q199) > 0\"]\n```\n");
    let report = run(&text, &[]);
    let count = |state: &str| report.cells.iter().filter(|cell| cell.state == state).count();
    assert_eq!((report.exit, count("failed"), count("skipped"), count("done")), (3, 1, 201, 1));
    assert!(report.cells.iter().filter_map(|cell| cell.because.as_deref()).all(|because| because == "bad"));
}

#[test]
fn a_chain_of_two_thousand_cells_runs_and_gives_its_rows() {
    let mut text = String::from("```sql q0\nSELECT 7 AS a\n```\n");
    for i in 1..2_000 {
        text.push_str(&format!("```sql q{i}\nFROM q{}\n```\n", i - 1));
    }
    let report = run(&text, &[]);
    assert_eq!(report.exit, 0, "{:?}", report.problems);
    let last = report.cells.last().unwrap();
    assert_eq!((last.rows, last.notes.len()), (Some(1), 0), "{last:?}");
    assert_eq!(last.result.as_ref().unwrap().rows, [[serde_json::json!(7)]]);
}
