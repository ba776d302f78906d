//! `recscope models bench|quantize|prune`: what a model costs and what a smaller one loses, measured on
//! rows with judgments where there are some. Taking parts away is `engine::model::shrink`, judging what it
//! did `analysis::drift`.
//!
//! ```text
//! --input | the demo's shop --sample--> rows --contest: both models, in turns--> scores, speeds
//!                                                   `--compare: drift, gate--> report (text, JSON)
//! ```

mod args;
mod bench;
mod compare;
mod contest;
mod prune;
mod quantize;
mod report;
mod reservoir;
mod sample;

pub use args::{BenchArgs, PruneArgs, QuantizeArgs};
pub(super) use bench::bench;
pub(super) use compare::dtypes;
pub(super) use prune::prune;
pub(super) use quantize::quantize;
pub(super) use report::scores;
pub(super) use reservoir::Reservoir;
