//! Every family of models against its Python original: tiny random folders in fixtures/architectures,
//! made with their references by scripts/goldens/tiny_models.py.

use std::fs;
use std::path::{Path as FilePath, PathBuf};

use recscope::analysis::explain::{ExplainError, ExplainMethod, ExplainOptions, explain};
use recscope::engine::lanes::ModelScorer;
use recscope::engine::model::{
    DeviceChoice, Dtype, FAMILIES, FusedBert, Isa, LoadOptions, Model, ModelError, ModelErrorKind, Network,
    Path, Prefixes, Row, ScoreInputs, ScoreOptions, ScoreProgress, Scratch,
};
use recscope::util::cancel::Cancel;
use serde::Deserialize;

use crate::support::repo;

#[derive(Deserialize)]
struct Golden {
    limit: usize,
    cases: Vec<Case>,
    #[serde(default)]
    cosines: Vec<Cosine>,
    #[serde(default)]
    scores: Vec<f64>,
}

#[derive(Deserialize)]
struct Case {
    query: String,
    text: Option<String>,
    ids: Vec<u32>,
    type_ids: Vec<u32>,
    output: Vec<f32>,
}

#[derive(Deserialize)]
struct Cosine {
    query: String,
    text: String,
    cosine: f64,
}

impl Golden {
    fn rows(&self) -> Vec<Row<'_>> {
        self.cases.iter().map(|case| (&case.ids[..], &case.type_ids[..])).collect()
    }

    /// Largest difference of outputs to the reference.
    fn apart(&self, outputs: &[Vec<f32>]) -> f32 {
        assert_eq!(outputs.len(), self.cases.len());
        let wanted = self.cases.iter().map(|case| &case.output);
        outputs.iter().zip(wanted).map(|(found, wanted)| apart(found, wanted)).fold(0.0, f32::max)
    }
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

fn folder(name: &str) -> PathBuf {
    repo("fixtures/architectures").join(name)
}

fn load(dir: &FilePath) -> Result<Model, ModelError> {
    Model::load(dir, &LoadOptions { device: DeviceChoice::Cpu, ..Default::default() })
}

