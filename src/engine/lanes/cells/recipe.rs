//! "Open as cell": the text of an `sql` cell that makes one value of a cell's table. Nothing is computed
//! here but the columns of what the cell reads.

use super::roles::{Asked, Fitted, fit};
use super::{Stop, View};
use crate::analysis::metrics::{
    Empty, MetricId, MetricsRequest, Part, Recipe, Rows, Step, convention, recipe as made_of,
};
use crate::engine::lanes::dialect;
use crate::notebook::spec::{CellSpec, Input, Roles};
use crate::protocol::{Problem, ProblemKind};
use crate::terms::Ties;
use crate::terms::quote_ident;

/// The SQL of the value of `metric` (of the cell's own where it has one) that `predicate` is about.
pub(in crate::engine::lanes) fn recipe(
    view: View<'_>,
    metric: Option<&str>,
    predicate: &str,
) -> Result<String, Problem> {
    text_of(view, metric, predicate).map_err(|stop| stop.problem.in_cell(view.cell))
}

/// Whose value: the keys of a cell that a value depends on.
struct Keys<'s> {
    input: &'s Input,
    roles: &'s Roles,
    ties: Ties,
    relevant_at: f64,
    metric: String,
    convention: Option<&'s str>,
    /// Is the predicate a slice that is held against the rest?
    gap: bool,
    /// Sets of columns, by one of which each list is split.
    splits: Vec<&'s [String]>,
}

impl<'s> Keys<'s> {
    /// The columns that the predicate tells groups by.
    fn split(&self, predicate: &str) -> &'s [String] {
        let named = |columns: &&[String]| columns.iter().all(|name| predicate.contains(&quote_ident(name)));
        let all = self.splits.iter().copied().filter(named);
        all.max_by_key(|columns| columns.len()).unwrap_or_default()
    }
}

fn text_of(view: View<'_>, metric: Option<&str>, predicate: &str) -> Result<String, Stop> {
    let spec = view.workspace.spec(view.cell)?;
    let keys = keys(&spec, metric).ok_or_else(|| {
        Problem::new(ProblemKind::Usage, "this row is no value that SQL can make").hint(
            "values of metrics, fairness and slices cells can be opened as a cell; Enter opens the rows of others",
        )
    })?;
    let metrics = std::slice::from_ref(&keys.metric);
    let asked = Asked { input: keys.input, roles: keys.roles, ties: keys.ties, metrics };
    let Fitted { roles, .. } = fit(view, &asked, Vec::new())?;
    let (rows, empty) = rows(view, &keys, &roles)?;
    let part = match predicate.trim() {
        "" => Part::All,
        slice if keys.gap => Part::Gap(slice),
        slice => Part::Slice(slice),
    };
    let id = MetricId::parse(&keys.metric)?;
    let recipe = made_of(&rows, &id, empty, (part, keys.split(predicate)))?;
    let about = match part {
        Part::All => "all rows".to_owned(),
        Part::Slice(slice) => one_line(slice),
        Part::Gap(slice) => format!("{}, and the rest", one_line(slice)),
    };
    Ok(format!("-- {id} of {}: {about}\n{}", view.cell, query(&recipe)?))
}

fn keys<'s>(spec: &'s CellSpec, metric: Option<&str>) -> Option<Keys<'s>> {
    Some(match spec {
        CellSpec::Metrics(spec) => Keys {
            input: &spec.input,
            roles: &spec.roles,
            ties: spec.ties,
            relevant_at: spec.relevant_at,
            metric: metric?.to_owned(),
            convention: spec.convention.as_deref(),
            gap: false,
            splits: vec![&spec.by],
        },
        CellSpec::Fairness(spec) => {
            let splits = spec.slices.iter().chain(&spec.suppliers).map(Vec::as_slice).collect();
            let of = (&spec.input, &spec.roles, spec.ties, spec.relevant_at);
            Keys { splits, ..gap(of, metric.unwrap_or(&spec.metric)) }
        }
        CellSpec::Slices(spec) => gap((&spec.input, &spec.roles, spec.ties, spec.relevant_at), &spec.metric),
        _ => return None,
    })
}

/// The keys of a cell whose values are slices held against the rest.
fn gap<'s>((input, roles, ties, relevant_at): (&'s Input, &'s Roles, Ties, f64), metric: &str) -> Keys<'s> {
    let metric = metric.to_owned();
    Keys { input, roles, ties, relevant_at, metric, convention: None, gap: true, splits: Vec::new() }
}

fn one_line(predicate: &str) -> String {
    predicate.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The rows of the cell, and what an empty list counts as. Parameters stay `{{parameters}}`: the text is
/// for a cell.
fn rows(view: View<'_>, keys: &Keys<'_>, roles: &Roles) -> Result<(Rows, Empty), Problem> {
    let rows = dialect::rows(keys.input, roles, keys.relevant_at, keys.ties, view.workspace);
    let rows = Rows { filter: keys.input.filter.clone(), params: Vec::new(), ..rows };
    let request = MetricsRequest { rows, ..MetricsRequest::default() };
    let request = match keys.convention {
        None => request,
        Some(id) => {
            let unknown =
                || Problem::new(ProblemKind::Usage, format!("a value under `{id}` is not one value"));
            convention(id).ok_or_else(unknown)?.apply(&request)
        }
    };
    Ok((request.rows, request.empty))
}

/// `WITH ... SELECT`: what is read first, then the steps to the value.
fn query(recipe: &Recipe<'_>) -> Result<String, Stop> {
    let mut parts = Vec::new();
    for step in recipe.steps() {
        add(recipe, step, &mut parts)?;
    }
    let (_, last) = parts.pop().unwrap_or_default();
    let with: Vec<String> =
        parts.iter().map(|(table, text)| format!("{table} AS (\n{}\n)", indented(text))).collect();
    Ok(format!("WITH {}\n{last}\n", with.join(",\n")))
}

/// A step, behind what it reads.
fn add(recipe: &Recipe<'_>, step: Step, parts: &mut Vec<(String, String)>) -> Result<(), Stop> {
    let text = step.bindings.readable(step.statement, &step.terms)?;
    for table in step.bindings.reads(step.statement)? {
        if parts.iter().any(|(made, _)| *made == table) {
            continue;
        }
        if let Some(maker) = recipe.table(&table) {
            add(recipe, maker, parts)?;
        }
    }
    parts.push((step.table, text));
    Ok(())
}

/// Indents, unless a quotation runs over several lines: its blanks are its own.
fn indented(text: &str) -> String {
    let quoted = text.lines().any(|line| line.matches('\'').count() % 2 == 1);
    if quoted {
        return text.to_owned();
    }
    text.lines()
        .map(|line| if line.is_empty() { String::new() } else { format!("    {line}") })
        .collect::<Vec<_>>()
        .join("\n")
}
