//! Rates over rows: which columns of `metrics/outcomes` make which rate.

use crate::analysis::metrics::MetricId;

/// Columns of `metrics/outcomes`, and how often each counts.
pub(in crate::analysis::metrics) type Weights = &'static [(&'static str, f64)];

/// What a rate over rows is made of.
pub(in crate::analysis::metrics) struct Rate {
    pub numerator: Weights,
    pub denominator: Weights,
    pub missing: Weights,
    /// What n counts.
    pub support: Weights,
}

pub(in crate::analysis::metrics) fn rate(id: &MetricId) -> Rate {
    const UNSCORED: Weights = &[("rows", 1.0), ("scored", -1.0)];
    const UNLABELLED: Weights = &[("rows", 1.0), ("labelled", -1.0)];
    const UNASKED: Weights = &[("rows", 1.0), ("asked", -1.0)];
    let (numerator, denominator, missing): (Weights, Weights, Weights) = match id.metric.id {
        "precision" => (&[("tp", 1.0)], &[("tp", 1.0), ("fp", 1.0)], UNSCORED),
        "recall" => (&[("tp", 1.0)], &[("tp", 1.0), ("fn", 1.0)], UNSCORED),
        "f1" => (&[("tp", 2.0)], &[("tp", 2.0), ("fp", 1.0), ("fn", 1.0)], UNSCORED),
        "fpr" => (&[("fp", 1.0)], &[("fp", 1.0), ("tn", 1.0)], UNSCORED),
        "fnr" => (&[("fn", 1.0)], &[("tp", 1.0), ("fn", 1.0)], UNSCORED),
        "selection_rate" => (&[("tp", 1.0), ("fp", 1.0)], &[("scored", 1.0)], UNSCORED),
        "log_loss" => (&[("log_loss", 1.0)], &[("scored", 1.0)], UNSCORED),
        "brier" => (&[("brier", 1.0)], &[("scored", 1.0)], UNSCORED),
        "ctr" => (&[("clicks", 1.0)], &[("labelled", 1.0)], UNLABELLED),
        "purchase_rate" => (&[("purchases", 1.0)], &[("asked", 1.0)], UNASKED),
        "cvr" => (&[("purchases", 1.0)], &[("clicks", 1.0)], UNASKED),
        _ => (&[("tp", 1.0), ("tn", 1.0)], &[("scored", 1.0)], UNSCORED),
    };
    // F1's denominator counts a true positive twice; its rows are those it looks at.
    let support = if id.metric.id == "f1" { &[("tp", 1.0), ("fp", 1.0), ("fn", 1.0)] } else { denominator };
    Rate { numerator, denominator, missing, support }
}
