//! How far a model's scores lie from another's on the same rows: what a smaller number type, a pruned layer
//! or a new version costs. Differences and rank correlation of the scores (`scores`), and the change of a
//! ranking metric where there are judgments (`ranking`).

mod gate;
mod ranking;
mod scores;

pub use gate::{Gate, Verdict};
pub use ranking::{RankingChange, Scored, ranking_change};
pub use scores::{ScoreDrift, score_drift, spearman};
