//! `recscope-score` as a program, JSON lines: every key kept in order, answers while the input is
//! open, what ends it and how it says so, and what it is linked against.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

use crate::tiny_model::{Tiny, write};

pub fn model(labels: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &Tiny { labels, ..Tiny::default() });
    folder
}

pub fn command(model: &tempfile::TempDir, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recscope-score"));
    command.arg("--model").arg(model.path()).args(["--device", "cpu"]).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Feeds the whole input, also where the program stops reading it.
pub fn run(model: &tempfile::TempDir, args: &[&str], input: &[u8]) -> Output {
    let mut child = command(model, args).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let _ = stdin.write_all(input);
        });
        child.wait_with_output().unwrap()
    })
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

pub fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8(output.stdout.clone()).unwrap().lines().map(String::from).collect()
}

/// The line as it went in, and the value of `score`.
fn split(line: &str) -> (String, Value) {
    // Not the whole line: it may hold numbers that no reader of ours can hold.
    let (before, score) = line.rsplit_once("\"score\":").unwrap();
    let score = serde_json::from_str(score.strip_suffix('}').unwrap()).unwrap();
    (before.trim_end_matches(',').to_string() + "}", score)
}

const PAIR: [&str; 2] = ["--pair", "query,title"];

#[test]
fn lines_come_back_in_order_byte_for_byte() {
    let model = model(1);
    let rows = [
        r#"{"id":1,"query":"red shoes","title":"running shoes","price":1.50,"big":123456789012345678901234567890}"#,
        r#"{ "标题" : "跑鞋" , "title":"跑 鞋 男","query":"跑\u978b","nested":{"score":1,"a":[1,{"b":"}"}]}}"#,
        r#"{"query":null,"title":"mouse"}"#,
        r#"{"query":"  ","title":"mouse","z":1e400}"#,
        r#"{"query":"a \"quoted\" \\ text\n","title":7.10,"query2":true}"#,
        r#"{"title":"running shoes","query":"red shoes"}"#,
        r#"{"query":"first","title":"mouse","query":"red shoes"}"#,
    ];
    let input = rows.join("\r\n\n") + "\n";
    let output = run(&model, &PAIR, input.as_bytes());
    assert_eq!(code(&output), 0, "{}", err(&output));
    let answers = lines(&output);
    assert_eq!(answers.len(), rows.len());
    let scores: Vec<Value> = answers
        .iter()
        .zip(rows)
        .map(|(answer, row)| {
            let (before, score) = split(answer);
            assert_eq!(before, row);
            score
        })
        .collect();
    assert!(scores[2].is_null() && scores[3].is_null());
    for row in [0, 1, 4, 5, 6] {
        assert!(scores[row].as_f64().unwrap().is_finite(), "{}", answers[row]);
    }
    assert_eq!(scores[0], scores[5], "the order of keys does not matter");
    assert_ne!(scores[0], scores[4]);
    assert!(err(&output).contains("7 rows (4 different)") && err(&output).contains("2 without text"));
    assert_eq!(err(&run(&model, &["--pair", "query,title", "--quiet"], input.as_bytes())), "");
}

#[test]
fn classes_stand_beside_the_score_and_other_models_do_their_kind() {
    let three = model(3);
    let output = run(&three, &["--text", "t"], "{}\n{\"t\":\"red 跑\"}".as_bytes());
    assert_eq!(code(&output), 3, "a key that is missing: {}", err(&output));
    let output = run(&three, &["--text", "t", "--missing", "null"], "{}\n{\"t\":\"red 跑\"}".as_bytes());
    assert_eq!(code(&output), 0, "{}", err(&output));
    let nulls = r#"{"score":null,"score_LABEL_0":null,"score_LABEL_1":null,"score_LABEL_2":null}"#;
    assert_eq!(lines(&output)[0], nulls);
    let second: Value = serde_json::from_str(&lines(&output)[1]).unwrap();
    assert_eq!(second.as_object().unwrap().keys().next_back().unwrap(), "score_LABEL_2");
    assert!((0.0..=2.0).contains(&second["score"].as_f64().unwrap()));

    let encoder = model(0);
    let rows = "{\"a\":\"red\",\"b\":\"red\"}\n{\"a\":\"red\",\"b\":\"mouse key\"}\n";
    let output = run(&encoder, &["--embed", "a,b"], rows.as_bytes());
    let scores: Vec<f64> = lines(&output).iter().map(|line| split(line).1.as_f64().unwrap()).collect();
    assert!((scores[0] - 1.0).abs() < 1e-6 && scores[1] < 0.999, "{scores:?}");
    assert!(err(&output).contains("2 rows (2 different)"), "each text once: {}", err(&output));
    let output = run(&encoder, &["--pair", "a,b"], rows.as_bytes());
    assert_eq!((code(&output), output.stdout.len()), (2, 0));
    assert!(err(&output).contains("gives embeddings"), "{}", err(&output));
}

