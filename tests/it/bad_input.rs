//! Bad input met by a headless run, the way a person meets it: the error stands in its place with a
//! remedy, the other cells still run, the exit code says what kind of trouble it was, the files stay as
//! they were, and the report writes no control character. Details are with the store's and model's tests.

use std::fs;
use std::path::Path;

use recscope::cli::run::{RunOptions, run_notebook};
use recscope::engine::lanes::EngineOptions;
use recscope::protocol::{Body, Problem};
use recscope::report::{CellReport, RunReport, format};

use crate::tiny_model::{self, Tiny};

/// Runs `text` as a notebook in `folder`. Whatever it holds, reports are clean and the file is untouched.
fn run(folder: &Path, text: &str, cache: bool) -> RunReport {
    let path = folder.join("nb.md");
    fs::write(&path, text).unwrap();
    let state = crate::engine_bench::plain().state;
    let engine = EngineOptions {
        cache,
        device: "cpu".into(),
        state,
        write_anywhere: true,
        ..RunOptions::default().engine
    };
    let report = run_notebook(&path, &[], &RunOptions { engine, ..RunOptions::default() }, &mut |_| {});
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    for name in ["text", "md", "html", "json", "csv"] {
        let page = format(name, 100).unwrap().render(&report);
        let bad = page.chars().find(|c| {
            (c.is_control() && *c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        });
        // CSV keeps texts as they are: the command line cleans it where stdout is a terminal.
        assert_eq!(bad.filter(|_| name != "csv"), None, "{name}:\n{}", page.escape_debug());
    }
    report
}

fn cell<'r>(report: &'r RunReport, name: &str) -> &'r CellReport {
    report.cells.iter().find(|cell| cell.name == name).unwrap()
}

fn done<'r>(report: &'r RunReport, name: &str) -> &'r CellReport {
    let cell = cell(report, name);
    assert_eq!(cell.state, "done", "{name}: {:?}", cell.error);
    cell
}

/// The error of a failed cell, which says each of `words` somewhere, hint included.
fn failed<'r>(report: &'r RunReport, name: &str, words: &[&str]) -> &'r Problem {
    let cell = cell(report, name);
    assert_eq!(cell.state, "failed", "{name}: {cell:?}");
    let problem = cell.error.as_ref().unwrap();
    says(name, problem, words);
    problem
}

fn says(what: &str, problem: &Problem, words: &[&str]) {
    let said = format!("{problem} / {}", problem.hint.as_deref().unwrap_or_default());
    println!("{what}: {said}");
    for word in words {
        assert!(said.contains(word), "{what}: {word:?} is not in: {said}");
    }
}

#[test]
fn bad_data_files_fail_where_they_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let db = duckdb::Connection::open_in_memory().unwrap();
    let copy = "COPY (SELECT i, 'x' || i AS t FROM range(50000) r(i)) TO";
    db.execute_batch(&format!("{copy} '{}'", at("ok.parquet").display())).unwrap();
    let good = fs::read(at("ok.parquet")).unwrap();
    fs::write(at("empty.parquet"), b"").unwrap();
    fs::write(at("cut.parquet"), &good[..good.len() / 2]).unwrap();
    let mut torn = good.clone();
    torn[200..4000].fill(0xa7);
    fs::write(at("torn.parquet"), &torn).unwrap();
    fs::write(at("ragged.csv"), "query,item,score\na,1,2\nb,2\nc,3,4,5\nd,4,5\n").unwrap();
    let mixed = "{\"a\": 1}\n".repeat(40_000) + "{\"a\": \"x\"}\n";
    fs::write(at("mixed.json"), mixed).unwrap();
    let bad = ["missing.parquet", "empty.parquet", "cut.parquet", "torn.parquet", "ragged.csv", "mixed.json"];
    let name = |file: &str| file.split('.').next().unwrap().to_owned();
    let mut text = "---\nrecscope: 1\nsources:\n  fine: ok.parquet\n".to_owned();
    for file in bad {
        text += &format!("  s_{}: {file}\n", name(file));
    }
    text += "---\n";
    for file in bad {
        text += &format!(
            "```sql c_{0}\nSELECT count(*) AS n, min(COLUMNS(*)::VARCHAR) FROM s_{0}\n```\n",
            name(file)
        );
    }
    text += "```sql below\nFROM c_cut\n```\n```sql last\nSELECT count(*) AS n FROM fine\n```\n";
    let report = run(folder.path(), &text, false);
    for file in bad {
        let problem = failed(&report, &format!("c_{}", name(file)), &[file]);
        assert!(problem.hint.is_some(), "{file}: no remedy: {problem}");
    }
    assert_eq!(cell(&report, "below").state, "skipped");
    assert_eq!(cell(&report, "below").because.as_deref(), Some("c_cut"));
    assert_eq!(done(&report, "last").result.as_ref().unwrap().rows[0][0], 50_000);
    assert_eq!(report.exit, 3);
}

