//! What a finished (or partial) cell has to show.

use serde::{Deserialize, Serialize};

use super::{Explanation, RelationInfo};

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub cell: String,
    /// The cell's result is a relation with the cell's name; `None` for cells without rows.
    pub relation: Option<RelationInfo>,
    pub elapsed_ms: u64,
    /// Rows are still to come, or the job was stopped before the end.
    pub partial: bool,
    /// Served from the sidecar without running.
    pub cached: bool,
    pub checks: Vec<CheckOutcome>,
    pub body: Body,
    /// Sentences a reader must see: excluded groups, truncated texts, tied rows, guessed roles.
    pub notes: Vec<String>,
}

/// What a cell shows beside its rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Body {
    #[default]
    Table,
    Score(ScoreSummary),
    Explain(Vec<Explanation>),
    Train(TrainReport),
}

/// One line of a cell's `check` list, evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckOutcome {
    pub text: String,
    /// `None`: a figure in it is n/a; counts as failed.
    pub ok: Option<bool>,
    /// The figure that decided, e.g. 0.31 for `ndcg@10 >= 0.35`.
    pub value: Option<f64>,
    pub threshold: Option<f64>,
    /// Where the rows behind the figure are: SQL over cells of this notebook.
    pub rows_sql: Option<String>,
    /// Why it is n/a, or what the reader should know.
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreSummary {
    pub model: String,
    pub device: String,
    pub dtype: String,
    pub rows: u64,
    pub unique_inputs: u64,
    /// Of these, inputs that were in the score cache.
    pub cached_inputs: u64,
    /// Rows whose score came from the score cache.
    pub cached_rows: u64,
    pub tokens: u64,
    pub tokens_per_second: f64,
    /// Inputs longer than the model's limit; the text column says which rule cut them.
    pub truncated: u64,
    /// Rows whose text is NULL or empty: score is NULL.
    pub empty: u64,
    pub nan: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainReport {
    pub out: String,
    pub epochs: Vec<EpochReport>,
    pub best_epoch: usize,
    pub labels: Vec<String>,
    pub train_rows: u64,
    pub dev_rows: u64,
}

/// One class against the rest, on the dev rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    pub label: String,
    /// Rows whose class this is, and rows predicted as it.
    pub support: u64,
    pub predicted: u64,
    /// `None` where nothing was predicted.
    pub precision: Option<f64>,
    /// `None` where no row is of the class.
    pub recall: Option<f64>,
    pub f1: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Counted from 1.
    pub epoch: usize,
    pub train_loss: f64,
    pub dev_loss: f64,
    pub accuracy: f64,
    /// Macro averages over the classes that occur or are predicted, as scikit-learn's with
    /// zero_division=0; `None` without dev rows.
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub f1: Option<f64>,
    pub classes: Vec<ClassReport>,
    /// Of the pass over the training rows.
    pub seconds: f64,
    pub rows_per_second: f64,
}
