//! In which slices of the data does a metric diverge from the rest, beyond chance? Every combination of
//! up to three predicates over the columns at hand is tried; what is found is adjusted for all that was
//! tried, freed of what another slice explains, and tested again on queries that the search has not seen.
//!
//! **Counting is done in Rust, on columns of one-byte codes, not in DuckDB.** The design asked for a
//! lattice search pushed into SQL; `benches/slices.rs` measures both. Over 1 M rows and 20 attributes,
//! GROUPING SETS costs DuckDB seconds *per ten* of the 1,350 column sets and a hash table for each, and
//! can neither leave out supersets of what is too small nor say how far it is. A walk over the lattice
//! touches each row's code once per set, keeps its counters in the first-level cache, prunes whole
//! branches (apriori), and needs no memory that grows with the number of slices. DuckDB does what it is
//! good at: it reads the rows once, finds the frequent values and the quantiles, and codes the columns.
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
pub use request::{Adjustment, SlicesRequest};
pub use table::{HeldOut, SliceLine, SliceStatus, SlicesTable};
