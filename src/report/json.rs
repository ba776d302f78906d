//! The stable, documented form: one object, keys only ever added, n/a is null with a reason. Rows say NaN
//! and infinities in words.

use serde_json::{Map, Value, json};

use super::{CellReport, Format, ResultRows, RunReport};
use crate::protocol::{Body, CheckOutcome, Explanation, Problem, ProblemKind, TrainReport};
use crate::util::sanitise;

pub(super) struct Json;

impl Format for Json {
    fn render(&self, report: &RunReport) -> String {
        let value = json!({
            "notebook": report.notebook,
            "title": report.title,
            "ok": report.ok,
            "exit": report.exit,
            "params": report.params.iter().map(|(k, v)| (k.clone(), json!(v))).collect::<Map<_, _>>(),
            "elapsed_ms": report.elapsed_ms,
            "cells": report.cells.iter().map(cell).collect::<Vec<_>>(),
            "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
            "remarks": report.remarks,
        });
        // A `Value` always prints.
        sanitise::json(&serde_json::to_string_pretty(&value).unwrap_or_default()) + "\n"
    }
}

fn cell(cell: &CellReport) -> Value {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| map.insert(key.to_string(), value);
    put("name", json!(cell.name));
    put("kind", json!(cell.kind));
    put("state", json!(cell.state));
    put("rows", json!(cell.rows));
    put("elapsed_ms", json!(cell.elapsed_ms));
    put("cached", json!(cell.cached));
    put("partial", json!(cell.partial));
    if let Some(found) = &cell.result {
        put("result", result(found));
    }
    put("checks", cell.checks.iter().map(check).collect());
    put("notes", json!(cell.notes));
    match &cell.body {
        Body::Table => {}
        Body::Score(score) => {
            put("score", serde_json::to_value(score).unwrap_or_default());
        }
        Body::Explain(list) => {
            put("explanations", list.iter().map(explanation).collect());
        }
        Body::Train(train) => {
            put("train", training(train));
        }
    }
    if let Some(error) = &cell.error {
        put("error", problem(error));
    }
    if let Some(because) = &cell.because {
        put("because", json!(because));
    }
    Value::Object(map)
}

fn result(result: &ResultRows) -> Value {
    json!({
        "columns": result.columns.iter().map(|column| &column.name).collect::<Vec<_>>(),
        "types": result.columns.iter().map(|column| &column.sql_type).collect::<Vec<_>>(),
        "rows": result.rows,
        "truncated": result.truncated,
    })
}

fn check(check: &CheckOutcome) -> Value {
    let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
    let mut value = json!({
        "text": check.text,
        "ok": check.ok,
        "value": finite(check.value),
        "threshold": finite(check.threshold),
        "rows_sql": check.rows_sql,
    });
    let silent = || match (check.ok, finite(check.value), finite(check.threshold)) {
        (None, ..) => Some("a figure in it is n/a".to_string()),
        (_, Some(_), Some(_)) => None,
        _ => Some("no single figure and threshold decide it".to_string()),
    };
    because(&mut value, check.reason.clone().or_else(silent).into_iter().collect());
    value
}

/// Of `recscope explain` as well. Where the method has no such figure, `reason` says so.
pub fn explanation(explanation: &Explanation) -> Value {
    let mut value = serde_json::to_value(explanation).unwrap_or_default();
    let method = &explanation.method;
    let mut reasons = Vec::new();
    if explanation.baseline_score.is_none() {
        reasons.push(format!("baseline_score: {method} compares with no baseline"));
    }
    if explanation.delta.is_none() {
        reasons.push(format!("delta: values of {method} need not sum to the score"));
    }
    if explanation.words.iter().any(|word| word.std_error.is_none()) {
        reasons.push(format!("std_error: {method} samples nothing"));
    }
    because(&mut value, reasons);
    value
}

