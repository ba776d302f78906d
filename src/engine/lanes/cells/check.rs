//! A `check` cell: conditions over the figures of other cells. Has no rows.

use super::{Done, Figures, Known, Work};
use crate::engine::lanes::checks::evaluate;
use crate::notebook::spec::CheckSpec;

pub(super) fn check(work: &Work, spec: &CheckSpec, known: &dyn Known) -> Done {
    let mut done = Done::new(work, None, Figures::default());
    done.outcome.checks = evaluate(&spec.checks, &Figures::default(), known);
    done
}
