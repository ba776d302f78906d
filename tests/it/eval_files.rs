//! `recscope eval` on files as people bring them: ids, encodings, forms of TREC's formats, judgments that do not
//! fit the run. The right values are those of the same rows without the fault.

use std::path::Path;
use std::process::{Command, Output};

use encoding_rs::Encoding;

const RUN: &str =
    "101 Q0 d1 1 9.5 t\n101 Q0 d2 2 8.5 t\n101 Q0 d3 3 7.5 t\n102 Q0 d4 1 3.5 t\n102 Q0 d5 2 2.5 t\n";
const QRELS: &str = "101 0 d1 0\n101 0 d2 2\n101 0 d3 1\n102 0 d5 1\n102 0 d9 1\n";
/// pytrec_eval on these rows: ndcg@10, mrr, map.
const RIGHT: [&str; 3] = ["0.5283", "0.5000", "0.4167"];

fn eval(folder: &Path, args: &[&str]) -> Output {
    let base = ["eval", "--measures", "ndcg@10,mrr,map", "--resamples", "0"];
    Command::new(env!("CARGO_BIN_EXE_recscope"))
        .args([&base[..], args].concat())
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn told(output: &Output) -> (String, String, i32) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap())
}

/// The values in the order of the measures, after a run that must succeed; and what stderr says.
fn values(folder: &Path, args: &[&str]) -> (Vec<String>, String) {
    let (out, err, code) = told(&eval(folder, args));
    assert_eq!(code, 0, "{args:?}: {err}");
    let second = |line: &str| line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    (out.lines().skip(1).take(3).map(second).collect(), err)
}

fn refused(folder: &Path, args: &[&str]) -> String {
    let (out, err, code) = told(&eval(folder, args));
    assert_eq!(code, 3, "{out}{err}");
    err
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn gz(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, text).unwrap();
    encoder.finish().unwrap()
}

fn zst(text: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = format!("\u{feff}{text}").encode_utf16().collect::<Vec<_>>();
    units.into_iter().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
}

#[test]
fn trec_files_are_read_in_every_wrapping() {
    let wrap = |text: &str| -> Vec<(&str, Vec<u8>)> {
        vec![
            ("plain", text.into()),
            ("mark", format!("\u{feff}{text}").into()),
            ("crlf", text.replace('\n', "\r\n").into()),
            ("cr", text.replace('\n', "\r").into()),
            ("tabs", text.replace(' ', "\t").into()),
            ("a.tsv", text.replace(' ', "\t").into()),
            ("a.tsv.gz", gz(text.replace(' ', "\t").as_bytes())),
            ("blanks", text.replace(' ', "   ").replace('\n', "  \n\n").into()),
            ("comment", format!("# made by hand\n{text}").into()),
            ("le", utf16(text, false)),
            ("be", utf16(text, true)),
            ("a.gz", gz(text.as_bytes())),
            ("two.gz", [gz(&text.as_bytes()[..20]), gz(&text.as_bytes()[20..])].concat()),
            ("a.zst", zst(text.as_bytes())),
            ("le.gz", gz(&utf16(text, false))),
            ("no_end", text.trim_end().into()),
        ]
    };
    let files = folder(&[("ok.run", RUN.as_bytes()), ("ok.qrels", QRELS.as_bytes())]);
    for (name, bytes) in wrap(RUN) {
        let name = format!("run.{name}");
        std::fs::write(files.path().join(&name), bytes).unwrap();
        let (found, _) = values(files.path(), &["--run", &name, "--qrels", "ok.qrels"]);
        assert_eq!(found, RIGHT, "{name}");
    }
    for (name, bytes) in wrap(QRELS) {
        let name = format!("qrels.{name}");
        std::fs::write(files.path().join(&name), bytes).unwrap();
        let (found, _) = values(files.path(), &["--run", "ok.run", "--qrels", &name]);
        assert_eq!(found, RIGHT, "{name}");
    }
}

