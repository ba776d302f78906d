//! The seed text's own formulas, under their own names. No arithmetic here.

use super::examples::SEED as EXAMPLE;
use crate::analysis::metrics::metric::{Cutoff, INF, Metric, Need, list};

const SEED: &[Need] = &[Need::Query, Need::Order, Need::Label];

pub(super) const SEED_FORMS: &[Metric] = &[
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
    }
    .example(EXAMPLE, "accuracy.seed_list", 0.3333333333333333),
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
    }
    .example(EXAMPLE, "accuracy.seed_example", 1.0),
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
    }
    .example(EXAMPLE, "diversity.seed_sum", 0.3333333333333333),
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
    }
    .example(EXAMPLE, "diversity.seed_mean", 0.3333333333333333),
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
    }
    .example(EXAMPLE, "relevance.seed_literal", 1.0),
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
    }
    .example(EXAMPLE, "relevance.seed_example", 0.3333333333333333),
];
