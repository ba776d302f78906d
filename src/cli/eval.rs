//! `recscope eval`: ranking metrics of a run file against a judgment file.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};

mod compare;
mod files;
mod judgments;
mod lens;
mod trec;
mod two;

use self::judgments::File;
use super::args::{EvalArgs, EvalFormat};
use super::output::{cancel_on_signal, json_page, print};
use super::queries::{analysis_failure, query_failure};
use super::{Failure, err_line, settings};
use crate::analysis::metrics::trec::of_trec;
use crate::analysis::metrics::{
    ListValues, METRICS, MetricId, MetricsRequest, MetricsTable, Roles, Rows, convention, evaluate, lens,
};
use crate::analysis::{Bindings, Queries};
use crate::engine::lanes::StoreQueries;
use crate::engine::store::{Store, StoreOptions};
use crate::notebook::diagnostics::nearest;
use crate::terms::Choice as _;
use crate::terms::quote_ident;
use crate::util::{csv, figures, sanitise};

/// Rows of a text in one of TREC's formats; `None` where it is in none of them. What a fuzzer looks for.
pub fn trec_rows(text: &str, run: bool) -> Option<usize> {
    trec::rows(text, "text", run).ok().flatten().map(|found| found.side.rows())
}

const JOINED: &str = "eval_rows";

/// Reads both files, evaluates, prints.
pub(super) fn eval(args: &EvalArgs) -> Result<u8, Failure> {
    check_measures(&args.measures)?;
    let [only] = &args.run[..] else { return compare::compare(args) };
    if args.compare.is_some() {
        return compare::compare(args);
    }
    let cancel = cancel_on_signal();
    let options = settings::load().engine_options(&Default::default())?;
    let mut bounds = StoreOptions::default();
    bounds.memory_limit = options.memory_bytes.unwrap_or(bounds.memory_limit);
    // No screen waits for a core.
    bounds.threads =
        options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    bounds.limits = files::limits(args);
    let store = Store::open(&bounds)?;
    let connection = store.connect()?;
    let files = two::Files::read(args, only)?;
    let texts = files.parse()?;
    let mut queries = StoreQueries { connection: &connection, cancel: &cancel };
    let (run, qrels) = texts.register(&connection, args, &cancel)?;
    if let Some(table) = two::evaluate((&store, &cancel), args, &texts, (&run, qrels.as_deref()))? {
        return show(args, &table);
    }
    texts.put(&connection)?;
    let path = args.qrels.as_deref().unwrap_or_default();
    let qrels = qrels.as_ref().map(|columns| File { name: "qrels", path, columns });
    if let Some(qrels) = qrels {
        judgments::prepare(&mut queries, args, qrels)?;
    }
    let rows = judged(&mut queries, args, File { name: "run", path: only, columns: &run }, qrels, JOINED)?;
    let request = request(args, rows)?;
    if args.convention == "all" {
        let found = lens(&mut queries, &request, &cancel, &mut |_, _| {}).map_err(analysis_failure)?;
        return print(&lens::show(args, &found));
    }
    let table = evaluate(&mut queries, &request, &cancel, &mut |_, _| {}).map_err(analysis_failure)?;
    show(args, &table)
}

/// Prints a table; its notes go to stderr.
fn show(args: &EvalArgs, table: &MetricsTable) -> Result<u8, Failure> {
    for note in &table.notes {
        err_line(&format!("note: {}", sanitise::line(note)));
    }
    let mut queries = Between { raw: args.raw, guarded: 0 };
    let code = print(&match args.format {
        EvalFormat::Json => json_text(args, table),
        EvalFormat::Text => text(args, table, &mut queries),
        EvalFormat::Trec => trec_text(args, table, &mut queries),
    })?;
    if let Some(note) = csv::told(queries.guarded) {
        err_line(&format!("note: {note}"));
    }
    Ok(code)
}

/// The rows of a run with their gains: those of the judgments, joined as `out`, or without judgments its own.
fn judged(
    queries: &mut StoreQueries,
    args: &EvalArgs,
    run: File,
    qrels: Option<File>,
    out: &str,
) -> Result<Rows, Failure> {
    match qrels {
        Some(qrels) => judgments::join(queries, args, run, qrels, out),
        None => judged_already(queries, args, run, out),
    }
}

