//! The rows of METRICS for suppliers of items: what each figure is, and when there is none. No arithmetic.

use super::super::metric::{Cutoff, INF, Metric, Need, list, row};

const PLACED: &[Need] = &[Need::Query, Need::Order, Need::Place];

pub(in super::super) const EXPOSURE: Metric = Metric {
    needs: PLACED,
    cutoff: Cutoff::Optional,
    ..row(
        "exposure",
        true,
        "Attention per item, by group of items: equal under demographic parity of exposure",
        "mean over rows of 1/log2(r+1), r the rank in the query's whole list, 0 outside of the top k",
        "no row",
        "Singh & Joachims 2018, logarithmic attention",
    )
};

pub(in super::super) const EXPOSURE_GEOMETRIC: Metric = Metric {
    needs: PLACED,
    cutoff: Cutoff::Optional,
    ..row(
        "exposure_geometric",
        true,
        "As exposure, for a reader who goes on to the next item in half of all cases",
        "mean over rows of 0.5^(r-1), r the rank in the query's whole list, 0 outside of the top k",
        "no row",
        "Biega et al. 2018, geometric attention",
    )
};

pub(in super::super) const EXPOSURE_PER_UTILITY: Metric = Metric {
    needs: &[Need::Query, Need::Order, Need::Place, Need::Gain],
    cutoff: Cutoff::Optional,
    range: (0.0, INF),
    ..row(
        "exposure_per_utility",
        true,
        "Attention for its worth, over all queries: equal where there is no disparate treatment",
        "sum of 1/log2(r+1) / sum of gains above 0; n counts rows with a gain above 0",
        "no gain above 0",
        "Singh & Joachims 2018, disparate treatment; amortised: Biega et al. 2018",
    )
};

pub(in super::super) const CLICKS_PER_UTILITY: Metric = Metric {
    needs: &[Need::Gain, Need::Label, Need::Click],
    range: (0.0, INF),
    ..row(
        "clicks_per_utility",
        true,
        "Clicks for their worth, over all queries: equal where there is no disparate impact",
        "rows with label / sum of gains above 0 of labelled rows; n counts those with a gain above 0",
        "no gain above 0",
        "Singh & Joachims 2018, disparate impact",
    )
};

pub(in super::super) const FAIR_PREFIX: Metric = Metric {
    needs: PLACED,
    ..list(
        "fair_prefix",
        Cutoff::Required,
        "Share of lists in which no prefix of the top k shows suspiciously few of the group",
        "count in the first i >= m(i) for all i <= k; m(i) the alpha_c quantile of Binomial(i, the group's share of all rows), \
         alpha_c such that k prefixes together fail in at most 10 % of fair lists",
        "nothing shown",
        "FA*IR: Zehlike et al. 2017, adjusted significance",
    )
};
