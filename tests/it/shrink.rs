//! Smaller models: what is taken away is what is said, on every family, on both paths and through files.

use std::collections::BTreeSet;
use std::path::{Path as FilePath, PathBuf};
use std::process::{Command, Output, Stdio};

use candle_core::Tensor;
use recscope::engine::model::shrink::{self, Smaller};
use recscope::engine::model::{DeviceChoice, Dtype, LoadOptions, Model, ModelErrorKind, Path, ScoreOptions};
use recscope::util::cancel::Cancel;
use serde_json::{Value, json};

use crate::support::repo;
use crate::tiny_model::{self, HEADS, Tiny};

fn load(dir: &FilePath) -> Model {
    Model::load(dir, &LoadOptions { device: DeviceChoice::Cpu, ..Default::default() }).unwrap()
}

/// Two texts of different length, in English and Chinese.
fn outputs(model: &Model, path: Path, dtype: Dtype) -> Vec<f32> {
    let pair = model.head().labels().is_empty();
    let second = |text: &'static str| (!pair).then_some(text);
    let units = [("red shoes", second("running shoes for men")), ("跑 鞋", second("cheap 红 色 boots!"))];
    let options = ScoreOptions { path, dtype, ..Default::default() };
    model.outputs(&units, &options, &Cancel::new()).unwrap().concat()
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn families() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repo("fixtures/architectures")).unwrap();
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

/// The tensors of a model by name, with a change.
fn changed(model: &Model, change: impl Fn(&str, &Tensor) -> Option<Tensor>) -> Smaller {
    let (mut params, vars) = model.params().to_vars().unwrap();
    for (name, var) in &vars {
        if let Some(tensor) = change(name, var.as_tensor()) {
            var.set(&tensor).unwrap();
        }
    }
    params = params.snapshot().unwrap();
    Smaller { config: model.config().clone(), params }
}

/// The model whose head `head` of layer `layer` has its output multiplied by `by`.
fn switched(model: &Model, layer: usize, head: usize, by: f64) -> Model {
    let wanted = format!("encoder.layer.{layer}.attention.output.dense.weight");
    let size = model.config().head_dim();
    let smaller = changed(model, |name, tensor| {
        (name == wanted).then(|| {
            let columns = tensor.dim(1).unwrap();
            let factor = |column: usize| if column / size == head { by as f32 } else { 1.0 };
            let factors: Vec<f32> = (0..columns).map(factor).collect();
            tensor.broadcast_mul(&Tensor::from_vec(factors, columns, tensor.device()).unwrap()).unwrap()
        })
    });
    smaller.try_out(model).unwrap()
}

/// A head that is gone computes what a head does whose output is multiplied by zero.
#[test]
fn a_pruned_head_is_a_head_switched_off() {
    let mut tried = 0;
    for dir in families() {
        let model = load(&dir);
        if model.bert().is_none() || model.config().heads < 2 {
            continue;
        }
        let last = model.config().layers - 1;
        let off = switched(&switched(&model, 0, 1, 0.0), last, 0, 0.0);
        let smaller = shrink::drop_heads(&model, &BTreeSet::from([(0, 1), (last, 0)])).unwrap();
        let pruned = smaller.try_out(&model).unwrap();
        assert!(pruned.info().parameters < model.info().parameters, "{}", dir.display());
        for path in [Path::Differentiable, Path::Fused] {
            let (a, b) = (outputs(&off, path, Dtype::F32), outputs(&pruned, path, Dtype::F32));
            assert!(apart(&a, &b) < 1e-5, "{} {path:?}: {}", dir.display(), apart(&a, &b));
            assert!(
                apart(&a, &outputs(&model, path, Dtype::F32)) > 1e-6,
                "{}: no head mattered",
                dir.display()
            );
        }
        // In whole numbers, too, within what rounding makes of it.
        let (a, b) = (outputs(&pruned, Path::Fused, Dtype::F32), outputs(&pruned, Path::Fused, Dtype::Int8));
        let range = a.iter().fold(0f32, |top, v| top.max(v.abs()));
        assert!(apart(&a, &b) < 0.2 * range.max(0.1), "{}: {}", dir.display(), apart(&a, &b));
        tried += 1;
    }
    assert!(tried >= 10, "only {tried} families");
}