#[test]
fn shorter_forms_are_read_and_said() {
    let short = "101 d1 1\n101 d2 2\n101 d3 3\n102 d4 1\n102 d5 2\n";
    let files = folder(&[
        ("ranks.tsv", short.replace(' ', "\t").as_bytes()),
        ("scores.txt", b"101 d1 9.5\n101 d2 8.5\n101 d3 7.5\n102 d4 3.5\n102 d5 2.5\n"),
        ("ranked.txt", b"101 d1 1 9.5\n101 d2 2 8.5\n101 d3 3 7.5\n102 d4 1 3.5\n102 d5 2 2.5\n"),
        ("tag.run", RUN.replace(" t\n", " t of two\n").as_bytes()),
        ("j", b"101 d1 0\n101 d2 2\n101 d3 1\n102 d5 1\n102 d9 1\n"),
        ("ok.qrels", QRELS.as_bytes()),
    ]);
    for (run, said) in [
        ("ranks.tsv", "rank (1 is best)"),
        ("scores.txt", "score (higher is better)"),
        ("ranked.txt", ""),
        ("tag.run", ""),
    ] {
        for qrels in ["ok.qrels", "j"] {
            let (found, err) = values(files.path(), &["--run", run, "--qrels", qrels]);
            assert_eq!(found, RIGHT, "{run}");
            assert!(err.contains(said), "{err}");
        }
    }
}

#[test]
fn a_line_that_does_not_fit_is_named_by_file_and_number() {
    let files = folder(&[
        ("space.run", format!("{RUN}102 Q0 doc with space 3 1.5 t\n").as_bytes()),
        ("notag.run", RUN.replace(" t\n", "\n").as_bytes()),
        ("comma.run", RUN.replace("9.5", "9,5").as_bytes()),
        ("grade.qrels", format!("{QRELS}102 0 d8 1,5\n").as_bytes()),
        ("ok.run", RUN.as_bytes()),
        ("ok.qrels", QRELS.as_bytes()),
        ("score.csv", b"query,item,score\n101,d1,9.5\n101,d2,high\n"),
    ]);
    for (run, qrels, said) in [
        ("space.run", "ok.qrels", "space.run, line 6: 8 words where a TREC run has 6"),
        ("notag.run", "ok.qrels", "notag.run, line 1: 5 words"),
        ("comma.run", "ok.qrels", "comma.run, line 1: the score `9,5` is not a number"),
        ("ok.run", "grade.qrels", "grade.qrels, line 6: the grade `1,5` is not a number"),
        ("score.csv", "ok.qrels", "score.csv, row 2: the score `high` is not a number"),
    ] {
        let err = refused(files.path(), &["--run", run, "--qrels", qrels]);
        assert!(err.contains(said) && !err.contains("options"), "{err}");
    }
}

#[test]
fn ids_are_text_in_every_format() {
    let long = |n: usize| format!("1234567890123456789{n}");
    let forms: [(&str, [String; 3]); 7] = [
        ("long", [long(0), long(1), long(2)]),
        ("zeros", ["0012", "012", "12"].map(String::from)),
        (
            "guid",
            ["6F9619FF-8B86-D011-B42D-00C04FC964F1", "6f9619ff-8b86-d011-b42d-00c04fc964f1", "x"]
                .map(String::from),
        ),
        ("date", ["2024-01-01", "20240101", "2024-1-1"].map(String::from)),
        ("float", ["1.0", "1", "1.00"].map(String::from)),
        ("odd", ["inf", "NaN", "true"].map(String::from)),
        (
            "client",
            ["1026454423.1650000001", "1026454423.1650000002", "1026454423.1650000003"].map(String::from),
        ),
    ];
    for (name, ids) in forms {
        let table = |value: &str, values: [i32; 3], row: &dyn Fn(&str, i32) -> String| -> String {
            let _ = value;
            ids.iter().zip(values).map(|(id, value)| row(id, value)).collect()
        };
        let (scores, gains) = ([3, 2, 1], [0, 0, 3]);
        let csv = |what: &str, values| {
            format!("query,item,{what}\n{}", table(what, values, &|id, v| format!("1,{id},{v}\n")))
        };
        let json = |what: &str, values| {
            table(what, values, &|id, v| {
                format!("{{\"query\": \"1\", \"item\": \"{id}\", \"{what}\": {v}}}\n")
            })
        };
        let files = folder(&[
            ("r.csv", csv("score", scores).as_bytes()),
            ("r.tsv", csv("score", scores).replace(',', "\t").as_bytes()),
            ("r.jsonl", json("score", scores).as_bytes()),
            ("r.run", table("", scores, &|id, v| format!("1 Q0 {id} 1 {v} t\n")).as_bytes()),
            ("j.csv", csv("gain", gains).as_bytes()),
            ("j.jsonl", json("gain", gains).as_bytes()),
            ("j.qrels", table("", gains, &|id, v| format!("1 0 {id} {v}\n")).as_bytes()),
        ]);
        for run in ["r.csv", "r.tsv", "r.jsonl", "r.run"] {
            for qrels in ["j.csv", "j.jsonl", "j.qrels"] {
                let (found, err) = values(files.path(), &["--run", run, "--qrels", qrels]);
                assert_eq!(found, ["0.5000", "0.3333", "0.3333"], "{name} {run} {qrels}: {err}");
            }
        }
    }
}

