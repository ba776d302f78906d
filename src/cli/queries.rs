//! What went wrong with registered SQL or with the analysis over it, as a subcommand's failure.

use super::Failure;
use crate::analysis::{AnalysisError, QueryError};
use crate::engine::store::StoreError;

pub(super) fn query_failure(error: QueryError) -> Failure {
    match error {
        QueryError::Cancelled => StoreError::cancelled().into(),
        QueryError::Failed(message) => Failure::data(message),
    }
}

pub(super) fn analysis_failure(error: AnalysisError) -> Failure {
    let failure = Failure::usage(error.to_string());
    match error.hint() {
        // There is no cell here.
        Some(hint) if hint.contains("to the cell") => failure.hint(format!(
            "a run has queries, items, scores and gains only; ask for it in a metrics cell of a notebook: {hint}"
        )),
        Some(hint) => failure.hint(hint.to_string()),
        None => failure,
    }
}