/// Heads that went in two steps are the heads that went in one, and files tell the whole story.
#[test]
fn pruning_goes_on_from_a_pruned_folder() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("m");
    tiny_model::write(&dir, &Tiny { labels: 2, layers: 3, ..Tiny::default() });
    let model = load(&dir);
    let at_once = shrink::drop_heads(&model, &BTreeSet::from([(1, 0), (1, 3), (2, 4)])).unwrap();
    let first = shrink::drop_heads(&model, &BTreeSet::from([(1, 0)])).unwrap();
    let out = place.path().join("first");
    shrink::save(&model, &first, Dtype::F32, (&out, false), &json!({})).unwrap();
    let again = load(&out);
    assert_eq!(again.config().heads_in(1), HEADS - 1);
    // Head 3 is now the third of those that are left.
    let second = shrink::drop_heads(&again, &BTreeSet::from([(1, 2), (2, 4)])).unwrap();
    assert_eq!(second.config.pruned_heads, at_once.config.pruned_heads);
    let (a, b) = (at_once.try_out(&model).unwrap(), second.try_out(&again).unwrap());
    assert_eq!(outputs(&a, Path::Fused, Dtype::F32), outputs(&b, Path::Fused, Dtype::F32));
    let all: BTreeSet<(usize, usize)> = (0..HEADS).map(|head| (0, head)).collect();
    assert_eq!(shrink::drop_heads(&model, &all).unwrap_err().kind, ModelErrorKind::Usage);
}

/// The slope that weighs a head is the slope: against a difference quotient of the score.
#[test]
fn importance_is_the_slope_of_the_score() {
    let place = tempfile::tempdir().unwrap();
    for labels in [0, 1] {
        let dir = place.path().join(format!("m{labels}"));
        tiny_model::write(&dir, &Tiny { labels, ..Tiny::default() });
        let model = load(&dir);
        let rows = [("red shoes".to_string(), Some("running shoes for men".to_string()))];
        let importance = shrink::head_importance(&model, &rows, &Cancel::new()).unwrap();
        let score = |model: &Model| -> f64 {
            let input = model.encode("red shoes", Some("running shoes for men")).unwrap();
            model.score_encoded(&[input], None, &Cancel::new()).unwrap()[0]
        };
        for (layer, heads) in importance.iter().enumerate() {
            let step = 0.02;
            let slope = |head| {
                let up = score(&switched(&model, layer, head, 1.0 + step));
                let down = score(&switched(&model, layer, head, 1.0 - step));
                ((up - down) / (2.0 * step)).abs()
            };
            let slopes: Vec<f64> = (0..heads.len()).map(slope).collect();
            let length = slopes.iter().map(|s| s * s).sum::<f64>().sqrt();
            for (head, (found, slope)) in heads.iter().zip(&slopes).enumerate() {
                let wanted = slope / length;
                assert!(
                    (found - wanted).abs() < 0.02,
                    "{labels} labels, layer {layer}, head {head}: {found} is not {wanted}"
                );
            }
        }
    }
}

#[test]
fn layers_that_are_kept_keep_their_order_and_weights() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("m");
    tiny_model::write(&dir, &Tiny { layers: 4, ..Tiny::default() });
    let model = load(&dir);
    let all = shrink::keep_layers(&model, &[0, 1, 2, 3]).unwrap().try_out(&model).unwrap();
    assert_eq!(outputs(&all, Path::Fused, Dtype::F32), outputs(&model, Path::Fused, Dtype::F32));
    let two = shrink::keep_layers(&model, &[1, 3]).unwrap();
    assert_eq!(two.config.layers, 2);
    for (name, tensor) in two.params.iter().filter(|(name, _)| name.starts_with("encoder.layer.")) {
        let was = name.replace("layer.0.", "layer.1!").replace("layer.1.", "layer.3.").replace("1!", "1.");
        let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(numbers(tensor), numbers(model.params().get(&was).unwrap()), "{name}");
    }
    for wrong in [vec![], vec![3, 1], vec![1, 1], vec![4]] {
        assert_eq!(shrink::keep_layers(&model, &wrong).unwrap_err().kind, ModelErrorKind::Usage);
    }
    // Whoever is told that only layer 2 matters keeps it.
    let kept = shrink::choose_layers(&model, 1, &Cancel::new(), |candidate| {
        let name = "encoder.layer.0.intermediate.dense.weight";
        let numbers = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        let wanted = numbers(model.params().get(&name.replace("layer.0", "layer.2")).unwrap());
        let there = (0..candidate.info().layers).any(|n| {
            numbers(candidate.params().get(&name.replace("layer.0", &format!("layer.{n}"))).unwrap())
                == wanted
        });
        Ok(if there { 0.0 } else { 1.0 })
    });
    assert_eq!(kept.unwrap(), [2]);
}