#[test]
fn ids_whose_zeros_come_late_keep_them() {
    let mut run = String::from("query,item,score\n");
    for n in 0..60_000 {
        run += &format!("9,{n},1\n");
    }
    run += "1,0012,2\n1,0013,1\n";
    let files = folder(&[("r.csv", run.as_bytes()), ("j.csv", b"query,item,gain\n1,0012,0\n1,0013,1\n")]);
    let (found, _) = values(files.path(), &["--run", "r.csv", "--qrels", "j.csv"]);
    assert_eq!(found[1], "0.5000");
}

#[test]
fn files_that_have_nothing_to_do_with_each_other_are_refused() {
    let run = |ids: &str| format!("query,item,score\n{ids}");
    let files = folder(&[
        ("r.csv", run("101,1,9\n101,2,8\n").as_bytes()),
        ("float.csv", b"query,item,gain\n101,1.0,1\n101,9.0,1\n"),
        ("queries.csv", b"query,item,gain\nq101,1,1\n"),
        ("case.run", b"101 Q0 DOC1 1 1 t\n"),
        ("case.qrels", b"101 0 doc1 1\n"),
        ("some.csv", b"query,item,gain\n101,1,1\n102,7,1\n"),
        ("empty.csv", b"query,item,gain\n"),
        ("blank.csv", b"query,item,gain\n101,1,\n101,2,nan\n"),
        ("empty.qrels", b""),
    ]);
    let both = |run: &str, qrels: &str| refused(files.path(), &["--run", run, "--qrels", qrels]);
    let err = both("r.csv", "float.csv");
    assert!(
        err.contains("no item of r.csv occurs in float.csv: `1` against `1.0`") && err.contains("1.0 for 1"),
        "{err}"
    );
    assert!(
        both("r.csv", "queries.csv")
            .contains("no query of r.csv occurs in queries.csv: `101` against `q101`")
    );
    assert!(both("case.run", "case.qrels").contains("upper and lower case"));
    for empty in ["empty.csv", "blank.csv", "empty.qrels"] {
        assert!(both("r.csv", empty).contains(&format!("{empty} holds no judgment")), "{empty}");
    }
    let (_, err) = values(files.path(), &["--run", "r.csv", "--qrels", "some.csv"]);
    assert!(err.contains("1 of 2 judged queries are not in r.csv"), "{err}");
    let (found, _) = values(files.path(), &["--run", "r.csv", "--qrels", "float.csv", "--unmatched"]);
    assert_eq!(found, ["0.0000", "0.0000", "0.0000"]);
}

#[test]
fn judgments_that_contradict_each_other_are_said_of_the_judgments() {
    let files = folder(&[
        ("ok.run", RUN.as_bytes()),
        ("dup.qrels", QRELS.replace("101 0 d3 1\n", "101 0 d3 1\n101 0 d3 3\n").as_bytes()),
        ("same.qrels", QRELS.replace("101 0 d3 1\n", "101 0 d3 1\n101 0 d3 1\n").as_bytes()),
        ("last.qrels", QRELS.replace("101 0 d3 1\n", "101 0 d3 3\n").as_bytes()),
    ]);
    let (found, err) = values(files.path(), &["--run", "ok.run", "--qrels", "dup.qrels"]);
    assert!(
        err.contains("judged twice")
            && err.contains("item d3 of query 101")
            && !err.contains("repeat an item"),
        "{err}"
    );
    assert_eq!(
        found,
        values(files.path(), &["--run", "ok.run", "--qrels", "last.qrels"]).0,
        "the last grade counts"
    );
    let (found, err) = values(files.path(), &["--run", "ok.run", "--qrels", "same.qrels"]);
    assert!(found == RIGHT && err.contains("with the same grade"), "{err}");
    let err = refused(files.path(), &["--run", "ok.run", "--qrels", "dup.qrels", "--convention", "trec"]);
    assert!(err.contains("twice, which the convention `trec` refuses"), "{err}");
}

