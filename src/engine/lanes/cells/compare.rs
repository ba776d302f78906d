//! `compare` cells: each run's columns are held against what is there, then the analysis over the store,
//! and the figures that checks name.

use super::measure::Effort;
use super::roles::{Asked, Fitted, fit};
use super::table::keep;
use super::{Done, Figures, Known, Stop, Work};
use crate::analysis::compare as asked;
use crate::analysis::compare::{CompareRequest, CompareTable, Run, compare as contrast};
use crate::analysis::metrics::Empty;
use crate::engine::lanes::checks::evaluate;
use crate::engine::lanes::dialect;
use crate::engine::lanes::queries::StoreQueries;
use crate::notebook::check::{Check, Part};
use crate::notebook::spec::{CompareSpec, Compared, Input};
use crate::protocol::{Problem, ProblemKind};
use crate::terms::Detail;

pub(in crate::engine::lanes) fn compare(
    work: &Work,
    spec: &CompareSpec,
    known: &dyn Known,
    effort: Effort,
) -> Result<Done, Stop> {
    let (runs, mut notes) = runs(work, spec)?;
    // Details are about queries; nobody waits for chance there unless a check asks.
    let tested = spec.detail == Detail::Summary || !spec.checks.is_empty();
    let request = CompareRequest {
        runs,
        show: spec.show.clone(),
        by: if tested { spec.by.clone() } else { Vec::new() },
        empty: Empty::NotAvailable,
        interval: spec.interval,
        resamples: if tested { effort.resamples(spec.resamples) } else { 0 },
        permutations: if tested { effort.permutations(spec.permutations) } else { 0 },
        seed: spec.seed,
        detect: spec.detect,
        levels: levels(&spec.checks),
        top_queries: if spec.detail == Detail::Summary { 0 } else { spec.top_queries },
    };
    let mut queries = StoreQueries { connection: work.connection, cancel: work.cancel };
    let mut progress = |done, total| {
        if effort == Effort::Full {
            work.progress("comparing runs", "steps", done, Some(total));
        }
    };
    let table = contrast(&mut queries, &request, work.cancel, &mut progress)?;
    let rows = match spec.detail {
        Detail::Summary => table.to_batch(),
        Detail::Queries => asked::queries_batch(&table),
        Detail::Lists => asked::lists_batch(&table),
    };
    let rows = rows.map_err(|e| Problem::new(ProblemKind::Bug, e.to_string()))?;
    let info = keep(work, work.cell, &rows)?;
    let figures = figures(&table, spec, rows.num_rows() as u64);
    let mut done = Done::new(work, Some(info), figures);
    done.outcome.checks = evaluate(&spec.checks, &done.figures, known);
    notes.extend(table.notes);
    done.outcome.notes = notes;
    Ok(done)
}

/// The rows of each run, and what the reader should know of them.
fn runs(work: &Work, spec: &CompareSpec) -> Result<(Vec<Run>, Vec<String>), Stop> {
    let (mut runs, mut notes) = (Vec::new(), Vec::new());
    let mut say = |fitted: Vec<String>| {
        for note in fitted {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    };
    match &spec.runs {
        Compared::Scores(columns) => {
            let wanted =
                Asked { input: &spec.input, roles: &spec.roles, ties: spec.ties, metrics: &spec.show };
            let Fitted { roles, notes } = fit(work.view(), &wanted, spec.by.iter().chain(columns).collect())?;
            say(notes);
            for column in columns {
                let mut own = roles.clone();
                let is = |name: &Option<String>| {
                    name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(column))
                };
                // The rank that was shown may stand beside scores.
                own.score = if is(&own.position) { None } else { Some(column.clone()) };
                let rows = dialect::rows(&spec.input, &own, spec.relevant_at, spec.ties, work.workspace);
                runs.push(Run { name: column.clone(), rows });
            }
        }
        Compared::Runs(relations) => {
            for relation in relations {
                let input = Input { from: relation.clone(), filter: spec.input.filter.clone() };
                let wanted =
                    Asked { input: &input, roles: &spec.roles, ties: spec.ties, metrics: &spec.show };
                let Fitted { roles, notes } = fit(work.view(), &wanted, spec.by.iter().collect())?;
                say(notes);
                let rows = dialect::rows(&input, &roles, spec.relevant_at, spec.ties, work.workspace);
                runs.push(Run { name: relation.clone(), rows });
            }
        }
    }
    Ok((runs, notes))
}

/// The levels that the cell's own checks ask for.
fn levels(checks: &[String]) -> Vec<f64> {
    let parsed: Vec<Check> = checks.iter().filter_map(|check| Check::parse(check).ok()).collect();
    let terms = parsed.iter().flat_map(Check::terms).filter(|term| term.cell.is_none());
    let levels = terms.filter_map(|term| match term.part {
        Part::LowerAt(level) | Part::UpperAt(level) => Some(level.share()),
        _ => None,
    });
    levels.collect()
}

fn figures(table: &CompareTable, spec: &CompareSpec, rows: u64) -> Figures {
    let from = |run: &str| match &spec.runs {
        Compared::Scores(_) => spec.input.clone(),
        Compared::Runs(_) => Input { from: run.to_owned(), filter: spec.input.filter.clone() },
    };
    Figures::of_comparison(table, rows, &from)
}