const SHOWN: &str = "---\nrecscope: 1\nsources: { shown: shown.csv }\n\
    schema: { query: q, item: item, position: pos, gain: grade, score: score }\n---\n";

fn shown() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rows = "q,item,pos,grade,score\nshoes,a,1,3,2\nshoes,b,2,0,nan\nshoes,c,3,1,inf\n跑鞋,d,1,0,-inf\n跑鞋,e,2,2,1\n";
    fs::write(folder.path().join("shown.csv"), rows).unwrap();
    folder
}

#[test]
fn wrong_column_names_are_answered_with_the_right_one() {
    let folder = shown();
    tiny_model::write(&folder.path().join("m"), &Tiny::default());
    let text = format!(
        "{SHOWN}```sql a\nSELECT item, grdae\nFROM shown\n```\n\
         ```metrics rank\nfrom = \"shown\"\nrank = \"positon\"\nshow = [\"mrr\"]\n```\n\
         ```metrics gain\nfrom = \"shown\"\ngain = \"grad\"\nshow = [\"mrr\"]\n```\n\
         ```metrics by\nfrom = \"shown\"\nby = [\"item\", \"itme\"]\nshow = [\"mrr\"]\n```\n\
         ```fairness slices\nfrom = \"shown\"\nslices = [\"q\", \"q*itm\"]\nmetric = \"mrr\"\n```\n\
         ```metrics filter\nfrom = \"shown\"\nwhere = \"grdae > 1\"\nshow = [\"mrr\"]\n```\n\
         ```score s\nfrom = \"shown\"\nmodel = \"m\"\npair = [\"q\", \"itm\"]\n```\n\
         ```explain e\nfrom = \"shown\"\nmodel = \"m\"\npair = [\"q\", \"itm\"]\n```\n\
         ```train t\nfrom = \"shown\"\nmodel = \"m\"\ntext = \"q\"\nlabel = \"grde\"\nout = \"new\"\n```\n\
         ```sql ok\nFROM shown\n```\n"
    );
    let report = run(folder.path(), &text, false);
    for (name, words, place) in [
        ("a", "grade", (1, 14)),
        ("rank", "did you mean pos?", (2, 9)),
        ("gain", "did you mean grade?", (2, 9)),
        ("by", "did you mean item?", (2, 16)),
        ("slices", "did you mean item?", (2, 19)),
        ("s", "did you mean item?", (3, 15)),
        ("e", "did you mean item?", (3, 15)),
        ("t", "did you mean grade?", (4, 10)),
    ] {
        let problem = failed(&report, name, &[words]);
        assert_eq!((problem.line, problem.column), (Some(place.0), Some(place.1)), "{problem:?}");
    }
    // DuckDB names the column that was meant, not the place.
    failed(&report, "filter", &["grade"]);
    assert_eq!((done(&report, "ok").rows, report.exit), (Some(5), 3));
}

#[test]
fn a_role_of_the_schema_fails_only_the_figures_that_read_it() {
    let folder = shown();
    let text = format!(
        "{}```metrics needs\nfrom = \"shown\"\nshow = [\"mrr\"]\nresamples = 0\n```\n\
         ```metrics clicks\nfrom = \"shown\"\nlabel = \"grade\"\nshow = [\"ctr\", \"mrr\"]\nresamples = 0\n```\n",
        SHOWN.replace("gain: grade", "gain: grdae, user: who")
    );
    let report = run(folder.path(), &text, false);
    failed(&report, "needs", &["grdae", "schema", "gain", "did you mean grade?"]);
    let clicks = done(&report, "clicks");
    assert!(clicks.result.as_ref().unwrap().rows.iter().all(|row| row[1].is_number()), "{clicks:?}");
    assert!(clicks.notes.iter().any(|note| note.contains("no column who (the user")), "{clicks:?}");
}

