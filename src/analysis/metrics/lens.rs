//! The convention lens: one run under every preset, and the queries that make the presets differ.
//! No SQL beyond what a metric needs, and no drawing.

use std::collections::BTreeMap;

use super::columns::{counts, numbers, texts};
use super::prepared::{self, Prepared};
use super::roles::Unit;
use super::{
    AnalysisError, CONVENTIONS, Convention, Denominator, Duplicates, Gains, ListValues, MetricId, MetricLine,
    MetricsRequest, MetricsTable, Rules, Scores, Ties, Unjudged, evaluate,
};
use crate::analysis::{Bindings, Queries};
use crate::util::cancel::Cancel;

/// Names of queries in a note.
const NAMED: usize = 5;

/// A run under every convention.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lens {
    /// Each convention's table, in the order of [`CONVENTIONS`]; what refuses the rows says why.
    pub tables: Vec<(&'static str, Result<MetricsTable, AnalysisError>)>,
    /// The first convention that reads the rows: what the others are compared with.
    pub reference: &'static str,
    pub differences: Vec<Difference>,
}

/// A query on which a convention does not give what the reference gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    pub convention: &'static str,
    pub metric: String,
    pub query: String,
    /// Under the lens' reference; `None`: n/a.
    pub own: Option<f64>,
    /// Under this one; `None`: n/a, or the query is left out.
    pub theirs: Option<f64>,
    /// Which rules can be behind it.
    pub why: String,
}

