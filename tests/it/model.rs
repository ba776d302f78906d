//! The two shared models against their goldens: tokens, logits and cosines of every pair.

use duckdb::Connection;
use recscope::engine::model::{Dtype, LoadOptions, Model, ScoreInputs, ScoreOptions, ScoreProgress};
use recscope::util::cancel::Cancel;

use crate::support::shared;

struct Golden {
    query: Vec<Option<String>>,
    title: Vec<Option<String>>,
    ce_l12: Vec<f64>,
    minilm_l6: Vec<f64>,
}

fn golden() -> Option<Golden> {
    let file = shared("goldens/chorus_scored.parquet")?;
    let connection = Connection::open_in_memory().unwrap();
    let sql = format!("SELECT query, title, ce_l12, minilm_l6 FROM '{}'", file.display());
    let mut statement = connection.prepare(&sql).unwrap();
    let mut golden = Golden { query: vec![], title: vec![], ce_l12: vec![], minilm_l6: vec![] };
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        golden.query.push(row.get(0).unwrap());
        golden.title.push(row.get(1).unwrap());
        golden.ce_l12.push(row.get(2).unwrap());
        golden.minilm_l6.push(row.get(3).unwrap());
    }
    Some(golden)
}

/// Scores all rows and gives them back in input order, with what the job reported.
fn score_all(model: &Model, inputs: &ScoreInputs, rows: usize) -> Vec<f64> {
    score_all_with(model, inputs, rows, &ScoreOptions::default())
}

fn score_all_with(model: &Model, inputs: &ScoreInputs, rows: usize, options: &ScoreOptions) -> Vec<f64> {
    let mut scores = vec![f64::NAN; rows];
    let mut seen = 0;
    let progress = ScoreProgress::default();
    let report = model
        .score(inputs, options, &Cancel::new(), &progress, |chunk| {
            seen += chunk.rows.len();
            for (&row, score) in chunk.rows.iter().zip(&chunk.scores) {
                scores[row] = score.unwrap();
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, rows, "every row comes exactly once");
    println!(
        "{}: {} rows, {} inputs, {} tokens, {:.0} tokens/s",
        model.info().name,
        report.rows,
        report.unique_inputs,
        report.tokens,
        report.tokens_per_second
    );
    scores
}

fn largest_difference(found: &[f64], wanted: &[f64]) -> f64 {
    assert_eq!(found.len(), wanted.len());
    let difference = found.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(found.iter().all(|s| s.is_finite()));
    println!("largest difference over {} pairs: {difference:.2e}", found.len());
    difference
}

#[test]
fn cross_encoder_logits_equal_the_golden() {
    let (Some(golden), Some(dir)) = (golden(), shared("models/ms-marco-MiniLM-L-12-v2")) else { return };
    let model = Model::load(&dir, &LoadOptions::default()).unwrap();
    let inputs = ScoreInputs::Pair(&golden.query, &golden.title);
    let scores = score_all(&model, &inputs, golden.query.len());
    assert!(largest_difference(&scores, &golden.ce_l12) < 1e-3);
}

/// What int8 costs on real pairs: the figures are printed, the bounds leave twice the room.
#[test]
fn int8_lies_near_the_golden() {
    let Some(golden) = golden() else { return };
    for (name, wanted, most, mean) in [
        ("ms-marco-MiniLM-L-12-v2", &golden.ce_l12, 1.4, 0.08),
        ("all-MiniLM-L6-v2", &golden.minilm_l6, 0.045, 0.01),
    ] {
        let Some(dir) = shared(&format!("models/{name}")) else { return };
        let model = Model::load(&dir, &LoadOptions { max_tokens: Some(128), ..Default::default() }).unwrap();
        let inputs = match model.head().labels() {
            [] => ScoreInputs::Embed(&golden.query, &golden.title),
            _ => ScoreInputs::Pair(&golden.query, &golden.title),
        };
        let options = ScoreOptions { dtype: Dtype::Int8, ..ScoreOptions::default() };
        let scores = score_all_with(&model, &inputs, golden.query.len(), &options);
        let apart: Vec<f64> = scores.iter().zip(wanted).map(|(a, b)| (a - b).abs()).collect();
        let average = apart.iter().sum::<f64>() / apart.len() as f64;
        let largest = largest_difference(&scores, wanted);
        println!("{name}: int8 differs by {average:.4} on average");
        assert!(average > 0.0 && average < mean && largest < most, "{name}: {average}, {largest}");
    }
}

#[test]
fn bi_encoder_cosines_equal_the_golden() {
    let (Some(golden), Some(dir)) = (golden(), shared("models/all-MiniLM-L6-v2")) else { return };
    let options = LoadOptions { max_tokens: Some(128), ..Default::default() };
    let model = Model::load(&dir, &options).unwrap();
    let inputs = ScoreInputs::Embed(&golden.query, &golden.title);
    let scores = score_all(&model, &inputs, golden.query.len());
    assert!(largest_difference(&scores, &golden.minilm_l6) < 1e-3);
}

#[test]
fn tokens_equal_the_reference() {
    let (Some(file), Some(dir)) =
        (shared("goldens/attribution_ce_l12.json"), shared("models/ms-marco-MiniLM-L-12-v2"))
    else {
        return;
    };
    let model = Model::load(&dir, &LoadOptions::default()).unwrap();
    let golden: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let (query, title) = (case["query"].as_str().unwrap(), case["title"].as_str().unwrap());
        let encoded = model.encode(query, Some(title)).unwrap();
        let ids: Vec<u32> = serde_json::from_value(case["input_ids"].clone()).unwrap();
        let types: Vec<u32> = serde_json::from_value(case["token_type_ids"].clone()).unwrap();
        let tokens: Vec<String> = serde_json::from_value(case["tokens"].clone()).unwrap();
        assert_eq!(encoded.ids, ids, "{query} / {title}");
        assert_eq!(encoded.type_ids, types);
        assert_eq!(encoded.tokens, tokens);
        let score = model.score_encoded(&[encoded], None, &Cancel::new()).unwrap()[0];
        assert!((score - case["logit"].as_f64().unwrap()).abs() < 1e-3);
    }
}
