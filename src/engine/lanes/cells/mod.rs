//! How each kind of cell runs: one file per kind, each a function from the cell's spec to its outcome.
//! Nothing here decides whether a cell runs; that is the job's business.

mod check;
mod compare;
mod explain;
mod inputs;
mod measure;
mod recipe;
mod roles;
mod score;
mod slices;
mod sql;
mod stretch;
mod table;
mod train;

use std::path::PathBuf;

use super::checks::Known;
use super::figures::Figures;
use super::live::Live;
use super::progress::{Stop, View, Work};
use crate::notebook::spec::CellSpec;
use crate::protocol::{Outcome, RelationInfo};

pub(super) use compare::compare;
pub(super) use measure::{Effort, fairness, grow, metrics};
pub(super) use recipe::recipe;
pub(super) use score::ScoreJob;
pub(super) use sql::sql;

/// A finished cell: what is shown, and what later cells and engines need of it.
pub(super) struct Done {
    pub outcome: Outcome,
    pub figures: Figures,
    /// A folder that the cell wrote.
    pub made: Option<PathBuf>,
}

impl Done {
    fn new(work: &Work, relation: Option<RelationInfo>, figures: Figures) -> Self {
        let outcome = Outcome { cell: work.cell.to_owned(), relation, ..Outcome::default() };
        Self { outcome, figures, made: None }
    }
}

/// How a cell's turn ended.
pub(super) enum Ended {
    Done(Box<Done>),
    /// Its job is held; the turn goes on with this later.
    Held(Box<ScoreJob>),
}

/// Runs one cell; `begun`: goes on with a score cell that was held.
pub(super) fn run(
    work: &Work,
    spec: &CellSpec,
    known: &dyn Known,
    live: &mut Live,
    begun: Option<Box<ScoreJob>>,
) -> Result<Ended, Stop> {
    let mut done = match spec {
        CellSpec::Sql(spec) => sql(work, spec),
        CellSpec::Score(spec) => match score::score(work, spec, live, begun)? {
            Ended::Done(done) => Ok(*done),
            held => return Ok(held),
        },
        CellSpec::Metrics(spec) => metrics(work, spec, known, Effort::Full),
        CellSpec::Fairness(spec) => fairness(work, spec, known, Effort::Full),
        CellSpec::Slices(spec) => slices::slices(work, spec, known),
        CellSpec::Compare(spec) => compare(work, spec, known, Effort::Full),
        CellSpec::Explain(spec) => explain::explain(work, spec),
        CellSpec::Train(spec) => train::train(work, spec, known),
        CellSpec::Check(spec) => Ok(check::check(work, spec, known)),
    }?;
    done.outcome.elapsed_ms = work.elapsed_ms();
    Ok(Ended::Done(Box::new(done)))
}
