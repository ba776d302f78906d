//! `recscope eval --compare`: runs against the first one, query by query.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::super::args::{EvalArgs, EvalFormat};
use super::super::output::{cancel_on_signal, json_page, print};
use super::super::queries::analysis_failure;
use super::super::{Failure, err_line, settings};
use super::files::{register, register_judgments};
use super::judgments::{self, File};
use super::{finite, interval_json, judged, request};
use crate::analysis::compare::{
    CompareLine, CompareRequest, CompareTable, Moved, Run, TopItem, compare as contrast,
};
use crate::analysis::metrics::Rows;
use crate::engine::lanes::StoreQueries;
use crate::engine::store::{Store, StoreOptions};
use crate::util::{figures, sanitise};

/// Reads every run and the judgments, compares, prints.
pub(super) fn compare(args: &EvalArgs) -> Result<u8, Failure> {
    let paths: Vec<&String> = args.run.iter().chain(args.compare.iter().flatten()).collect();
    if args.compare.is_none() {
        return Err(Failure::usage("several runs are evaluated by comparing them")
            .hint("add --compare; the first --run is the baseline"));
    }
    if paths.len() < 2 {
        return Err(Failure::usage("a comparison needs two runs").hint("e.g. --run OLD --run NEW --compare"));
    }
    if args.convention == "all" || args.format == EvalFormat::Trec {
        return Err(Failure::usage("a comparison is made under one convention, as text or JSON")
            .hint("e.g. --convention trec --format json"));
    }
    let cancel = cancel_on_signal();
    let options = settings::load().engine_options(&Default::default())?;
    let mut bounds = StoreOptions::default();
    bounds.memory_limit = options.memory_bytes.unwrap_or(bounds.memory_limit);
    bounds.limits = super::files::limits(args);
    let store = Store::open(&bounds)?;
    let connection = store.connect()?;
    let qrels = register_judgments(&connection, args, &cancel)?;
    let qrels = qrels.as_ref().map(|(path, columns)| File { name: "qrels", path, columns });
    if let Some(qrels) = qrels {
        judgments::prepare(&mut StoreQueries { connection: &connection, cancel: &cancel }, args, qrels)?;
    }
    let mut runs = Vec::new();
    for (number, (path, name)) in paths.iter().zip(names(&paths)).enumerate() {
        let (source, out) = (format!("run_{number}"), format!("eval_rows_{number}"));
        let columns = register(&connection, args, &source, path, &cancel)?;
        let mut queries = StoreQueries { connection: &connection, cancel: &cancel };
        let rows = judged(&mut queries, args, File { name: &source, path, columns: &columns }, qrels, &out)?;
        runs.push(Run { name, rows: request(args, rows)?.rows });
    }
    let asked = request(args, Rows::default())?;
    let request = CompareRequest {
        runs,
        show: asked.show,
        empty: asked.empty,
        interval: args.interval,
        resamples: args.resamples,
        permutations: args.permutations,
        seed: args.seed,
        top_queries: args.top_queries,
        ..CompareRequest::default()
    };
    let mut queries = StoreQueries { connection: &connection, cancel: &cancel };
    let table = contrast(&mut queries, &request, &cancel, &mut |_, _| {}).map_err(analysis_failure)?;
    for note in &table.notes {
        err_line(&format!("note: {}", sanitise::line(note)));
    }
    print(&match args.format {
        EvalFormat::Json => json_text(args, &table),
        EvalFormat::Text | EvalFormat::Trec => text(&table),
    })
}