/// Evaluates the request under every preset of [`CONVENTIONS`]. Its own ties, rules and empty values
/// are set aside. Values are equal where they differ by less than 1e-12.
pub fn lens(
    queries: &mut dyn Queries,
    request: &MetricsRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Lens, AnalysisError> {
    let total = CONVENTIONS.len() as u64;
    let mut lens = Lens::default();
    for (done, convention) in CONVENTIONS.iter().enumerate() {
        cancel.check()?;
        progress(done as u64, total);
        let asked = MetricsRequest { per_list: true, ..convention.apply(request) };
        let table = evaluate(queries, &asked, cancel, &mut |_, _| {});
        match table {
            // What no convention can do is the request's own fault; grades as text are read by some.
            Err(AnalysisError::Cancelled) => return Err(AnalysisError::Cancelled),
            other => lens.tables.push((convention.id, other)),
        }
    }
    let Some(own) =
        lens.tables.iter().find_map(|(id, table)| Some((*id, table.as_ref().ok()?.lists.clone()?)))
    else {
        return match lens.tables.into_iter().next() {
            Some((_, Err(error))) => Err(error),
            _ => Err(AnalysisError::request("no convention gives a value")),
        };
    };
    let facts = reasons(queries, request)?;
    lens.reference = own.0;
    for (convention, (id, table)) in CONVENTIONS.iter().zip(&lens.tables) {
        if let (true, Ok(MetricsTable { lists: Some(theirs), .. })) = (*id != own.0, table) {
            lens.differences.extend(differences((convention, own.0), &own.1, theirs, &facts));
        }
    }
    progress(total, total);
    Ok(lens)
}

/// What is peculiar about a list.
#[derive(Debug, Clone, Copy, Default)]
struct Peculiar {
    shown: u64,
    relevant: u64,
    unjudged: u64,
    tied: u64,
    /// Scores that only 64 bits tell apart.
    close: u64,
    repeated: u64,
    broken: u64,
}

type Reasons = BTreeMap<(String, usize), Peculiar>;

/// Of every list under the first convention that can read the rows.
fn reasons(queries: &mut dyn Queries, request: &MetricsRequest) -> Result<Reasons, AnalysisError> {
    let mut found = Err(AnalysisError::request("no convention reads these rows"));
    for convention in CONVENTIONS {
        let mut rows = convention.apply(request).rows;
        rows.rules.duplicates = Duplicates::Best;
        found = peculiar(queries, &rows, &request.by);
        prepared::clean(queries);
        if found.is_ok() {
            break;
        }
    }
    found
}

fn peculiar(queries: &mut dyn Queries, rows: &super::Rows, by: &[String]) -> Result<Reasons, AnalysisError> {
    let mut prepared = Prepared::new(queries, rows, by, Unit::Query, (false, false))?;
    prepared.rank()?;
    let names = texts(&prepared.rows("metrics/list_names", &Bindings::new())?, "query")?;
    let bindings = Bindings::new().ident("rows", prepared.ranked_from());
    let batch = prepared.rows("metrics/list_facts", &bindings)?;
    let column = |name: &str| counts(&batch, name);
    let (shown, relevant, unjudged) = (column("shown")?, column("relevant")?, column("unjudged")?);
    let (tied, close) = (column("tied")?, column("close")?);
    let (repeated, broken) = (column("repeated")?, column("broken")?);
    let mut of = vec![Peculiar::default(); names.len()];
    for (at, list) in numbers(&batch, "list")?.into_iter().enumerate() {
        let get = |values: &[u64]| values.get(at).copied().unwrap_or_default();
        if let Some(slot) = of.get_mut(list as usize) {
            *slot = Peculiar {
                shown: get(&shown),
                relevant: get(&relevant),
                unjudged: get(&unjudged),
                tied: get(&tied),
                close: get(&close),
                repeated: get(&repeated),
                broken: get(&broken),
            };
        }
    }
    let names: Vec<String> = names.into_iter().map(Option::unwrap_or_default).collect();
    Ok(keyed(&names).into_iter().zip(of).collect())
}

/// A query's lists (of several users) are told apart by their order.
fn keyed(names: &[String]) -> Vec<(String, usize)> {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let mut keys = Vec::with_capacity(names.len());
    for name in names {
        let seen = times.entry(name.as_str()).or_default();
        keys.push((name.clone(), *seen));
        *seen += 1;
    }
    keys
}

fn differences(
    (convention, reference): (&'static Convention, &str),
    own: &ListValues,
    theirs: &ListValues,
    facts: &Reasons,
) -> Vec<Difference> {
    let places: BTreeMap<(String, usize), usize> =
        keyed(&theirs.queries).into_iter().enumerate().map(|(at, key)| (key, at)).collect();
    let mut found = Vec::new();
    for ((metric, own_values), their_values) in own.metrics.iter().zip(&own.values).zip(&theirs.values) {
        for (key, own) in keyed(&own.queries).into_iter().zip(own_values) {
            let place = places.get(&key).copied();
            let value = place.and_then(|at| their_values.get(at)).copied().unwrap_or(f64::NAN);
            let same = (own - value).abs() < 1e-12 || (own.is_nan() && value.is_nan() && place.is_some());
            if same {
                continue;
            }
            let known = |value: f64| Some(value).filter(|value| value.is_finite());
            let peculiar = facts.get(&key).copied().unwrap_or_default();
            found.push(Difference {
                convention: convention.id,
                metric: metric.clone(),
                why: why((convention, reference), metric, *own, place.map(|_| value), &peculiar),
                query: key.0,
                own: known(*own),
                theirs: known(value),
            });
        }
    }
    found
}

/// The rules that can be behind a difference on such a list.
fn why(
    (convention, reference): (&Convention, &str),
    metric: &str,
    own: f64,
    theirs: Option<f64>,
    list: &Peculiar,
) -> String {
    let Rules { gains, denominator, missing: _, unjudged, duplicates, scores } = convention.rules;
    if theirs.is_none() {
        let reason = if list.shown == 0 { "nothing retrieved" } else { "nothing of it counts" };
        return format!("{reason}: left out");
    }
    if own.is_nan() && list.relevant == 0 {
        return "nothing relevant".to_owned();
    }
    let cutoff = MetricId::parse(metric).ok().and_then(|id| id.cutoff).map_or(u64::MAX, u64::from);
    let rules = [
        (list.tied > 0 && convention.ties != Ties::Docid, "ties"),
        (list.close > 0 && scores == Scores::Single, "ties of scores in 32 bits"),
        (list.repeated > 0 && duplicates != Duplicates::Best, "duplicates"),
        (list.unjudged > 0 && unjudged == Unjudged::Condensed, "unjudged items taken out"),
        (list.broken > 0 && gains == Gains::Whole, "gains cut to whole numbers"),
        (gains == Gains::Binary && metric.contains("dcg"), "binary gains"),
        (gains == Gains::Binary && metric.contains("err"), "binary gains"),
        // Where the reference reads the gains, they are numbers, which stand as they are.
        (matches!(gains, Gains::Esci { .. }) && reference.starts_with("esci"), "gains of S and C"),
        (
            denominator == Denominator::AtMostCutoff && metric.contains("map") && list.relevant > cutoff,
            "divided by min(R, k)",
        ),
    ];
    let names: Vec<&str> = rules.iter().filter(|(holds, _)| *holds).map(|(_, name)| *name).collect();
    if names.is_empty() { "rules together".to_owned() } else { names.join(", ") }
}

impl Lens {
    /// One table with the convention as its first breakdown; the queries that differ in its notes.
    pub fn into_table(self) -> MetricsTable {
        let mut table = MetricsTable { by: vec!["convention".to_owned()], ..MetricsTable::default() };
        let mut notes = self.notes();
        let shown: Vec<(String, bool)> = self
            .tables
            .iter()
            .find_map(|(_, table)| table.as_ref().ok())
            .map(|table| {
                table.lines.iter().map(|line| (line.metric.clone(), line.higher_is_better)).collect()
            })
            .unwrap_or_default();
        for (id, result) in self.tables {
            match result {
                Ok(found) => {
                    table.bounds |= found.bounds;
                    if table.by.len() == 1 {
                        table.by.extend(found.by);
                    }
                    for mut line in found.lines {
                        line.group.insert(0, Some(id.to_owned()));
                        table.lines.push(line);
                    }
                    notes.extend(found.notes.into_iter().filter(|_| id == "recscope"));
                }
                Err(error) => {
                    notes.push(format!("{id}: {error}"));
                    let mut known: Vec<&str> = Vec::new();
                    for (metric, higher_is_better) in &shown {
                        if !known.contains(&metric.as_str()) {
                            known.push(metric);
                            table.lines.push(MetricLine {
                                group: vec![Some(id.to_owned())],
                                metric: metric.clone(),
                                higher_is_better: *higher_is_better,
                                predicate: "TRUE".to_owned(),
                                ..MetricLine::default()
                            });
                        }
                    }
                }
            }
        }
        let width = table.by.len();
        table.lines.iter_mut().for_each(|line| line.group.resize(width, None));
        table.notes = notes;
        table
    }

    /// A sentence per metric and convention that differs, naming the first queries.
    pub fn notes(&self) -> Vec<String> {
        let mut groups: Vec<(&str, &str, Vec<&Difference>)> = Vec::new();
        for difference in &self.differences {
            let key = (difference.metric.as_str(), difference.convention);
            match groups.iter_mut().find(|group| (group.0, group.1) == key) {
                Some(group) => group.2.push(difference),
                None => groups.push((key.0, key.1, vec![difference])),
            }
        }
        let value = |value: Option<f64>| value.map_or("n/a".to_owned(), |value| format!("{value:.4}"));
        let sentence = |(metric, convention, found): (&str, &str, Vec<&Difference>)| {
            let named = found.iter().take(NAMED).map(|difference| {
                let (own, theirs) = (value(difference.own), value(difference.theirs));
                format!("{} {own} to {theirs} ({})", difference.query, difference.why)
            });
            let named: Vec<String> = named.collect();
            let rest = found.len().saturating_sub(NAMED);
            let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            format!(
                "{metric} under {convention} differs on {} queries: {}{rest}",
                found.len(),
                named.join("; ")
            )
        };
        groups.into_iter().map(sentence).collect()
    }
}
