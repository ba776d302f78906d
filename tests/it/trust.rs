//! Notebooks that nobody has trusted: what a headless run refuses, what allows it, and what the list of
//! trusted folders does. The screen's part is `trust_screen.rs`.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

/// A home with a secret, a notebook's folder, data beside it, and a state folder of its own.
pub struct Stage {
    root: tempfile::TempDir,
}

impl Stage {
    pub fn new(notebook: &str) -> Self {
        let made = Self { root: tempfile::tempdir().unwrap() };
        for folder in ["home", "work", "data"] {
            fs::create_dir(made.at(folder)).unwrap();
        }
        fs::write(made.at("home/secret"), "CANARY").unwrap();
        fs::write(made.at("data/日志.csv"), "a,b\n1,2\n").unwrap();
        fs::write(made.at("work/near.csv"), "a\n7\n").unwrap();
        fs::write(made.at("work/n.md"), notebook.replace("ROOT", &made.at("").display().to_string()))
            .unwrap();
        made
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn recscope(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_recscope"))
            .args(args)
            .current_dir(self.at("work"))
            .env("RECSCOPE_STATE", self.at("state"))
            .env("HOME", self.at("home"))
            .env("XDG_CACHE_HOME", self.at("cache"))
            .env_remove("XDG_RUNTIME_DIR")
            .output()
            .unwrap()
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let output = self.recscope(&[&["run", "n.md"], args].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    }
}

const READS_A_SECRET: &str = "```sql q\nSELECT content FROM read_text('ROOThome/secret')\n```\n";

#[test]
fn sql_reads_the_folder_and_declared_sources_and_nothing_else() {
    let stage = Stage::new(&format!(
        "---\nrecscope: 1\nsources:\n  logs: ../data/*.csv\n---\n```sql far\nFROM logs\n```\n\n```sql near\nFROM 'near.csv'\n```\n\n{READS_A_SECRET}"
    ));
    let (code, out, err) = stage.run(&[]);
    assert_eq!(code, 3, "{out}{err}");
    assert!(!out.contains("CANARY") && out.contains("is not read: the notebook runs within limits"), "{out}");
    assert!(out.contains("✓ sql far  1 row") && out.contains("✓ sql near  1 row"), "{out}");
    assert!(err.contains("source logs: ") && err.contains("~/secret — refused"), "{err}");
    let (code, out, err) = stage.run(&["--allow", "../home/secret"]);
    assert!(code == 0 && out.contains("CANARY") && err.contains("allowed by --allow"), "{out}{err}");
    assert_eq!(stage.run(&["--allow", "../home/none"]).0, 2);
}

#[test]
fn trust_is_given_to_a_folder_and_taken_back() {
    let stage = Stage::new(READS_A_SECRET);
    assert_eq!(stage.run(&[]).0, 3);
    let (code, out, err) = stage.run(&["--trust"]);
    assert!(code == 0 && out.contains("CANARY") && err.is_empty(), "{out}{err}");
    assert_eq!(stage.run(&[]).0, 3, "--trust is of one run");
    assert!(stage.recscope(&["trust", "add", "."]).status.success());
    let listed = stage.recscope(&["trust", "list", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(listed["trusted"][0]["scope"], "folder");
    let (code, out, _) = stage.run(&[]);
    assert!(code == 0 && out.contains("CANARY"), "{out}");
    // Another editor writes it anew: the folder stays trusted.
    let text = fs::read_to_string(stage.at("work/n.md")).unwrap();
    fs::remove_file(stage.at("work/n.md")).unwrap();
    fs::write(stage.at("work/n.md"), text).unwrap();
    assert_eq!(stage.run(&["--no-cache"]).0, 0);
    assert_eq!(stage.run(&["--sandbox", "--no-cache"]).0, 3);
    assert!(stage.recscope(&["trust", "remove", "."]).status.success());
    assert_eq!(stage.run(&["--no-cache"]).0, 3);
    assert_eq!(stage.recscope(&["trust", "remove", "."]).status.code(), Some(2));
}

#[test]
fn a_view_in_a_database_reads_no_other_file() {
    let text = "---\nrecscope: 1\nsources:\n  log: log.duckdb\n---\n```sql v\nFROM impressions\n```\n\n```sql w\nFROM log.beside\n```\n\n\
                ```sql t\nFROM clicks\n```\n\n```sql near\nFROM 'near.csv'\n```\n";
    let stage = Stage::new(text);
    make_database(&stage);
    let (code, out, _) = stage.run(&[]);
    assert!(code == 3 && !out.contains("CANARY") && out.contains("is not read"), "{out}");
    assert!(out.contains("✗ sql v") && out.contains("✗ sql w"), "not what lies beside it either: {out}");
    assert!(out.contains("✓ sql t  1 row"), "a table of the same file is read: {out}");
    assert!(out.contains("✓ sql near  1 row"), "what the notebook names itself is read: {out}");
    // In a trusted notebook, the views are still somebody else's.
    assert!(stage.recscope(&["trust", "add", "n.md"]).status.success());
    let (code, out, err) = stage.run(&["--no-cache"]);
    assert!(code == 3 && !out.contains("CANARY") && err.contains("log.duckdb"), "{out}{err}");
    assert!(stage.recscope(&["trust", "add", "log.duckdb"]).status.success());
    let (code, out, _) = stage.run(&["--no-cache"]);
    assert!(code == 0 && out.contains("CANARY"), "{out}");
}

fn make_database(stage: &Stage) {
    let maker = duckdb::Connection::open(stage.at("work/log.duckdb")).unwrap();
    let secret = stage.at("home/secret").display().to_string();
    let beside = stage.at("work/beside.txt").display().to_string();
    std::fs::write(&beside, "CANARY").unwrap();
    maker
        .execute_batch(&format!(
            "CREATE TABLE clicks AS SELECT 1 AS a; CREATE VIEW impressions AS SELECT * FROM read_text('{secret}'); \
             CREATE VIEW beside AS SELECT * FROM read_text('{beside}')"
        ))
        .unwrap();
}

#[test]
fn a_model_is_read_where_the_notebook_names_it_and_writes_stay_below() {
    let model = crate::support::repo("fixtures/demo-model");
    let stage = Stage::new(&format!(
        "---\nrecscope: 1\nsources:\n  near: near.csv\n---\n```score s\nfrom = \"near\"\nmodel = \"{}\"\ntext = \"a\"\n```\n",
        model.display()
    ));
    let (code, out, err) = stage.run(&[]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(err.contains("model of s: "), "{err}");
}

#[test]
fn a_foreign_database_on_the_command_line_reads_nothing_beside_the_output() {
    let stage = Stage::new("# nothing\n");
    fs::write(stage.at("work/.env"), "CANARY").unwrap();
    let maker = duckdb::Connection::open(stage.at("data/two.dat")).unwrap();
    let secret = stage.at("work/.env").display().to_string();
    maker.execute_batch(&format!("CREATE VIEW v AS SELECT content AS t FROM read_text('{secret}')")).unwrap();
    drop(maker);
    let model = crate::support::repo("fixtures/demo-model").display().to_string();
    for input in ["../data/two.dat", "file:../data/two.dat"] {
        let args = ["score", "--model", &model, "--input", input, "--text", "t", "--out", "out.json"];
        let output = stage.recscope(&args);
        assert!(!output.status.success(), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("within limits") && !said.contains("CANARY"), "{said}");
        assert!(!stage.at("work/out.json").exists());
    }
    // A table of such a file is scored as any other.
    fs::remove_file(stage.at("data/two.dat")).unwrap();
    let maker = duckdb::Connection::open(stage.at("data/two.dat")).unwrap();
    maker.execute_batch("CREATE TABLE r AS SELECT 'red shoes' AS t").unwrap();
    drop(maker);
    let args = ["score", "--model", &model, "--input", "../data/two.dat", "--text", "t", "--out", "out.json"];
    let output = stage.recscope(&args);
    assert!(output.status.success(), "{output:?}");
    assert!(fs::read_to_string(stage.at("work/out.json")).unwrap().contains("red shoes"));
}

#[test]
fn a_view_that_writes_keeps_its_file_closed_and_the_key_is_no_file_for_sql() {
    let stage = Stage::new("---\nrecscope: 1\nsources:\n  log: log.duckdb\n---\n```sql q\nFROM log.t\n```\n");
    let maker = duckdb::Connection::open(stage.at("work/log.duckdb")).unwrap();
    let target = stage.at("work/package.json").display().to_string();
    maker
        .execute_batch(&format!(
            "CREATE TABLE t AS SELECT 1 AS a; CREATE VIEW p AS SELECT * FROM enable_profiling(format='json', save_location='{target}')"
        ))
        .unwrap();
    drop(maker);
    let (code, out, _) = stage.run(&[]);
    assert!(
        code == 3 && out.contains("does more than read") && !stage.at("work/package.json").exists(),
        "{out}"
    );
    let key = stage.at("state/results/key");
    assert!(key.exists(), "made by the run");
    let text = format!("```sql q\nSELECT base64(content) FROM read_blob('{}')\n```\n", key.display());
    fs::write(stage.at("work/n.md"), text).unwrap();
    let (code, out, _) = stage.run(&[]);
    assert!(code == 3 && out.contains("within limits"), "{out}");
}
