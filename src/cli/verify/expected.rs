//! FAMILIES: every family of goldens, and how many figures it holds. Nothing is computed here.

use super::family::Expected;
use crate::analysis::metrics::METRICS;

pub(super) const EXAMPLES: Expected = Expected {
    id: "examples",
    name: "worked examples of the metrics",
    tolerance: 1e-9,
    figures: METRICS.len(),
    shared: false,
};
/// Of several tables, each a line of its own; the figures are those of all.
pub(super) const PEERS: Expected = Expected {
    id: "peers",
    name: "metrics of peer libraries, all tables",
    tolerance: 1e-9,
    figures: 1211,
    shared: false,
};
pub(super) const NORMAL: Expected = Expected {
    id: "normal",
    name: "normal distribution (scipy)",
    tolerance: 1e-7,
    figures: 5,
    shared: false,
};
pub(super) const TREC_EVAL: Expected =
    Expected { id: "trec_eval", name: "trec_eval on Chorus", tolerance: 1e-9, figures: 6656, shared: true };
pub(super) const SKLEARN: Expected =
    Expected { id: "sklearn", name: "scikit-learn on Chorus", tolerance: 1e-9, figures: 5, shared: true };
pub(super) const SKLEARN_PROBABILITIES: Expected = Expected {
    id: "sklearn-probabilities",
    name: "scikit-learn on Chorus, probabilities",
    tolerance: 1e-6,
    figures: 4,
    shared: true,
};
pub(super) const INTERVALS: Expected = Expected {
    id: "intervals",
    name: "Wilson, Benjamini-Hochberg, -Yekutieli",
    tolerance: 1e-9,
    figures: 60,
    shared: true,
};
pub(super) const FAIRLEARN: Expected = Expected {
    id: "fairlearn",
    name: "fairlearn on Chorus by supplier",
    // The goldens by group are printed with ten digits.
    tolerance: 1e-9,
    figures: 36,
    shared: true,
};
pub(super) const ARCHITECTURES: Expected = Expected {
    id: "architectures",
    name: "outputs of a tiny model of every family (transformers)",
    tolerance: 1e-4,
    figures: 4050,
    shared: false,
};
pub(super) const CAPTUM: Expected = Expected {
    id: "captum",
    name: "attributions of a cross-encoder (captum)",
    tolerance: 1e-3,
    figures: 149,
    shared: true,
};

pub(super) const FAMILIES: &[&Expected] = &[
    &EXAMPLES,
    &PEERS,
    &NORMAL,
    &TREC_EVAL,
    &SKLEARN,
    &SKLEARN_PROBABILITIES,
    &INTERVALS,
    &FAIRLEARN,
    &ARCHITECTURES,
    &CAPTUM,
];
