//! The result of a contest as text and as JSON.

use serde_json::{Value, json};

use super::compare::Comparison;
use super::contest::Outcome;
use super::sample::Sample;
use crate::util::{figures, sanitise};

/// One contestant's line, and what it lost against the first (the first lost nothing).
pub struct Line {
    pub name: String,
    pub dtype: String,
    pub bytes: u64,
    pub parameters: u64,
    pub load_seconds: f64,
    pub outcome: Outcome,
    pub against: Option<Comparison>,
}

/// A table of speeds, then a paragraph per comparison.
pub fn text(sample: &Sample, lines: &[Line]) -> String {
    let Some(first) = lines.first() else { return String::new() };
    let name = |line: &Line| sanitise::excerpt(&line.name, 40);
    let wide = lines.iter().map(|line| name(line).chars().count()).max().unwrap_or(0).max(5);
    let rows = figures::plural(sample.rows() as u64, "row", "rows");
    let mut text = format!("{rows} of {}\n\n", sanitise::line(&sample.source));
    text.push_str(&format!(
        "{:wide$}  {:5}  {:>9}  {:>8}  {:>8}  {:>6}  {:>6}\n",
        "model", "type", "size", "tokens/s", "rows/s", "speed", "load"
    ));
    for line in lines {
        let speed = line.outcome.rows_per_second() / first.outcome.rows_per_second();
        text.push_str(&format!(
            "{:wide$}  {:5}  {:>9}  {:>8}  {:>8}  {:>5.2}x  {:>4.1} s\n",
            name(line),
            line.dtype,
            figures::bytes(line.bytes),
            figures::compact(line.outcome.tokens_per_second() as u64),
            figures::compact(line.outcome.rows_per_second() as u64),
            speed,
            line.load_seconds,
        ));
    }
    for line in lines {
        if let Some(against) = &line.against {
            let (a, b) = (full(line), full(first));
            text.push_str(&format!("\n{a} against {b}\n{}", paragraph(against)));
        }
    }
    text
}

fn full(line: &Line) -> String {
    format!("{} {}", sanitise::excerpt(&line.name, 40), line.dtype)
}

/// What was lost, in three lines.
pub fn paragraph(lost: &Comparison) -> String {
    let mut text = format!("  scores    {}\n", scores(lost));
    if let Some(change) = &lost.ranking {
        let interval = change.interval.map(|i| (i.lower, i.upper));
        text.push_str(&format!(
            "  {:8}  {:.4} -> {:.4}, {} {} over {}\n",
            change.metric,
            change.before,
            change.after,
            figures::signed(change.change, 4),
            interval.map_or_else(String::new, |(low, high)| format!(
                "[{}, {}]",
                figures::signed(low, 4),
                figures::signed(high, 4)
            )),
            figures::plural(change.queries, "query", "queries"),
        ));
    }
    let verdict = if lost.verdict.passes { "passes" } else { "FAILS" };
    text.push_str(&format!("  gate      {verdict}: {}\n", lost.verdict.why));
    text
}

/// `mean difference 0.0403, largest 0.683; Spearman 0.9971`.
pub fn scores(lost: &Comparison) -> String {
    let figure = |value: Option<f64>| value.map_or_else(|| "n/a".to_string(), |v| format!("{v:.4}"));
    let drift = &lost.scores;
    let unpaired = match drift.unpaired {
        0 => String::new(),
        n => format!("; {} with a score on one side only", figures::plural(n, "row", "rows")),
    };
    format!(
        "mean difference {}, largest {}; Spearman {}{unpaired}",
        figure(drift.mean),
        figure(drift.largest),
        figure(drift.spearman)
    )
}

pub fn json(sample: &Sample, lines: &[Line]) -> Value {
    json!({
        "rows": sample.rows(),
        "source": sample.source,
        "models": lines.iter().map(one).collect::<Vec<_>>(),
    })
}

fn one(line: &Line) -> Value {
    json!({
        "name": line.name,
        "dtype": line.dtype,
        "bytes": line.bytes,
        "parameters": line.parameters,
        "load_seconds": line.load_seconds,
        "seconds": line.outcome.seconds,
        "tokens": line.outcome.tokens,
        "tokens_per_second": line.outcome.tokens_per_second(),
        "rows_per_second": line.outcome.rows_per_second(),
        "against_first": line.against.as_ref().map(comparison),
    })
}

pub fn comparison(lost: &Comparison) -> Value {
    json!({
        "rows": lost.scores.rows,
        "unpaired": lost.scores.unpaired,
        "mean_difference": lost.scores.mean,
        "largest_difference": lost.scores.largest,
        "spearman": lost.scores.spearman,
        "ranking": lost.ranking.as_ref().map(|change| json!({
            "metric": change.metric,
            "queries": change.queries,
            "before": change.before,
            "after": change.after,
            "change": change.change,
            "lower": change.interval.map(|i| i.lower),
            "upper": change.interval.map(|i| i.upper),
        })),
        "passes": lost.verdict.passes,
        "why": lost.verdict.why,
    })
}
