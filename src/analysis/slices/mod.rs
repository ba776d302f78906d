//! In which slices of the data does a metric diverge from the rest, beyond chance? Every combination of
//! up to three predicates over the columns at hand is tried; what is found is adjusted for all that was
//! tried, freed of what another slice explains, and tested again on queries that the search has not seen.
//!
//! **Counting is done in Rust, on columns of one-byte codes, not in DuckDB.** The design asked for a
//! lattice search pushed into SQL; `benches/slices.rs` measures both. On half of 1 M rows and 20 attributes,
//! plain sums by GROUPING SETS take about as long for all 1,350 column sets (7.6 s multiplied up, two cores)
//! as the walk with its tests (6.7 s, one core). But plain sums are not enough: the test needs sums of
//! squares over each query's part of a slice, which in SQL means grouping by the query as well, set by set;
//! and SQL can neither leave out what contains something too small, nor stop or say how far it is between
//! two sets. The walk counts by cluster in the same pass, prunes whole branches (apriori), and needs no
//! memory that grows with the number of slices tested. DuckDB does what it is good at: it reads the rows
//! once, finds the frequent values and the quantiles, and codes the columns.
//!
//! The order to read in: `discover` (from request to table), `attributes` and `text` (what can be said
//! of a row), `units` and `sample` (values and codes, in two halves), `lattice` (the search), `tally`
//! (the test), `prune`, `shapley`, `table`. No connection, no thread, no SQL text of statements here.

mod attributes;
mod columns;
mod condition;
mod discover;
mod lattice;
mod prune;
mod request;
mod sample;
mod shapley;
#[cfg(test)]
mod simulation;
mod table;
mod tally;
mod text;
mod units;

pub use discover::discover;
pub use request::SlicesRequest;

pub use crate::terms::Adjustment;
pub use table::{HeldOut, SliceLine, SliceStatus, SlicesTable};
