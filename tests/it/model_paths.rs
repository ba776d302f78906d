//! One definition, several ways through it: fused equals differentiable on every instruction set,
//! a batch equals its rows one by one, gradients equal finite differences, jobs stop and deduplicate.

use std::sync::atomic::Ordering;

use recscope::engine::model::{
    Bert, DeviceChoice, Dtype, FusedBert, Isa, LoadOptions, Model, ModelErrorKind, Path, Row, ScoreInputs,
    ScoreOptions, ScoreProgress, Scratch, Words,
};
use recscope::util::cancel::Cancel;

use crate::support::shared;
use crate::tiny_model::{Tiny, write};

fn tiny(options: &Tiny) -> (tempfile::TempDir, Model) {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), options);
    let load = LoadOptions { device: DeviceChoice::Cpu, ..Default::default() };
    let model = Model::load(dir.path(), &load).unwrap();
    (dir, model)
}

/// Texts of many lengths, repeated words, Chinese, a text that is cut.
fn texts() -> Vec<String> {
    let words = ["red", "running", "shoes", "跑鞋", "男", "wireless", "mouse", "!", "🦀", "坏"];
    let mut texts: Vec<String> = (1..40)
        .map(|n| (0..n).map(|i| words[(i * 7 + n) % words.len()]).collect::<Vec<_>>().join(" "))
        .collect();
    texts.push("shoes ".repeat(300));
    texts
}

fn some(texts: &[String]) -> Vec<Option<String>> {
    texts.iter().cloned().map(Some).collect()
}

