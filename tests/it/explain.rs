//! Attribution against captum on a real cross-encoder, and the same algorithms on a real bi-encoder.

use std::path::PathBuf;

use recscope::analysis::explain::{
    Attribution, ExplainError, ExplainMethod, ExplainOptions, METHODS, explain,
};
use recscope::engine::lanes::ModelScorer;
use recscope::engine::model::{
    DeviceChoice, LoadOptions, Model, ScoreChunk, ScoreInputs, ScoreOptions, ScoreProgress,
};
use recscope::util::cancel::Cancel;
use serde_json::Value;

use crate::support::shared;

fn load(dir: PathBuf) -> Model {
    Model::load(&dir, &LoadOptions { device: DeviceChoice::Cpu, ..Default::default() }).unwrap()
}

fn run(model: &Model, query: &str, text: Option<&str>, options: &ExplainOptions) -> Attribution {
    let mut scorer = ModelScorer::new(model, None, &Cancel::new());
    explain(&mut scorer, query, text, options, &Cancel::new(), &mut |_| {}).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// The golden's values at the tokens that are players.
fn players(case: &Value, key: &str) -> Vec<f64> {
    let words = numbers(&case["word_of_token"]);
    numbers(&case[key]).into_iter().zip(words).filter(|(_, w)| *w >= 0.0).map(|(v, _)| v).collect()
}

/// Largest difference as a share of the largest reference value.
fn apart(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().map(|v| v.abs()).fold(0.0, f64::max);
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / largest
}

#[test]
fn explain_equals_captum() {
    let Some(golden) = shared("goldens/attribution_ce_l12.json") else { return };
    let Some(dir) = shared("models/ms-marco-MiniLM-L-12-v2") else { return };
    let golden: Value = serde_json::from_slice(&std::fs::read(golden).unwrap()).unwrap();
    let model = load(dir);
    let (mut worst_ig, mut worst_gxi, mut worst_loo) = (0f64, 0f64, 0f64);
    for case in golden["cases"].as_array().unwrap() {
        let (query, title) = (case["query"].as_str().unwrap(), case["title"].as_str().unwrap());
        let with = |method| {
            let options = ExplainOptions { method, nodes: 64, max_nodes: 64, ..ExplainOptions::default() };
            run(&model, query, Some(title), &options)
        };
        let by_token = |found: &Attribution| found.tokens.iter().map(|t| t.attribution).collect::<Vec<_>>();

        let ig = with(ExplainMethod::IntegratedGradients);
        let words: Vec<f64> = ig.tokens.iter().map(|t| t.word as f64).collect();
        assert_eq!(words, players(case, "word_of_token"), "words of {query} | {title}");
        assert!((ig.score - case["logit"].as_f64().unwrap()).abs() < 1e-3);
        let baseline = ig.baseline_score.unwrap();
        assert!((baseline - case["logit_pad_baseline"].as_f64().unwrap()).abs() < 1e-3);
        let share = case["ig_delta"].as_f64().unwrap() / (ig.score - baseline).abs();
        assert!((ig.delta.unwrap() - share).abs() < 1e-3, "{:?} {share}", ig.delta);
        worst_ig = worst_ig.max(apart(&by_token(&ig), &players(case, "ig_token")));

        let gxi = with(ExplainMethod::GradientXInput);
        worst_gxi = worst_gxi.max(apart(&by_token(&gxi), &players(case, "gradxinput_token")));

        let loo = with(ExplainMethod::LeaveOneOut);
        let found: Vec<f64> = loo.words.iter().map(|w| w.attribution).collect();
        let expected = numbers(&case["loo_word_mask"]);
        let difference = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert_eq!(found.len(), expected.len());
        worst_loo = worst_loo.max(difference);
    }
    println!(
        "integrated gradients {worst_ig:e} and gradient x input {worst_gxi:e} of the largest value; leave-one-out {worst_loo:e}"
    );
    assert!(worst_ig < 1e-3 && worst_gxi < 1e-3 && worst_loo < 1e-3);
}

#[test]
fn explain_raises_nodes_until_the_gap_is_small() {
    let Some(dir) = shared("models/ms-marco-MiniLM-L-12-v2") else { return };
    let model = load(dir);
    let found =
        run(&model, "wireless mouse", Some("Sandberg Wireless Laser Pro mouse"), &ExplainOptions::default());
    println!("{:?} nodes, delta {:?}", found.nodes, found.delta);
    assert!(found.converged && found.delta.unwrap().abs() <= 0.01);
    let sum: f64 = found.words.iter().map(|w| w.attribution).sum();
    let change = found.score - found.baseline_score.unwrap();
    assert!((sum - change).abs() <= 0.01 * change.abs() + 1e-6);
    assert_eq!(
        found.words.iter().map(|w| w.text.as_str()).collect::<Vec<_>>(),
        ["wireless", "mouse", "Sandberg", "Wireless", "Laser", "Pro", "mouse"]
    );
}

#[test]
fn explain_a_cosine_in_chinese_and_with_nothing_to_read() {
    let Some(dir) = shared("models/all-MiniLM-L6-v2") else { return };
    let model = load(dir);
    for info in METHODS {
        let options = ExplainOptions { method: info.method, ..ExplainOptions::default() };
        let found = run(&model, "跑鞋 男", Some("Men's 跑鞋"), &options);
        let words: Vec<&str> = found.words.iter().map(|w| w.text.as_str()).collect();
        assert_eq!(words, ["跑", "鞋", "男", "Men", "'", "s", "跑", "鞋"], "{}", info.name);
        assert!(found.words.iter().all(|w| w.attribution.is_finite()));
        assert!((-1.0..=1.0).contains(&found.score));
        if info.complete {
            assert!(found.delta.unwrap().abs() < 0.05, "{:?}", found.delta);
        }
        let empty = run(&model, "", Some(""), &options);
        assert!(empty.words.is_empty() && (empty.score - 1.0).abs() < 1e-4, "{}", info.name);
    }
    let mut scorer = ModelScorer::new(&model, None, &Cancel::new());
    let alone = explain(&mut scorer, "跑鞋", None, &ExplainOptions::default(), &Cancel::new(), &mut |_| {});
    assert!(matches!(alone, Err(ExplainError::Scorer(_))), "{alone:?}");
}

#[test]
fn explain_stops_inside_the_model() {
    let Some(dir) = shared("models/ms-marco-MiniLM-L-12-v2") else { return };
    let model = load(dir);
    let cancel = Cancel::new();
    let mut scorer = ModelScorer::new(&model, None, &cancel);
    let mut told = 0;
    let long = "wireless 无线 mouse ".repeat(100);
    let found = explain(&mut scorer, "mouse", Some(&long), &ExplainOptions::default(), &cancel, &mut |_| {
        told += 1;
        if told == 3 {
            cancel.cancel();
        }
    });
    assert_eq!(found, Err(ExplainError::Cancelled));
    assert_eq!(told, 3);
}

#[test]
fn explain_what_ranks_a_model_of_two_classes() {
    use recscope::engine::model::train::vocabulary::{Sizes, Vocabulary, VocabularyOptions};
    use recscope::engine::model::train::{Example, Objective, TrainJob, TrainOptions, train};

    let dir = tempfile::tempdir().unwrap();
    let (start, out) = (dir.path().join("start"), dir.path().join("out"));
    let pairs = [
        ("跑鞋", "男 跑鞋", 1.0),
        ("跑鞋", "boots", 0.0),
        ("boots", "boots 红", 1.0),
        ("boots", "跑鞋", 0.0),
    ];
    let texts = pairs.iter().flat_map(|(q, t, _)| [*q, *t]);
    let options = VocabularyOptions { min_count: 1, ..Default::default() };
    let sizes = Sizes {
        hidden: 16,
        layers: 1,
        intermediate: 32,
        max_positions: 16,
        initializer_range: 0.3,
        ..Default::default()
    };
    Vocabulary::build(texts, &options).unwrap().write_start(&start, &sizes).unwrap();
    let rows = pairs.map(|(q, t, target)| Example { query: q.into(), text: Some(t.into()), target });
    let job = TrainJob {
        start: &start,
        out: &out,
        device: DeviceChoice::Cpu,
        objective: Objective::Classes(vec!["no".into(), "yes".into()]),
        train: &rows,
        dev: &[],
        options: TrainOptions { epochs: 30, batch: 4, learning_rate: 1e-2, ..Default::default() },
    };
    train(&job, &Cancel::new(), &mut |_| {}).unwrap();
    let model = load(out);
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for info in METHODS {
        let options = ExplainOptions { method: info.method, ..ExplainOptions::default() };
        for (class, found) in [(1, &mut yes), (0, &mut no)] {
            let mut scorer = ModelScorer::new(&model, Some(class), &Cancel::new());
            found.push(
                explain(&mut scorer, "跑鞋", Some("男 boots"), &options, &Cancel::new(), &mut |_| {})
                    .unwrap(),
            );
        }
        assert_eq!(yes.last().unwrap(), &run(&model, "跑鞋", Some("男 boots"), &options));
    }
    // One score whatever the method, and the other class's is its opposite, word by word.
    for (yes, no) in yes.iter().zip(&no) {
        assert!((yes.score + no.score).abs() < 1e-4, "{} {}", yes.score, no.score);
        for (a, b) in yes.words.iter().zip(&no.words) {
            assert!((a.attribution + b.attribution).abs() < 1e-3, "{a:?} {b:?}");
        }
    }
    assert!((yes[0].score - yes[1].score).abs() < 1e-4 && (yes[0].score - yes[2].score).abs() < 1e-4);
    let (queries, titles) = ([Some("跑鞋".to_string())], [Some("男 boots".to_string())]);
    let inputs = ScoreInputs::Pair(&queries, &titles);
    let mut scored = Vec::new();
    let keep = |chunk: ScoreChunk| {
        scored.extend(chunk.scores);
        Ok(())
    };
    model.score(&inputs, &ScoreOptions::default(), &Cancel::new(), &ScoreProgress::default(), keep).unwrap();
    assert!((scored[0].unwrap() - yes[0].score).abs() < 1e-4, "the score column says {scored:?}");
}