/// Every folder with its reference.
fn all() -> Vec<(String, Model, Golden)> {
    let entries = fs::read_dir(repo("fixtures/architectures")).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let open = |name: String| {
        let golden = fs::read(folder(&name).join("golden.json")).unwrap();
        let model = load(&folder(&name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        (name, model, serde_json::from_slice(&golden).unwrap())
    };
    names.into_iter().map(open).collect()
}

fn forward(model: &Model, rows: &[Row], path: Path) -> Vec<Vec<f32>> {
    model.forward(rows, (path, Dtype::F32), &mut Scratch::default(), &Cancel::new()).unwrap()
}

/// A copy of a fixture that may be spoilt.
fn copy(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder(name)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    dir
}

#[test]
fn every_family_has_a_fixture() {
    let all = all();
    for family in &FAMILIES {
        assert!(all.iter().any(|(_, model, _)| model.info().family == family), "{}", family.name);
    }
}

#[test]
fn tokens_are_those_of_the_python_original() {
    for (name, model, golden) in all() {
        assert_eq!(model.info().max_tokens, golden.limit, "{name}");
        for case in &golden.cases {
            let found = model.tokens().encode(&case.query, case.text.as_deref()).unwrap();
            assert_eq!(found.ids, case.ids, "{name}: {:?}", case.query);
            assert_eq!(found.type_ids, case.type_ids, "{name}: {:?}", case.query);
        }
    }
}

#[test]
fn outputs_are_those_of_the_python_original() {
    for (name, model, golden) in all() {
        let rows = golden.rows();
        // One padded batch of all lengths.
        let differentiable = golden.apart(&forward(&model, &rows, Path::Differentiable));
        println!("{name}: differentiable {differentiable:.1e}");
        assert!(differentiable < 1e-5, "{name}: {differentiable}");
        let Some(bert) = model.bert() else {
            assert!(!model.has_fused_path(), "{name}");
            continue;
        };
        for isa in Isa::available() {
            let fused = FusedBert::with_isa(bert, isa, false).unwrap();
            let found = fused.forward(&rows, model.head(), &mut Scratch::default(), &Cancel::new()).unwrap();
            let apart = golden.apart(&found);
            println!("{name}: fused on {isa:?} {apart:.1e}");
            assert!(apart < 1e-4, "{name} on {isa:?}: {apart}");
        }
    }
}

#[test]
fn a_batch_gives_what_its_rows_give_one_by_one() {
    for (name, model, golden) in all() {
        let rows = golden.rows();
        for path in [Path::Differentiable, Path::Fused] {
            let together = forward(&model, &rows, path);
            for (row, together) in rows.iter().zip(&together) {
                let alone = forward(&model, &[*row], path);
                assert!(apart(&alone[0], together) < 1e-5, "{name} {path:?}");
            }
        }
    }
}

/// What is explained: the score, or where classes have no order one of them.
fn class(model: &Model) -> Option<usize> {
    model.info().notes.iter().any(|note| note.starts_with("no score")).then_some(0)
}

#[test]
fn gradients_reach_the_word_embeddings_and_follow_the_slope() {
    for (name, model, _) in all() {
        let text = Some("跑步鞋 hiking boots");
        let input = model.encode("running shoes", text).unwrap();
        let cancel = Cancel::new();
        if model.bert().is_none() {
            for error in [
                model.embeddings(&input.ids).unwrap_err(),
                model.gradients(&input, &[Vec::new()], class(&model), &cancel).unwrap_err(),
            ] {
                assert_eq!(error.kind, ModelErrorKind::Unsupported, "{name}");
                assert!(error.message.contains(model.info().family.name), "{error}");
                assert!(error.hint.unwrap().contains("leave_one_out"));
            }
            continue;
        }
        let here = model.embeddings(&input.ids).unwrap();
        assert_eq!(here.len(), input.ids.len() * model.info().embedding);
        let at =
            |point: Vec<f32>| model.gradients(&input, &[point], class(&model), &cancel).unwrap().remove(0);
        let found = at(here.clone());
        let scored = model.score_encoded(std::slice::from_ref(&input), class(&model), &cancel).unwrap()[0];
        assert!((found.score - scored).abs() < 1e-4, "{name}: {} {scored}", found.score);
        for (token, gradient) in found.gradient.chunks(model.info().embedding).enumerate() {
            assert!(gradient.iter().any(|g| g.abs() > 1e-6), "{name}: token {token} has no gradient");
        }
        // A step along the gradient changes the score by about its squared length.
        let length: f32 = found.gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        let step = 0.01 / length;
        let moved = |sign: f32| here.iter().zip(&found.gradient).map(|(x, g)| x + sign * step * g).collect();
        let slope = (at(moved(1.0)).score - at(moved(-1.0)).score) / f64::from(2.0 * step * length);
        assert!((slope / f64::from(length) - 1.0).abs() < 0.02, "{name}: {slope} is not {length}");
    }
}

#[test]
fn explanations_add_up_or_are_refused() {
    for (name, model, _) in all() {
        let cancel = Cancel::new();
        let run = |method| {
            let mut scorer = ModelScorer::new(&model, class(&model), &cancel);
            let options = ExplainOptions { method, max_nodes: 512, ..ExplainOptions::default() };
            explain(
                &mut scorer,
                "running shoes",
                Some("跑鞋 waterproof, café"),
                &options,
                &cancel,
                &mut |_| {},
            )
        };
        let left = run(ExplainMethod::LeaveOneOut).unwrap();
        let words: Vec<&str> = left.words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(words.first(), Some(&"running"), "{name}");
        assert!(words.contains(&"waterproof") && words.contains(&"café"), "{name}: {words:?}");
        assert!(left.words.iter().any(|word| word.attribution.abs() > 1e-4), "{name}");
        match run(ExplainMethod::IntegratedGradients) {
            Ok(found) => {
                assert!(model.bert().is_some(), "{name}");
                let delta = found.delta.unwrap();
                assert!(delta.abs() < 0.01, "{name}: {delta}");
            }
            Err(ExplainError::Scorer(why)) => {
                assert!(model.bert().is_none(), "{name}: {why}");
                assert!(why.contains("leave_one_out"), "{why}");
            }
            Err(other) => panic!("{name}: {other}"),
        }
    }
}

fn cosines(model: &Model, golden: &Golden) -> Vec<f64> {
    let column =
        |side: fn(&Cosine) -> &String| golden.cosines.iter().map(|c| Some(side(c).clone())).collect();
    let (queries, texts): (Vec<_>, Vec<_>) = (column(|c| &c.query), column(|c| &c.text));
    scores(model, &ScoreInputs::Embed(&queries, &texts), queries.len())
}

fn scores(model: &Model, inputs: &ScoreInputs, rows: usize) -> Vec<f64> {
    let mut scores = vec![f64::NAN; rows];
    let progress = ScoreProgress::default();
    let take = |chunk: recscope::engine::model::ScoreChunk| {
        chunk
            .rows
            .iter()
            .zip(&chunk.scores)
            .for_each(|(row, score)| scores[*row] = score.unwrap_or(f64::NAN));
        Ok(())
    };
    model.score(inputs, &ScoreOptions::default(), &Cancel::new(), &progress, take).unwrap();
    scores
}

#[test]
fn prefixes_of_the_folder_are_put_before_each_side() {
    let mut prefixed = 0;
    for (name, model, golden) in all() {
        let found = if golden.cosines.is_empty() { Vec::new() } else { cosines(&model, &golden) };
        for (found, wanted) in found.iter().zip(&golden.cosines) {
            assert!((found - wanted.cosine).abs() < 1e-5, "{name}: {found} is not {}", wanted.cosine);
        }
        if model.info().prefixes.is_empty() {
            continue;
        }
        prefixed += 1;
        // What is explained is the score, and the prefix is none of its words.
        let pair = &golden.cosines[0];
        let input = model.encode(&pair.query, Some(&pair.text)).unwrap();
        let explained = model.score_encoded(std::slice::from_ref(&input), None, &Cancel::new()).unwrap()[0];
        assert!((explained - pair.cosine).abs() < 1e-5, "{name}");
        for (at, (from, to)) in input.offsets.iter().enumerate() {
            let text = if input.sides[at] == 0 { &pair.query } else { &pair.text };
            assert!(text.get(*from..*to).is_some(), "{name}: {from}..{to} of {text}");
        }
        assert!(input.special.iter().filter(|special| **special).count() > 4, "{name}");
        // The user's own win over the folder's.
        let own = Prefixes { query: "跑".into(), text: String::new() };
        let options =
            LoadOptions { device: DeviceChoice::Cpu, prefixes: Some(own), ..LoadOptions::default() };
        let model = Model::load(&folder(&name), &options).unwrap();
        assert!((cosines(&model, &golden)[0] - pair.cosine).abs() > 1e-6, "{name}");
    }
    assert_eq!(prefixed, 2);
}

#[test]
fn one_text_on_both_sides_is_embedded_with_each_prefix() {
    let model = load(&folder("xlm-roberta-e5")).unwrap();
    let same = vec![Some("跑鞋".to_string())];
    let score = scores(&model, &ScoreInputs::Embed(&same, &same), 1)[0];
    assert!(score < 0.9999, "{score}: the sides were taken for one");
    let plain = LoadOptions { prefixes: Some(Prefixes::default()), ..LoadOptions::default() };
    let model = Model::load(&folder("xlm-roberta-e5"), &plain).unwrap();
    assert!((scores(&model, &ScoreInputs::Embed(&same, &same), 1)[0] - 1.0).abs() < 1e-6);
}

#[test]
fn declared_gains_make_the_score() {
    let (queries, texts): (Vec<_>, Vec<_>);
    let golden: Golden =
        serde_json::from_slice(&fs::read(folder("bert-esci").join("golden.json")).unwrap()).unwrap();
    queries = golden.cases.iter().map(|c| Some(c.query.clone())).collect();
    texts = golden.cases.iter().map(|c| c.text.clone()).collect();
    let inputs = ScoreInputs::Pair(&queries, &texts);
    // In the folder's config.json.
    let model = load(&folder("bert-esci")).unwrap();
    assert_eq!(model.info().gains, Some(vec![1.0, 0.1, 0.01, 0.0]));
    let found = scores(&model, &inputs, queries.len());
    let mut compared = 0;
    for (found, wanted) in found.iter().zip(&golden.scores).filter(|(found, _)| !found.is_nan()) {
        assert!((found - wanted).abs() < 1e-5, "{found} is not {wanted}");
        compared += 1;
    }
    assert!(compared >= 5);
    // By the user, who wins; labels match whatever their case.
    let gains = [("exact", 0.0), ("substitute", 0.0), ("COMPLEMENT", 0.0), ("Irrelevant", 1.0)];
    let gains = gains.map(|(label, gain)| (label.to_string(), gain)).to_vec();
    let with = |gains| LoadOptions { gains: Some(gains), ..LoadOptions::default() };
    let model = Model::load(&folder("bert-esci"), &with(gains)).unwrap();
    assert_eq!(model.info().gains, Some(vec![0.0, 0.0, 0.0, 1.0]));
    assert!(scores(&model, &inputs, queries.len()).iter().all(|s| s.is_nan() || (0.0..1.0).contains(s)));
    for (name, gains) in [("bert-esci", vec![("Exact".to_string(), 1.0)]), ("camembert-encoder", vec![])] {
        let error = Model::load(&folder(name), &with(gains)).map(drop).unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::Usage, "{error}");
    }
}

#[test]
fn roberta_reads_its_older_vocabulary_files() {
    let dir = copy("roberta-sharded");
    fs::remove_file(dir.path().join("tokenizer.json")).unwrap();
    let (old, new) = (load(dir.path()).unwrap(), load(&folder("roberta-sharded")).unwrap());
    for text in ["running shoes", " Café  跑鞋!", "a<mask> b </s> c", "", "🦀 x"] {
        let (old, new) = (old.encode(text, Some("y z")).unwrap(), new.encode(text, Some("y z")).unwrap());
        assert_eq!(old, new, "{text:?}");
    }
    fs::remove_file(dir.path().join("merges.txt")).unwrap();
    let error = load(dir.path()).map(drop).unwrap_err();
    assert!(error.message.contains("vocab.json with merges.txt"), "{error}");
}

#[test]
fn a_missing_shard_is_named() {
    let dir = copy("roberta-sharded");
    fs::remove_file(dir.path().join("model-00002-of-00003.safetensors")).unwrap();
    let error = load(dir.path()).map(drop).unwrap_err();
    assert!(error.message.contains("model-00002-of-00003.safetensors"), "{error}");
    assert!(error.hint.unwrap().contains("every"));
    let index = r#"{"weight_map": {"a": "../model.safetensors"}}"#;
    fs::write(dir.path().join("model.safetensors.index.json"), index).unwrap();
    assert!(load(dir.path()).map(drop).unwrap_err().message.contains("names no shards"));
}

#[test]
fn a_head_that_is_not_all_there_is_named_as_the_file_calls_it() {
    let dir = copy("bert-classifier");
    let config = fs::read_to_string(folder("roberta-sharded").join("config.json")).unwrap();
    fs::write(dir.path().join("config.json"), config).unwrap();
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(folder("roberta-sharded").join(name), dir.path().join(name)).unwrap();
    }
    let error = load(dir.path()).map(drop).unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::Damaged);
    assert!(error.message.contains("no tensor \"embeddings.word_embeddings.weight\""), "{error}");
    // An encoder's weights under a classifier's config.
    let dir = copy("camembert-encoder");
    let file = dir.path().join("config.json");
    let config =
        fs::read_to_string(&file).unwrap().replace("CamembertModel", "CamembertForSequenceClassification");
    fs::write(&file, config).unwrap();
    let error = load(dir.path()).map(drop).unwrap_err();
    assert!(error.message.contains("classifier.dense.weight"), "{error}");
    assert!(error.hint.unwrap().contains("CamembertModel"));
}

