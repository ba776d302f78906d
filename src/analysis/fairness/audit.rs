//! From a request to a table: each slice is measured group by group, compared with the rest, and
//! tested; then p is adjusted over the whole table.
//!
//! A group's value is the metric of the group's rows, as if they were the whole relation. Where a
//! slice splits a query's rows (supplier, say), a list is the rows of one query in one group.

use super::disparity::{Disparity, adjust as adjust_disparities, measure_all};
use super::slice::Slice;
use super::{FairnessRequest, FairnessTable, GroupLine, Side, SideFigure, Status};
use crate::analysis::metrics::columns::one;
use crate::analysis::metrics::prepared::clean;
use crate::analysis::metrics::roles::require;
use crate::analysis::metrics::{AnalysisError, MetricId};
use crate::analysis::stats::benjamini_hochberg;
use crate::analysis::{Bindings, Queries};
use crate::terms::quote_ident;
use crate::util::cancel::Cancel;

/// The share of false alarms among alarms that is accepted.
const FALSE_DISCOVERY_RATE: f64 = 0.05;

/// Measures the metric in every group of every slice and compares it with all other rows.
///
/// Groups under `min_support` are listed with status `below support` and without figures; a metric
/// that does not exist in a group is n/a. `progress(done, total)` counts slices. Leaves no relation
/// behind.
pub fn audit(
    queries: &mut dyn Queries,
    request: &FairnessRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<FairnessTable, AnalysisError> {
    let table = compute(queries, request, cancel, progress);
    clean(queries);
    table
}

fn compute(
    queries: &mut dyn Queries,
    request: &FairnessRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<FairnessTable, AnalysisError> {
    let mut table = FairnessTable::default();
    let mut asked = Vec::new();
    for side in Side::ALL {
        let (metric, slices) = request.of(side);
        let slices: Vec<&Vec<String>> = slices.iter().filter(|slice| !slice.is_empty()).collect();
        if slices.is_empty() && side == Side::Suppliers {
            continue;
        }
        let id = MetricId::parse(metric)?;
        require(&id, &request.rows)?;
        table.sides.push((side, SideFigure::new(&id)));
        asked.extend(slices.into_iter().map(|slice| (side, id, slice)));
    }
    if !asked.iter().any(|(side, ..)| *side == Side::Users) {
        return Err(AnalysisError::request("no slice is asked for")
            .with_hint("e.g. slices = [\"region\", \"region*device\"]"));
    }
    let total = asked.len() as u64;
    for (done, (side, id, slice)) in asked.into_iter().enumerate() {
        cancel.check()?;
        progress(done as u64, total);
        let found = Slice::measure(queries, request, &id, slice, cancel)?;
        let seed = request.seed.wrapping_add(done as u64);
        let first = table.lines.iter().all(|line| line.side != side);
        let lines = found.lines(request, &id, seed, cancel, &mut table.notes)?;
        table.lines.extend(lines.into_iter().map(|line| GroupLine { side, ..line }));
        let disparities = measure_all(&found, request, seed, cancel)?;
        table.disparities.extend(disparities.into_iter().map(|found| Disparity { side, ..found }));
        if let (true, Some(figure)) = (first, table.side_mut(side)) {
            figure.overall = found.overall();
            // Both sides read the same rows and have much the same to say of them.
            let fresh = found.notes.into_iter().filter(|note| !table.notes.contains(note));
            let fresh: Vec<String> = fresh.collect();
            table.notes.extend(fresh);
        }
    }
    table.notes.extend(unnamed_user(queries, request)?);
    adjust(&mut table);
    adjust_disparities(&mut table);
    sort(&mut table);
    warn(&mut table, request.permutations);
    progress(total, total);
    Ok(table)
}

/// A warning where rows of one user are taken for independent: they are alike, and chance alone then looks
/// like a difference.
fn unnamed_user(
    queries: &mut dyn Queries,
    request: &FairnessRequest,
) -> Result<Option<String>, AnalysisError> {
    let roles = &request.rows.roles;
    if roles.user.is_some() {
        return Ok(None);
    }
    let (shared, what) = match &roles.query {
        Some(query) => (format!("count(DISTINCT {}) > 1", quote_ident(query)), "queries"),
        None => ("count(*) > 1".to_owned(), "rows"),
    };
    for user in &request.likely_users {
        let mut bindings = Bindings::new()
            .ident("from", &request.rows.from)
            .expr("where", request.rows.filter.as_deref().unwrap_or("TRUE"))
            .expr("shared", shared.as_str())
            .ident("user", user);
        bindings.values.extend(request.rows.params.iter().cloned());
        let found = queries.rows("fairness/shared_users", &bindings)?;
        let (users, shared) = (one(&found, "users")?, one(&found, "shared")?);
        if shared > 0.0 {
            return Ok(Some(format!(
                "{shared} of {users} in `{user}` have several {what}, which are taken for independent: p is too small \
                 and intervals too narrow where they are alike; user = \"{user}\" says whose they are"
            )));
        }
    }
    Ok(None)
}

/// Benjamini-Hochberg over every group that was tested, in all slices of the table.
fn adjust(table: &mut FairnessTable) {
    let good = table.directions();
    let p: Vec<f64> = table.lines.iter().map(|line| line.p.unwrap_or(f64::NAN)).collect();
    for (line, adjusted) in table.lines.iter_mut().zip(benjamini_hochberg(&p)) {
        if adjusted.is_nan() {
            continue;
        }
        line.p_adjusted = Some(adjusted);
        let delta = line.delta.unwrap_or(0.0);
        if adjusted <= FALSE_DISCOVERY_RATE && delta != 0.0 {
            let good = (delta > 0.0) == good(line.side);
            line.status = if good { Status::Better } else { Status::Worse };
        }
    }
}

/// Side by side; measured groups first, the worst of them on top.
fn sort(table: &mut FairnessTable) {
    let good = table.directions();
    let place = |line: &GroupLine| match line.status {
        Status::BelowSupport => 2,
        Status::NotAvailable => 1,
        _ => 0,
    };
    table.lines.sort_by(|a, b| {
        let sign = |line: &GroupLine| if good(line.side) { 1.0 } else { -1.0 };
        let badness = |line: &GroupLine| line.delta.map_or(f64::INFINITY, |delta| sign(line) * delta);
        a.side
            .cmp(&b.side)
            .then(place(a).cmp(&place(b)))
            .then(badness(a).total_cmp(&badness(b)))
            .then(b.n.cmp(&a.n))
    });
}

fn warn(table: &mut FairnessTable, permutations: u32) {
    let tested = table.lines.iter().filter(|line| line.p.is_some()).count();
    let least = tested as f64 / f64::from(permutations.saturating_add(1));
    if permutations > 0 && least > FALSE_DISCOVERY_RATE {
        let needed = (tested as f64 / FALSE_DISCOVERY_RATE).ceil();
        table.notes.push(format!(
            "{permutations} permutations over {tested} groups can hardly show anything: take at least {needed}"
        ));
    }
    let hidden = table.lines.iter().filter(|line| line.status == Status::BelowSupport).count();
    if hidden > 0 {
        table.notes.push(format!("{hidden} groups are below support: listed, not measured"));
    }
}