/// Runs are called after their files; what that leaves alike is numbered.
fn names(paths: &[&String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for path in paths {
        let stem = std::path::Path::new(path.as_str()).file_stem();
        let stem = stem.map_or_else(|| path.to_string(), |stem| stem.to_string_lossy().into_owned());
        let (mut name, mut number) = (stem.clone(), 2);
        while names.contains(&name) {
            name = format!("{stem}#{number}");
            number += 1;
        }
        names.push(name);
    }
    names
}

fn json_text(args: &EvalArgs, table: &CompareTable) -> String {
    let tests = table.lines.iter().filter(|line| line.p.is_some()).count();
    let report = json!({
        "convention": args.convention,
        "baseline": table.runs.first(),
        "runs": table.runs,
        "interval": interval_json(args),
        "test": {
            "method": "randomisation, runs traded query by query",
            "permutations": table.permutations,
            "adjustment": "holm",
            "family": tests,
        },
        "comparisons": table.lines.iter().map(line_json).collect::<Vec<_>>(),
        "moved": table.moved.iter().map(moved_json).collect::<Vec<_>>(),
        "notes": table.notes,
    });
    json_page(&report)
}

fn line_json(line: &CompareLine) -> Json {
    let mut entry = json!({
        "run": line.run,
        "metric": line.metric,
        "baseline": finite(line.baseline),
        "value": finite(line.value),
        "delta": finite(line.delta),
        "lower": finite(line.lower),
        "upper": finite(line.upper),
        "p": finite(line.p),
        "p_adjusted": finite(line.p_adjusted),
        "effect": finite(line.effect),
        "mde": finite(line.mde),
        "power": finite(line.power),
        "wins": line.wins,
        "ties": line.ties,
        "losses": line.losses,
        "n": line.n,
        "n_na": line.n_na,
        "status": line.status.as_str(),
    });
    let reason = match (line.delta, line.p, line.lower) {
        (None, ..) => Some("no query has a value in both runs"),
        (_, None, _) => Some("no test: --permutations is 0, or one figure of the whole run"),
        (.., None) => Some("no interval: --resamples is 0, or fewer than two queries"),
        _ => None,
    };
    if let (Some(reason), Some(entry)) = (reason, entry.as_object_mut()) {
        entry.insert("reason".into(), json!(reason));
    }
    entry
}

fn moved_json(moved: &Moved) -> Json {
    let top = |items: &[TopItem]| -> Vec<Json> {
        items.iter().map(|place| json!({ "item": place.item, "gain": finite(place.gain) })).collect()
    };
    json!({
        "run": moved.run,
        "metric": moved.metric,
        "query": moved.query,
        "baseline": finite(Some(moved.baseline)),
        "value": finite(Some(moved.value)),
        "delta": finite(Some(moved.delta())),
        "baseline_top": top(&moved.baseline_top),
        "top": top(&moved.top),
    })
}

fn text(table: &CompareTable) -> String {
    let mut out = String::new();
    let baseline = table.runs.first().map(String::as_str).unwrap_or_default();
    for run in table.runs.iter().skip(1) {
        let _ = writeln!(out, "{} against {}", sanitise::line(run), sanitise::line(baseline));
        out.push_str(&lines(&table.lines.iter().filter(|line| &line.run == run).collect::<Vec<_>>()));
        out.push('\n');
    }
    let first = table.metrics.first();
    let mut shown = table.moved.iter().filter(|moved| Some(&moved.metric) == first).peekable();
    if shown.peek().is_some() {
        let _ = writeln!(out, "queries that moved most by {}", first.map(String::as_str).unwrap_or_default());
    }
    for moved in shown {
        out.push_str(&side_by_side(moved, baseline));
    }
    out
}

fn lines(lines: &[&CompareLine]) -> String {
    let width = lines.iter().map(|line| line.metric.len()).max().unwrap_or(0).max(7);
    let mut out = format!(
        "{:width$}  {:>8}  {:>8}  {:>8}  {:>18}  {:>5}  {:>5}  {:>6}  {:>6}  {:>17}  {:>7}  {}\n",
        "measure",
        "baseline",
        "value",
        "delta",
        "95 % interval",
        "p",
        "p adj",
        "effect",
        "mde",
        "win/tie/loss",
        "n",
        ""
    );
    for line in lines {
        let four = |value: Option<f64>| value.map_or("n/a".to_string(), |value| format!("{value:.4}"));
        let two = |value: Option<f64>| value.map_or("n/a".to_string(), |value| format!("{value:+.2}"));
        let delta = line.delta.map_or("n/a".to_string(), |delta| format!("{delta:+.4}"));
        let interval = match (line.lower, line.upper) {
            (Some(lower), Some(upper)) => format!("{lower:+.4} to {upper:+.4}"),
            _ => String::new(),
        };
        let score = match (line.wins, line.ties, line.losses) {
            (Some(wins), Some(ties), Some(losses)) => format!("{wins}/{ties}/{losses}"),
            _ => "n/a".into(),
        };
        let _ = writeln!(
            out,
            "{:width$}  {:>8}  {:>8}  {delta:>8}  {interval:>18}  {:>5}  {:>5}  {:>6}  {:>6}  {score:>17}  {:>7}  {}",
            line.metric,
            four(line.baseline),
            four(line.value),
            figures::p_value(line.p),
            figures::p_value(line.p_adjusted),
            two(line.effect),
            four(line.mde),
            figures::thousands(line.n.into()),
            line.status.as_str(),
        );
    }
    out
}

/// Both lists of a query, gains behind the items.
fn side_by_side(moved: &Moved, baseline: &str) -> String {
    const WIDTH: usize = 32;
    let place = |place: Option<&TopItem>| {
        place.map_or(String::new(), |place| {
            let gain = place.gain.map_or_else(|| "–".to_owned(), figures::number);
            sanitise::excerpt(&format!("{gain:>3}  {}", place.item.as_deref().unwrap_or("?")), WIDTH)
        })
    };
    let mut out = format!(
        "\n{}  {:.4} to {:.4} ({:+.4})\n",
        sanitise::excerpt(&moved.query, 60),
        moved.baseline,
        moved.value,
        moved.delta()
    );
    let _ = writeln!(
        out,
        "  {:>2}  {:WIDTH$}  {}",
        "",
        sanitise::excerpt(baseline, WIDTH),
        sanitise::excerpt(&moved.run, WIDTH)
    );
    for rank in 0..moved.baseline_top.len().max(moved.top.len()) {
        let (left, right) = (place(moved.baseline_top.get(rank)), place(moved.top.get(rank)));
        let _ = writeln!(out, "  {:>2}  {left:WIDTH$}  {right}", rank + 1);
    }
    out
}
