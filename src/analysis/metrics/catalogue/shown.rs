//! Metrics of what is shown, whoever judges it: the catalogue, novelty, diversity, age, and how
//! alike two orders of the same rows are. No arithmetic here.

use super::examples::{ORDERS, SHOWN as LISTS, TITLES};
use crate::analysis::metrics::metric::{Cutoff, INF, Metric, Need, catalogue, list};

const SHOWN: &[Need] = &[Need::Query, Need::Item];
const POPULAR: &[Need] = &[Need::Query, Need::Item, Need::Order, Need::Label];
const CATEGORY: &[Need] = &[Need::Query, Need::Item, Need::Order, Need::Category];
const EMBEDDING: &[Need] = &[Need::Query, Need::Item, Need::Order, Need::Embedding];
const AGE: &[Need] = &[Need::Query, Need::Item, Need::Order, Need::Published, Need::Time];
const ORDERED_TWICE: &[Need] = &[Need::Query, Need::Item, Need::Score, Need::Other];

pub(super) const SHOWN_ITEMS: &[Metric] = &[
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
    }
    .example(LISTS, "coverage@1", 0.2),
    catalogue(
        "gini",
        Cutoff::Optional,
        false,
        "Inequality of exposure over the catalogue: 0 all equal, 1 one item gets everything",
        "sum (2i - n - 1) x(i) / ((n - 1) sum x), x exposures in ascending order, never-shown items included",
        "nothing shown, or a catalogue of one",
        "Gini 1912, sample-corrected",
    )
    .example(LISTS, "gini@1", 1.0),
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
    }
    .example(LISTS, "entropy@2", 1.5),
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
    }
    .example(LISTS, "novelty@2", 0.5),
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
    }
    .example(TITLES, "ild", 0.8888888888888888),
    Metric {
        needs: SHOWN,
        ..list("coverage.users", Cutoff::Optional, "Share of the lists (users, queries) that get k items",
            "lists that show at least k items (1 without one) / lists", "no list", "Ge et al. 2010")
    }
    .example(LISTS, "coverage.users@3", 0.3333333333333333),
    Metric {
        needs: POPULAR,
        range: (0.0, INF),
        higher_is_better: false,
        ..list("arp", Cutoff::Optional, "Average popularity of the shown items",
            "mean over the top k of the clicks (label) that the item has in the whole, unfiltered relation",
            "nothing shown", "Yin et al. 2012; RecBole AveragePopularity")
    }
    .example(LISTS, "arp@2", 1.5),
    Metric {
        needs: POPULAR,
        ..list("longtail", Cutoff::Optional, "Share of the top k that is not among the most clicked fifth of the catalogue",
            "items at r<=k beyond the ceil(N/5) most clicked of N items (ties by item id) / items at r<=k",
            "nothing shown", "Abdollahpouri et al. 2019; RecBole TailPercentage")
    }
    .example(LISTS, "longtail@2", 0.5),
    Metric {
        needs: POPULAR,
        ..list("serendipity", Cutoff::Optional, "Share of the top k that is relevant and would not come from a list of the most popular",
            "relevant items at r<=k that are not among the k most clicked of the whole relation / items at r<=k; k the list's length without one",
            "nothing shown", "Ge et al. 2010, the most popular as the primitive model")
    }
    .example(LISTS, "serendipity@2", 0.25),
    Metric {
        needs: CATEGORY,
        ..list("ild.category", Cutoff::Optional, "Intra-list diversity by category",
            "share of the pairs in the top k whose categories differ", "fewer than two items with a category",
            "Ziegler et al. 2005")
    }
    .example(LISTS, "ild.category@3", 0.8333333333333333),
    Metric {
        needs: EMBEDDING,
        range: (0.0, 2.0),
        ..list("ild.embedding", Cutoff::Optional, "Intra-list diversity by embedding",
            "mean over pairs in the top k (10 without one) of 1 - cosine; zero vectors and those of another length are left out",
            "fewer than two items with an embedding", "Ziegler et al. 2005, cosine distance")
    }
    .example(LISTS, "ild.embedding@3", 0.5333333333333333),
    Metric {
        needs: AGE,
        ..list("freshness", Cutoff::Optional, "How new the shown items are: 1 new, 1/2 after 30 days",
            "mean over the top k of 2^(-age/30), age in days from published to time, at least 0",
            "no item with both times", "half-life decay, as in Li & Croft 2003")
    }
    .example(LISTS, "freshness@2", 0.625),
    Metric {
        needs: AGE,
        range: (0.0, INF),
        higher_is_better: false,
        ..list("age", Cutoff::Optional, "Mean age of the shown items, in days",
            "mean over the top k of the days from published to time, at least 0", "no item with both times", "definition")
    }
    .example(LISTS, "age@3", 30.0),
    Metric {
        needs: ORDERED_TWICE,
        ..list("rbo", Cutoff::Optional, "Agreement of two orders of a list, the top weighing most (score and other)",
            "extrapolated rank-biased overlap: ((1-p)/p)(sum(d<=l) X(d)/d p^d + sum(s<d<=l) X(s)(d-s)/(sd) p^d) + ((X(l)-X(s))/l + X(s)/s) p^l, X(d) items in both top d, s and l the shorter and the longer length, p = 0.9",
            "both lists empty", "Webber, Moffat & Zobel 2010, equation 32")
    }
    .example(ORDERS, "rbo@3", 0.9),
    Metric {
        needs: ORDERED_TWICE,
        range: (-1.0, 1.0),
        ..list("kendall", Cutoff::Never, "Rank correlation of two scores within a list (score and other)",
            "tau-b: (pairs in the same order - pairs in opposite orders) / sqrt((pairs not tied in score)(pairs not tied in other)), over items with both",
            "fewer than two items with both, or all of one score tied", "Kendall 1945; scipy kendalltau")
    }
    .example(ORDERS, "kendall", 0.3333333333333333),
    Metric {
        needs: ORDERED_TWICE,
        ..list("jaccard", Cutoff::Required, "Share of the items that two top k have in common (score and other)",
            "items in both top k / items in either", "both lists empty", "Jaccard 1901")
    }
    .example(ORDERS, "jaccard@4", 0.6),
];
