//! Statistics and group fairness against scipy, statsmodels' definitions and fairlearn.

use std::path::Path;

use serde_json::Value as Json;

use super::super::Failure;
use super::super::queries::analysis_failure;
use super::expected::{FAIRLEARN, INTERVALS, NORMAL as NORMAL_CDF};
use super::family::{Family, Session};
use super::metrics::read;
use crate::analysis::fairness::{FairnessRequest, audit};
use crate::analysis::metrics::{Roles, Rows};
use crate::analysis::stats::{benjamini_hochberg, benjamini_yekutieli, normal_cdf, wilson};

/// scipy.stats.norm.cdf.
const NORMAL: &[(f64, f64)] = &[
    (-3.0, 0.0013498980316300933),
    (-1.0, 0.15865525393145707),
    (0.0, 0.5),
    (0.5, 0.6914624612740131),
    (1.959963984540054, 0.975),
];

pub(super) fn normal() -> Result<Family, Failure> {
    let mut family = Family::new(&NORMAL_CDF);
    for (x, p) in NORMAL {
        family.add(Some(normal_cdf(*x)), Some(*p), || format!("cdf({x})"));
    }
    Ok(family)
}

pub(super) fn shared(session: &Session<'_>, folder: &Path) -> Vec<Result<Family, Failure>> {
    let goldens = folder.join("goldens");
    vec![figures(&goldens), fairness(session, &goldens)]
}

fn numbers(value: &Json) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Json::as_f64).collect()
}

fn figures(goldens: &Path) -> Result<Family, Failure> {
    let golden = read(&goldens.join("stats_chorus.json"))?;
    let mut family = Family::new(&INTERVALS);
    for case in golden["stats"]["wilson"].as_array().into_iter().flatten() {
        let count = |name: &str| case[name].as_u64().unwrap_or_default();
        let (k, n) = (count("k"), count("n"));
        let found = wilson(k, n, case["alpha"].as_f64().unwrap_or(0.05));
        family.add(found.map(|bounds| bounds.0), case["lo"].as_f64(), || format!("Wilson {k} of {n}"));
        family.add(found.map(|bounds| bounds.1), case["hi"].as_f64(), || format!("Wilson {k} of {n}"));
    }
    let tests = &golden["stats"]["bh"];
    let p = numbers(&tests["p"]);
    for (name, found, golden) in [
        ("Benjamini-Hochberg", benjamini_hochberg(&p), numbers(&tests["adjusted"])),
        ("Benjamini-Yekutieli", benjamini_yekutieli(&p), numbers(&tests["adjusted_by"])),
    ] {
        family.add_all(&found, &golden, |index| format!("{name} {index}"));
    }
    Ok(family)
}

fn fairness(session: &Session<'_>, goldens: &Path) -> Result<Family, Failure> {
    let golden = read(&goldens.join("stats_chorus.json"))?;
    let scored = session.file(&goldens.join("chorus_scored.parquet"))?;
    let groups = session.file(&goldens.join("groups.parquet"))?;
    let from = session.joined(&scored, &groups)?;
    let named = |name: &str| Some(name.to_owned());
    let roles = Roles {
        query: named("query"),
        item: named("docid"),
        score: named("ce_l12"),
        gain: named("rating"),
        ..Roles::default()
    };
    let mut family = Family::new(&FAIRLEARN);
    for (theirs, ours) in
        [("selection_rate", "selection_rate"), ("tpr", "recall"), ("fpr", "fpr"), ("accuracy", "accuracy")]
    {
        let request = FairnessRequest {
            rows: Rows { from: from.clone(), roles: roles.clone(), relevant_at: 1.0, ..Rows::default() },
            slices: vec![vec!["group".to_owned()]],
            metric: ours.to_owned(),
            min_support: 1,
            ..FairnessRequest::default()
        };
        let table = audit(&mut session.queries(), &request, session.cancel, &mut |_, _| {})
            .map_err(analysis_failure)?;
        for line in &table.lines {
            let group = line.group_name();
            let golden = golden["fairness"]["by_group"][&group][theirs].as_f64();
            family.add(line.value, golden, || format!("{theirs}, {group}"));
        }
    }
    Ok(family)
}
