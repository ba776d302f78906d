//! What the programs write is safe to open and to look at: no formula in a table, nothing in JSON or in a
//! message that steers a terminal or hides; and compressed input that lost its end is noticed.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::score_pipe::{code, err, model};

fn program(path: &str, folder: &Path, args: &[&OsStr]) -> Output {
    Command::new(path)
        .args(args)
        .current_dir(folder)
        .env("RECSCOPE_CONFIG", folder.join("none.toml"))
        .env("RECSCOPE_STATE", folder.join("state"))
        .env("RECSCOPE_SCORE_CACHE", "off")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn recscope(folder: &Path, args: &[&str]) -> Output {
    let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    program(env!("CARGO_BIN_EXE_recscope"), folder, &args)
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files.iter().chain(&[("none.toml", "")]) {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn notebook(source: &str, cell: &str) -> String {
    format!("---\nrecscope: 1\nsources: {{ rows: {source} }}\n---\n\n```sql rows_of\n{cell}\n```\n")
}

/// Two formulas in cells, one in a header; numbers that are numbers, and a text that looks like one.
const TABLE: &str =
    "q,t,=n\n\"=HYPERLINK(\"\"http://x\"\")\",red mouse,-3.5\n red shoes, ＠SUM(1),4\n-3.5,mouse,5\n";

#[test]
fn a_report_as_csv_runs_nothing_in_a_spreadsheet() {
    let folder = folder(&[("t.csv", TABLE), ("n.md", &notebook("t.csv", "SELECT * FROM rows"))]);
    let output = recscope(folder.path(), &["run", "n.md", "--format", "csv"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    let wanted = "# sql rows_of\nq,t,'=n\n\"'=HYPERLINK(\"\"http://x\"\")\",red mouse,-3.5\n red shoes,' ＠SUM(1),4.0\n-3.5,mouse,5.0\n";
    assert_eq!(out(&output), wanted);
    assert!(err(&output).contains("3 cells begin like formulas: guarded with '; --raw"), "{}", err(&output));

    let raw = recscope(folder.path(), &["run", "n.md", "--format", "csv", "--raw"]);
    assert!(out(&raw).contains("\n\"=HYPERLINK(") && out(&raw).contains(", ＠SUM(1),"), "{}", out(&raw));
    assert_eq!(err(&raw), "");
}

#[test]
fn a_scored_file_runs_nothing_in_a_spreadsheet() {
    let (folder, model) = (folder(&[("t.csv", TABLE)]), model(1));
    let score = |more: &[&str]| {
        let model = model.path().to_str().unwrap();
        let args = ["score", "--device", "cpu", "--model", model, "--input", "t.csv", "--pair", "q,t"];
        let output = recscope(folder.path(), &[&args[..], more].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        output
    };
    let said = err(&score(&["--out", "o.csv"]));
    assert!(said.contains("note: 3 cells begin like formulas: guarded with '"), "{said}");
    let text = std::fs::read_to_string(folder.path().join("o.csv")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "q,t,'=n,score");
    assert!(lines[1].starts_with("\"'=HYPERLINK(\"\"http://x\"\")\",red mouse,-3.5,"), "{text}");
    assert!(lines[2].starts_with(" red shoes,' ＠SUM(1),4.0,"), "{text}");
    assert!(lines[3].starts_with("-3.5,mouse,5.0,") && lines.len() == 4, "{text}");

    let said = err(&score(&["--out", "raw.csv", "--raw"]));
    assert!(!said.contains("formula"), "{said}");
    let raw = std::fs::read_to_string(folder.path().join("raw.csv")).unwrap();
    assert_eq!(raw.replace('\'', ""), text.replace('\'', ""), "the same but for the guard");
    assert!(raw.starts_with("q,t,=n,score\n\"=HYPERLINK("), "{raw}");
    // Other formats hold what the input holds.
    assert!(!err(&score(&["--out", "o.jsonl"])).contains("formula"));
}

#[test]
fn what_eval_prints_between_tabs_runs_nothing_in_a_spreadsheet() {
    let folder = folder(&[
        ("r.csv", "query,item,score\n=1+1,a,2\n－x,a,1\n-7,a,1\nplain,a,1\n"),
        ("j.csv", "query,item,gain\n=1+1,a,1\n－x,a,1\n-7,a,1\nplain,a,1\n"),
    ]);
    for format in ["text", "trec"] {
        let args = ["eval", "--run", "r.csv", "--qrels", "j.csv", "--measures", "mrr", "--per-query"];
        let output = recscope(folder.path(), &[&args[..], &["--format", format]].concat());
        assert_eq!(code(&output), 0, "{}", err(&output));
        let text = out(&output);
        for (field, wanted) in
            [("'=1+1", true), ("'－x", true), ("-7", true), ("=1+1", false), ("－x", false)]
        {
            let found = text.lines().any(|line| line.split('\t').any(|part| part == field));
            assert_eq!(found, wanted, "{field} in {text}");
        }
        assert!(err(&output).contains("2 cells begin like formulas"), "{}", err(&output));
        let raw = recscope(folder.path(), &[&args[..], &["--format", format, "--raw"]].concat());
        assert!(out(&raw).lines().any(|line| line.split('\t').any(|part| part == "=1+1")), "{}", out(&raw));
        assert!(!err(&raw).contains("formula"), "{}", err(&raw));
    }
}

/// Steers a terminal in one character, turns text around, or is not seen.
const HOSTILE: [&str; 10] = [
    "\u{9b}",
    "\u{9d}",
    "\u{85}",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{2028}",
    "\u{feff}",
    "\u{e0041}",
    "\u{ad}",
];

fn harmless(text: &str, what: &str) {
    for bad in HOSTILE.iter().chain(&["\u{1b}", "\u{7f}"]) {
        assert!(!text.contains(bad), "{bad:?} in {what}: {text:?}");
    }
}

#[test]
fn json_hides_nothing_and_says_the_same() {
    let all = HOSTILE.concat();
    let folder = folder(&[
        ("t.csv", &format!("q,gain,item,score\n\"x{all}\",1,\"y{all}\",1\n")),
        ("n.md", &notebook("t.csv", "SELECT q FROM rows")),
    ]);
    let output = recscope(folder.path(), &["run", "n.md", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", err(&output));
    harmless(&out(&output), "run");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["cells"][0]["result"]["rows"][0][0], format!("x{all}"));

    let args = ["eval", "--run", "t.csv", "--columns", "query=q", "--per-query", "--format", "json"];
    let output = recscope(folder.path(), &[&args[..], &["--measures", "mrr"]].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    harmless(&out(&output), "eval");
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(value["per_query"].as_object().unwrap().contains_key(&format!("x{all}")), "{value}");

    let odd = format!("m{all}");
    std::fs::create_dir_all(folder.path().join("models").join(&odd)).unwrap();
    std::fs::write(folder.path().join("models").join(&odd).join("config.json"), "{}").unwrap();
    for args in [&["models", "list", "--format", "json"][..], &["doctor", "--format", "json"]] {
        harmless(&out(&recscope(folder.path(), args)), args[0]);
    }
}

#[test]
fn what_was_typed_and_what_files_are_called_is_repeated_harmlessly() {
    let all = HOSTILE.concat();
    let (folder, model) = (folder(&[("t.csv", TABLE)]), model(1));
    let (option, file) = (format!("--no{all}"), format!("no{all}.md"));
    let both = [env!("CARGO_BIN_EXE_recscope"), env!("CARGO_BIN_EXE_recscope-score")];
    for path in both {
        for args in [&[OsStr::new(&option)][..], &[OsStr::new(&option), OsStr::new(&file)]] {
            let output = program(path, folder.path(), args);
            assert_eq!(code(&output), 2, "{path} {args:?}: {}", err(&output));
            harmless(&err(&output), path);
            assert!(err(&output).contains("no"), "{}", err(&output));
        }
        // Bytes that are no text.
        let bytes = [b"--no\x9b\xff".as_slice()].map(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes);
        let output = program(path, folder.path(), &bytes);
        assert_eq!(code(&output), 2);
        harmless(&err(&output), path);
    }
    let gone = format!("{}/gone{all}", folder.path().display());
    for args in [
        vec!["run", &file],
        vec!["run", &file, "--out", &gone],
        vec!["eval", "--run", &file],
        vec!["train", &file],
        vec!["models", "info", &gone],
        vec!["models", "pull", &gone],
        vec!["explain", "--model", &gone, "--query", "x"],
        vec!["score", "--model", &gone, "--input", "t.csv", "--pair", "q,t", "--out", "o.csv"],
    ] {
        let output = recscope(folder.path(), &args);
        assert_ne!(code(&output), 0, "{args:?}");
        harmless(&err(&output), args[0]);
        harmless(&out(&output), args[0]);
    }
    let target = format!("o{all}.csv");
    let args = ["score", "--model", model.path().to_str().unwrap(), "--input", "t.csv", "--pair", "q,t"];
    let output = recscope(folder.path(), &[&args[..], &["--out", &target, "--device", "cpu"]].concat());
    assert_eq!(code(&output), 0, "{}", err(&output));
    harmless(&err(&output), "score");
    assert!(folder.path().join(&target).exists());
}

#[test]
fn compressed_input_that_lost_its_end_is_refused_however_it_is_named() {
    let mut rows = String::from("q,t\n");
    for n in 0..2_000 {
        rows.push_str(&format!("red {},mouse {}\n", n * 7919 % 1009, n * 104_729 % 997));
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(rows.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let zstd = ruzstd::encoding::compress_to_vec(rows.as_bytes(), level);
    let counted = |folder: &Path, source: &str| {
        // Without a source, the cell names its file itself.
        let from = format!("read_csv('{}')", folder.join("*.csv.gz").display());
        let text = match source {
            "none" => format!("```sql rows_of\nSELECT count(*) AS n FROM {from}\n```\n"),
            _ => notebook(source, "SELECT count(*) AS n FROM rows"),
        };
        std::fs::write(folder.join("n.md"), text).unwrap();
        recscope(folder, &["run", "n.md", "--no-cache"])
    };
    for (bytes, name, sources) in [
        (&gzip, "a.csv.gz", ["a.csv.gz", "\"*.csv.gz\"", "."]),
        (&zstd, "a.csv.zst", ["a.csv.zst", "\"*.csv.zst\"", "."]),
        (&gzip, "a.csv.gz", ["none"; 3]),
        (&gzip, "a.dat", ["{ path: a.dat, format: csv, options: { compression: gzip } }"; 3]),
    ] {
        for source in sources {
            let folder = folder(&[]);
            std::fs::write(folder.path().join(name), bytes).unwrap();
            let output = counted(folder.path(), source);
            assert!(code(&output) == 0 && out(&output).contains("2000"), "{source}: {}", out(&output));
            for lost in [1, 4, 8, 9, 10, 11] {
                std::fs::write(folder.path().join(name), &bytes[..bytes.len() - lost]).unwrap();
                let output = counted(folder.path(), source);
                assert_eq!(code(&output), 3, "{source} without its last {lost}: {}", out(&output));
                assert!(out(&output).contains("is not whole: it is cut off"), "{}", out(&output));
            }
        }
    }
}
