//! `recscope explain`: which words moved one score. A notebook of two cells, run like any other, so
//! that it says exactly what an explain cell says.

use std::fmt::Write;
use std::path::Path;

use super::args::{EngineSettings, ExplainArgs, ShortFormat};
use super::output::{Ticker, json_page, print, width};
use super::run::{RunOptions, run_notebook};
use super::{Failure, settings};
use crate::protocol::{Body, Explanation};
use crate::report::{CellReport, Format, RunReport, Text, explanation_json};
use crate::terms::Choice as _;

/// Explains and prints.
pub(super) fn explain(args: &ExplainArgs) -> Result<u8, Failure> {
    let folder = tempfile::tempdir().map_err(|e| Failure::resource(format!("no temporary folder: {e}")))?;
    let notebook = folder.path().join("explain.md");
    std::fs::write(&notebook, notebook_text(args)?)
        .map_err(|e| Failure::resource(format!("cannot write {}: {e}", notebook.display())))?;
    let engine = EngineSettings { device: args.device.clone(), ..EngineSettings::default() };
    let mut options = RunOptions {
        engine: settings::load().engine_options(&engine)?,
        cancel: super::stop::report_on_signal(),
        ..RunOptions::default()
    };
    options.engine.cache = false;
    let mut params = vec![("query".to_string(), args.query.clone())];
    params.extend(args.title.iter().map(|title| ("title".to_string(), title.clone())));
    let mut ticker = Ticker::new();
    let report = run_notebook(&notebook, &params, &options, &mut |event| {
        if let Some(line) = super::headless::progress(event) {
            ticker.show(&line);
        }
    });
    ticker.clear();
    if report.stuck {
        super::stop::exit_of(&report);
    }
    let explanation = found(&report)?;
    print(&match args.format {
        ShortFormat::Json => json_text(explanation),
        ShortFormat::Text => text(&report, explanation),
    })
}

/// The texts are parameters, so nothing of them is pasted into SQL.
fn notebook_text(args: &ExplainArgs) -> Result<String, Failure> {
    let model = std::path::absolute(&args.model).unwrap_or_else(|_| args.model.clone());
    let model = model.to_str().ok_or_else(|| Failure::usage("the model's path is not UTF-8"))?;
    let mut text = String::from("---\nrecscope: 1\nparams: { query: \"\", title: \"\" }\n---\n");
    text.push_str("```sql pair\nSELECT {{query}}::VARCHAR AS query, {{title}}::VARCHAR AS title\n```\n");
    let columns = match (&args.title, args.embed) {
        (Some(_), true) => "embed = [\"query\", \"title\"]",
        (Some(_), false) => "pair = [\"query\", \"title\"]",
        (None, true) => return Err(Failure::usage("--embed compares two texts").hint("add --title")),
        (None, false) => "text = \"query\"",
    };
    let value = |text: &str| toml::Value::String(text.into()).to_string();
    let _ = write!(text, "```explain why\nfrom = \"pair\"\nmodel = {}\n{columns}\n", value(model));
    let _ = writeln!(text, "method = {}", value(args.method.id()));
    if let [query, title] = args.prefixes.as_slice() {
        let _ = writeln!(text, "prefixes = [{}, {}]", value(query), value(title));
    }
    if let Some(nodes) = args.nodes {
        let _ = writeln!(text, "nodes = {nodes}");
    }
    if let Some(target) = &args.target {
        let _ = writeln!(text, "target = {}", value(target));
    }
    text.push_str("```\n");
    Ok(text)
}

fn found(report: &RunReport) -> Result<&Explanation, Failure> {
    let errors = report.cells.iter().filter_map(|cell| cell.error.as_ref()).chain(&report.problems);
    if let Some(problem) = errors.into_iter().next() {
        // The cell is ours: its name and line mean nothing to the reader.
        return Err(Failure(crate::protocol::Problem {
            cell: None,
            line: None,
            column: None,
            ..problem.clone()
        }));
    }
    if report.exit >= 128 {
        return Err(Failure(crate::protocol::Problem::new(
            crate::protocol::ProblemKind::Cancelled,
            "cancelled",
        )));
    }
    let explanation = report.cells.iter().find_map(|cell| match &cell.body {
        Body::Explain(list) => list.first(),
        _ => None,
    });
    explanation.ok_or_else(|| Failure::bug("the run gave no explanation"))
}

/// The keys of `run`'s explanations, without those that only tell rows of a table apart.
fn json_text(explanation: &Explanation) -> String {
    let mut value = explanation_json(explanation);
    if let Some(map) = value.as_object_mut() {
        for key in ["row", "query", "text", "record"] {
            map.remove(key);
        }
    }
    json_page(&value)
}

fn text(report: &RunReport, explanation: &Explanation) -> String {
    let name = Path::new(&explanation.model).file_name().map(|n| n.to_string_lossy().into_owned());
    let cells: Vec<CellReport> =
        report.cells.iter().filter(|cell| matches!(cell.body, Body::Explain(_))).cloned().collect();
    let own = RunReport {
        title: name,
        cells,
        ok: report.ok,
        elapsed_ms: report.elapsed_ms,
        ..RunReport::default()
    };
    Text { width: width() }.render(&own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notebook::Notebook;
    use crate::terms::ExplainMethod;

    #[test]
    fn the_notebook_is_sound_whatever_the_texts() {
        let args = ExplainArgs {
            model: "m \"x\"".into(),
            query: "'; DROP".into(),
            title: Some("```".into()),
            method: ExplainMethod::LeaveOneOut,
            nodes: Some(8),
            target: Some("a\nb".into()),
            embed: false,
            prefixes: Vec::new(),
            format: ShortFormat::Text,
            device: None,
        };
        let notebook = Notebook::parse(&notebook_text(&args).unwrap());
        assert_eq!(notebook.diagnostics(), []);
        assert_eq!(notebook.cells().count(), 2);
        let embed = ExplainArgs { embed: true, prefixes: vec!["q\": ".into(), String::new()], ..args };
        assert_eq!(Notebook::parse(&notebook_text(&embed).unwrap()).diagnostics(), []);
        assert!(notebook_text(&ExplainArgs { title: None, ..embed }).is_err());
    }
}