#[test]
fn a_query_without_a_grade_is_not_judged_in_one_file_or_two() {
    let files = folder(&[
        ("r.csv", b"query,docid,score\nred shoe,1,2.5\nred shoe,2,2.0\nred shoe,3,1.0\nNo match,7,1.0\n"),
        ("j.csv", b"query,docid,rating\nred shoe,1,3\nred shoe,2,\nred shoe,3,0\nNo match,7,\n"),
        ("one.csv", b"query,docid,score,rating\nred shoe,1,2.5,3\nred shoe,2,2.0,\nred shoe,3,1.0,0\nNo match,7,1.0,\n"),
        ("nan.csv", b"query,docid,score,rating\nred shoe,1,2.5,3\nred shoe,2,2.0,nan\nred shoe,3,1.0,0\nNo match,7,1.0,nan\n"),
    ]);
    let columns = ["--columns", "item=docid", "--columns", "gain=rating"];
    for args in [&["--run", "r.csv", "--qrels", "j.csv"][..], &["--run", "one.csv"], &["--run", "nan.csv"]] {
        let (out, err, code) = told(&eval(files.path(), &[args, &columns].concat()));
        assert_eq!(code, 0, "{err}");
        let mrr: Vec<&str> = out.lines().nth(2).unwrap().split_whitespace().collect();
        assert_eq!(mrr, ["mrr", "1.0000", "1", "0"], "{args:?}");
    }
}

#[test]
fn other_encodings_are_read_when_said_and_named_when_not() {
    for (label, item) in [
        ("gb18030", "跑鞋男士轻便透气"),
        ("big5", "跑鞋輕便透氣的鞋"),
        ("shift_jis", "ランニングシューズとても軽い"),
        ("windows-1252", "café-naïve-für"),
    ] {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let encoded = |text: String| encoding.encode(&text).0.into_owned();
        let files = folder(&[
            ("r.run", &encoded(format!("1 Q0 {item} 1 2 t\n1 Q0 b 2 1 t\n"))),
            ("r.csv", &encoded(format!("query,item,score\n1,{item},2\n1,b,1\n"))),
            (
                "r.jsonl",
                &encoded(format!(
                    "{{\"query\": 1, \"item\": \"{item}\", \"score\": 2}}\n{{\"query\": 1, \"item\": \"b\", \"score\": 1}}\n"
                )),
            ),
            ("r.csv.gz", &gz(&encoded(format!("query,item,score\n1,{item},2\n1,b,1\n")))),
            ("j.csv", &encoded(format!("query,item,gain\n1,{item},0\n1,b,1\n"))),
        ]);
        for run in ["r.run", "r.csv", "r.jsonl", "r.csv.gz"] {
            let (found, _) = values(files.path(), &["--run", run, "--qrels", "j.csv", "--encoding", label]);
            assert_eq!(found[1], "0.5000", "{label} {run}");
            let err = refused(files.path(), &["--run", run, "--qrels", "j.csv"]);
            assert!(
                err.contains("is no UTF-8 (line") && err.contains("--encoding ") && err.contains("iconv -f"),
                "{err}"
            );
            assert!(!err.contains("ignore_errors"), "{err}");
        }
        let err =
            told(&eval(files.path(), &["--run", "r.csv", "--qrels", "j.csv", "--encoding", "klingon"])).1;
        assert!(err.contains("no encoding `klingon`"), "{err}");
    }
}

#[test]
fn what_is_no_table_is_named() {
    let files = folder(&[
        ("ok.qrels", QRELS.as_bytes()),
        ("a.zip", b"PK\x03\x04\x14\0\0\0k.csv"),
        ("a.csv", b"PK\x03\x04\x14\0\0\0\x08\0xl/workbook.xml"),
        ("a.run", b"BZh91AY&SY"),
        ("a.feather", b"ARROW1\0\0xxxx"),
        ("a.db", b"SQLite format 3\0xxxx"),
        ("b.csv", b"PAR1xxxxPAR1"),
    ]);
    for (name, what) in [
        ("a.zip", "is a zip archive"),
        ("a.csv", "is an Excel workbook"),
        ("a.run", "is compressed with bzip2"),
        ("a.feather", "is an Arrow (Feather) file"),
        ("a.db", "is an SQLite database"),
        ("b.csv", "holds parquet, not csv"),
    ] {
        let err = refused_any(files.path(), &["--run", name, "--qrels", "ok.qrels"]);
        assert!(err.contains(what), "{name}: {err}");
    }
}

fn refused_any(folder: &Path, args: &[&str]) -> String {
    let (_, err, code) = told(&eval(folder, args));
    assert!(code == 2 || code == 3, "{err}");
    err
}

#[test]
fn decimal_commas_are_read_and_said() {
    let files = folder(&[
        ("r.csv", b"query;item;score\n101;d1;9,5\n101;d2;18,5\n102;d5;1,0\n"),
        ("ok.qrels", QRELS.as_bytes()),
    ]);
    let (found, err) = values(files.path(), &["--run", "r.csv", "--qrels", "ok.qrels"]);
    assert_eq!(found, ["0.6867", "1.0000", "0.5000"]);
    assert!(err.contains("decimal commas"), "{err}");
}
