//! From a request to a table.

use super::{FairnessRequest, FairnessTable};
use crate::analysis::Queries;
use crate::analysis::metrics::{AnalysisError, MetricId};
use crate::util::cancel::Cancel;

/// Measures the metric in every group of every slice and compares it with all other rows.
///
/// `progress(done, total)` is called now and then, in steps of work. Leaves no relation behind.
pub fn audit(
    _queries: &mut dyn Queries,
    request: &FairnessRequest,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<FairnessTable, AnalysisError> {
    MetricId::parse(&request.metric)?;
    cancel.check()?;
    progress(0, request.slices.len() as u64);
    Err(AnalysisError::request("fairness audits are not built in yet"))
}
