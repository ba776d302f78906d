//! `metrics` and `fairness` cells: the analysis over the store, and the figures their checks name.

use super::roles::{Asked, Fitted, fit};
use super::table::keep;
use super::{Done, Figures, Known, Stop, Work};
use crate::analysis::fairness::{FairnessRequest, audit};
use crate::analysis::metrics::{
    Empty, Growing, MetricsRequest, MetricsTable, convention, evaluate as measure, lens,
};
use crate::engine::lanes::checks::evaluate;
use crate::engine::lanes::dialect;
use crate::engine::lanes::queries::StoreQueries;
use crate::notebook::spec::{FairnessSpec, MetricsSpec};
use crate::protocol::{Problem, ProblemKind};
use crate::terms::names_a_user;

/// How much to spend on intervals and p-values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::lanes) enum Effort {
    Full,
    /// While rows still arrive: a rough interval, no p.
    Glance,
}

const GLANCE_RESAMPLES: u32 = 50;

impl Effort {
    pub(super) fn resamples(self, asked: u32) -> u32 {
        if self == Effort::Full { asked } else { asked.min(GLANCE_RESAMPLES) }
    }

    pub(super) fn permutations(self, asked: u32) -> u32 {
        if self == Effort::Full { asked } else { 0 }
    }
}

pub(in crate::engine::lanes) fn metrics(
    work: &Work,
    spec: &MetricsSpec,
    known: &dyn Known,
    effort: Effort,
) -> Result<Done, Stop> {
    let (request, notes) = asked(work, spec, effort)?;
    let mut queries = StoreQueries { connection: work.connection, cancel: work.cancel };
    let mut progress = |done, total| {
        if effort == Effort::Full {
            work.progress("measuring", "steps", done, Some(total));
        }
    };
    let table = match spec.convention.as_deref() {
        Some("all") => lens(&mut queries, &request, work.cancel, &mut progress)?.into_table(),
        Some(id) => {
            let unknown = || Problem::new(ProblemKind::Usage, format!("no convention is called `{id}`"));
            let convention = convention(id).ok_or_else(unknown)?;
            measure(&mut queries, &convention.apply(&request), work.cancel, &mut progress)?
        }
        None => measure(&mut queries, &request, work.cancel, &mut progress)?,
    };
    told(work, spec, known, (table, notes))
}

/// The metrics of a table whose rows are still arriving at its end; lists without new rows are not
/// measured again.
pub(in crate::engine::lanes) fn grow(
    work: &Work,
    spec: &MetricsSpec,
    known: &dyn Known,
    growing: &mut Growing,
) -> Result<Done, Stop> {
    let (request, notes) = asked(work, spec, Effort::Glance)?;
    let from = work.connection.describe(&spec.input.from)?;
    let hidden = from.columns.iter().any(|column| column.name.eq_ignore_ascii_case("rowid"));
    let Some(rows) = from.rows.filter(|_| !hidden && spec.convention.is_none() && Growing::can(&request))
    else {
        return metrics(work, spec, known, Effort::Glance);
    };
    let mut queries = StoreQueries { connection: work.connection, cancel: work.cancel };
    let table = growing.measure(&mut queries, &request, rows, work.cancel)?;
    told(work, spec, known, (table, notes))
}

/// What a cell asks for, and how its roles were found.
fn asked(work: &Work, spec: &MetricsSpec, effort: Effort) -> Result<(MetricsRequest, Vec<String>), Stop> {
    let asked = Asked { input: &spec.input, roles: &spec.roles, ties: spec.ties, metrics: &spec.show };
    let Fitted { roles, notes } = fit(work.view(), &asked, spec.by.iter().collect())?;
    let request = MetricsRequest {
        rows: dialect::rows(&spec.input, &roles, spec.relevant_at, spec.ties, work.workspace),
        show: spec.show.clone(),
        by: spec.by.clone(),
        empty: Empty::NotAvailable,
        interval: spec.interval,
        resamples: effort.resamples(spec.resamples),
        seed: spec.seed,
        per_list: false,
        by_statements: false,
        bounds: spec.bounds,
    };
    Ok((request, notes))
}

fn told(
    work: &Work,
    spec: &MetricsSpec,
    known: &dyn Known,
    (table, notes): (MetricsTable, Vec<String>),
) -> Result<Done, Stop> {
    let rows = table.to_batch().map_err(|e| Problem::new(ProblemKind::Bug, e.to_string()))?;
    let info = keep(work, work.cell, &rows)?;
    let mut done = Done::new(work, Some(info), Figures::of_metrics(&table, &spec.input));
    done.outcome.checks = evaluate(&spec.checks, &done.figures, known);
    done.outcome.notes = notes.into_iter().chain(table.notes).collect();
    Ok(done)
}

pub(in crate::engine::lanes) fn fairness(
    work: &Work,
    spec: &FairnessSpec,
    known: &dyn Known,
    effort: Effort,
) -> Result<Done, Stop> {
    let suppliers = (!spec.suppliers.is_empty()).then(|| spec.supplier_metric.clone());
    let metrics: Vec<String> = [spec.metric.clone()].into_iter().chain(suppliers).collect();
    let asked = Asked { input: &spec.input, roles: &spec.roles, ties: spec.ties, metrics: &metrics };
    let columns = spec.slices.iter().chain(&spec.suppliers).flatten().collect();
    let Fitted { roles, notes } = fit(work.view(), &asked, columns)?;
    let request = FairnessRequest {
        rows: dialect::rows(&spec.input, &roles, spec.relevant_at, spec.ties, work.workspace),
        slices: spec.slices.clone(),
        metric: spec.metric.clone(),
        suppliers: spec.suppliers.clone(),
        supplier_metric: spec.supplier_metric.clone(),
        min_support: spec.min_support,
        empty: Empty::NotAvailable,
        resamples: effort.resamples(spec.resamples),
        permutations: effort.permutations(spec.permutations),
        seed: spec.seed,
        likely_users: likely_users(work, spec)?,
    };
    let mut queries = StoreQueries { connection: work.connection, cancel: work.cancel };
    let mut progress = |done, total| {
        if effort == Effort::Full {
            work.progress("comparing groups", "steps", done, Some(total));
        }
    };
    let table = audit(&mut queries, &request, work.cancel, &mut progress)?;
    let rows = table.to_batch().map_err(|e| Problem::new(ProblemKind::Bug, e.to_string()))?;
    let info = keep(work, work.cell, &rows)?;
    let mut done = Done::new(work, Some(info), Figures::of_fairness(&table, &spec.input));
    done.outcome.checks = evaluate(&spec.checks, &done.figures, known);
    done.outcome.notes = notes.into_iter().chain(table.notes).collect();
    Ok(done)
}

/// Columns that are named like those of users and are not among the groups.
fn likely_users(work: &Work, spec: &FairnessSpec) -> Result<Vec<String>, Stop> {
    let found = work.connection.describe(&spec.input.from)?;
    let grouped = |name: &str| spec.slices.iter().flatten().any(|slice| slice.eq_ignore_ascii_case(name));
    let names = found.columns.iter().map(|column| &column.name);
    Ok(names.filter(|name| names_a_user(name) && !grouped(name)).cloned().collect())
}
