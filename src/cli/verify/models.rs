//! Models against their Python originals: the tiny ones of the repository, and attributions of a
//! shared one against captum.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::super::Failure;
use super::expected::{ARCHITECTURES, CAPTUM};
use super::family::{Family, Session};
use super::metrics::read;
use crate::analysis::explain::{ExplainMethod, ExplainOptions, explain};
use crate::engine::lanes::ModelScorer;
use crate::engine::model::{DeviceChoice, Dtype, LoadOptions, Model, Path as Route, Row, Scratch};
use crate::util::cancel::Cancel;

fn load(folder: &Path) -> Result<Model, Failure> {
    Ok(Model::load(folder, &LoadOptions { device: DeviceChoice::Cpu, ..LoadOptions::default() })?)
}

fn numbers(value: &Json) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Json::as_f64).collect()
}

/// fixtures/architectures, here or beside the sources that this program was built from.
fn fixtures() -> Option<PathBuf> {
    let here = PathBuf::from("fixtures/architectures");
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join(&here);
    [here, built].into_iter().find(|folder| folder.is_dir())
}

pub(super) fn architectures() -> Result<Family, Failure> {
    let Some(folder) = fixtures() else {
        return Ok(Family::missing(&ARCHITECTURES, "no fixtures/architectures here"));
    };
    let mut family = Family::new(&ARCHITECTURES);
    let entries = std::fs::read_dir(&folder)
        .map_err(|e| Failure::resource(format!("cannot read {}: {e}", folder.display())))?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    for folder in folders.iter().filter(|folder| folder.join("golden.json").is_file()) {
        let golden = read(&folder.join("golden.json"))?;
        let model = load(folder)?;
        let ids = |value: &Json| numbers(value).into_iter().map(|id| id as u32).collect::<Vec<_>>();
        let cases: Vec<&Json> = golden["cases"].as_array().into_iter().flatten().collect();
        let inputs: Vec<(Vec<u32>, Vec<u32>)> =
            cases.iter().map(|case| (ids(&case["ids"]), ids(&case["type_ids"]))).collect();
        let rows: Vec<Row<'_>> = inputs.iter().map(|(ids, types)| (&ids[..], &types[..])).collect();
        let routes = [Route::Differentiable, Route::Fused];
        for route in
            routes.into_iter().filter(|route| *route == Route::Differentiable || model.has_fused_path())
        {
            let found = model.forward(&rows, (route, Dtype::F32), &mut Scratch::default(), &Cancel::new())?;
            for (at, case) in cases.iter().enumerate() {
                let found: Vec<f64> = found.get(at).into_iter().flatten().copied().map(f64::from).collect();
                let at = |_| format!("{}, {route:?}", folder.display());
                family.add_all(&found, &numbers(&case["output"]), at);
            }
        }
    }
    Ok(family)
}

/// Integrated gradients and leave-one-out of a cross-encoder, as a share of the largest value.
pub(super) fn attributions(session: &Session<'_>, folder: &Path) -> Result<Family, Failure> {
    let weights = folder.join("models/ms-marco-MiniLM-L-12-v2");
    if !weights.is_dir() {
        return Ok(Family::missing(&CAPTUM, format!("{} is not here", weights.display())));
    }
    let golden = read(&folder.join("goldens/attribution_ce_l12.json"))?;
    let model = load(&weights)?;
    let mut family = Family::new(&CAPTUM);
    for case in golden["cases"].as_array().into_iter().flatten() {
        session.cancel.check().map_err(|_| Failure::from(crate::engine::store::StoreError::cancelled()))?;
        let text = |key: &str| case[key].as_str().unwrap_or_default();
        let options = ExplainOptions {
            method: ExplainMethod::IntegratedGradients,
            nodes: 64,
            max_nodes: 64,
            ..ExplainOptions::default()
        };
        let mut scorer = ModelScorer::new(&model, None, session.cancel);
        let found =
            explain(&mut scorer, text("query"), Some(text("title")), &options, session.cancel, &mut |_| {})
                .map_err(|error| Failure::data(error.to_string()))?;
        family.add(Some(found.score), case["logit"].as_f64(), || format!("logit, {}", text("query")));
        let words = numbers(&case["word_of_token"]);
        let golden = numbers(&case["ig_token"]).into_iter().zip(words).filter(|(_, word)| *word >= 0.0);
        let golden: Vec<f64> = golden.map(|(value, _)| value).collect();
        let scale = golden.iter().map(|value| value.abs()).fold(f64::MIN_POSITIVE, f64::max);
        let shares = |values: Vec<f64>| values.into_iter().map(|value| value / scale).collect::<Vec<_>>();
        let found = shares(found.tokens.iter().map(|token| token.attribution).collect());
        family.add_all(&found, &shares(golden), |_| format!("integrated gradients, {}", text("query")));
    }
    Ok(family)
}