#[test]
fn the_smallest_weights_and_no_others_become_zero() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("m");
    tiny_model::write(&dir, &Tiny::default());
    let model = load(&dir);
    let smaller = shrink::zero_smallest(&model, 0.4).unwrap();
    for (name, tensor) in smaller.params.iter() {
        let was: Vec<f32> = model.params().get(name).unwrap().flatten_all().unwrap().to_vec1().unwrap();
        let is: Vec<f32> = tensor.flatten_all().unwrap().to_vec1().unwrap();
        if !(name.starts_with("encoder.layer.") && tensor.rank() == 2) {
            assert_eq!(was, is, "{name}");
            continue;
        }
        let gone: Vec<f32> = was.iter().zip(&is).filter(|(w, i)| w != i).map(|(w, _)| w.abs()).collect();
        let least_kept = is.iter().filter(|v| **v != 0.0).fold(f32::INFINITY, |low, v| low.min(v.abs()));
        assert!(gone.iter().all(|v| *v <= least_kept), "{name}");
        assert_eq!(is.iter().filter(|v| **v == 0.0).count(), (was.len() as f64 * 0.4) as usize, "{name}");
    }
    assert_eq!(shrink::zero_smallest(&model, 1.0).unwrap_err().kind, ModelErrorKind::Usage);
}

/// A quantised folder is a quarter of its source, is scored in whole numbers unless asked otherwise, and
/// scores what its source scores in them, but for the word embeddings' rounding.
#[test]
fn a_quantised_folder_scores_as_its_source_does_in_int8() {
    let place = tempfile::tempdir().unwrap();
    for dir in families() {
        let model = load(&dir);
        let out = place.path().join(dir.file_name().unwrap());
        if model.bert().is_none() {
            let error = shrink::check(&model, &out, Dtype::Int8, false).unwrap_err();
            assert_eq!(error.kind, ModelErrorKind::Unsupported);
            assert!(error.hint.unwrap().contains("f16"), "{}", dir.display());
            continue;
        }
        shrink::save(&model, &Smaller::whole(&model), Dtype::Int8, (&out, false), &json!({})).unwrap();
        let small = load(&out);
        assert_eq!((small.default_dtype(), model.default_dtype()), (Dtype::Int8, Dtype::F32));
        assert_eq!(small.head(), model.head(), "{}", dir.display());
        let (a, b) = (outputs(&model, Path::Fused, Dtype::Int8), outputs(&small, Path::Fused, Dtype::Int8));
        let range = a.iter().fold(0f32, |top, v| top.max(v.abs())).max(0.1);
        assert!(apart(&a, &b) < 0.05 * range, "{}: {} of {range}", dir.display(), apart(&a, &b));
        // Stored once more, not a bit changes.
        let twice = out.with_extension("twice");
        shrink::save(&small, &Smaller::whole(&small), Dtype::Int8, (&twice, false), &json!({})).unwrap();
        let again = load(&twice);
        assert_eq!(b, outputs(&again, Path::Fused, Dtype::Int8), "{}", dir.display());
        let config: Value = serde_json::from_slice(&std::fs::read(out.join("config.json")).unwrap()).unwrap();
        assert_eq!(config["quantization_config"]["quant_method"], "recscope-int8");
    }
}