#[test]
fn a_notebook_with_faults_runs_nothing_and_names_each() {
    let folder = shown();
    for (text, words) in [
        ("---\nrecscope: 1\nsources: { a: [ }\n---\n```sql x\nSELECT 1\n```\n".to_owned(), &["nb.md:3:"][..]),
        (format!("{SHOWN}```metrics m\nfrom = \"shown\nrank = 3\n```\n"), &["nb.md:7:", "not valid TOML"]),
        (format!("{SHOWN}```sql x\nSELECT 1\n```\n```sql X\nSELECT 2\n```\n"), &["nb.md:9:", "taken"]),
        (format!("{SHOWN}```sql x\nFROM y\n```\n```sql y\nFROM x\n```\n"), &["circle", "x reads y reads x"]),
    ] {
        let report = run(folder.path(), &text, false);
        assert_eq!(report.exit, 2, "{text}");
        says(&text, &report.problems[0], words);
        assert!(report.cells.iter().all(|cell| cell.state == "queued"), "{text}");
    }
}

/// Rows of one user are alike; a table that takes them for independent says so.
#[test]
fn a_fairness_table_without_its_users_warns() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "```sql log\nSELECT 'q' || n AS query, 'u' || n % 20 AS user_id, 'i' || n AS item, n % 7 AS score, n % 3 AS grade,\n\
        CASE WHEN n % 20 < 10 THEN 'south' ELSE 'north' END AS region FROM range(400) AS t(n)\n```\n";
    let cell = |name: &str, user: &str| {
        format!(
            "```fairness {name}\nfrom = \"log\"\nquery = \"query\"\nitem = \"item\"\nscore = \"score\"\ngain = \"grade\"\n\
             slices = [\"region\"]\nmetric = \"mrr\"\npermutations = 50\nresamples = 20\n{user}```\n"
        )
    };
    let text = format!("{rows}{}{}", cell("silent", ""), cell("told", "user = \"user_id\"\n"));
    let report = run(folder.path(), &text, false);
    let warns = |name: &str| done(&report, name).notes.iter().any(|note| note.contains("user = \"user_id\""));
    assert!(warns("silent") && !warns("told"), "{:?}", done(&report, "silent").notes);
}

#[test]
fn nan_and_infinite_scores_make_no_figure_of_themselves() {
    let folder = shown();
    let text = format!(
        "{SHOWN}```metrics m\nfrom = \"shown\"\nscore = \"score\"\nshow = [\"mrr\", \"ndcg@2\", \"auc\"]\nresamples = 20\n\
         check = [\"mrr >= 0\"]\n```\n```sql ok\nSELECT score, 'nan'::DOUBLE AS x FROM shown\n```\n"
    );
    let report = run(folder.path(), &text, false);
    println!("{}", format("text", 100).unwrap().render(&report));
    println!("{:?}", report.cells);
    let shown = done(&report, "ok");
    // NULL, NaN and infinities are told apart.
    let rows = &shown.result.as_ref().unwrap().rows;
    assert!(rows.iter().all(|row| row[1] == "NaN"), "{rows:?}");
    assert_eq!(
        rows.iter().map(|row| row[0].to_string()).collect::<Vec<_>>(),
        ["2.0", "\"NaN\"", "\"inf\"", "\"-inf\"", "1.0"]
    );
    if cell(&report, "m").state == "failed" {
        failed(&report, "m", &["score"]);
    } else {
        for row in &done(&report, "m").result.as_ref().unwrap().rows {
            assert!(row[1].is_null() || row[1].as_f64().is_some_and(f64::is_finite), "{row:?}");
        }
    }
}

