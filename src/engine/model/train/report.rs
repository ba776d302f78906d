//! What a run says while it trains and when it ends.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::figures::{ClassFigures, Figures};
use super::options::TrainOptions;

/// Said while training.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainEvent<'a> {
    /// Before the first step.
    Started { steps: usize, epochs: usize, train_rows: usize, dev_rows: usize },
    /// After every step, counted from 1 over the whole run.
    Stepped { epoch: usize, step: usize, steps: usize, rows: u64, loss: f64, rate: f64 },
    /// After every epoch and its look at the dev rows.
    Epoch(&'a Epoch),
}

/// One pass over the training rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: usize,
    /// Mean over rows, as they were seen (with dropout, while weights moved).
    pub train_loss: f64,
    /// Mean over dev rows after the epoch; `None` without dev rows.
    pub dev_loss: Option<f64>,
    /// On the dev rows.
    pub figures: Figures,
    /// What the pass over the training rows took, without the look at the dev rows.
    pub seconds: f64,
}

impl Epoch {
    /// Training rows per second.
    pub fn rows_per_second(&self, train_rows: u64) -> f64 {
        train_rows as f64 / self.seconds.max(1e-9)
    }
}

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    Finished,
    /// Stopped by the user; the best epoch so far was kept.
    Cancelled,
    /// The loss stopped being a number at this step; the best epoch so far was kept.
    Diverged {
        step: usize,
    },
}

/// A finished run; the model is in `out`.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainReport {
    pub out: PathBuf,
    pub epochs: Vec<Epoch>,
    /// Whose weights were kept, counted from 1: lowest dev loss (earliest of equals), or the last
    /// where there are no dev rows.
    pub best_epoch: usize,
    /// Names of the model's outputs.
    pub labels: Vec<String>,
    pub train_rows: u64,
    pub dev_rows: u64,
    /// Rows longer than the limit.
    pub truncated: u64,
    pub parameters: u64,
    pub stop: Stop,
    /// Sentences that a reader must see: imbalance, classes without rows, cut texts.
    pub notes: Vec<String>,
}

impl TrainReport {
    /// `training.json` beside the weights: how they came to be.
    pub fn to_json(&self, options: &TrainOptions) -> Value {
        let class = |c: &ClassFigures| {
            json!({
                "label": c.label,
                "support": c.support,
                "predicted": c.predicted,
                "precision": c.precision,
                "recall": c.recall,
                "f1": c.f1,
            })
        };
        let epoch = |e: &Epoch| {
            json!({
                "epoch": e.epoch,
                "train_loss": e.train_loss,
                "dev_loss": e.dev_loss,
                "accuracy": e.figures.accuracy,
                "precision": e.figures.precision,
                "recall": e.figures.recall,
                "f1": e.figures.f1,
                "classes": e.figures.classes.iter().map(class).collect::<Vec<_>>(),
                "seconds": e.seconds,
                "rows_per_second": e.rows_per_second(self.train_rows),
            })
        };
        json!({
            "averages": "precision, recall and F1 are macro averages, as scikit-learn's with zero_division=0",
            "made_by": concat!("recscope ", env!("CARGO_PKG_VERSION")),
            "options": {
                "epochs": options.epochs,
                "batch": options.batch,
                "learning_rate": options.learning_rate,
                "weight_decay": options.weight_decay,
                "warmup": options.warmup,
                "clip": options.clip,
                "dropout": options.dropout,
                "max_tokens": options.max_tokens,
                "seed": options.seed,
            },
            "labels": self.labels,
            "train_rows": self.train_rows,
            "dev_rows": self.dev_rows,
            "best_epoch": self.best_epoch,
            "finished": self.stop == Stop::Finished,
            "epochs": self.epochs.iter().map(epoch).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}