fn largest(a: &[Vec<f32>], b: &[Vec<f32>]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().flatten().zip(b.iter().flatten()).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

fn outputs(model: &Model, rows: &[Row], path: Path) -> Vec<Vec<f32>> {
    outputs_in(model, rows, path, Dtype::F32)
}

fn outputs_in(model: &Model, rows: &[Row], path: Path, dtype: Dtype) -> Vec<Vec<f32>> {
    model.forward(rows, (path, dtype), &mut Scratch::default(), &Cancel::new()).unwrap()
}

#[test]
fn fused_equals_differentiable_on_every_instruction_set() {
    for labels in [0, 1, 2, 3] {
        let (_dir, model) = tiny(&Tiny { labels, ..Default::default() });
        let ids: Vec<_> = texts().iter().map(|t| model.tokens().ids(t, Some("red mouse")).unwrap()).collect();
        let rows: Vec<Row> = ids.iter().map(|i| (&i.ids[..], &i.type_ids[..])).collect();
        let exact = outputs(&model, &rows, Path::Differentiable);
        for isa in Isa::available() {
            let fused = FusedBert::with_isa(model.bert().unwrap(), isa, false).unwrap();
            let mut scratch = Scratch::default();
            // Twice with one scratch: leftovers of the first must not show.
            for _ in 0..2 {
                let got = fused.forward(&rows, model.head(), &mut scratch, &Cancel::new()).unwrap();
                let difference = largest(&got, &exact);
                assert!(difference < 1e-5, "{labels} labels on {isa:?}: {difference}");
            }
        }
    }
}

#[test]
fn fused_equals_differentiable_on_the_shared_models() {
    for name in ["ms-marco-MiniLM-L-12-v2", "all-MiniLM-L6-v2"] {
        let Some(dir) = shared(&format!("models/{name}")) else { return };
        let model = Model::load(&dir, &LoadOptions::default()).unwrap();
        let ids: Vec<_> = ["usb c hub", "跑鞋 男", "x"]
            .iter()
            .flat_map(|q| {
                [
                    "Sandberg Wireless Laser Pro mouse",
                    "Kensington SmartFit® TFT Stand Graphite with a very long name",
                ]
                .map(|t| model.tokens().ids(q, Some(t)).unwrap())
            })
            .collect();
        let rows: Vec<Row> = ids.iter().map(|i| (&i.ids[..], &i.type_ids[..])).collect();
        let (exact, fused) =
            (outputs(&model, &rows, Path::Differentiable), outputs(&model, &rows, Path::Fused));
        let difference = largest(&exact, &fused);
        println!("{name}: fused differs from differentiable by at most {difference:.1e}");
        assert!(difference < 1e-5);
    }
}

#[test]
fn a_batch_equals_its_rows_one_by_one() {
    for labels in [0, 2] {
        let (_dir, model) = tiny(&Tiny { labels, ..Default::default() });
        let ids: Vec<_> = texts().iter().map(|t| model.tokens().ids(t, None).unwrap()).collect();
        let rows: Vec<Row> = ids.iter().map(|i| (&i.ids[..], &i.type_ids[..])).collect();
        for path in [Path::Fused, Path::Differentiable] {
            let together = outputs(&model, &rows, path);
            let alone: Vec<Vec<f32>> = rows.iter().flat_map(|r| outputs(&model, &[*r], path)).collect();
            assert!(largest(&together, &alone) < 1e-5, "{path:?}");
        }
    }
}

/// Scales are each token's own, so what else is in a batch changes nothing at all.
#[test]
fn whole_numbers_lie_near_floats_and_do_not_depend_on_the_batch() {
    for labels in [0, 1, 3] {
        let (_dir, model) = tiny(&Tiny { labels, ..Default::default() });
        let ids: Vec<_> = texts().iter().map(|t| model.tokens().ids(t, Some("red mouse")).unwrap()).collect();
        let rows: Vec<Row> = ids.iter().map(|i| (&i.ids[..], &i.type_ids[..])).collect();
        let exact = outputs(&model, &rows, Path::Fused);
        let ints = outputs_in(&model, &rows, Path::Fused, Dtype::Int8);
        // A wrong scale or zero point is off by the numbers' own size. How near int8 comes on real
        // weights is `model::int8_lies_near_the_golden`'s business.
        let size = exact.iter().flatten().fold(0f32, |top, v| top.max(v.abs()));
        let apart = largest(&ints, &exact) / size;
        assert!(apart > 0.0 && apart < 0.15, "{labels} labels: {apart} of {size}");
        let alone = rows.iter().flat_map(|r| outputs_in(&model, &[*r], Path::Fused, Dtype::Int8));
        assert_eq!(alone.collect::<Vec<_>>(), ints);
        let mut first: Option<Vec<Vec<f32>>> = None;
        for isa in Isa::available() {
            let fused = FusedBert::with_isa(model.bert().unwrap(), isa, true).unwrap();
            let got = fused.forward(&rows, model.head(), &mut Scratch::default(), &Cancel::new()).unwrap();
            // The products are equal to the bit; attention and normalisation differ in their sums.
            let apart = largest(&got, first.get_or_insert(got.clone())) / size;
            assert!(apart < 0.15, "{isa:?}: {apart}");
        }
    }
}

#[test]
fn half_precision_lies_near_single() {
    let (_dir, model) = tiny(&Tiny { labels: 2, ..Default::default() });
    let ids: Vec<_> = texts().iter().map(|t| model.tokens().ids(t, None).unwrap()).collect();
    let rows: Vec<Row> = ids.iter().map(|i| (&i.ids[..], &i.type_ids[..])).collect();
    let exact = outputs(&model, &rows, Path::Differentiable);
    let half = outputs_in(&model, &rows, Path::Differentiable, Dtype::F16);
    let apart = largest(&half, &exact);
    assert!(apart > 0.0 && apart < 0.01, "{apart}");
}

/// A job over the tiny model; scores in input order.
fn job(model: &Model, inputs: &ScoreInputs, options: &ScoreOptions, rows: usize) -> (Vec<Option<f64>>, u64) {
    let mut scores = vec![None; rows];
    let progress = ScoreProgress::default();
    let report = model
        .score(inputs, options, &Cancel::new(), &progress, |chunk| {
            for (i, &row) in chunk.rows.iter().enumerate() {
                scores[row] = chunk.scores[i];
                if let (Some(score), [no, yes]) = (chunk.scores[i], &chunk.classes[..]) {
                    let odds = f64::from(yes[i].unwrap()) - f64::from(no[i].unwrap());
                    assert!((odds - score).abs() < 1e-9);
                }
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(progress.rows_done.load(Ordering::Relaxed), rows as u64);
    assert_eq!(progress.tokens_done.load(Ordering::Relaxed), report.tokens);
    (scores, report.unique_inputs)
}

#[test]
fn a_job_restores_order_and_computes_equal_inputs_once() {
    let (_dir, model) = tiny(&Tiny { labels: 2, ..Default::default() });
    let texts = texts();
    let mut queries = some(&texts);
    let mut titles: Vec<_> = (0..texts.len()).map(|i| Some(texts[(i * 3) % texts.len()].clone())).collect();
    for _ in 0..3 {
        queries.extend_from_within(..texts.len());
        titles.extend_from_within(..texts.len());
    }
    let rows = queries.len();
    let inputs = ScoreInputs::Pair(&queries, &titles);
    for options in [
        ScoreOptions::default(),
        ScoreOptions { threads: 3, batch_tokens: 70, path: Path::Fused, ..ScoreOptions::default() },
        ScoreOptions {
            threads: 1,
            batch_tokens: 5000,
            path: Path::Differentiable,
            ..ScoreOptions::default()
        },
    ] {
        let (scores, unique) = job(&model, &inputs, &options, rows);
        assert_eq!(unique as usize, texts.len());
        for (row, score) in scores.iter().enumerate() {
            let encoded = model.encode(queries[row].as_ref().unwrap(), titles[row].as_deref()).unwrap();
            let logits = outputs(&model, &[(&encoded.ids, &encoded.type_ids)], Path::Differentiable);
            let alone = f64::from(logits[0][1]) - f64::from(logits[0][0]);
            assert!((score.unwrap() - alone).abs() < 1e-5);
            if row > texts.len() {
                break;
            }
        }
    }
}

#[test]
fn each_side_of_a_bi_encoder_is_embedded_once() {
    let (_dir, model) = tiny(&Tiny { labels: 0, prefix: "", ..Default::default() });
    let texts = texts();
    // Every text against every third one, itself included: cosine 1 there.
    let pairs: Vec<(usize, usize)> =
        (0..texts.len()).flat_map(|i| (0..texts.len()).step_by(3).map(move |j| (i, j))).collect();
    let left: Vec<_> = pairs.iter().map(|&(i, _)| Some(texts[i].clone())).collect();
    let right: Vec<_> = pairs.iter().map(|&(_, j)| Some(texts[j].clone())).collect();
    let options =
        ScoreOptions { threads: 2, batch_tokens: 100, path: Path::Fused, ..ScoreOptions::default() };
    let (scores, unique) = job(&model, &ScoreInputs::Embed(&left, &right), &options, pairs.len());
    assert_eq!(unique as usize, texts.len());
    for (score, &(i, j)) in scores.iter().zip(&pairs) {
        let score = score.unwrap();
        assert!((-1.0..=1.000001).contains(&score));
        assert!(i != j || (score - 1.0).abs() < 1e-9);
        let alone = model.encode(&texts[i], Some(&texts[j])).unwrap();
        if i % 10 == 0 {
            let exact = model.score_encoded(&[alone], None, &Cancel::new()).unwrap()[0];
            assert!((exact - score).abs() < 1e-5);
        }
    }
}

#[test]
fn blank_texts_have_no_score_and_broken_weights_give_nan() {
    let (dir, model) = tiny(&Tiny::default());
    let query = vec![Some("red".into()), None, Some(" \n".into()), Some("red".into())];
    let title = vec![Some("shoes".into()), Some("x".into()), Some("x".into()), Some(String::new())];
    let inputs = ScoreInputs::Pair(&query, &title);
    let (scores, _) = job(&model, &inputs, &ScoreOptions::default(), 4);
    assert!(scores[0].unwrap().is_finite() && scores[1..].iter().all(Option::is_none));

    let mut weights = crate::tiny_model::weights(&Tiny::default());
    let nan = candle_core::Tensor::full(f32::NAN, 1, &candle_core::Device::Cpu).unwrap();
    weights.insert("classifier.bias".into(), nan);
    candle_core::safetensors::save(&weights, dir.path().join("model.safetensors")).unwrap();
    let model = Model::load(dir.path(), &LoadOptions::default()).unwrap();
    let mut chunks = 0;
    let report = model
        .score(&inputs, &ScoreOptions::default(), &Cancel::new(), &ScoreProgress::default(), |_| {
            chunks += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!((report.empty, report.nan, report.rows), (3, 1, 4));
    assert!(chunks >= 1);
}

#[test]
fn long_and_odd_texts_are_scored_and_counted() {
    let (_dir, model) = tiny(&Tiny::default());
    let odd = vec![
        Some("跑鞋 ".repeat(40_000)),
        Some("a".repeat(100_000)),
        Some("👩‍👩‍👧‍👦\u{202e}abc\u{200d}\u{1b}[31m".to_string()),
        Some("\u{0}\u{7}".to_string()),
    ];
    let options = ScoreOptions::default();
    let (scores, _) = job(&model, &ScoreInputs::Text(&odd), &options, odd.len());
    assert!(scores.iter().all(|s| s.unwrap().is_finite()));
    assert!(model.encode(odd[0].as_ref().unwrap(), None).unwrap().truncated);
    let pair = model.encode(odd[0].as_ref().unwrap(), odd[0].as_deref()).unwrap();
    assert_eq!(pair.ids.len(), model.info().max_tokens);
    // Longest first: both sides keep the same share.
    let left = pair.sides.iter().filter(|&&s| s == 0).count();
    assert!(left.abs_diff(pair.ids.len() - left) <= 2, "{left} of {}", pair.ids.len());
}

#[test]
fn a_cancel_stops_within_the_job_and_keeps_what_was_handed_over() {
    let (_dir, model) = tiny(&Tiny { layers: 3, ..Default::default() });
    let many: Vec<_> = (0..3000).map(|i| Some(format!("shoes {} {}", i % 997, i))).collect();
    let cancel = Cancel::new();
    let mut rows = 0;
    let error = model
        .score(
            &ScoreInputs::Text(&many),
            &ScoreOptions::default(),
            &cancel,
            &ScoreProgress::default(),
            |chunk| {
                rows += chunk.rows.len();
                cancel.cancel();
                Ok(())
            },
        )
        .unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::Cancelled);
    assert!(rows > 0 && rows < many.len(), "{rows}");
}

#[test]
fn an_error_of_the_receiver_ends_the_job() {
    let (_dir, model) = tiny(&Tiny::default());
    let many: Vec<_> = (0..2000).map(|i| Some(format!("red {i}"))).collect();
    let refuse = |_| Err(recscope::engine::model::ModelError::new(ModelErrorKind::Resource, "disk full"));
    let (options, progress) = (ScoreOptions::default(), ScoreProgress::default());
    let error =
        model.score(&ScoreInputs::Text(&many), &options, &Cancel::new(), &progress, refuse).unwrap_err();
    assert_eq!(error.message, "disk full");
}

#[test]
fn gradients_equal_finite_differences() {
    // Without a class: the cosine, the logit, the expected grade.
    for (labels, target) in [(0, None), (1, None), (2, None), (3, None), (3, Some(1))] {
        let (_dir, model) = tiny(&Tiny { labels, ..Default::default() });
        let input = model.encode("red running 鞋", Some("wireless mouse")).unwrap();
        let cancel = Cancel::new();
        let base = model.embeddings(&input.ids).unwrap();
        let at = |points: Vec<Vec<f32>>| model.gradients(&input, &points, target, &cancel).unwrap();
        let here = at(vec![base.clone()]).remove(0);
        let score = model.score_encoded(std::slice::from_ref(&input), target, &cancel).unwrap()[0];
        assert!((here.score - score).abs() < 1e-5);
        // Many points at once: batches on several workers come back in order.
        let step = 1e-2f32;
        let places: Vec<usize> = (0..base.len()).step_by(17).collect();
        let points: Vec<Vec<f32>> = places
            .iter()
            .flat_map(|&i| {
                [step, -step].map(|s| {
                    let mut point = base.clone();
                    point[i] += s;
                    point
                })
            })
            .collect();
        let values = at(points);
        for (pair, &i) in values.chunks(2).zip(&places) {
            let slope = (pair[0].score - pair[1].score) / f64::from(2.0 * step);
            let gradient = f64::from(here.gradient[i]);
            assert!((slope - gradient).abs() < 2e-3 * (1.0 + slope.abs()), "{labels}: {slope} {gradient}");
        }
        assert!(here.gradient.iter().any(|g| g.abs() > 1e-4));
    }
}

#[test]
fn every_weight_gets_a_gradient_and_its_change_shows() {
    let (_dir, model) = tiny(&Tiny { labels: 2, ..Default::default() });
    let (params, vars) = model.params().to_vars().unwrap();
    let bert = Bert::new(model.config(), &params).unwrap();
    let ids = model.tokens().ids("red running shoes", Some("跑 鞋 mouse")).unwrap();
    let row: Row = (&ids.ids, &ids.type_ids);
    let batch =
        recscope::engine::model::Padded::new(&[row, (&row.0[..4], &row.1[..4])], 0, bert.device()).unwrap();
    let logits = || {
        let states = bert.hidden_states(&Words::Ids(&batch.ids), &batch, None, &Cancel::new()).unwrap();
        bert.logits(&states, None).unwrap()
    };
    let loss = logits().sqr().unwrap().sum_all().unwrap();
    let gradients = loss.backward().unwrap();
    for (name, var) in &vars {
        let gradient = gradients.get(var).unwrap_or_else(|| panic!("{name} has no gradient"));
        let size = gradient.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
        // A key's bias shifts all scores of a row alike: softmax does not see it.
        assert!(size > 1e-7 || name.ends_with("key.bias"), "{name}: {size}");
    }
    let before = loss.to_scalar::<f32>().unwrap();
    for (_, var) in &vars {
        let gradient = gradients.get(var).unwrap();
        var.set(&(var.as_tensor() - (gradient * 1e-3).unwrap()).unwrap()).unwrap();
    }
    let after = logits().sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
    assert!(after < before, "{before} -> {after}");
    // The loaded model kept its own weights.
    let dir = tempfile::tempdir().unwrap();
    params.save(&dir.path().join("model.safetensors")).unwrap();
    let saved = candle_core::safetensors::load(dir.path().join("model.safetensors"), bert.device()).unwrap();
    assert!(saved.contains_key("bert.encoder.layer.0.output.LayerNorm.weight"));
    assert_eq!(saved.len(), vars.len());
}
