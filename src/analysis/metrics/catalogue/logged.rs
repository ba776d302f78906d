//! Metrics of click logs and of those who supply the items, as their families describe them, with
//! worked examples.

use super::examples::{EXAMINED, LOGGED_POLICY, SUPPLIED};
use crate::analysis::metrics::metric::Metric;
use crate::analysis::metrics::policy::{CTR_DEBIASED, DR, ESS, IPS, SNIPS, WEIGHT_MAX, WEIGHT_MEAN};
use crate::analysis::metrics::supply::{
    CLICKS_PER_UTILITY, EXPOSURE, EXPOSURE_GEOMETRIC, EXPOSURE_PER_UTILITY, FAIR_PREFIX,
};

pub(super) const LOGGED: &[Metric] = &[
    CTR_DEBIASED.example(EXAMINED, "ctr_debiased", 1.25),
    IPS.example(LOGGED_POLICY, "ips", 0.625),
    SNIPS.example(LOGGED_POLICY, "snips", 0.5),
    DR.example(LOGGED_POLICY, "dr", 0.53125),
    ESS.example(LOGGED_POLICY, "ess", 10.0 / 3.0),
    WEIGHT_MEAN.example(LOGGED_POLICY, "weight_mean", 1.25),
    WEIGHT_MAX.example(LOGGED_POLICY, "weight_max", 2.0),
    EXPOSURE.example(SUPPLIED, "exposure", 0.815464876785729),
    EXPOSURE_GEOMETRIC.example(SUPPLIED, "exposure_geometric", 0.75),
    EXPOSURE_PER_UTILITY.example(SUPPLIED, "exposure_per_utility", 1.0872865023809717),
    CLICKS_PER_UTILITY.example(SUPPLIED, "clicks_per_utility", 2.0 / 3.0),
    FAIR_PREFIX.example(SUPPLIED, "fair_prefix@2", 1.0),
];