#[test]
fn nothing_in_nothing_out() {
    let model = model(1);
    for input in ["", "\n\n  \n"] {
        let output = run(&model, &PAIR, input.as_bytes());
        assert_eq!((code(&output), output.stdout.len()), (0, 0), "{}", err(&output));
    }
}

/// A program that is asked row by row.
pub struct Coprocess {
    pub child: Child,
    pub stdin: Option<ChildStdin>,
    pub stdout: BufReader<ChildStdout>,
}

impl Coprocess {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    pub fn say(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    fn signal(&self, signal: i32) {
        // SAFETY: a signal to a child of ours that has not been waited for.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }
}

#[test]
fn every_row_is_answered_before_the_next_is_asked() {
    let model = model(1);
    let mut asked = Coprocess::start(command(&model, &PAIR));
    for n in 0..20 {
        asked.say(&format!("{{\"n\":{n},\"query\":\"red\",\"title\":\"mouse {n}\"}}\n"));
        let answer: Value = serde_json::from_str(&asked.hear()).unwrap();
        assert_eq!(answer["n"], n);
        assert!(answer["score"].is_number());
    }
    // Two rows and the beginning of a third: two answers, and the third when it is whole.
    asked.say("{\"query\":\"a\",\"title\":\"b\"}\n{\"query\":\"a\",\"title\":\"c\"}\n{\"query\":");
    assert!(asked.hear().contains("\"b\"") && asked.hear().contains("\"c\""));
    asked.say("\"a\",\"title\":\"d\"}");
    asked.stdin = None;
    assert!(asked.hear().contains("\"d\""), "the last line needs no line break");
    assert_eq!(asked.hear(), "");
    assert!(asked.child.wait().unwrap().success());
}

#[test]
fn signals_end_it_with_what_was_answered() {
    let model = model(1);
    for (signal, wanted) in [(libc::SIGINT, 130), (libc::SIGTERM, 143)] {
        // While it waits for rows.
        let mut asked = Coprocess::start(command(&model, &PAIR));
        asked.say("{\"query\":\"a\",\"title\":\"b\"}\n");
        assert!(asked.hear().contains("score"));
        asked.signal(signal);
        assert_eq!(asked.child.wait().unwrap().code(), Some(wanted));

        // While rows come without end: whole lines, from the first one on.
        let mut asked = Coprocess::start(command(&model, &PAIR));
        let mut stdin = asked.stdin.take().unwrap();
        let feeder = std::thread::spawn(move || {
            for n in 0u64.. {
                if writeln!(stdin, "{{\"n\":{n},\"query\":\"red {}\",\"title\":\"mouse\"}}", n % 50).is_err()
                {
                    return;
                }
            }
        });
        let mut heard = vec![asked.hear()];
        asked.signal(signal);
        heard.extend((&mut asked.stdout).lines().map(Result::unwrap));
        assert_eq!(asked.child.wait().unwrap().code(), Some(wanted));
        for (n, line) in heard.iter().enumerate() {
            let answer: Value = serde_json::from_str(line).unwrap();
            assert_eq!(answer["n"], n);
        }
        feeder.join().unwrap();
    }
}

#[test]
fn a_reader_that_goes_away_is_success() {
    let model = model(1);
    let mut asked = Coprocess::start(command(&model, &PAIR));
    asked.say("{\"query\":\"a\",\"title\":\"b\"}\n");
    assert!(asked.hear().contains("score"));
    let mut stdin = asked.stdin.take().unwrap();
    drop(asked.stdout);
    while stdin.write_all(b"{\"query\":\"a\",\"title\":\"b\"}\n").is_ok() {}
    assert!(asked.child.wait().unwrap().success());
}

#[test]
fn bad_input_says_which_line_and_what_to_do() {
    let model = model(1);
    let good = "{\"query\":\"a\",\"title\":\"b\"}\n";
    let long = format!("{{\"query\":\"{}\"}}", "a".repeat(100 << 20));
    let cases: &[(&[u8], &[&str])] = &[
        (b"nope", &["line 2 is not JSON: expected ident (column 2)", "it begins with: nope"]),
        (b"{\"query\":\"a\"", &["line 2 is not JSON", "column 12"]),
        (b"[\"a\",\"b\"]", &["line 2 is a list, and a row is an object"]),
        (b"\"text\"", &["line 2 is a text"]),
        (
            b"{\"query\":\"a\",\"titel\":\"b\"}",
            &["line 2 has no key `title`", "did you mean `titel`?", "--missing null"],
        ),
        (b"{\"query\":[\"a\"],\"title\":\"b\"}", &["line 2 has a `query` that is a list, not a text"]),
        (b"{\"query\":\"\\ud83d\",\"title\":\"b\"}", &["line 2 has a `query` that holds an escape"]),
        (
            b"{\"query\":\"a\",\"title\":\"b\",\"score\":1}",
            &["line 2 already has a key `score`", "rename it"],
        ),
        (b"{\"query\":\"a\",\"title\":\"b\",\"sc\\u006fre\":1}", &["line 2 already has a key `score`"]),
        (b"{\"query\":\"\xc5\xdc\"}", &["line 2 is not UTF-8 (byte 11)", "iconv"]),
        (b"\x1b[31m\x07", &["line 2 is not JSON"]),
        (long.as_bytes(), &["line 2 is longer than 8.0 MB"]),
    ];
    for (bad, wanted) in cases {
        let input = [good.as_bytes(), bad, b"\n", good.as_bytes()].concat();
        let output = run(&model, &PAIR, &input);
        let (said, answers) = (err(&output), lines(&output));
        assert_eq!(code(&output), 3, "{said}");
        assert_eq!(answers.len(), 1, "the rows before it are answered: {said}");
        assert!(answers[0].contains("\"score\":"));
        for words in *wanted {
            assert!(said.contains(words), "{said} lacks {words}");
        }
        assert!(!said.contains(['\u{1b}', '\u{7}']));
    }
    for (input, words) in [
        (&b"PAR1\x15\x04\x15"[..], "recscope score --input"),
        (b"\x1f\x8b\x08\0\0", "gzip -dc |"),
        (b"[{\"query\":\"a\"}]", "jq -c"),
        (b"ARROW1\0\0\xff\xff\xff\xff", "new_stream"),
    ] {
        let output = run(&model, &PAIR, input);
        assert_eq!((code(&output), output.stdout.len()), (3, 0));
        assert!(err(&output).contains(words), "{}", err(&output));
    }
}

#[test]
fn bad_lines_can_be_passed_over() {
    let model = model(1);
    let long = format!("{{\"query\":\"{}\"}}\n", "a".repeat(9 << 20));
    let input = format!(
        "{{\"query\":\"a\",\"title\":\"b\"}}\nnope\n{{\"id\":3,\"query\":\"a\"}}\n{long}{{\"id\":5,\"query\":{{}},\"title\":\"b\"}}\n\
         {{\"query\":\"a\",\"title\":\"b\"}}\n"
    );
    let output = run(&model, &["--pair", "query,title", "--skip-bad"], input.as_bytes());
    assert_eq!(code(&output), 0, "{}", err(&output));
    let answers = lines(&output);
    assert_eq!(answers.len(), 6, "{answers:?}");
    assert_eq!(answers[0], answers[5]);
    assert_eq!(answers[1], r#"{"score":null,"error":"line 2 is not JSON: expected ident (column 2)"}"#);
    assert_eq!(answers[2], r#"{"id":3,"query":"a","score":null,"error":"line 3 has no key `title`"}"#);
    assert_eq!(answers[3], r#"{"score":null,"error":"line 4 is longer than 8.0 MB"}"#);
    assert!(answers[4].starts_with(r#"{"id":5,"query":{},"title":"b","score":null,"error":"line 5 has"#));
    assert!(err(&output).contains("4 bad"), "{}", err(&output));
    // A key that would stand twice is no single line's fault.
    let output = run(
        &model,
        &["--pair", "query,title", "--skip-bad"],
        b"{\"query\":\"a\",\"title\":\"b\",\"error\":1}",
    );
    assert_eq!(code(&output), 3, "{}", err(&output));
}

#[test]
fn what_is_asked_wrongly_is_told_before_anything_is_read() {
    let tiny = model(1);
    for (args, words) in [
        (&["--pair", "query"][..], "two columns"),
        (&[], "--pair"),
        (&["--text", "a", "--dtype", "int9"], "no number type"),
        (&["--text", "a", "--device", "gpu"], "device"),
        (&["--text", "a", "--skip-bad", "--format", "arrow"], "--skip-bad is for JSON lines"),
        (&["--text", "a", "--threads", "0"], "--threads"),
    ] {
        let output = run(&tiny, args, b"");
        assert_eq!(code(&output), 2, "{args:?}: {}", err(&output));
        assert!(err(&output).contains(words), "{args:?}: {}", err(&output));
    }
    let empty = tempfile::tempdir().unwrap();
    let output = run(&empty, &["--text", "a"], b"");
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("config.json"), "{}", err(&output));
}

/// Most memory that the process has held, in bytes.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn memory_does_not_grow_with_rows() {
    let model = model(1);
    let filler = "x".repeat(220);
    let held = |rows: u64| {
        let mut asked = Coprocess::start(command(&model, &PAIR));
        let mut stdin = asked.stdin.take().unwrap();
        std::thread::scope(|scope| {
            let feeder = scope.spawn(|| {
                for n in 0..rows {
                    let query = ["red", "running", "跑鞋", "mouse"][(n % 4) as usize];
                    writeln!(
                        stdin,
                        "{{\"n\":{n},\"query\":\"{query} {}\",\"title\":\"shoes\",\"x\":\"{filler}\"}}",
                        n % 200
                    )
                    .unwrap();
                }
                stdin
            });
            let mut last = String::new();
            for _ in 0..rows {
                last = asked.hear();
            }
            assert_eq!(serde_json::from_str::<Value>(&last).unwrap()["n"], rows - 1);
            let held = peak(&asked.child);
            drop(feeder.join().unwrap());
            assert!(asked.child.wait().unwrap().success());
            held
        })
    };
    let (few, many) = (held(60_000), held(300_000));
    let input = (300_000 - 60_000) * filler.len() as u64;
    println!("peak memory: {} MB at 60,000 rows, {} MB at 300,000", few >> 20, many >> 20);
    assert!(many < few + input / 3, "{few} bytes became {many} with {input} bytes more of input");
}

#[test]
#[cfg(not(feature = "bundled"))]
fn no_duckdb_is_linked() {
    let needed = crate::support::needed_libraries(env!("CARGO_BIN_EXE_recscope-score"));
    assert!(needed.iter().any(|name| name.starts_with("libc.")), "{needed:?}");
    assert!(!needed.iter().any(|name| name.contains("duckdb")), "{needed:?}");
    let needed = crate::support::needed_libraries(env!("CARGO_BIN_EXE_recscope"));
    assert!(needed.iter().any(|name| name.contains("duckdb")), "the test can see one: {needed:?}");
}

/// A second run finds every score of the first, to the last digit.
#[test]
fn scores_are_kept_where_a_folder_is_named() {
    let (model, kept) = (model(1), tempfile::tempdir().unwrap());
    let input: String = (0..50)
        .map(|n| format!("{{\"query\":\"red shoes {}\",\"title\":\"跑 鞋 {}\"}}\n", n % 10, n % 7))
        .collect();
    let folder = kept.path().join("scores");
    let with = ["--pair", "query,title", "--cache", folder.to_str().unwrap()];
    let first = run(&model, &with, input.as_bytes());
    assert!(!err(&first).contains("from the cache"), "{}", err(&first));
    let second = run(&model, &with, input.as_bytes());
    assert!(err(&second).contains("from the cache"), "{}", err(&second));
    assert_eq!(lines(&first), lines(&second));
    let off = run(&model, &["--pair", "query,title", "--cache", "off"], input.as_bytes());
    assert!(!err(&off).contains("from the cache") && lines(&off) == lines(&first), "{}", err(&off));
}
