//! What click logs say beyond their own order: the value that another policy would have had
//! (importance weighting, doubly robust), and clicks with the position's share taken out. The sums come
//! from `queries/policy/*.sql`; here they become figures with their warnings. No ranking metric here.

mod catalogue;
mod clicks;
mod parts;
mod position;
mod weights;

use super::prepared::Prepared;
use super::values::Values;
use super::{AnalysisError, MetricId, Need, Rows};

pub(super) use catalogue::{CTR_DEBIASED, DR, ESS, IPS, SNIPS, WEIGHT_MAX, WEIGHT_MEAN};
pub(super) use clicks::has_examination;
pub(crate) use parts::PolicyParts;
pub use position::{Cell, PositionModel, TOLERANCE, fit};

/// Measures `id` where it is one of this family; `None` for all others.
pub(super) fn measure(prepared: &mut Prepared<'_>, id: &MetricId) -> Option<Result<Values, AnalysisError>> {
    match id.metric.id {
        "ips" | "snips" | "dr" | "ess" | "weight_mean" | "weight_max" => {
            Some(weights::measure(prepared, id.metric.id))
        }
        "ctr_debiased" => Some(clicks::measure(prepared)),
        _ => None,
    }
}

/// Do rows have to carry what this family reads?
pub(super) fn reads(id: &MetricId) -> bool {
    let own = [Need::Propensity, Need::Target, Need::Reward, Need::Model, Need::Examination];
    id.metric.needs.iter().any(|need| own.contains(need))
}

/// The role that a reward is read from, and its column.
pub(super) fn reward(rows: &Rows) -> Option<(&'static str, &str)> {
    let all = [("reward", &rows.policy.reward), ("label", &rows.roles.label), ("gain", &rows.roles.gain)];
    all.into_iter().find_map(|(role, column)| Some((role, column.as_deref()?)))
}
