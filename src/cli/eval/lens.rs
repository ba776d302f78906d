//! `recscope eval --convention all`: one run under every preset, and the queries that make the
//! presets differ, as text and as JSON. No computing here.

use std::fmt::Write as _;

use serde_json::{Map, Value as Json, json};

use super::super::args::{EvalArgs, EvalFormat};
use super::super::output::json_page;
use super::{finite, measures};
use crate::analysis::metrics::{CONVENTIONS, Lens};
use crate::util::{figures, sanitise};

pub(super) fn show(args: &EvalArgs, lens: &Lens) -> String {
    match args.format {
        EvalFormat::Json => json_text(args, lens),
        EvalFormat::Text | EvalFormat::Trec => text(args, lens),
    }
}

fn json_text(args: &EvalArgs, lens: &Lens) -> String {
    let mut conventions = Map::new();
    for ((id, table), convention) in lens.tables.iter().zip(CONVENTIONS) {
        let rules: Map<String, Json> =
            convention.rules().into_iter().map(|(rule, text)| (rule.to_string(), json!(text))).collect();
        let mut entry = json!({ "rules": rules, "source": convention.source });
        if let Some(entry) = entry.as_object_mut() {
            match table {
                Ok(table) => entry.insert("measures".into(), Json::Object(measures(args, table))),
                Err(error) => entry.insert("refused".into(), json!(error.to_string())),
            };
        }
        conventions.insert((*id).to_string(), entry);
    }
    let differences: Vec<Json> = lens
        .differences
        .iter()
        .map(|found| {
            json!({
                "convention": found.convention,
                "measure": found.metric,
                "query": found.query,
                "reference": finite(found.own),
                "value": finite(found.theirs),
                "why": found.why,
            })
        })
        .collect();
    let report = json!({ "convention": "all", "reference": lens.reference, "conventions": conventions, "differences": differences });
    json_page(&report)
}

fn text(args: &EvalArgs, lens: &Lens) -> String {
    let mut out = format!(
        "{:14}  {:11}  {:>8}  {:>18}  {:>7}  {:>6}  {:>7}\n",
        "measure", "convention", "value", "95 % interval", "n", "n/a", "differ"
    );
    for measure in &args.measures {
        let measure = crate::analysis::metrics::MetricId::parse(measure).map(|id| id.to_string());
        let measure = measure.unwrap_or_default();
        for (id, table) in &lens.tables {
            let Ok(table) = table else {
                let _ = writeln!(out, "{measure:14}  {id:11}  {:>8}", "refused");
                continue;
            };
            let Some(line) = table.line(&measure) else { continue };
            let value = line.value.map_or("n/a".to_string(), |value| format!("{value:.4}"));
            let interval = match (line.lower, line.upper) {
                (Some(lower), Some(upper)) => format!("{lower:.4} to {upper:.4}"),
                _ => String::new(),
            };
            let count = |n: u64| figures::thousands(i128::from(n));
            let differ =
                lens.differences.iter().filter(|d| d.metric == measure && d.convention == *id).count();
            let _ = writeln!(
                out,
                "{measure:14}  {id:11}  {value:>8}  {interval:>18}  {:>7}  {:>6}  {:>7}",
                count(line.n),
                count(line.n_na),
                count(differ as u64)
            );
        }
    }
    out.push('\n');
    for note in lens.notes() {
        let _ = writeln!(out, "{}", sanitise::line(&note));
    }
    for (id, table) in &lens.tables {
        if let Err(error) = table {
            let _ = writeln!(out, "{id} refuses these rows: {}", sanitise::line(&error.to_string()));
        }
    }
    out
}