/// A run that brings its gains along. Queries without a judged row count no more than with two files.
fn judged_already(
    queries: &mut StoreQueries,
    args: &EvalArgs,
    File { name, path, columns: run }: File,
    out: &str,
) -> Result<Rows, Failure> {
    let named = |role: &str| column(args, role, run, path).map(Some);
    let gain = named("gain").map_err(|failure| {
        failure.hint("name the judgments with --qrels FILE, or the column with --columns gain=COLUMN")
    })?;
    let roles = Roles {
        query: named("query")?,
        item: named("item")?,
        score: named("score")?,
        gain,
        ..Roles::default()
    };
    let role = |name: &Option<String>| name.clone().unwrap_or_default();
    let judged = Bindings::new().ident("run", name).ident("gain", role(&roles.gain));
    let found = queries.rows("eval/unjudged", &judged).map_err(query_failure)?;
    let mut filter = None;
    if found.num_rows() > 0 {
        let judged = judged.ident("query", role(&roles.query)).ident("out", out);
        queries.run("eval/judged_queries", &judged).map_err(query_failure)?;
        let query = quote_ident(&role(&roles.query));
        filter = Some(format!("{query} IN (SELECT query FROM temp.{})", quote_ident(out)));
    }
    Ok(Rows { from: name.into(), filter, roles, ..Rows::default() })
}

/// Before any file is read: every measure is one that there is.
fn check_measures(measures: &[String]) -> Result<(), Failure> {
    for measure in measures {
        let Err(error) = MetricId::parse(measure.trim()) else { continue };
        let id = measure.split('@').next().unwrap_or_default().trim();
        let near = nearest(id, METRICS.iter().map(|metric| metric.id)).filter(|near| *near != id);
        let hint = near.map(|near| format!("did you mean `{near}`?")).or(error.hint().map(String::from));
        let failure = Failure::usage(error.to_string());
        return Err(match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        });
    }
    Ok(())
}

fn request(args: &EvalArgs, rows: Rows) -> Result<MetricsRequest, Failure> {
    let mut request = MetricsRequest {
        rows: Rows { relevant_at: args.relevant_at, ..rows },
        show: args.measures.iter().map(|measure| measure.trim().to_string()).collect(),
        interval: args.interval,
        resamples: args.resamples,
        seed: args.seed,
        per_list: args.per_query,
        bounds: args.bounds,
        ..MetricsRequest::default()
    };
    if args.convention == "all" {
        if args.format == EvalFormat::Trec {
            return Err(Failure::usage("trec's lines hold one convention").hint("take --format text or json"));
        }
        if args.ties.is_some() {
            return Err(Failure::usage("--ties and --convention all exclude each other")
                .hint("every convention has its own order of ties"));
        }
        return Ok(request);
    }
    let unknown = || Failure::usage(format!("no convention is called `{}`", args.convention));
    request = convention(&args.convention).ok_or_else(unknown)?.apply(&request);
    request.rows.ties = args.ties.unwrap_or(request.rows.ties);
    Ok(request)
}

/// How intervals were made: an entry of either report.
fn interval_json(args: &EvalArgs) -> Json {
    json!({
        "method": args.interval.id(),
        "level": 0.95,
        "resamples": args.resamples,
        "seed": args.seed,
        "cluster": "query",
    })
}

/// The column of a role: as `--columns` says, else the role's own name.
fn column(args: &EvalArgs, role: &str, names: &[String], file: &str) -> Result<String, Failure> {
    let wanted = args.columns.iter().find(|(key, _)| key == role).map_or(role, |(_, column)| column.as_str());
    let find = |wanted: &str| names.iter().find(|name| name.to_lowercase() == wanted.to_lowercase()).cloned();
    // One file may use the role's name where `--columns` was meant for the other.
    find(wanted).or_else(|| find(role)).ok_or_else(|| {
        Failure::data(format!("{file} has no column `{wanted}`"))
            .hint(format!("it has: {}; name the right one with --columns {role}=COLUMN", names.join(", ")))
    })
}

fn finite(value: Option<f64>) -> Json {
    json!(value.filter(|value| value.is_finite()))
}

/// Value, n, interval and bounds by measure; n/a with its reason.
fn measures(args: &EvalArgs, table: &MetricsTable) -> Map<String, Json> {
    let mut measures = Map::new();
    for line in &table.lines {
        let mut entry = json!({
            "value": finite(line.value),
            "n": line.n,
            "n_na": line.n_na,
            "lower": finite(line.lower),
            "upper": finite(line.upper),
        });
        if let (true, Some(entry)) = (args.bounds, entry.as_object_mut()) {
            entry.insert("worst".into(), finite(line.worst));
            entry.insert("best".into(), finite(line.best));
        }
        let reason = match (line.value, line.lower) {
            (None, _) => Some("no query has a value"),
            (Some(_), None) if args.resamples == 0 => Some("no interval: --resamples is 0"),
            (Some(_), None) => Some("no interval: too few queries, or one figure of the whole run"),
            _ => None,
        };
        if let (Some(reason), Some(entry)) = (reason, entry.as_object_mut()) {
            entry.insert("reason".into(), json!(reason));
        }
        measures.insert(line.metric.clone(), entry);
    }
    measures
}

fn json_text(args: &EvalArgs, table: &MetricsTable) -> String {
    let measures = measures(args, table);
    let report = Report {
        convention: &args.convention,
        measures,
        interval: interval_json(args),
        per_query: table.lists.as_ref().filter(|_| args.per_query).map(PerQuery),
    };
    json_page(&report)
}

