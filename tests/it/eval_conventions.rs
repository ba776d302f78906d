//! `recscope eval` under conventions, with bounds and bad input, and `recscope verify`, as programs.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{repo, shared};

fn recscope(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_recscope"))
        .args(args)
        .current_dir(folder)
        .env("RECSCOPE_CONFIG", folder.join("none.toml"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A tie, a query without results, one without judgments, one with nothing relevant.
fn files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("none.toml", "");
    write(
        "r.run",
        "tied Q0 a 1 2 t\ntied Q0 b 2 2 t\nplain Q0 a 1 2 t\nplain Q0 u 2 1 t\nplain Q0 b 3 0.5 t\nnothing Q0 a 1 1 t\nunjudged Q0 a 1 1 t\n",
    );
    write("j.qrels", "tied 0 a 1\ntied 0 b 0\nplain 0 a 0\nplain 0 b 2\nnothing 0 a 0\nmissing 0 a 1\n");
    folder
}

fn eval(folder: &Path, more: &[&str]) -> (i32, Value, String) {
    let args = ["eval", "--run", "r.run", "--qrels", "j.qrels", "--resamples", "0", "--format", "json"];
    let output = recscope(folder, &[&args[..], more].concat());
    let value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output.status.code().unwrap(), value, text(&output.stderr))
}

#[test]
fn one_run_under_every_convention_names_the_queries_that_differ() {
    let folder = files();
    let (code, value, _) = eval(folder.path(), &["--convention", "all", "--measures", "mrr,ndcg@2"]);
    assert_eq!(code, 0);
    let mrr = |id: &str| value["conventions"][id]["measures"]["mrr"]["value"].as_f64().unwrap();
    // recscope: tied 1/2 (b before a), plain 1/3, nothing 0, missing 0.
    assert!((mrr("recscope") - (0.5 + 1.0 / 3.0) / 4.0).abs() < 1e-12);
    assert!((mrr("trec") - (0.5 + 1.0 / 3.0) / 3.0).abs() < 1e-12, "missing is dropped");
    assert!((mrr("ranx") - (1.0 + 1.0 / 3.0) / 4.0).abs() < 1e-12, "a before b, as logged");
    assert!((mrr("esci-script") - (0.5 + 0.5) / 4.0).abs() < 1e-12, "u is taken out");
    let differences = value["differences"].as_array().unwrap();
    let why = |convention: &str, query: &str| {
        let found = differences
            .iter()
            .find(|d| d["convention"] == convention && d["query"] == query && d["measure"] == "mrr");
        found.map(|d| d["why"].as_str().unwrap().to_owned())
    };
    assert_eq!(why("ranx", "tied").as_deref(), Some("ties"));
    assert_eq!(why("trec", "missing").as_deref(), Some("nothing retrieved: left out"));
    assert!(why("esci-script", "plain").unwrap().contains("unjudged"));
    assert_eq!(why("trec", "tied"), None);
    let shown = recscope(
        folder.path(),
        &["eval", "--run", "r.run", "--qrels", "j.qrels", "--convention", "all", "--measures", "mrr"],
    );
    let shown = text(&shown.stdout);
    assert!(shown.contains("mrr under ranx differs on 1 queries: tied 0.5000 to 1.0000 (ties)"), "{shown}");
}

#[test]
fn ties_bounds_and_grades_are_options_of_eval() {
    let folder = files();
    let (_, value, _) = eval(folder.path(), &["--ties", "expected", "--measures", "mrr", "--per-query"]);
    assert_eq!(value["per_query"]["tied"]["mrr"], 0.75);
    let (_, value, errors) = eval(folder.path(), &["--bounds", "--measures", "precision@2,judged@2"]);
    let entry = &value["measures"]["precision@2"];
    // tied .5, plain 0 or .5 (u), nothing 0, missing 0.
    assert_eq!((entry["worst"].as_f64(), entry["best"].as_f64()), (Some(0.125), Some(0.25)));
    assert_eq!(value["measures"]["judged@2"]["best"], Value::Null);
    assert!(errors.contains("worth nothing and worth 2"), "{errors}");
    let (code, _, errors) = eval(folder.path(), &["--convention", "all", "--ties", "logged"]);
    assert_eq!(code, 2, "{errors}");
    std::fs::write(folder.path().join("j.qrels"), "tied 0 a E\ntied 0 b S\n").unwrap();
    let (code, _, errors) = eval(folder.path(), &["--measures", "ndcg@2"]);
    assert!(code != 0 && errors.contains("is not a number") && errors.contains("esci-paper"), "{errors}");
    let (code, value, errors) = eval(folder.path(), &["--measures", "ndcg@2", "--convention", "esci-paper"]);
    assert_eq!(code, 0, "{errors}");
    let discount = 1.0 / 3f64.log2();
    let expected = (0.1 + discount) / (1.0 + 0.1 * discount);
    assert!((value["measures"]["ndcg@2"]["value"].as_f64().unwrap() - expected).abs() < 1e-12);
}

#[test]
fn the_format_of_trec_eval_has_a_line_per_query_and_measure() {
    let folder = files();
    let args = ["eval", "--run", "r.run", "--qrels", "j.qrels", "--resamples", "0", "--format", "trec"];
    let output = recscope(folder.path(), &[&args[..], &["--per-query", "--measures", "mrr,ndcg@2"]].concat());
    let shown = text(&output.stdout);
    let lines: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 2 * 4 + 2, "{shown}");
    assert!(lines.contains(&vec!["mrr", "tied", "0.5000"]), "{shown}");
    assert!(lines.contains(&vec!["ndcg@2", "nothing", "nan"]), "{shown}");
    assert_eq!(lines[8][..2], ["mrr", "all"]);
    let output = recscope(folder.path(), &[&args[..], &["--convention", "all"]].concat());
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn bad_files_are_answered() {
    let folder = files();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    // The run answers no judged query.
    write("j.qrels", "elsewhere 0 a 1\n");
    let (code, _, errors) = eval(folder.path(), &["--measures", "mrr,ndcg@10"]);
    assert!(code == 3 && errors.contains("no query of") && errors.contains("`elsewhere`"), "{errors}");
    let (code, value, errors) = eval(folder.path(), &["--measures", "mrr,ndcg@10", "--unmatched"]);
    assert_eq!((code, value["measures"]["mrr"]["value"].as_f64()), (0, Some(0.0)), "{errors}");
    assert!(errors.contains("no judged query is answered"), "{errors}");
    let (_, value, _) = eval(folder.path(), &["--measures", "mrr", "--convention", "trec", "--unmatched"]);
    assert_eq!(value["measures"]["mrr"]["value"], Value::Null);
    assert_eq!(value["measures"]["mrr"]["reason"], "no query has a value");
    // Duplicates.
    write("j.qrels", "plain 0 a 1\n");
    write("r.run", "plain Q0 b 1 3 t\nplain Q0 a 2 2 t\nplain Q0 b 3 1 t\n");
    let (_, value, errors) = eval(folder.path(), &["--measures", "mrr"]);
    assert_eq!(value["measures"]["mrr"]["value"], 0.5);
    assert!(errors.contains("1 rows repeat"), "{errors}");
    let (_, value, _) = eval(folder.path(), &["--measures", "mrr", "--convention", "ranx"]);
    assert_eq!(value["measures"]["mrr"]["value"], 1.0);
    let (code, _, errors) = eval(folder.path(), &["--measures", "mrr", "--convention", "trec"]);
    assert!(code == 2 && errors.contains("repeat"), "{errors}");
    let (code, _, errors) = eval(folder.path(), &["--convention", "trek"]);
    assert!(code == 2 && errors.contains("trec"), "{errors}");
}

#[test]
fn verify_recomputes_the_goldens() {
    let folder = files();
    let output = recscope(&repo("."), &["verify", "--format", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{value:#}");
    let families = value["families"].as_array().unwrap();
    assert!(families.len() >= 10, "{value:#}");
    let known = |name: &str| families.iter().find(|f| f["name"].as_str().unwrap().contains(name)).unwrap();
    assert!(known("worked examples")["figures"].as_u64().unwrap() > 50);
    assert!(known("pytrec_eval")["max_error"].as_f64().unwrap() < 1e-9);
    assert!(known("trec_eval on Chorus")["skipped"].as_str().unwrap().contains("--shared"));
    let output = recscope(folder.path(), &["verify", "--shared", "nowhere"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let Some(shared) = shared("goldens").and_then(|path| path.parent().map(Path::to_path_buf)) else {
        return;
    };
    let output = recscope(&repo("."), &["verify", "--shared", &shared.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    println!("{}", text(&output.stdout));
}

/// Goldens that are cut, emptied or gone do not pass; a family that is not there is named with `--skip`.
#[test]
fn verify_misses_what_is_missing() {
    let Some(shared) = shared("goldens") else { return };
    let folder = tempfile::tempdir().unwrap();
    let goldens = folder.path().join("goldens");
    std::fs::create_dir(&goldens).unwrap();
    for file in ["chorus_scored.parquet", "trec_eval_chorus.json", "groups.parquet"] {
        std::fs::copy(shared.join(file), goldens.join(file)).unwrap();
    }
    let whole: Value =
        serde_json::from_slice(&std::fs::read(shared.join("stats_chorus.json")).unwrap()).unwrap();
    let write = |value: &Value| std::fs::write(goldens.join("stats_chorus.json"), value.to_string()).unwrap();
    let verify = |further: &[&str]| {
        // Paths from here: they are not from where a notebook would be.
        let output = recscope(
            folder.path(),
            &[&["verify", "--shared", ".", "--skip", "architectures"], further].concat(),
        );
        (output.status.code(), text(&output.stdout))
    };
    write(&whole);
    let (code, said) = verify(&[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("captum") && said.contains("MISSING") && said.contains("--skip captum"), "{said}");
    assert_eq!(verify(&["--skip", "captum"]).0, Some(0), "{said}");
    let mut cut = whole.clone();
    cut["stats"]["bh"]["adjusted"].as_array_mut().unwrap().pop();
    write(&cut);
    let (code, said) = verify(&["--skip", "captum"]);
    assert!(code == Some(1) && said.contains("ABOVE at Benjamini-Hochberg"), "{said}");
    let mut empty = whole;
    empty["stats"]["wilson"] = Value::Array(Vec::new());
    write(&empty);
    let (code, said) = verify(&["--skip", "captum"]);
    assert!(code == Some(1) && said.contains("INCOMPLETE: 60 figures"), "{said}");
    let output = recscope(folder.path(), &["verify", "--skip", "nothing"]);
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("captum"));
}

#[test]
fn metrics_cells_take_conventions_bounds_and_further_roles() {
    let folder = files();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "log.csv",
        "query,item,score,new,grade,paid,kind\ntied,a,1,2,1,5,x\ntied,b,1,1,0,0,y\nplain,a,2,1,,0,x\nplain,b,1,2,1,7,x\n",
    );
    let head = "---\nrecscope: 1\nsources: { log: log.csv }\nschema: { query: query, item: item, score: score, gain: grade, revenue: paid }\n---\n";
    let cells = "```metrics lens\nfrom = \"log\"\nshow = [\"mrr\"]\nconvention = \"all\"\nresamples = 0\n```\n\n\
        ```metrics bounded\nfrom = \"log\"\nshow = [\"precision@1\", \"mrr\"]\nbounds = true\nties = \"expected\"\nresamples = 0\n```\n\n\
        ```metrics further\nfrom = \"log\"\nshow = [\"revenue\", \"ild.category\", \"kendall\"]\ncategory = \"kind\"\nother = \"new\"\nresamples = 0\n```\n";
    write("n.md", &format!("{head}{cells}"));
    let output = recscope(folder.path(), &["run", "n.md", "--format", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{value:#}");
    let cell = |name: &str| {
        value["cells"].as_array().unwrap().iter().find(|cell| cell["name"] == name).unwrap()["result"].clone()
    };
    let rows = |name: &str| cell(name)["rows"].as_array().unwrap().clone();
    assert_eq!(rows("lens").len(), 8, "{:#}", cell("lens"));
    assert_eq!(rows("lens")[0][0], "recscope");
    let bounded = rows("bounded");
    let width = bounded[0].as_array().unwrap().len();
    // tied .5 expected; plain 0, or 1 if its first item were judged relevant.
    assert_eq!((&bounded[0][width - 2], &bounded[0][width - 1]), (&0.25.into(), &0.75.into()), "{bounded:?}");
    let value_of = |metric: &str| {
        let rows = rows("further");
        rows.iter().find(|row| row[0] == metric).map(|row| row[1].clone()).unwrap()
    };
    assert_eq!(value_of("revenue"), 3.0);
    assert_eq!(value_of("ild.category"), 0.5);
    write("n.md", &format!("{head}```metrics m\nfrom = \"log\"\nconvention = \"trek\"\n```\n"));
    let output = recscope(folder.path(), &["run", "n.md"]);
    assert!(
        output.status.code() != Some(0) && text(&output.stdout).contains("trec"),
        "{}",
        text(&output.stdout)
    );
}

/// The notebook's words for conventions are those of the table.
#[test]
fn the_key_convention_knows_every_preset() {
    let mut presets: Vec<&str> = recscope::analysis::metrics::CONVENTIONS.iter().map(|c| c.id).collect();
    presets.push("all");
    assert_eq!(recscope::notebook::CONVENTIONS, presets);
}
