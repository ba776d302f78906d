//! The rows of METRICS for click logs: what each figure is, and when there is none. No arithmetic here.

use super::super::metric::{Cutoff, INF, Level, Metric, Need, catalogue, row};

const WEIGHTED: &[Need] = &[Need::Propensity, Need::Target, Need::Reward];
const WEIGHTS: &[Need] = &[Need::Propensity, Need::Target];
const UNSUPPORTED: &str =
    "a row has target > 0 where its propensity is missing or not within (0, 1]; no row with a reward";

pub(in super::super) const IPS: Metric = Metric {
    needs: WEIGHTED,
    range: (-INF, INF),
    ..row(
        "ips",
        true,
        "Reward per row that another policy would have had, from the log of this one",
        "mean(w * reward), w = target / propensity, at most `clip` where one is set",
        UNSUPPORTED,
        "Horvitz & Thompson 1952; clipped as in Bottou et al. 2013; obp InverseProbabilityWeighting",
    )
};

pub(in super::super) const SNIPS: Metric = Metric {
    needs: WEIGHTED,
    range: (-INF, INF),
    ..row(
        "snips",
        true,
        "As ips, with the weights' sum in the place of the rows: a little biased, much steadier",
        "sum(w * reward) / sum(w), w = target / propensity, at most `clip` where one is set",
        UNSUPPORTED,
        "Hajek 1971; Swaminathan & Joachims 2015; obp SelfNormalizedInverseProbabilityWeighting",
    )
};

pub(in super::super) const DR: Metric = Metric {
    needs: &[Need::Propensity, Need::Target, Need::Reward, Need::Model],
    range: (-INF, INF),
    ..row(
        "dr",
        true,
        "Value of another policy by a reward model, its errors corrected by ips: right if either is right",
        "mean(q_target + w * (reward - q_logged)), w as in ips",
        "as ips, and rows without a finite q_logged and q_target are left out",
        "Dudik et al. 2011; obp DoublyRobust",
    )
};

pub(in super::super) const ESS: Metric = Metric {
    needs: WEIGHTS,
    range: (0.0, INF),
    ..catalogue(
        "ess",
        Cutoff::Never,
        true,
        "How many rows of the new policy's own log the weighted log is worth",
        "(sum w)^2 / sum w^2, w as in ips",
        "a row has target > 0 without a propensity; all weights are 0",
        "Kish 1965; Owen 2013, ch. 9",
    )
};

pub(in super::super) const WEIGHT_MEAN: Metric = Metric {
    needs: WEIGHTS,
    range: (0.0, INF),
    ..row(
        "weight_mean",
        true,
        "Mean importance weight: 1 is expected, anything else says that propensity, target and log do not belong together",
        "mean(w), w = target / propensity, not clipped",
        "a row has target > 0 where its propensity is missing or not within (0, 1]",
        "Lefortier et al. 2016 (control variate)",
    )
};

pub(in super::super) const WEIGHT_MAX: Metric = Metric {
    needs: WEIGHTS,
    range: (0.0, INF),
    ..catalogue(
        "weight_max",
        Cutoff::Never,
        false,
        "The largest importance weight: what one row may be worth",
        "max(w), w = target / propensity, not clipped",
        "a row has target > 0 where its propensity is missing or not within (0, 1]",
        "definition",
    )
};

pub(in super::super) const CTR_DEBIASED: Metric = Metric {
    needs: &[Need::Label, Need::Examination],
    range: (0.0, INF),
    level: Level::Row,
    ..row(
        "ctr_debiased",
        true,
        "Click rate as if every row stood where everybody looks: position bias taken out",
        "mean(click / examination of its position); without the column, examination is fitted: \
         P(click) = examination(position) * relevance(query, item), maximum likelihood, the most looked at position is 1",
        "no labelled row at a position whose examination is known: fitting takes items that were clicked and seen at several positions",
        "Joachims et al. 2017; position-based model: Craswell et al. 2008, Chuklin et al. 2015, ch. 3",
    )
};