#[test]
fn hostile_texts_are_scored_explained_and_shown_harmlessly() {
    let folder = tempfile::tempdir().unwrap();
    tiny_model::write(&folder.path().join("m"), &Tiny::default());
    let text = "```sql texts\nSELECT * FROM (VALUES\n(1, 'red shoes', ''), (2, '', ''), (3, NULL, 'boots'),\n\
        (4, 'red', repeat('boots red ', 10000)), (5, repeat('x', 100000), 'boots'),\n\
        (6, '跑鞋 👩‍👩‍👧‍👦🏽', 'שלום ' || chr(8238) || 'shoes' || chr(8294) || ' مرحبا'),\n\
        (7, chr(27) || ']0;owned' || chr(7) || 'red', chr(27) || '[2J' || chr(155) || '31m boots' || chr(13) || chr(10) || chr(127))\n\
        ) t(id, q, title)\n```\n\
        ```sql named\nSELECT 1 AS \"\u{1b}[31mred\u{202e}\"\n```\n\
        ```score rel\nfrom = \"texts\"\nmodel = \"m\"\npair = [\"q\", \"title\"]\norder = \"id\"\n```\n\
        ```explain why\nfrom = \"rel\"\nwhere = \"id >= 4\"\norder = \"id\"\nmethod = \"leave_one_out\"\nlimit = 4\n```\n";
    let report = run(folder.path(), text, false);
    done(&report, "named");
    let rel = done(&report, "rel");
    let Body::Score(summary) = &rel.body else { panic!("{rel:?}") };
    assert_eq!((summary.rows, summary.empty, summary.nan), (7, 3, 0), "{summary:?}");
    assert_eq!(summary.truncated, 1, "{summary:?}");
    let scores: Vec<bool> =
        rel.result.as_ref().unwrap().rows.iter().map(|row| row.last().unwrap().is_null()).collect();
    assert_eq!(scores, [true, true, true, false, false, false, false]);
    let Body::Explain(all) = &done(&report, "why").body else { panic!() };
    assert_eq!(all.len(), 4);
    assert_eq!(report.exit, 0);
}

#[test]
fn unusable_models_fail_in_their_cells_only() {
    let folder = tempfile::tempdir().unwrap();
    let spoilt = |name: &str, spoil: &dyn Fn(&Path)| {
        let dir = folder.path().join(name);
        tiny_model::write(&dir, &Tiny::default());
        spoil(&dir);
    };
    let weights = "model.safetensors";
    spoilt("wordless", &|dir| fs::remove_file(dir.join("vocab.txt")).unwrap());
    spoilt("misshapen", &|dir| {
        let other = tiny_model::weights(&Tiny { labels: 3, ..Tiny::default() });
        candle_core::safetensors::save(&other, dir.join(weights)).unwrap();
    });
    spoilt("huge", &|dir| fs::write(dir.join(weights), (1u64 << 60).to_le_bytes()).unwrap());
    spoilt("pickled", &|dir| {
        fs::remove_file(dir.join(weights)).unwrap();
        fs::write(dir.join("pytorch_model.bin"), b"\x80\x02}q\x00.").unwrap();
    });
    tiny_model::write(&folder.path().join("sound"), &Tiny::default());
    let mut text = "```sql rows_in\nSELECT 'red shoes' AS t\n```\n".to_owned();
    for model in ["wordless", "misshapen", "huge", "pickled", "sound"] {
        text += &format!("```score {model}\nfrom = \"rows_in\"\nmodel = \"{model}\"\ntext = \"t\"\n```\n");
    }
    let report = run(folder.path(), &text, false);
    for (model, words) in [
        ("wordless", &["no tokenizer", "vocab.txt"][..]),
        ("misshapen", &["classifier", "[3, 40]", "[1, 40]"]),
        ("huge", &["1152921504606846976 bytes"]),
        ("pickled", &["pickle", "safe_serialization=True"]),
    ] {
        failed(&report, model, words);
    }
    assert_eq!((done(&report, "sound").rows, report.exit), (Some(1), 3));
}

const TWO: &str = "```sql a\nSELECT i, 'x' || i AS t FROM range(1000) r(i)\n```\n```sql b\nSELECT count(*) AS n FROM a\n```\n";