/// f32 under another name would also be kept in the score cache under it.
#[test]
fn a_number_type_that_a_family_lacks_is_refused() {
    for (name, model, _) in all() {
        let texts = vec![Some("running shoes".to_string())];
        let inputs = match model.head().labels() {
            [] => ScoreInputs::Embed(&texts, &texts),
            _ => ScoreInputs::Pair(&texts, &texts),
        };
        let options = ScoreOptions { dtype: Dtype::Int8, ..ScoreOptions::default() };
        let ended = model.score(&inputs, &options, &Cancel::new(), &ScoreProgress::default(), |_| Ok(()));
        match model.bert() {
            Some(_) => assert!(ended.is_ok(), "{name}: {ended:?}"),
            None => assert!(ended.unwrap_err().message.contains("f32 only"), "{name}"),
        }
        assert!(model.check_dtype(Dtype::F16).is_err(), "{name}: half precision is for GPUs");
    }
}

#[test]
fn training_another_family_is_refused_before_any_work() {
    use recscope::engine::model::train::{Example, Objective, TrainJob, TrainOptions, train};
    for (name, model, _) in all() {
        if model.info().family.model_type == "bert" {
            continue;
        }
        let out = tempfile::tempdir().unwrap();
        let row = |target| Example { query: "a".into(), text: Some("b".into()), target };
        let rows = [row(0.0), row(1.0)];
        let job = TrainJob {
            start: &folder(&name),
            out: &out.path().join("trained"),
            device: DeviceChoice::Cpu,
            objective: Objective::Classes(vec!["a".into(), "b".into()]),
            train: &rows,
            dev: &[],
            options: TrainOptions::default(),
        };
        let error = train(&job, &Cancel::new(), &mut |_| {}).unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::Unsupported, "{name}: {error}");
        assert!(error.message.contains(model.info().family.name), "{error}");
        assert!(!out.path().join("trained").exists());
    }
}

#[test]
fn networks_say_which_of_them_are_ours() {
    for (name, model, _) in all() {
        assert_eq!(model.bert().is_some(), model.info().family.network == Network::Bert, "{name}");
    }
}
