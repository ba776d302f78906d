//! Metrics against other libraries: the figures that the program carries, and the shared ones.

use std::path::Path;

use serde_json::Value as Json;

use super::super::Failure;
use super::expected;
use super::family::{Family, Session};
use crate::analysis::metrics::{Empty, MetricsRequest, Roles, Rows, Ties, convention};

/// Made by scripts/goldens/metrics_peers.py.
const PEERS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/goldens/metrics_peers.json"));

/// Small tables with the values that peer libraries give, per convention.
pub(super) fn peers(session: &Session<'_>) -> Vec<Result<Family, Failure>> {
    let goldens: Json = serde_json::from_str(PEERS).unwrap_or_default();
    let cases = goldens["cases"].as_array().cloned().unwrap_or_default();
    let found: Result<Vec<Family>, Failure> = cases.iter().map(|case| peer(session, case)).collect();
    let mut families = match found {
        Ok(families) => families,
        Err(failure) => return vec![Err(failure)],
    };
    let figures = families.iter().map(|family| family.figures).sum();
    families.push(Family { figures, at: "every table".to_owned(), ..Family::new(&expected::PEERS) });
    families.into_iter().map(Ok).collect()
}

fn peer(session: &Session<'_>, case: &Json) -> Result<Family, Failure> {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    let name = text("name").to_owned();
    let tolerance = case["tolerance"].as_f64().unwrap_or(1e-9);
    let mut family = Family { name, tolerance, ..Family::new(&expected::PEERS) };
    let from = session.csv(text("rows"))?;
    let header: Vec<&str> = text("rows").lines().next().unwrap_or_default().split(',').collect();
    let values = case["values"].as_object().cloned().unwrap_or_default();
    let mut request = MetricsRequest::by_header(&header, &from, values.keys().cloned().collect());
    request.rows.relevant_at = case["relevant_at"].as_f64().unwrap_or(1.0);
    if let Some(convention) = convention(text("convention")) {
        request = convention.apply(&request);
    }
    if text("convention") == "expected" {
        request.rows.ties = Ties::Expected;
    }
    request.per_list = true;
    let table = session.evaluate(&request)?;
    for (metric, golden) in &values {
        let line = table.line(metric);
        family.add(line.and_then(|line| line.value), golden.as_f64(), || format!("{metric}, mean"));
    }
    let lists = table.lists.clone().unwrap_or_default();
    for (metric, golden) in case["per_query"].as_object().into_iter().flatten() {
        let column = lists.metrics.iter().position(|name| name == metric);
        for (query, golden) in golden.as_object().into_iter().flatten() {
            let place = lists.queries.iter().position(|name| name == query);
            let value = column.zip(place).and_then(|(column, at)| lists.values.get(column)?.get(at).copied());
            family
                .add(value.filter(|value| !value.is_nan()), golden.as_f64(), || format!("{metric}, {query}"));
        }
    }
    // Whether all tables together are whole is told by the last line of this family.
    family.expected = family.figures;
    Ok(family)
}

/// Their name, ours, and theirs over ours.
const TREC: &[(&str, &str, f64)] = &[
    ("map", "map", 1.0),
    ("Rprec", "rprec", 1.0),
    ("bpref", "bpref", 1.0),
    ("recip_rank", "mrr", 1.0),
    ("P_5", "precision@5", 1.0),
    ("P_10", "precision@10", 1.0),
    ("recall_10", "recall@10", 1.0),
    ("ndcg_cut_5", "ndcg@5", 1.0),
    ("ndcg_cut_10", "ndcg@10", 1.0),
    ("map_cut_10", "map@10", 1.0),
    ("success_1", "hit@1", 1.0),
    ("success_5", "hit@5", 1.0),
    ("num_rel_ret", "hits", 1.0),
];