#[derive(Serialize)]
struct Report<'a> {
    convention: &'a str,
    measures: Map<String, Json>,
    interval: Json,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_query: Option<PerQuery<'a>>,
}

/// Written as it is walked: there may be a million queries.
struct PerQuery<'a>(&'a ListValues);

impl Serialize for PerQuery<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.queries.iter().enumerate().map(|(at, query)| (query, OneQuery(self.0, at))))
    }
}

struct OneQuery<'a>(&'a ListValues, usize);

impl Serialize for OneQuery<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let value = |values: &Vec<f64>| values.get(self.1).copied().filter(|value| value.is_finite());
        to.collect_map(self.0.metrics.iter().zip(self.0.values.iter().map(value)))
    }
}

/// Queries between tabs: what is pasted or opened as a table. Harmless to a terminal, and, unless they are
/// wanted as they are, to a spreadsheet.
struct Between {
    raw: bool,
    guarded: u64,
}

impl Between {
    fn shown<'q>(&mut self, query: &'q str) -> Cow<'q, str> {
        let clean = sanitise::line(query);
        if self.raw || !csv::is_formula(&clean) {
            return clean;
        }
        self.guarded += 1;
        Cow::Owned(csv::guard(&clean).into_owned())
    }
}

/// Lines of trec_eval's shape: queries first, where they were asked for. Counts are whole, and of all
/// queries their sum.
fn trec_text(args: &EvalArgs, table: &MetricsTable, queries: &mut Between) -> String {
    let mut out = String::new();
    // Under the name by which it was asked for: trec_eval's, where it was one of those.
    let asked = |metric: &str| {
        let own = |measure: &&String| MetricId::parse(measure).is_ok_and(|id| id.to_string() == metric);
        let asked = args.measures.iter().find(own).filter(|measure| of_trec(measure).is_some());
        asked.map_or_else(|| metric.to_owned(), |measure| measure.trim().replace('.', "_"))
    };
    let counts = |metric: &str| MetricId::parse(metric).is_ok_and(|id| id.metric.counts);
    let mut line = |metric: &str, query: &str, value: f64| {
        let digits = if counts(metric) { 0 } else { 4 };
        let value = if value.is_finite() { format!("{value:.digits$}") } else { "nan".to_owned() };
        let _ = writeln!(out, "{:22}\t{query}\t{value}", asked(metric));
    };
    if let Some(lists) = &table.lists {
        for (at, query) in lists.queries.iter().enumerate() {
            let query = queries.shown(query);
            for (metric, values) in lists.metrics.iter().zip(&lists.values) {
                line(metric, &query, values.get(at).copied().unwrap_or(f64::NAN));
            }
        }
    }
    for found in &table.lines {
        let value = found.value.unwrap_or(f64::NAN);
        let value = if counts(&found.metric) { value * found.n as f64 } else { value };
        line(&found.metric, "all", value);
    }
    out
}

fn text(args: &EvalArgs, table: &MetricsTable, queries: &mut Between) -> String {
    let width = table.lines.iter().map(|line| line.metric.len()).max().unwrap_or(0).max(7);
    let mut out =
        format!("{:width$}  {:>8}  {:>18}  {:>7}  {:>6}", "measure", "value", "95 % interval", "n", "n/a");
    let bounds = |worst: &str, best: &str| {
        if args.bounds { format!("  {worst:>8}  {best:>8}") } else { String::new() }
    };
    out.push_str(&format!("{}\n", bounds("worst", "best")));
    for line in &table.lines {
        let four = |value: Option<f64>| value.map_or("n/a".to_string(), |value| format!("{value:.4}"));
        let interval = match (line.lower, line.upper) {
            (Some(lower), Some(upper)) => format!("{lower:.4} to {upper:.4}"),
            _ => String::new(),
        };
        let count = |n: u64| figures::thousands(i128::from(n));
        let _ = writeln!(
            out,
            "{:width$}  {:>8}  {interval:>18}  {:>7}  {:>6}{}",
            line.metric,
            four(line.value),
            count(line.n),
            count(line.n_na),
            bounds(&four(line.worst), &four(line.best))
        );
    }
    if let (true, Some(lists)) = (args.per_query, &table.lists) {
        out.push('\n');
        let _ = writeln!(out, "query\t{}", lists.metrics.join("\t"));
        for (at, query) in lists.queries.iter().enumerate() {
            let values = lists.values.iter().map(|values| match values.get(at) {
                Some(value) if value.is_finite() => format!("{value:.4}"),
                _ => "n/a".into(),
            });
            let values: Vec<String> = values.collect();
            let _ = writeln!(out, "{}\t{}", queries.shown(query), values.join("\t"));
        }
    }
    out
}
