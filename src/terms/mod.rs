//! The words that all layers share: a notebook reads them, an analysis obeys them, the command line offers
//! them. No behaviour here: what a word makes the program do stands where it is done.

mod choices;
mod ids;
mod page;
mod sql;

pub use choices::{Adjustment, Choice, Detail, ExplainMethod, IntervalMethod, Ties, TrainObjective};
pub use ids::{names_a_user, names_an_id};
pub use page::{PageSpec, RowCount};
pub use sql::{Bindings, SqlValue, quote_ident, quote_text};
