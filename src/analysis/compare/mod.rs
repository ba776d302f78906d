//! Two or more runs (or models) over the same queries: what changed, how sure that is, and on which
//! queries. Any metric of the catalogue, paired query by query. No connection and no thread here.

mod comparison;
mod figures;
mod line;
mod measured;
mod moved;
mod notes;
mod pairs;
mod request;
mod table;

pub use comparison::compare;
pub use line::{CompareLine, Verdict};
pub use moved::{Moved, TopItem, lists_batch, queries_batch};
pub use request::{CompareRequest, LEVELS, Run};
pub use table::CompareTable;
