//! The command line as a program: exit codes, what goes to stdout and what to stderr, and the
//! documented JSON.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{repo, shared};

/// The program, in a folder of its own, with no settings of this machine.
fn recscope(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_recscope"))
        .args(args)
        .current_dir(folder)
        .env("RECSCOPE_CONFIG", folder.join("none.toml"))
        .env("RECSCOPE_SCORE_CACHE", folder.join("scores"))
        .env("RECSCOPE_STATE", folder.join("state"))
        .env_remove("RECSCOPE_MODELS")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    text.lines().filter(|line| !line.starts_with("warning: ")).collect::<Vec<_>>().join("\n")
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("none.toml"), "").unwrap();
    folder
}

const LOG: &str = "query,item,position,clicked,region\n\
    跑鞋,a,1,0,south\n跑鞋,b,2,1,south\nboots,c,1,1,north\nboots,d,2,0,north\n";

fn notebook(check: &str) -> String {
    format!(
        "---\nrecscope: 1\nparams: {{ k: 2 }}\nsources: {{ log: log.csv }}\n\
         schema: {{ query: query, item: item, position: position, label: clicked }}\n---\n# Shoes\n\n\
         ```sql south\nSELECT * FROM log WHERE region = 'south'\n```\n\n\
         ```metrics quality\nfrom = \"log\"\nshow = [\"mrr\", \"precision@{{{{k}}}}\"]\nresamples = 0\ncheck = [\"{check}\"]\n```\n"
    )
}

