//! What recscope writes because a notebook or a spec says so: where a model may be written, what it may
//! replace; and what killed processes have left, looked at and swept.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use recscope::engine::lanes::EngineOptions;

use crate::engine_bench::{Bench, done, failed, plain};
use crate::tiny_model::{self, Tiny};

const LABELLED: &str = "```sql labelled\nSELECT CASE WHEN i % 2 = 0 THEN 'good' ELSE 'bad' END AS label, \
    CASE WHEN i % 2 = 0 THEN 'red shoes' ELSE 'cheap mouse' END AS b FROM range(24) t(i)\n```\n";

fn fit(out: &str, more: &str) -> String {
    format!(
        "{LABELLED}```train fit\nfrom = \"labelled\"\nmodel = \"m\"\ntext = \"b\"\nlabel = \"label\"\n\
         out = \"{out}\"\nepochs = 1\nbatch = 8\nmax_tokens = 16\n{more}```\n"
    )
}

fn bench(options: EngineOptions) -> Bench {
    let bench = Bench::new(options);
    tiny_model::write(&bench.folder.path().join("m"), &Tiny { labels: 2, ..Tiny::default() });
    bench
}

/// Bytes of every file of a folder, by name.
fn content(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn a_notebook_trains_below_its_own_folder_only() {
    let elsewhere = tempfile::tempdir().unwrap();
    let victim = elsewhere.path().join("good_model");
    tiny_model::write(&victim, &Tiny { labels: 2, ..Tiny::default() });
    let before = content(&victim);
    let mut bench = bench(plain());
    symlink(elsewhere.path(), bench.folder.path().join("models")).unwrap();
    let up = format!("../{}/good_model", elsewhere.path().file_name().unwrap().to_str().unwrap());
    for out in [victim.to_str().unwrap(), "models/good_model", "models/new", &up, "no/../../new"] {
        bench.sync(&Bench::notebook(&fit(out, "overwrite = true\n")));
        let events = bench.run(&["labelled", "fit"]);
        let problem = failed(&events, "fit");
        assert!(problem.message.contains("outside") && problem.hint.is_some(), "{out}: {problem:?}");
    }
    assert_eq!(content(&victim), before);
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
}

#[test]
fn a_trusted_notebook_may_train_elsewhere() {
    let elsewhere = tempfile::tempdir().unwrap();
    let out = elsewhere.path().join("new");
    let mut bench = bench(EngineOptions { write_anywhere: true, ..plain() });
    bench.sync(&Bench::notebook(&fit(out.to_str().unwrap(), "")));
    done(&bench.run(&["labelled", "fit"]), "fit");
    assert!(out.join("model.safetensors").exists());
}

#[test]
fn a_cell_replaces_what_it_made_and_nothing_else_unasked() {
    let mut bench = bench(plain());
    let out = bench.folder.path().join("fitted");
    tiny_model::write(&out, &Tiny { labels: 2, seed: 3, ..Tiny::default() });
    let before = content(&out);
    let all = ["labelled", "fit"];
    bench.sync(&Bench::notebook(&fit("fitted", "")));
    let events = bench.run(&all);
    let problem = failed(&events, "fit");
    let hint = problem.hint.clone().unwrap_or_default();
    assert!(problem.message.contains("is a model already") && hint.contains("overwrite"), "{problem:?}");
    assert_eq!(content(&out), before);

    bench.sync(&Bench::notebook(&fit("fitted", "overwrite = true\n")));
    done(&bench.run(&all), "fit");
    assert_ne!(content(&out), before);
    // Its own from now on, however its text changes.
    bench.sync(&Bench::notebook(&fit("fitted", "clip = 2.0\n")));
    assert!(!done(&bench.run(&all), "fit").cached);
    // Another cell's is not; nor is what somebody has changed since.
    bench.sync(&Bench::notebook(&fit("fitted", "clip = 3.0\n").replace("train fit", "train other")));
    let events = bench.run(&["labelled", "other"]);
    let problem = failed(&events, "other");
    assert!(problem.message.contains("is a model already"), "{problem:?}");
    tiny_model::write(&out, &Tiny { labels: 2, seed: 4, ..Tiny::default() });
    let changed = content(&out);
    bench.sync(&Bench::notebook(&fit("fitted", "clip = 4.0\n")));
    failed(&bench.run(&all), "fit");
    assert_eq!(content(&out), changed);
    let names = fs::read_dir(bench.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().starts_with(".recscope-model-")));
}