#[test]
fn a_folder_that_takes_no_results_costs_only_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the sidecar would be: no permission of any user makes it a folder.
    fs::write(folder.path().join(".nb.cells"), "mine").unwrap();
    let report = run(folder.path(), TWO, true);
    assert!(done(&report, "a").notes.is_empty(), "they are kept elsewhere: {report:?}");
    assert!(done(&run(folder.path(), TWO, true), "a").cached);
    assert_eq!((done(&report, "b").rows, report.exit), (Some(1), 0));
    assert_eq!(fs::read_to_string(folder.path().join(".nb.cells")).unwrap(), "mine");
    // A model that cannot be written where it should go.
    tiny_model::write(&folder.path().join("m"), &Tiny::default());
    let rows: Vec<String> = (0..40).map(|i| format!("('red shoes', {})", i % 2)).collect();
    let text = format!(
        "```sql rows_in\nSELECT * FROM (VALUES {}) t(t, label)\n```\n```train new\nfrom = \"rows_in\"\nmodel = \"m\"\n\
         text = \"t\"\nlabel = \"label\"\nout = \"/proc/nowhere/new\"\nepochs = 1\n```\n{TWO}",
        rows.join(", ")
    );
    let report = run(folder.path(), &text, false);
    failed(&report, "new", &["/proc/nowhere"]);
    assert_eq!((done(&report, "b").rows, report.exit), (Some(1), 3));
}

/// A disk that takes no more, in the shape that every machine has: a limit on the size of files.
#[test]
fn a_full_disk_costs_only_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let text = "```sql a\nSELECT md5(i::VARCHAR) AS t FROM range(20000) r(i)\n```\n\
                ```sql b\nSELECT count(*) AS n FROM a\n```\n";
    fs::write(folder.path().join("nb.md"), text).unwrap();
    let recscope = |limit: &str| {
        let script =
            format!("trap '' XFSZ; ulimit -f {limit} && exec \"$0\" run nb.md --format json --rows 1");
        let ran = std::process::Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_recscope")])
            .current_dir(folder.path())
            .env("RECSCOPE_STATE", folder.path().join("state"))
            .env("RECSCOPE_CONFIG", "/dev/null")
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(0), "{}", String::from_utf8_lossy(&ran.stderr));
        serde_json::from_slice::<serde_json::Value>(&ran.stdout).unwrap()
    };
    let report = recscope("100");
    let cells = report["cells"].as_array().unwrap();
    assert!(cells[0]["notes"][0].as_str().unwrap().contains("not kept"), "{report}");
    assert_eq!((cells[0]["rows"].as_u64(), cells[1]["rows"].as_u64()), (Some(20000), Some(1)));
    let names = fs::read_dir(folder.path().join(".nb.cells")).unwrap();
    let names: Vec<String> =
        names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    let half = |name: &&String| !name.starts_with("b.") && *name != ".gitignore";
    assert_eq!(names.iter().find(half), None, "nothing half-written stays");
    // Room again: the next run keeps them.
    assert_eq!(recscope("unlimited")["cells"][0]["notes"], serde_json::json!([]));
    assert_eq!(recscope("unlimited")["cells"][0]["cached"], serde_json::json!(true));
}

#[test]
fn no_rows_and_a_thousand_columns_are_reported() {
    let folder = shown();
    let many: Vec<String> = (0..1000).map(|i| format!("{i} AS c{i}")).collect();
    let text = format!(
        "{SHOWN}```sql none\nSELECT * FROM shown WHERE false\n```\n```sql wide\nSELECT {}\n```\n\
         ```metrics m\nfrom = \"none\"\nrank = \"pos\"\nshow = [\"mrr\"]\nresamples = 0\ncheck = [\"mrr > 0\"]\n```\n\
         ```explain e\nfrom = \"none\"\n```\n",
        many.join(", ")
    );
    let report = run(folder.path(), &text, false);
    assert_eq!(done(&report, "none").rows, Some(0));
    assert_eq!(done(&report, "wide").result.as_ref().unwrap().rows[0].len(), 1000);
    assert_eq!(done(&report, "m").checks[0].ok, None);
    failed(&report, "e", &["score"]);
    assert_eq!(report.exit, 2);
}
