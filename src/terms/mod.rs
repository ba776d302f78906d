//! The words that all layers share: a notebook reads them, an analysis obeys them, the command line offers
//! them. No behaviour here: what a word makes the program do stands where it is done.

mod choices;

pub use choices::{Adjustment, Choice, Detail, ExplainMethod, IntervalMethod, Ties};
