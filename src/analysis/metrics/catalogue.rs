//! METRICS: every metric describes itself. This one table drives parsing, help, `recscope docs
//! metrics`, the choice of SQL, and tests. No arithmetic here.

use super::metric::{Cutoff, INF, Metric, Need, catalogue, list, row};
use super::policy::{CTR_DEBIASED, DR, ESS, IPS, SNIPS, WEIGHT_MAX, WEIGHT_MEAN};
use super::supply::{CLICKS_PER_UTILITY, EXPOSURE, EXPOSURE_GEOMETRIC, EXPOSURE_PER_UTILITY, FAIR_PREFIX};

const SHOWN: &[Need] = &[Need::Query, Need::Item];
const CLASSIFICATION: &[Need] = &[Need::Score, Need::Label];
const SEED: &[Need] = &[Need::Query, Need::Order, Need::Label];

/// Every metric, in the order of the docs. `precision`, `recall` and `f1` exist twice: with a
/// cut-off they rank (`precision@10`), without one they classify rows at probability 0.5.
pub const METRICS: &[Metric] = &[
    list(
        "ndcg",
        Cutoff::Optional,
        "Gain near the top, as a share of the best possible order",
        "sum(r<=k) g/log2(r+1), divided by the same sum with gains in descending order; negative gains count 0",
        "no item with gain > 0",
        "Järvelin & Kekäläinen 2002; linear gain as in trec_eval ndcg_cut",
    ),
    list(
        "ndcg_exp",
        Cutoff::Optional,
        "nDCG that favours the highest grades",
        "as ndcg with 2^g - 1 for g",
        "no item with gain > 0",
        "Burges et al. 2005 (LETOR, sklearn with exponential gains)",
    ),
    list(
        "map",
        Cutoff::Optional,
        "Precision at each relevant item, averaged",
        "sum(relevant at r<=k) precision@r / R",
        "no relevant item",
        "trec_eval map, map_cut (divided by R, not min(R, k))",
    ),
    list(
        "mrr",
        Cutoff::Optional,
        "How far down the first relevant item is",
        "1 / rank of the first relevant item, 0 if there is none in the top k",
        "never",
        "Voorhees 1999; trec_eval recip_rank",
    ),
    list(
        "precision",
        Cutoff::Required,
        "Share of the top k that is relevant",
        "relevant in top k / k, also where fewer than k are shown",
        "never",
        "trec_eval P",
    ),
    list(
        "recall",
        Cutoff::Required,
        "Share of the relevant items that is in the top k",
        "relevant in top k / R",
        "no relevant item",
        "trec_eval recall",
    ),
    list(
        "hit",
        Cutoff::Optional,
        "Is anything relevant in the top k",
        "1 if a relevant item is in the top k, else 0",
        "never",
        "trec_eval success; hit rate",
    ),
    list(
        "f1",
        Cutoff::Required,
        "Harmonic mean of precision@k and recall@k",
        "2 relevant in top k / (k + R)",
        "never",
        "van Rijsbergen 1979",
    ),
    list(
        "err",
        Cutoff::Optional,
        "Expected reciprocal rank at which a user who reads down stops",
        "sum(r<=k) p(r)/r prod(i<r) (1-p(i)), p = (2^g - 1)/2^m, m = 4 or the largest gain if above",
        "never",
        "Chapelle et al. 2009; gdeval (m = 4)",
    ),
    list(
        "rbp",
        Cutoff::Optional,
        "Rate at which a patient user gains relevance",
        "(1-p) sum(relevant at r<=k) p^(r-1), p = 0.8",
        "never",
        "Moffat & Zobel 2008",
    ),
    list(
        "bpref",
        Cutoff::Never,
        "Relevant above judged non-relevant, unjudged items ignored",
        "1/R sum(relevant retrieved) 1 - min(non-relevant above, min(R,N)) / min(R,N), N judged non-relevant items",
        "no relevant item",
        "Buckley & Voorhees 2004; trec_eval bpref",
    ),
    list(
        "rprec",
        Cutoff::Never,
        "Precision at rank R",
        "relevant in top R / R",
        "no relevant item",
        "trec_eval Rprec",
    ),
    Metric {
        needs: CLASSIFICATION,
        range: (0.0, 1.0),
        ..row(
            "auc",
            true,
            "Chance that a positive row scores above a negative one",
            "(pairs in order + half of ties) / (positives * negatives)",
            "no positive or no negative row",
            "Mann-Whitney; sklearn roc_auc_score",
        )
    },
    row(
        "accuracy",
        true,
        "Share of rows whose class is predicted",
        "rows with (p >= 0.5) = label / rows",
        "no row with score and label",
        "sklearn accuracy_score",
    ),
    row(
        "precision",
        true,
        "Share of the predicted positives that is positive",
        "TP / (TP + FP) at p >= 0.5",
        "no predicted positive",
        "sklearn precision_score",
    ),
    row(
        "recall",
        true,
        "Share of the positives that is predicted (TPR)",
        "TP / (TP + FN) at p >= 0.5",
        "no positive row",
        "sklearn recall_score",
    ),
    row(
        "f1",
        true,
        "Harmonic mean of precision and recall",
        "2 TP / (2 TP + FP + FN)",
        "no positive and no predicted positive row",
        "sklearn f1_score",
    ),
    row(
        "fpr",
        false,
        "Share of the negatives predicted positive",
        "FP / (FP + TN) at p >= 0.5",
        "no negative row",
        "fairlearn false_positive_rate",
    ),
    row(
        "fnr",
        false,
        "Share of the positives that is missed",
        "FN / (TP + FN) at p >= 0.5",
        "no positive row",
        "fairlearn false_negative_rate",
    ),
    row(
        "selection_rate",
        true,
        "Share of rows predicted positive",
        "rows with p >= 0.5 / rows",
        "no row with score and label",
        "fairlearn selection_rate",
    ),
    Metric {
        range: (0.0, INF),
        ..row(
            "log_loss",
            false,
            "Surprise at the labels, in nats",
            "-mean(ln p of the true class), p kept within 2^-52 of 0 and 1",
            "no row with score and label",
            "sklearn log_loss",
        )
    },
    row(
        "brier",
        false,
        "Mean squared error of the probability",
        "mean((p - label)^2)",
        "no row with score and label",
        "Brier 1950; sklearn brier_score_loss",
    ),
    row(
        "ece",
        false,
        "Gap between probability and frequency",
        "sum over 15 equal-width bins of p, right-closed: rows/all * |mean p - mean label|",
        "no row with score and label",
        "Naeini et al. 2015",
    ),
    Metric {
        needs: &[Need::Label],
        ..row(
            "ctr",
            true,
            "Share of rows (impressions) with a click",
            "rows with label / rows",
            "no labelled row",
            "definition",
        )
    },
    Metric {
        needs: &[Need::Purchase],
        ..row(
            "purchase_rate",
            true,
            "Share of rows (impressions) with a purchase",
            "rows with purchase / rows",
            "no row with a known purchase",
            "definition",
        )
    },
    Metric {
        needs: &[Need::Label, Need::Purchase],
        range: (0.0, INF),
        ..row(
            "cvr",
            true,
            "Purchases per click",
            "rows with purchase / rows with label",
            "no click",
            "definition",
        )
    },
    CTR_DEBIASED,
    IPS,
    SNIPS,
    DR,
    ESS,
    WEIGHT_MEAN,
    WEIGHT_MAX,
    EXPOSURE,
    EXPOSURE_GEOMETRIC,
    EXPOSURE_PER_UTILITY,
    CLICKS_PER_UTILITY,
    FAIR_PREFIX,
    Metric {
        needs: &[Need::Item],
        ..catalogue(
            "coverage",
            Cutoff::Optional,
            true,
            "Share of the catalogue that is shown",
            "distinct items in (the top k of) the lists / distinct items of the unfiltered relation",
            "empty catalogue",
            "Ge et al. 2010",
        )
    },
    catalogue(
        "gini",
        Cutoff::Optional,
        false,
        "Inequality of exposure over the catalogue: 0 all equal, 1 one item gets everything",
        "sum (2i - n - 1) x(i) / ((n - 1) sum x), x exposures in ascending order, never-shown items included",
        "nothing shown, or a catalogue of one",
        "Gini 1912, sample-corrected",
    ),
    Metric {
        range: (0.0, INF),
        ..catalogue(
            "entropy",
            Cutoff::Optional,
            true,
            "Spread of exposure over items, in bits",
            "-sum share log2 share, share of all exposures",
            "nothing shown",
            "Shannon 1948",
        )
    },
    Metric {
        needs: SHOWN,
        range: (0.0, INF),
        ..list(
            "novelty",
            Cutoff::Optional,
            "How unusual the shown items are, in bits",
            "mean over the (top k of the) list of -log2(share of all lists that show the item)",
            "empty list",
            "Zhou et al. 2010",
        )
    },
    Metric {
        needs: &[Need::Query, Need::Order, Need::Text],
        ..list(
            "ild",
            Cutoff::Optional,
            "Intra-list diversity: how unlike the shown texts are",
            "mean over pairs in the top k (10 without one) of 1 - Jaccard of their words; Chinese by character",
            "fewer than two items with text",
            "Ziegler et al. 2005, Jaccard distance of words",
        )
    },
    Metric {
        needs: SEED,
        ..list(
            "accuracy.seed_list",
            Cutoff::Never,
            "The seed text's accuracy by its definition: share of the shown that was clicked",
            "|R and C| / |R|, R shown items, C clicked items",
            "nothing shown",
            "seed text, definition",
        )
    },
    Metric {
        needs: SEED,
        ..list(
            "accuracy.seed_example",
            Cutoff::Never,
            "The seed text's accuracy as its worked example computes it: share of the clicked that was shown",
            "|R and C| / |C|",
            "nothing clicked",
            "seed text, worked example (prints 1)",
        )
    },
    Metric {
        needs: &[Need::Query, Need::Order],
        ..list(
            "diversity.seed_sum",
            Cutoff::Never,
            "The seed text's diversity, first form: falls as lists grow and ignores content",
            "1 / sum over lists of |R|",
            "nothing shown",
            "seed text",
        )
    },
    Metric {
        needs: &[Need::Query, Need::Order],
        ..list(
            "diversity.seed_mean",
            Cutoff::Never,
            "The seed text's diversity, second form: falls as lists grow and ignores content",
            "mean over lists of 1/|R|",
            "nothing shown",
            "seed text",
        )
    },
    Metric {
        needs: SEED,
        range: (1.0, INF),
        higher_is_better: false,
        ..list(
            "relevance.seed_literal",
            Cutoff::Never,
            "The seed text's relevance as its formula says; inverted: a click at rank 1, 2, 3 gives 1, 1.585, 2",
            "sum(IR) / sum(IR / log2(j+1)), IR 1 for a click at rank j",
            "nothing clicked",
            "seed text, formula",
        )
    },
    Metric {
        needs: SEED,
        ..list(
            "relevance.seed_example",
            Cutoff::Never,
            "The seed text's relevance as its worked example computes it",
            "sum(IR / log2(j+1)) / |R|",
            "nothing shown",
            "seed text, worked example (prints 1/3)",
        )
    },
];
