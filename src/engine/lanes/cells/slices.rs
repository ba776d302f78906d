//! `slices` cells: the search over the store, and the figures that checks name. Runs when it is asked to:
//! a search is no cheap cell, and half a score job would have it find slices of what has arrived.

use super::roles::{Asked, Fitted, fit};
use super::table::keep;
use super::{Done, Figures, Known, Stop, Work};
use crate::analysis::metrics::Empty;
use crate::analysis::slices::{SlicesRequest, discover};
use crate::engine::lanes::checks::evaluate;
use crate::engine::lanes::dialect;
use crate::engine::lanes::queries::StoreQueries;
use crate::notebook::spec::SlicesSpec;
use crate::protocol::{Problem, ProblemKind};

pub(super) fn slices(work: &Work, spec: &SlicesSpec, known: &dyn Known) -> Result<Done, Stop> {
    let metrics = std::slice::from_ref(&spec.metric);
    let asked = Asked { input: &spec.input, roles: &spec.roles, ties: spec.ties, metrics };
    let Fitted { roles, notes } = fit(work.view(), &asked, spec.over.iter().chain(&spec.text).collect())?;
    let request = SlicesRequest {
        rows: dialect::rows(&spec.input, &roles, spec.relevant_at, spec.ties, work.workspace),
        metric: spec.metric.clone(),
        over: spec.over.clone(),
        text: spec.text.clone(),
        depth: spec.depth,
        min_support: spec.min_support,
        top: spec.top,
        alpha: spec.alpha,
        adjustment: spec.adjust,
        empty: Empty::NotAvailable,
        seed: spec.seed,
    };
    let mut queries = StoreQueries { connection: work.connection, cancel: work.cancel };
    let mut progress = |done, total| work.progress("searching slices", "steps", done, Some(total));
    let table = discover(&mut queries, &request, work.cancel, &mut progress)?;
    let rows = table.to_batch().map_err(|e| Problem::new(ProblemKind::Bug, e.to_string()))?;
    let info = keep(work, work.cell, &rows)?;
    let mut done = Done::new(work, Some(info), Figures::of_slices(&table, &spec.input));
    done.outcome.checks = evaluate(&spec.checks, &done.figures, known);
    done.outcome.notes = notes.into_iter().chain(table.notes).collect();
    Ok(done)
}