/// Losses and figures per epoch; what could not be measured is null with a reason.
fn training(report: &TrainReport) -> Value {
    let mut value = serde_json::to_value(report).unwrap_or_default();
    let why = match report.dev_rows {
        0 => "there are no dev rows to measure on",
        _ => "not defined on these dev rows: no class has a prediction or a row to count",
    };
    for epoch in value["epochs"].as_array_mut().into_iter().flatten() {
        let fields = epoch.as_object().into_iter().flatten();
        let missing: Vec<&str> = fields.filter(|(_, v)| v.is_null()).map(|(k, _)| k.as_str()).collect();
        let reasons =
            if missing.is_empty() { vec![] } else { vec![format!("{}: {why}", missing.join(", "))] };
        because(epoch, reasons);
    }
    value
}

/// Adds `reason` to an object, if there is any.
fn because(value: &mut Value, reasons: Vec<String>) {
    if let (Some(map), false) = (value.as_object_mut(), reasons.is_empty()) {
        map.insert("reason".into(), json!(reasons.join("; ")));
    }
}

/// The same form for every subcommand's `--format json`.
fn problem(problem: &Problem) -> Value {
    let kind = match problem.kind {
        ProblemKind::Usage => "usage",
        ProblemKind::Data => "data",
        ProblemKind::Model => "model",
        ProblemKind::Resource => "resource",
        ProblemKind::Cancelled => "cancelled",
        ProblemKind::Bug => "bug",
    };
    json!({
        "kind": kind,
        "message": problem.message,
        "hint": problem.hint,
        "cell": problem.cell,
        "line": problem.line,
        "column": problem.column,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_means_the_same() {
        let json = serde_json::to_string("a\u{9b}31m\u{7f}\u{202e}\u{1b} 跑鞋").unwrap_or_default();
        let clean = sanitise::json(&json);
        assert_eq!(clean, "\"a\\u009b31m\\u007f\\u202e\\u001b 跑鞋\"");
        assert_eq!(serde_json::from_str::<Value>(&clean).ok(), serde_json::from_str(&json).ok());
    }

    #[test]
    fn what_a_method_does_not_have_is_null_with_a_reason() {
        let word = crate::protocol::WordAttribution { text: "跑鞋".into(), ..Default::default() };
        let method = "leave_one_out".to_string();
        let value = explanation(&Explanation { method, words: vec![word], ..Explanation::default() });
        let reason = value["reason"].as_str().unwrap();
        for key in ["baseline_score", "delta"] {
            assert!(value[key].is_null() && reason.contains(key), "{value}");
        }
        assert!(value["words"][0]["std_error"].is_null() && reason.contains("std_error"), "{value}");

        let epoch = crate::protocol::EpochReport { epoch: 1, dev_loss: f64::NAN, ..Default::default() };
        let value = training(&TrainReport { epochs: vec![epoch], ..TrainReport::default() });
        let reason = value["epochs"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("dev_loss") && reason.contains("no dev rows"), "{value}");
        assert!(!reason.contains("train_loss"), "{value}");
    }

    #[test]
    fn keys_are_as_documented() {
        let mut report = sample::report();
        report.cells[0].checks.push(CheckOutcome {
            text: "auc > 0.5".into(),
            ok: None,
            value: Some(f64::NAN),
            threshold: Some(0.5),
            rows_sql: None,
            reason: None,
        });
        let value: Value = serde_json::from_str(&Json.render(&report)).unwrap();
        assert_eq!(value["notebook"], "shoes.md");
        assert_eq!(value["ok"], false);
        let quality = &value["cells"][0];
        assert_eq!(quality["result"]["columns"][0], "metric");
        assert_eq!(quality["result"]["rows"][1][1], Value::Null);
        assert_eq!(quality["checks"][0]["value"], 0.41);
        assert_eq!(quality["checks"][1]["value"], Value::Null);
        assert_eq!(quality["checks"][1]["reason"], "a figure in it is n/a");
        assert_eq!(value["cells"][1]["name"], "跑鞋");
        assert_eq!(value["cells"][2]["explanations"][0]["words"][0]["attribution"], 2.1);
        assert_eq!(value["cells"][3]["error"]["line"], 2);
    }
}
