//! The statements of `queries/metrics/`, by name.

use super::super::Query;

pub(super) const QUERIES: &[Query] = super::registered!(
    "metrics": "average_precision",
    "bpref",
    "calibration",
    "catalogue",
    "drop",
    "err",
    "exposure",
    "facts",
    "gain_at",
    "groups",
    "hits_at",
    "ideal",
    "ild",
    "items",
    "judged",
    "list_index",
    "list_queries",
    "lists",
    "novelty",
    "outcomes",
    "ranked",
    "repeats",
    "rows",
    "rprec",
    "scores",
    "seed",
    "unique",
    "unlisted",
);
