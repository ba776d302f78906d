//! A headless run's result, and its formats: one file per format. Pure: a [`RunReport`] in, text out.

mod csv;
mod grid;
mod html;
mod json;
mod markdown;
mod run;
mod text;
mod words;

pub use json::explanation as explanation_json;
pub use run::{CellReport, ResultRows, RunReport};
pub use text::Text;
pub(crate) use text::check_line;

/// A way to write a report.
pub trait Format {
    /// The whole document, ending in a line break.
    fn render(&self, report: &RunReport) -> String;

    /// What whoever asked for the document must be told beside it.
    fn note(&self, _report: &RunReport) -> Option<String> {
        None
    }
}

/// Names of the formats, as `--format` takes them.
pub const FORMATS: [&str; 5] = ["text", "json", "md", "html", "csv"];

/// The format of that name; `width` is the terminal's, for `text`.
pub fn format(name: &str, width: usize) -> Option<Box<dyn Format>> {
    Some(match name {
        "text" => Box::new(Text { width }),
        "json" => Box::new(json::Json),
        "md" | "markdown" => Box::new(markdown::Markdown),
        "html" => Box::new(html::Html),
        "csv" => Box::new(csv::Csv { raw: false }),
        _ => return None,
    })
}

/// CSV whose texts are what they are, even those that a spreadsheet would run.
pub fn raw_csv() -> Box<dyn Format> {
    Box::new(csv::Csv { raw: true })
}

/// One sentence about the whole run: `4 checks passed, 1 failed; 9 cells in 12s`.
pub(crate) fn verdict(report: &RunReport) -> String {
    use crate::util::figures::{clock, plural};
    let checks = report.cells.iter().flat_map(|cell| &cell.checks);
    let (passed, failed): (Vec<_>, Vec<_>) = checks.partition(|check| check.ok == Some(true));
    let broken = report.cells.iter().filter(|cell| cell.state == "failed").count() as u64;
    let skipped =
        report.cells.iter().filter(|cell| matches!(cell.state.as_str(), "skipped" | "queued")).count() as u64;
    let mut parts = Vec::new();
    if !passed.is_empty() {
        parts.push(plural(passed.len() as u64, "check passed", "checks passed"));
    }
    if !failed.is_empty() {
        parts.push(plural(failed.len() as u64, "check failed", "checks failed"));
    }
    if broken > 0 {
        parts.push(plural(broken, "cell failed", "cells failed"));
    }
    if skipped > 0 {
        parts.push(plural(skipped, "cell not run", "cells not run"));
    }
    if !report.problems.is_empty() {
        parts.push(plural(report.problems.len() as u64, "problem", "problems"));
    }
    let cells = plural(report.cells.len() as u64, "cell", "cells");
    parts.push(format!("{cells} in {}", clock(report.elapsed_ms)));
    parts.join(", ")
}

#[cfg(test)]
pub(crate) mod sample {
    //! A report with a bit of everything, hostile text included.

    use serde_json::json;

    use super::{CellReport, ResultRows, RunReport};
    use crate::protocol::{Body, CheckOutcome, Column, Explanation, Problem, ProblemKind, WordAttribution};

    pub fn column(name: &str, sql_type: &str) -> Column {
        Column { name: name.into(), sql_type: sql_type.into(), ..Column::default() }
    }

    fn word(text: &str, side: u8, attribution: f64) -> WordAttribution {
        WordAttribution { text: text.into(), side, attribution, std_error: None }
    }

    pub fn report() -> RunReport {
        let metrics = CellReport {
            name: "quality".into(),
            kind: "metrics".into(),
            state: "done".into(),
            prose: "# Why <b>boots</b>?\n\nA *week* of logs.\n\n".into(),
            source: "from = \"rel\"\n".into(),
            rows: Some(2),
            elapsed_ms: 1200,
            result: Some(ResultRows {
                columns: vec![
                    column("metric", "VARCHAR"),
                    column("value", "DOUBLE"),
                    column("lower", "DOUBLE"),
                    column("upper", "DOUBLE"),
                    column("n", "BIGINT"),
                    column("n_na", "BIGINT"),
                ],
                rows: vec![
                    vec![json!("ndcg@10"), json!(0.41), json!(0.38), json!(0.44), json!(4870), json!(12)],
                    vec![json!("auc"), json!(null), json!(null), json!(null), json!(0), json!(0)],
                ],
                truncated: false,
            }),
            checks: vec![CheckOutcome {
                text: "ndcg@10 >= 0.5".into(),
                ok: Some(false),
                value: Some(0.41),
                threshold: Some(0.5),
                rows_sql: Some("SELECT * FROM rel".into()),
                reason: None,
            }],
            notes: vec!["3 % of rows are tied".into()],
            ..CellReport::default()
        };
        let sql = CellReport {
            name: "跑鞋".into(),
            kind: "sql".into(),
            state: "done".into(),
            rows: Some(1000),
            result: Some(ResultRows {
                columns: vec![column("query", "VARCHAR"), column("title", "VARCHAR"), column("id", "BIGINT")],
                rows: vec![
                    vec![
                        json!("跑鞋 男"),
                        json!("Boots | \u{1b}[31m\u{202e}<script>alert(1)</script>"),
                        json!(12345),
                    ],
                    vec![json!(null), json!("a\nb"), json!(7)],
                ],
                truncated: true,
            }),
            ..CellReport::default()
        };
        let explain = CellReport {
            name: "worst".into(),
            kind: "explain".into(),
            state: "done".into(),
            body: Body::Explain(vec![Explanation {
                model: "m".into(),
                method: "integrated_gradients".into(),
                score: 7.91,
                delta: Some(0.004),
                words: vec![
                    word("跑", 0, 2.1),
                    word("鞋", 0, 0.2),
                    word("Hiking", 1, -0.9),
                    word("<b>", 1, 0.0),
                ],
                ..Explanation::default()
            }]),
            ..CellReport::default()
        };
        let failed = CellReport {
            name: "bad".into(),
            kind: "sql".into(),
            state: "failed".into(),
            error: Some(
                Problem::new(ProblemKind::Data, "no column `qurey`")
                    .hint("did you mean `query`?")
                    .in_cell("bad")
                    .at(2, 8),
            ),
            ..CellReport::default()
        };
        let skipped = CellReport {
            name: "after".into(),
            kind: "metrics".into(),
            state: "skipped".into(),
            because: Some("bad".into()),
            ..CellReport::default()
        };
        RunReport {
            notebook: "shoes.md".into(),
            title: Some("Why <b>boots</b>?".into()),
            params: vec![("k".into(), "10".into())],
            ok: false,
            exit: 3,
            cells: vec![metrics, sql, explain, failed, skipped],
            problems: Vec::new(),
            remarks: Vec::new(),
            elapsed_ms: 12_000,
            stuck: false,
        }
    }
}