/// The program, with nothing of this machine.
fn recscope(folder: &Path, args: &[&str]) -> Output {
    let temporary = folder.join("tmp");
    fs::create_dir_all(&temporary).unwrap();
    Command::new(env!("CARGO_BIN_EXE_recscope"))
        .args(args)
        .current_dir(folder)
        .env("RECSCOPE_CONFIG", "/dev/null")
        .env("RECSCOPE_SCORE_CACHE", "off")
        .env("RECSCOPE_STATE", folder.join("state"))
        .env("XDG_RUNTIME_DIR", folder.join("run"))
        .env("TMPDIR", temporary)
        .env_remove("RECSCOPE_MODELS")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn a_training_spec_writes_below_its_folder_or_where_the_command_says() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().canonicalize().unwrap();
    let specs = folder.join("specs");
    fs::create_dir(&specs).unwrap();
    tiny_model::write(&folder.join("m"), &Tiny { labels: 2, ..Tiny::default() });
    let rows: String =
        (0..24).map(|i| format!("{},{}\n", ["good", "bad"][i % 2], ["red shoes", "mouse"][i % 2])).collect();
    fs::write(specs.join("x.csv"), format!("label,b\n{rows}")).unwrap();
    let spec = "from = \"x.csv\"\nmodel = \"../m\"\ntext = \"b\"\nlabel = \"label\"\nout = \"../new\"\n\
                epochs = 1\nbatch = 8\nmax_tokens = 16\n";
    fs::write(specs.join("s.toml"), spec).unwrap();
    let refused = recscope(&folder, &["train", "specs/s.toml", "--device", "cpu"]);
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
    assert!(err(&refused).contains("outside") && !folder.join("new").exists());
    let told =
        |args: &[&str]| recscope(&folder, &[&["train", "specs/s.toml", "--device", "cpu"], args].concat());
    let there = told(&["--out", "new"]);
    assert_eq!(there.status.code(), Some(0), "{}", err(&there));
    assert!(folder.join("new/model.safetensors").exists());
    // Its own; and somebody else's.
    assert_eq!(told(&["--out", "new"]).status.code(), Some(0));
    let other = told(&["--out", "m2"]);
    assert_eq!(other.status.code(), Some(0), "{}", err(&other));
    fs::copy(folder.join("new/config.json"), folder.join("m2/config.json")).unwrap();
    tiny_model::write(&folder.join("m2"), &Tiny { labels: 2, seed: 9, ..Tiny::default() });
    let refused = told(&["--out", "m2"]);
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
    assert!(err(&refused).contains("overwrite"));
}

#[test]
fn a_model_is_not_quantized_over_another_one_unasked() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().canonicalize().unwrap();
    for (name, seed) in [("m", 7), ("good", 8)] {
        tiny_model::write(&folder.join(name), &Tiny { seed, ..Tiny::default() });
    }
    fs::write(folder.join("x.csv"), "query,title\nred shoes,boots\nmouse,wire\n").unwrap();
    let before = content(&folder.join("good"));
    let quantize =
        ["models", "quantize", "m", "--out", "good", "--to", "f16", "--input", "x.csv", "--rounds", "1"];
    let refused = recscope(&folder, &quantize);
    assert_eq!(refused.status.code(), Some(2), "{}", err(&refused));
    assert!(err(&refused).contains("overwrite"), "{}", err(&refused));
    assert_eq!(content(&folder.join("good")), before);
    let asked = recscope(&folder, &[&quantize[..], &["--overwrite"]].concat());
    assert_eq!(asked.status.code(), Some(0), "{}", err(&asked));
    assert_ne!(content(&folder.join("good")), before);
}

#[test]
fn doctor_lists_what_is_left_over_and_the_next_start_sweeps_it() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().canonicalize().unwrap();
    let old = |path: PathBuf, is_folder: bool| {
        fs::create_dir_all(if is_folder { &path } else { path.parent().unwrap() }).unwrap();
        if !is_folder {
            fs::write(&path, "half").unwrap();
        }
        fs::File::open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        path
    };
    let state = folder.join("state");
    let by_run = [
        old(folder.join("tmp/recscope-spill-dead"), true),
        old(folder.join(".n.cells/a-1.parquet.part"), false),
        old(state.join("notebooks/0123/.saving-AbCdEf"), false),
    ];
    let own = format!("tmp/recscope-{}", recscope::util::private::user_id());
    let spilled = folder.join(own).join("untrusted/recscope-spill-dead");
    let others = [
        old(folder.join("run/recscope/7-0.log"), false),
        old(folder.join(".recscope-model-AbCdEf"), true),
        old(folder.join("models/.some.pulling"), true),
        // Where the engines of notebooks that nobody trusts spill.
        old(spilled, true),
        old(folder.join(".recscope-writing-AbCdEf"), true),
    ];
    use std::os::unix::fs::PermissionsExt;
    for private in [state.clone(), folder.join("run/recscope")] {
        fs::set_permissions(private, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let looked = recscope(&folder, &["doctor"]);
    let text = err(&looked);
    for path in by_run.iter().chain(&others) {
        assert!(text.contains(path.to_str().unwrap()), "{} is not in {text}", path.display());
        assert!(path.exists(), "doctor only looks");
    }
    fs::write(folder.join("n.md"), "```sql a\nSELECT 1 AS x\n```\n").unwrap();
    let ran = recscope(&folder, &["run", "n.md", "--trust"]);
    assert_eq!(ran.status.code(), Some(0), "{}", err(&ran));
    for path in &by_run {
        assert!(!path.exists(), "{} is still there", path.display());
    }
    let text = err(&recscope(&folder, &["doctor"]));
    assert!(by_run.iter().all(|path| !text.contains(path.to_str().unwrap())), "{text}");
}