/// The classification goldens: ours, theirs, tolerance. The probabilities behind theirs are of another
/// run of the model than the file's.
const CLASSES: &[(&str, &str, f64)] = &[
    ("accuracy", "accuracy", 1e-9),
    ("precision", "precision", 1e-9),
    ("recall", "recall", 1e-9),
    ("f1", "f1", 1e-9),
    ("auc", "roc_auc", 1e-9),
    ("ap", "average_precision", 1e-6),
    ("log_loss", "log_loss", 1e-6),
    ("brier", "brier", 1e-6),
    ("ece", "ece_15_equal_width_right_closed", 1e-6),
];

fn roles(score: &str) -> Roles {
    let named = |name: &str| Some(name.to_owned());
    Roles {
        query: named("query"),
        item: named("docid"),
        score: named(score),
        gain: named("rating"),
        ..Roles::default()
    }
}

pub(super) fn shared(session: &Session<'_>, folder: &Path) -> Vec<Result<Family, Failure>> {
    match chorus(session, &folder.join("goldens")) {
        Ok(families) => families.into_iter().map(Ok).collect(),
        Err(failure) => vec![Err(failure)],
    }
}

fn chorus(session: &Session<'_>, goldens: &Path) -> Result<Vec<Family>, Failure> {
    let from = session.file(&goldens.join("chorus_scored.parquet"))?;
    let mut trec = Family::new(&expected::TREC_EVAL);
    let golden = read(&goldens.join("trec_eval_chorus.json"))?;
    for (name, expected) in golden.as_object().into_iter().flatten() {
        let Some((score, level)) = name.split_once(".rel") else { continue };
        let rows = Rows {
            from: from.clone(),
            roles: roles(score),
            relevant_at: level.parse().unwrap_or(1.0),
            ..Rows::default()
        };
        let show = TREC.iter().map(|(_, ours, _)| (*ours).to_owned()).collect();
        let table = session.evaluate(&MetricsRequest {
            rows,
            show,
            empty: Empty::Zero,
            per_list: true,
            ..MetricsRequest::default()
        })?;
        let lists = table.lists.clone().unwrap_or_default();
        for (column, (theirs, ours, scale)) in TREC.iter().enumerate() {
            let scaled = |value: Option<f64>| value.map(|value| value * scale);
            trec.add(scaled(table.figure(ours)), expected["mean"][theirs].as_f64(), || {
                format!("{name} {ours}")
            });
            // Theirs, so that a query which one of us lacks is found on either side.
            let values = lists.values.get(column).map(Vec::as_slice).unwrap_or_default();
            let golden = |query: &String| expected["per_query"][query][theirs].as_f64();
            for (at, query) in lists.queries.iter().enumerate() {
                trec.add(scaled(values.get(at).copied()), golden(query), || {
                    format!("{name} {ours}, {query}")
                });
            }
        }
    }
    let golden = read(&goldens.join("stats_chorus.json"))?;
    let rows = Rows { from, roles: roles("ce_l12"), relevant_at: 1.0, ..Rows::default() };
    let show = CLASSES.iter().map(|(ours, ..)| (*ours).to_owned()).collect();
    let table = session.evaluate(&MetricsRequest { rows, show, ..MetricsRequest::default() })?;
    let mut exact = Family::new(&expected::SKLEARN);
    let mut noisy = Family::new(&expected::SKLEARN_PROBABILITIES);
    for (ours, theirs, tolerance) in CLASSES {
        let family = if *tolerance == 1e-9 { &mut exact } else { &mut noisy };
        family.add(table.figure(ours), golden["classification"][theirs].as_f64(), || (*ours).to_owned());
    }
    Ok(vec![trec, exact, noisy])
}

/// A JSON file.
pub(super) fn read(path: &Path) -> Result<Json, Failure> {
    let unreadable = |why: String| Failure::data(format!("cannot read {}: {why}", path.display()));
    let text = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    serde_json::from_slice(&text).map_err(|e| unreadable(e.to_string()))
}