#[test]
fn run_gives_documented_json_and_exit_codes() {
    let folder = folder();
    std::fs::write(folder.path().join("log.csv"), LOG).unwrap();
    std::fs::write(folder.path().join("n.md"), notebook("mrr >= 0.7")).unwrap();
    let output = recscope(folder.path(), &["run", "n.md", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}{}", out(&output), err(&output));
    let value: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(value["ok"], true);
    assert_eq!(value["cells"][0]["name"], "south");
    assert_eq!(value["cells"][0]["rows"], 2);
    let quality = &value["cells"][1];
    let mrr = quality["result"]["rows"].as_array().unwrap().iter().find(|row| row[0] == "mrr").unwrap();
    assert_eq!(mrr[1], 0.75);
    assert_eq!(quality["checks"][0]["ok"], true);
    assert_eq!(quality["checks"][0]["threshold"], 0.7);

    std::fs::write(folder.path().join("n.md"), notebook("mrr >= 0.8")).unwrap();
    let output = recscope(folder.path(), &["run", "n.md"]);
    assert_eq!(code(&output), 1, "{}", err(&output));
    assert!(out(&output).contains("mrr >= 0.8: 0.75, threshold 0.8"), "{}", out(&output));
    let output = recscope(folder.path(), &["run", "n.md", "--set", "k=x"]);
    assert_eq!(code(&output), 2);
    std::fs::remove_file(folder.path().join("log.csv")).unwrap();
    let output = recscope(folder.path(), &["run", "n.md"]);
    assert_eq!(code(&output), 3, "{}{}", out(&output), err(&output));
    assert_eq!(code(&recscope(folder.path(), &["run", "missing.md"])), 2);
    assert_eq!(code(&recscope(folder.path(), &["run"])), 2);
}

#[test]
fn a_parameter_that_names_the_cell_to_read_decides_what_runs_first() {
    let folder = tempfile::tempdir().unwrap();
    let text = "---\nrecscope: 1\nparams: { src: a }\n---\n\
        ```metrics m\nfrom = \"{{src}}\"\nquery = \"q\"\nitem = \"i\"\ngain = \"g\"\nscore = \"s\"\nshow = [\"mrr\"]\n```\n\
        ```sql a\nSELECT 'q' AS q, range AS i, 10 - range AS s, CAST(range = 0 AS INTEGER) AS g FROM range(4)\n```\n\
        ```sql b\nSELECT 'q' AS q, range AS i, 10 - range AS s, CAST(range = 1 AS INTEGER) AS g FROM range(4)\n```\n";
    std::fs::write(folder.path().join("n.md"), text).unwrap();
    let value = |args: &[&str]| {
        let output =
            recscope(folder.path(), &[&["run", "n.md", "--only", "m", "--format", "json"], args].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        let report: serde_json::Value = serde_json::from_str(&out(&output)).unwrap();
        let ran: Vec<&str> =
            report["cells"].as_array().unwrap().iter().map(|cell| cell["name"].as_str().unwrap()).collect();
        (ran.join(" "), out(&output))
    };
    let (ran, _) = value(&[]);
    assert_eq!(ran, "m a");
    let (ran, text) = value(&["--set", "src=b"]);
    assert_eq!(ran, "m b");
    assert!(text.contains("0.5"), "the reciprocal rank of b: {text}");
}

#[test]
fn reports_are_written_whole_and_by_their_ending() {
    let folder = folder();
    std::fs::write(folder.path().join("log.csv"), LOG).unwrap();
    std::fs::write(folder.path().join("n.md"), notebook("mrr >= 0.7")).unwrap();
    for (name, start) in [("r.html", "<!doctype html>"), ("r.json", "{"), ("r.md", "> ✓"), ("r.csv", "# sql")]
    {
        let output = recscope(folder.path(), &["run", "n.md", "--out", name]);
        assert_eq!(code(&output), 0, "{}", err(&output));
        assert_eq!(out(&output), "");
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains("跑鞋"), "{name}");
    }
    let output = recscope(folder.path(), &["run", "n.md", "--out", "no/r.html"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("does not exist"), "{}", err(&output));
}

/// One file that has scores and gains gives what two files give, under every convention.
#[test]
fn eval_takes_rows_that_bring_their_gains_along() {
    let folder = folder();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    // q3 has no judged row: it counts no more than with two files. d of q1 was not retrieved.
    write(
        "both.csv",
        "qid,item,score,gain\nq1,a,3,1\nq1,b,2,\nq1,c,1,2\nq1,d,,3\nq2,a,1,0\nq2,b,2,0\nq3,a,1,\n",
    );
    write("run.csv", "qid,item,score\nq1,a,3\nq1,b,2\nq1,c,1\nq2,a,1\nq2,b,2\nq3,a,1\n");
    write("qrels.csv", "qid,item,gain\nq1,a,1\nq1,c,2\nq1,d,3\nq2,a,0\nq2,b,0\n");
    for convention in ["recscope", "trec", "ranx", "ir_measures"] {
        let eval = |files: &[&str]| -> Value {
            let asked =
                ["--convention", convention, "--columns", "query=qid", "--format", "json", "--per-query"];
            let output = recscope(folder.path(), &[&["eval"][..], files, &asked].concat());
            assert_eq!(code(&output), 0, "{}", err(&output));
            serde_json::from_str(&out(&output)).unwrap()
        };
        let (one, two) = (eval(&["--run", "both.csv"]), eval(&["--run", "run.csv", "--qrels", "qrels.csv"]));
        assert_eq!(one, two, "{convention}");
        assert_eq!(one["per_query"].as_object().unwrap().len(), 2);
    }
    let output = recscope(folder.path(), &["eval", "--run", "run.csv", "--columns", "query=qid"]);
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("--qrels"), "{}", err(&output));
}

#[test]
fn eval_reads_files_and_trec_formats_and_agrees_with_the_shared_golden() {
    let folder = folder();
    // The case on which metric libraries disagree: grades a3 b2 c0 d1, run order c,b,a,x,d.
    std::fs::write(
        folder.path().join("r.run"),
        "q Q0 c 1 5 t\nq Q0 b 2 4 t\nq Q0 a 3 3 t\nq Q0 x 4 2 t\nq Q0 d 5 1 t\n",
    )
    .unwrap();
    std::fs::write(folder.path().join("j.qrels"), "q 0 a 3\nq 0 b 2\nq 0 c 0\nq 0 d 1\n").unwrap();
    let args = [
        "eval",
        "--run",
        "r.run",
        "--qrels",
        "j.qrels",
        "--format",
        "json",
        "--per-query",
        "--resamples",
        "0",
    ];
    let measures = ["--measures", "ndcg@3,ndcg_exp@3,map,map@3,mrr,recall@3,err@3"];
    let output = recscope(folder.path(), &[&args[..], &measures].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    let value: Value = serde_json::from_str(&out(&output)).unwrap();
    for (measure, wanted) in [
        ("ndcg@3", (2.0 / 3f64.log2() + 3.0 / 2.0) / (3.0 + 2.0 / 3f64.log2() + 1.0 / 2.0)),
        ("ndcg_exp@3", (3.0 / 3f64.log2() + 7.0 / 2.0) / (7.0 + 3.0 / 3f64.log2() + 1.0 / 2.0)),
        ("map", (1.0 / 2.0 + 2.0 / 3.0 + 3.0 / 5.0) / 3.0),
        ("map@3", (1.0 / 2.0 + 2.0 / 3.0) / 3.0),
        ("mrr", 0.5),
        ("recall@3", 2.0 / 3.0),
    ] {
        let got = value["measures"][measure]["value"].as_f64().unwrap_or(f64::NAN);
        assert!((got - wanted).abs() < 1e-9, "{measure}: {got}, wanted {wanted}");
        assert_eq!(value["per_query"]["q"][measure], value["measures"][measure]["value"]);
        assert_eq!(value["measures"][measure]["reason"], "no interval: --resamples is 0");
    }
    assert_eq!(value["convention"], "recscope");
    std::fs::write(folder.path().join("j.csv"), "qid,doc,grade\nq,a,3\n").unwrap();
    let columns = ["--columns", "query=qid,item=doc,gain=grade"];
    let output =
        recscope(folder.path(), &[&["eval", "--run", "r.run", "--qrels", "j.csv"][..], &columns].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert!(out(&output).contains("ndcg@10"));
    let output = recscope(folder.path(), &["eval", "--run", "r.run", "--qrels", "j.csv"]);
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("--columns query=COLUMN"), "{}", err(&output));
    let output =
        recscope(folder.path(), &["eval", "--run", "r.run", "--qrels", "j.qrels", "--measures", "ndgc@3"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("did you mean `ndcg`?"), "{}", err(&output));
}

#[test]
fn eval_compares_runs_query_by_query() {
    let folder = folder();
    let (mut old, mut new, mut judged) = (String::new(), String::new(), String::new());
    for q in 0..30 {
        judged += &format!("跑鞋{q} 0 good 2\n跑鞋{q} 0 fair 1\n");
        // The new run puts the good item first, but for every tenth query, which it lacks altogether.
        old += &format!("跑鞋{q} Q0 bad 1 3 t\n跑鞋{q} Q0 good 2 2 t\n跑鞋{q} Q0 fair 3 1 t\n");
        if q % 10 != 9 {
            new += &format!("跑鞋{q} Q0 good 1 3 t\n跑鞋{q} Q0 bad 2 2 t\n");
        }
    }
    for (name, text) in [("old.run", old), ("new.run", new), ("j.qrels", judged)] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let args =
        ["eval", "--run", "old.run", "--qrels", "j.qrels", "--measures", "mrr,ndcg@3", "--interval", "bca"];
    let json = ["--compare", "new.run", "--format", "json"];
    let output = recscope(folder.path(), &[&args[..], &json].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    let value: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(value["runs"], serde_json::json!(["old", "new"]));
    assert_eq!((&value["baseline"], &value["interval"]["method"]), (&"old".into(), &"bca".into()));
    assert_eq!((&value["test"]["family"], &value["test"]["permutations"]), (&2.into(), &10_000.into()));
    let mrr = &value["comparisons"][0];
    // 27 queries from 1/2 to 1, three from 1/2 to 0.
    assert!((mrr["delta"].as_f64().unwrap() - (27.0 * 0.5 - 3.0 * 0.5) / 30.0).abs() < 1e-12, "{mrr}");
    assert_eq!((&mrr["wins"], &mrr["ties"], &mrr["losses"]), (&27.into(), &0.into(), &3.into()));
    assert!(mrr["p_adjusted"].as_f64().unwrap() < 0.01 && mrr["status"] == "better", "{mrr}");
    assert!(mrr["lower"].as_f64().unwrap() > 0.0 && mrr["mde"].as_f64().unwrap() > 0.0);
    let moved = value["moved"].as_array().unwrap();
    assert_eq!((moved.len(), &moved[0]["baseline_top"][1]["item"]), (10, &"good".into()));
    assert_eq!(moved[0]["baseline_top"][0]["gain"], Value::Null, "not judged");
    assert!(err(&output).contains("new: nothing is retrieved for 3 lists"), "{}", err(&output));

    let two = ["eval", "--run", "old.run", "--run", "new.run", "--qrels", "j.qrels", "--measures", "mrr"];
    let output = recscope(folder.path(), &[&two[..], &["--compare"]].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    let text = out(&output);
    for said in ["new against old", "27/0/3", "better", "queries that moved most by mrr", "2  good"] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let output = recscope(folder.path(), &two);
    assert!(code(&output) == 2 && err(&output).contains("--compare"), "{}", err(&output));
    let alone = ["eval", "--run", "old.run", "--qrels", "j.qrels", "--compare"];
    let output = recscope(folder.path(), &alone);
    assert!(code(&output) == 2 && err(&output).contains("two runs"), "{}", err(&output));
    let plain = recscope(folder.path(), &[&args[..], &["--format", "json"]].concat());
    let value: Value = serde_json::from_str(&out(&plain)).unwrap();
    assert_eq!(value["interval"]["method"], "bca");
    assert!(value["measures"]["mrr"]["lower"].is_number(), "{value}");
}

#[test]
fn score_and_explain_run_a_real_model() {
    let Some(model) = shared("models/ms-marco-MiniLM-L-12-v2") else { return };
    let model = model.canonicalize().unwrap();
    let model = model.to_str().unwrap();
    let folder = folder();
    std::fs::write(
        folder.path().join("p.csv"),
        "q,t\nrunning shoes,Men's hiking boots\n跑鞋,跑步鞋 男\n,x\n",
    )
    .unwrap();
    let args = ["score", "--model", model, "--input", "p.csv", "--pair", "q,T", "--out", "s.csv"];
    let output = recscope(folder.path(), &args);
    assert_eq!(code(&output), 0, "{}", err(&output));
    assert_eq!(out(&output), "");
    let text = std::fs::read_to_string(folder.path().join("s.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines.len()), ("q,t,score", 4), "{text}");
    assert!(lines[1].rsplit(',').next().unwrap().parse::<f64>().is_ok(), "{text}");
    let mut misspelt = args;
    misspelt[6] = "q,tt";
    let output = recscope(folder.path(), &misspelt);
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("no column `tt`"), "{}", err(&output));

    let texts = ["--query", "running shoes", "--title", "Men's hiking boots"];
    let args = [&["explain", "--model", model, "--format", "json", "--method", "leave_one_out"][..], &texts]
        .concat();
    let output = recscope(folder.path(), &args);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let value: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(value["method"], "leave_one_out");
    assert!(value["delta"].is_null() && value["reason"].as_str().unwrap().contains("delta"), "{value}");
    let wanted: f64 = lines[1].rsplit(',').next().unwrap().parse().unwrap();
    assert!((value["score"].as_f64().unwrap() - wanted).abs() < 1e-3, "{value}");
    assert_eq!(value["tokens"][0]["side"], 0);
    assert!(value["words"].as_array().unwrap().len() >= 5, "{value}");
}

#[test]
fn pages_completions_and_doctor_print() {
    let folder = folder();
    for (page, word) in [
        ("keys", "run.cell"),
        ("cells", "min_support"),
        ("metrics", "ndcg"),
        ("cli", "--per-query"),
        ("config", "engine.memory"),
    ] {
        let output = recscope(folder.path(), &["docs", page]);
        assert_eq!(code(&output), 0);
        assert!(out(&output).contains(word), "{page}: {}", out(&output));
    }
    assert!(out(&recscope(folder.path(), &["completions", "bash"])).contains("recscope"));
    let output = recscope(folder.path(), &["doctor", "--format", "json"]);
    let value: Value = serde_json::from_str(&out(&output)).unwrap();
    assert_eq!(value["ok"].as_bool().unwrap(), code(&output) == 0);
    for finding in value["findings"].as_array().unwrap() {
        assert!(finding["status"] == "ok" || finding["remedy"].is_string(), "{finding}");
    }
    assert_eq!(code(&recscope(folder.path(), &["--version"])), 0);
    assert_eq!(code(&recscope(folder.path(), &["--nonsense"])), 2);
    std::fs::create_dir_all(folder.path().join("models/bad")).unwrap();
    std::fs::write(folder.path().join("models/bad/config.json"), "{").unwrap();
    let output = recscope(folder.path(), &["models", "list"]);
    assert!(out(&output).contains("bad"), "{}", out(&output));
    let output = recscope(folder.path(), &["models", "info", "models/bad"]);
    assert_eq!(code(&output), 3);
}

#[test]
fn without_a_terminal_the_screen_says_what_to_do() {
    let folder = folder();
    let output = recscope(folder.path(), &[]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("recscope run"), "{}", err(&output));
    let output = recscope(folder.path(), &["no-such-file.csv"]);
    assert_eq!(code(&output), 2);
    assert!(err(&output).contains("there is no file"), "{}", err(&output));
}

#[test]
fn a_closed_pipe_is_success() {
    let folder = folder();
    let mut child = Command::new(env!("CARGO_BIN_EXE_recscope"))
        .args(["docs", "metrics"])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_signal_while_the_demo_makes_its_log_leaves_nothing_behind() {
    use std::io::{BufRead, BufReader};
    for (signal, code) in [(libc::SIGINT, 130), (libc::SIGTERM, 143), (libc::SIGQUIT, 131)] {
        let folder = folder();
        let temporary = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_recscope"))
            .args(["demo", "--format", "json"])
            .env("RECSCOPE_CONFIG", folder.path().join("none.toml"))
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = said.next().unwrap().unwrap();
        assert!(first.contains("generating"), "{first}");
        // SAFETY: a plain system call on a process of ours that has not been waited for.
        assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
        let rest: Vec<String> = said.map_while(Result::ok).collect();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{rest:?}");
        let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().flatten().collect();
        assert!(left.is_empty(), "{left:?} {rest:?}");
    }
}

/// Whoever copies the program to another box is told what that box must have.
#[test]
fn a_binary_tells_which_systems_start_it() {
    for program in [env!("CARGO_BIN_EXE_recscope"), env!("CARGO_BIN_EXE_recscope-score")] {
        let output = Command::new(repo("scripts/needs")).arg(program).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        let glibc = said.lines().find_map(|line| line.trim().strip_prefix("glibc 2.")).unwrap();
        let minor: u32 = glibc.split(' ').next().unwrap().parse().unwrap();
        // Rust's own library asks for 2.17; what is newer than today's systems is a misreading.
        assert!((17..60).contains(&minor), "{said}");
        assert!(said.contains("library libc.so.6") && !said.contains("systems newer"), "{said}");
        // Every version that is asked for is at most the one that is told.
        let symbols = Command::new("readelf").args(["-V", program]).output().unwrap();
        let symbols = String::from_utf8_lossy(&symbols.stdout).into_owned();
        let asked = symbols
            .split("GLIBC_2.")
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok());
        assert_eq!(asked.max(), Some(minor), "{said}");
    }
    let missing = Command::new(repo("scripts/needs")).arg("no such file").output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
}
