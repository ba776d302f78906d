//! `recscope train` as users run it: which objective a start model gets, what the report says, and where
//! mistakes are.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::models_support::recscope;
use crate::tiny_model::{self, Tiny};

const ROWS: &str = "q,title,label,grade\n";

/// 48 rows: boots and shoes, mice and keyboards.
fn shop(folder: &Path) {
    let mut rows = ROWS.to_owned();
    for n in 0..48 {
        let (q, title, good) = match n % 4 {
            0 => ("red shoes", "running shoes for men", 1),
            1 => ("red shoes", "wireless mouse", 0),
            2 => ("cheap mouse", "mouse for screen", 1),
            _ => ("cheap mouse", "女 红 鞋", 0),
        };
        rows.push_str(&format!("{q} {n},{title},{good},{}\n", good * 3));
    }
    fs::write(folder.join("rows.csv"), rows).unwrap();
}

fn train(folder: &Path, model: &str, keys: &str) -> (Option<i32>, Value, String) {
    let spec = format!(
        "from = \"rows.csv\"\nmodel = \"{model}\"\npair = [\"q\", \"title\"]\nout = \"out\"\noverwrite = true\n\
         epochs = 2\nbatch = 8\nmax_tokens = 24\n{keys}\n"
    );
    fs::write(folder.join("spec.toml"), spec).unwrap();
    let output = recscope(folder, &["train", "spec.toml", "--device", "cpu", "--format", "json"], &[]);
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code(), report, String::from_utf8_lossy(&output.stderr).into_owned())
}

fn notes(report: &Value) -> String {
    report["cells"][0]["notes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

fn saved(folder: &Path, file: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join("out").join(file)).unwrap()).unwrap()
}

#[test]
fn a_reranker_keeps_its_head() {
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path());
    tiny_model::write(&dir.path().join("one"), &Tiny { labels: 1, ..Tiny::default() });
    tiny_model::write(&dir.path().join("three"), &Tiny { labels: 3, ..Tiny::default() });
    let outputs = || saved(dir.path(), "config.json")["id2label"].as_object().unwrap().len();
    for (model, keys, count, said) in [
        ("one", "label = \"label\"", 1, "objective: binary"),
        ("one", "label = \"grade\"", 1, "objective: value"),
        ("one", "label = \"label\"\nobjective = \"classes\"", 2, "was replaced by a new one of 2"),
        ("three", "label = \"label\"", 2, "was replaced by a new one of 2"),
        ("three", "label = \"label\"\nobjective = \"binary\"", 1, "was replaced by a new one of 1"),
    ] {
        let (code, report, errors) = train(dir.path(), model, keys);
        assert_eq!(code, Some(0), "{model} {keys}: {errors}\n{report:#}");
        assert!(notes(&report).contains(said), "{model} {keys}: {}", notes(&report));
        assert_eq!(outputs(), count, "{model} {keys}");
    }
    let (code, report, errors) = train(dir.path(), "one", "label = \"title\"\nobjective = \"value\"");
    assert!(code == Some(2) && report.to_string().contains("numbers"), "{errors} {report:#}");
    let (code, report, errors) = train(dir.path(), "one", "label = \"grade\"\nobjective = \"binary\"");
    assert!(code == Some(2) && report.to_string().contains("from 0 to 1"), "{errors} {report:#}");
}

#[test]
fn the_report_says_how_it_averages_and_how_long_it_took() {
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path());
    let text = fs::read_to_string(dir.path().join("rows.csv")).unwrap();
    // Two rows without a label: one empty, one NaN.
    let text =
        text.replace("red shoes 0,running shoes for men,1,3", "red shoes 0,running shoes for men,nan,3");
    let text = text.replace("red shoes 1,wireless mouse,0,0", "red shoes 1,wireless mouse,,0");
    fs::write(dir.path().join("rows.csv"), text.replace(",1,3\n", ",1.5,3\n")).unwrap();
    tiny_model::write(&dir.path().join("m"), &Tiny { labels: 2, ..Tiny::default() });
    let (code, report, errors) = train(dir.path(), "m", "label = \"label\"\ndev = \"q LIKE '%4%'\"");
    assert_eq!(code, Some(0), "{errors}\n{report:#}");
    let said = notes(&report);
    assert!(said.contains("2 rows without a label are left out"), "{said}");
    assert!(said.contains("macro averages") && said.contains("by class: 0"), "{said}");
    let epoch = &report["cells"][0]["training"]["epochs"][0];
    let epoch =
        if epoch.is_null() { &saved(dir.path(), "training.json")["epochs"][0].clone() } else { epoch };
    assert!(epoch["seconds"].as_f64().unwrap() > 0.0 && epoch["rows_per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(epoch["classes"].as_array().unwrap().len(), 2, "{epoch:#}");
    assert!(saved(dir.path(), "training.json")["epochs"][1]["classes"][1]["support"].as_u64().unwrap() > 0);
}

/// The user's own file and line, and keys that exist.
#[test]
fn mistakes_are_where_the_user_made_them() {
    let dir = tempfile::tempdir().unwrap();
    shop(dir.path());
    fs::write(
        dir.path().join("spec.toml"),
        "from = \"rows.csv\"\nmodel = \"m\"\nlabel = \"label\"\nout = \"out\"\nepohcs = 3\n",
    )
    .unwrap();
    let output = recscope(dir.path(), &["train", "spec.toml"], &[]);
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("spec.toml:5:1") && said.contains("epochs"), "{said}");
    assert!(said.contains("pair = [") && !said.contains("embed"), "{said}");
}