#[test]
fn half_precision_folders_load_as_floats() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("m");
    tiny_model::write(&dir, &Tiny::default());
    let model = load(&dir);
    let whole = outputs(&model, Path::Fused, Dtype::F32);
    for (dtype, step) in [(Dtype::F16, 1e-3), (Dtype::Bf16, 1e-2)] {
        let out = place.path().join(dtype.to_string());
        shrink::save(&model, &Smaller::whole(&model), dtype, (&out, false), &json!({})).unwrap();
        let half = load(&out);
        assert_eq!((half.params().stored(), half.default_dtype()), (dtype, Dtype::F32));
        let found = outputs(&half, Path::Fused, Dtype::F32);
        let range = whole.iter().fold(0f32, |top, v| top.max(v.abs())).max(0.1);
        assert!(apart(&whole, &found) < 10.0 * step * range, "{dtype}: {}", apart(&whole, &found));
        let size = |dir: &FilePath| std::fs::metadata(dir.join("model.safetensors")).unwrap().len();
        assert!(size(&out) < size(&dir) * 6 / 10);
    }
}

/// A folder with a model `m` and a judged log.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        tiny_model::write(&place.0.path().join("m"), &Tiny { layers: 3, ..Tiny::default() });
        std::fs::write(place.0.path().join("none.toml"), "").unwrap();
        let word = |n: usize| ["red", "cheap", "running", "跑", "鞋", "mouse"][n % 6];
        // No two titles alike: equal scores would be ordered by item ids, which differ from way to way.
        let letters =
            |n: usize| [125, 25, 5, 1].map(|unit| ["a", "b", "c", "d", "e"][n / unit % 5]).join(" ");
        let row = |n: usize| format!("{} boots,{} {},{}\n", word(n / 10), letters(n), word(n), n % 3);
        let rows: String = (0..200).map(row).collect();
        std::fs::write(place.0.path().join("judged.csv"), format!("query,title,grade\n{rows}")).unwrap();
        place
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_recscope"))
            .args(args)
            .current_dir(self.0.path())
            .env("RECSCOPE_CONFIG", self.0.path().join("none.toml"))
            .env("RECSCOPE_SCORE_CACHE", "off")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--format", "json", "--rounds", "1"]].concat());
        assert!(output.status.success(), "{}", err(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const JUDGED: [&str; 4] = ["--input", "judged.csv", "--gain", "grade"];

#[test]
fn bench_measures_what_int8_loses_of_the_ranking() {
    let place = Place::new();
    let report = place.json(&[&["models", "bench", "m"][..], &JUDGED].concat());
    let [first, second] = report["models"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!((&first["dtype"], &second["dtype"]), (&json!("f32"), &json!("int8")));
    assert!(first["against_first"].is_null() && first["tokens_per_second"].as_f64().unwrap() > 0.0);
    let lost = &second["against_first"];
    assert_eq!((lost["rows"].as_u64(), lost["unpaired"].as_u64()), (Some(200), Some(0)));
    assert!(lost["mean_difference"].as_f64() <= lost["largest_difference"].as_f64(), "{lost}");
    let ranking = &lost["ranking"];
    let figure = |key: &str| ranking[key].as_f64().unwrap_or_else(|| panic!("{key} of {ranking}"));
    assert_eq!(ranking["metric"], "ndcg@10");
    assert!((figure("after") - figure("before") - figure("change")).abs() < 1e-9);
    assert!(figure("lower") <= figure("change") && figure("change") <= figure("upper"), "{ranking}");
    // The same figures as the metric itself gives for the scored file.
    let scored =
        ["score", "--model", "m", "--input", "judged.csv", "--pair", "query,title", "--out", "s.csv"];
    assert!(place.run(&scored).status.success());
    std::fs::write(
        place.0.path().join("n.md"),
        "---\nrecscope: 1\nsources: { s: \"s.csv\" }\n---\n```sql rows\nSELECT query, title, grade, score, \
         row_number() OVER () AS item FROM s\n```\n```metrics m\nfrom = \"rows\"\nshow = [\"ndcg@10\"]\n\
         query = \"query\"\nitem = \"item\"\nscore = \"score\"\ngain = \"grade\"\n```\n",
    )
    .unwrap();
    let output = place.run(&["run", "n.md", "--format", "json"]);
    assert!(output.status.success(), "{}", err(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let digits = format!("{:.6}", figure("before"));
    assert!(text.contains(&digits), "{digits} is not in {text}");
}

#[test]
fn the_gate_decides_the_exit_code() {
    let place = Place::new();
    let args = [&["models", "bench", "m", "--rounds", "1", "--gate"][..], &JUDGED].concat();
    assert_eq!(place.run(&[&args[..], &["--tolerance", "1"]].concat()).status.code(), Some(0));
    let output = place.run(&[&args[..], &["--tolerance=-1"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("FAILS"));
}

#[test]
fn shrunk_folders_come_with_their_report() {
    let place = Place::new();
    for (name, args) in [
        ("q", &["quantize", "m"][..]),
        ("l", &["prune", "m", "--layers", "2"]),
        ("h", &["prune", "m", "--heads", "0.4"]),
        ("z", &["prune", "m", "--magnitude", "0.5"]),
    ] {
        let args = [&["models"], args, &["--out", name], &JUDGED].concat();
        let report = place.json(&args);
        assert_eq!(report["models"][1]["name"], name);
        let kept: Value =
            serde_json::from_slice(&std::fs::read(place.0.path().join(name).join("shrinking.json")).unwrap())
                .unwrap();
        assert_eq!(kept["measured"], report, "{name}");
        let info = place.run(&["models", "info", name]);
        assert!(info.status.success(), "{}", err(&info));
    }
    // From a quantised folder to a quantised folder.
    let report =
        place.json(&[&["models", "prune", "q", "--layers", "1", "--out", "q1"], &JUDGED[..]].concat());
    assert_eq!(report["models"][1]["dtype"], "int8");
}

#[test]
fn score_says_what_a_smaller_type_cost() {
    let place = Place::new();
    let score = ["score", "--model", "m", "--input", "judged.csv", "--pair", "query,title", "--out", "s.csv"];
    let plain = err(&place.run(&score));
    assert!(!plain.contains("against f32"), "{plain}");
    let output = place.run(&[&score[..], &["--dtype", "int8"]].concat());
    let said = err(&output);
    assert!(output.status.success() && said.contains("int8 against f32 on 200 rows of these:"), "{said}");
    assert!(said.contains("Spearman 0.9"), "{said}");
}

#[test]
fn wrong_wishes_are_told_with_a_remedy() {
    let place = Place::new();
    std::fs::create_dir(place.0.path().join("photos")).unwrap();
    std::fs::write(place.0.path().join("photos/a.png"), "x").unwrap();
    for (args, code, words) in [
        (&["models", "bench", "none"][..], 3, "no model folder"),
        (&["models", "bench", "m", "--dtype", "int4"], 2, "use one of f32"),
        (&["models", "bench", "m", "--dtype", "f16"], 2, "use int8"),
        (&["models", "bench", "m", "--gain", "grade"], 2, "add --input"),
        (&["models", "bench", "m", "--input", "judged.csv", "--gain", "grad"], 3, "did you mean `grade`?"),
        (
            &["models", "bench", "m", "--input", "judged.csv", "--columns", "a,b,c"],
            2,
            "--columns query,title",
        ),
        (&["models", "quantize", "m", "--out", "m"], 2, "name another folder"),
        (&["models", "quantize", "m", "--out", "photos"], 2, "not a model folder"),
        (&["models", "prune", "m", "--out", "x"], 2, "--layers"),
        (&["models", "prune", "m", "--out", "x", "--layers", "9"], 2, "from 1 to 3"),
        (&["models", "prune", "m", "--out", "x", "--heads", "1.5"], 2, "between 0 and 1"),
        (&["models", "prune", "m", "--out", "x", "--keep-layers", "2,0"], 2, "rising order"),
    ] {
        let output = place.run(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", err(&output));
        assert!(err(&output).contains(words), "{args:?}: {}", err(&output));
        assert!(!place.0.path().join("x").exists());
    }
}
