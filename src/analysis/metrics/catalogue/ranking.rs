//! Metrics of one ranked list against judgments. No arithmetic here.

use super::examples::{POOLED, SEARCH, SUBTOPICS, UNEVEN};
use crate::analysis::metrics::metric::{Cutoff, INF, Metric, Need, list};

const WITH_ITEMS: &[Need] = &[Need::Query, Need::Item, Need::Order, Need::Gain];
const SUBTOPIC: &[Need] = &[Need::Query, Need::Item, Need::Order, Need::Gain, Need::Category];

pub(super) const RANKING: &[Metric] = &[
    list(
        "ndcg",
        Cutoff::Optional,
        "Gain near the top, as a share of the best possible order",
        "sum(r<=k) g/log2(r+1), divided by the same sum with gains in descending order; negative gains count 0",
        "no item with gain > 0",
        "Järvelin & Kekäläinen 2002; linear gain as in trec_eval ndcg_cut",
    )
    .example(SEARCH, "ndcg@3", 0.5799960084920718),
    list(
        "ndcg_exp",
        Cutoff::Optional,
        "nDCG that favours the highest grades",
        "as ndcg with 2^g - 1 for g",
        "no item with gain > 0",
        "Burges et al. 2005 (LETOR, sklearn with exponential gains)",
    )
    .example(SEARCH, "ndcg_exp@3", 0.5741414090136012),
    list(
        "map",
        Cutoff::Optional,
        "Precision at each relevant item, averaged",
        "sum(relevant at r<=k) precision@r / R",
        "no relevant item",
        "trec_eval map, map_cut (divided by R, not min(R, k))",
    )
    .example(SEARCH, "map", 0.5888888888888889),
    list(
        "mrr",
        Cutoff::Optional,
        "How far down the first relevant item is",
        "1 / rank of the first relevant item, 0 if there is none in the top k",
        "never",
        "Voorhees 1999; trec_eval recip_rank",
    )
    .example(SEARCH, "mrr", 0.5),
    list(
        "precision",
        Cutoff::Required,
        "Share of the top k that is relevant",
        "relevant in top k / k, also where fewer than k are shown",
        "never",
        "trec_eval P",
    )
    .example(SEARCH, "precision@5", 0.6),
    list(
        "recall",
        Cutoff::Required,
        "Share of the relevant items that is in the top k",
        "relevant in top k / R",
        "no relevant item",
        "trec_eval recall",
    )
    .example(SEARCH, "recall@3", 0.6666666666666666),
    list(
        "hit",
        Cutoff::Optional,
        "Is anything relevant in the top k",
        "1 if a relevant item is in the top k, else 0",
        "never",
        "trec_eval success; hit rate",
    )
    .example(SEARCH, "hit@1", 0.0),
    list(
        "f1",
        Cutoff::Required,
        "Harmonic mean of precision@k and recall@k",
        "2 relevant in top k / (k + R)",
        "never",
        "van Rijsbergen 1979",
    )
    .example(SEARCH, "f1@3", 0.6666666666666666),
    list(
        "err",
        Cutoff::Optional,
        "Expected reciprocal rank at which a user who reads down stops",
        "sum(r<=k) p(r)/r prod(i<r) (1-p(i)), p = (2^g - 1)/2^m, m = 4 or the largest gain if above",
        "never",
        "Chapelle et al. 2009; gdeval (m = 4)",
    )
    .example(SEARCH, "err@3", 0.21223958333333331),
    list(
        "rbp",
        Cutoff::Optional,
        "Rate at which a patient user gains relevance",
        "(1-p) sum(relevant at r<=k) p^(r-1), p = 0.8",
        "never",
        "Moffat & Zobel 2008",
    )
    .example(SEARCH, "rbp", 0.36992),
    list(
        "bpref",
        Cutoff::Never,
        "Relevant above judged non-relevant, unjudged items ignored",
        "1/R sum(relevant retrieved) 1 - min(non-relevant above, min(R,N)) / min(R,N), N judged non-relevant items",
        "no relevant item",
        "Buckley & Voorhees 2004; trec_eval bpref",
    )
    .example(UNEVEN, "bpref", 0.5),
    list(
        "rprec",
        Cutoff::Never,
        "Precision at rank R",
        "relevant in top R / R",
        "no relevant item",
        "trec_eval Rprec",
    )
    .example(SEARCH, "rprec", 0.6666666666666666),
    // Sums and counts
    Metric {
        range: (0.0, INF),
        ..list("dcg", Cutoff::Optional, "Gain near the top, not divided by the best possible",
            "sum(r<=k) g/log2(r+1); negative gains count 0", "never", "Järvelin & Kekäläinen 2002; ranx dcg")
    }
    .example(SEARCH, "dcg@3", 2.761859507142915),
    Metric {
        range: (0.0, INF),
        ..list("dcg_exp", Cutoff::Optional, "DCG that favours the highest grades",
            "as dcg with 2^g - 1 for g", "never; a grade above 1023 overflows to n/a", "Burges et al. 2005; ranx dcg_burges")
    }
    .example(SEARCH, "dcg_exp@3", 5.392789260714372),
    Metric {
        counts: true,
        range: (0.0, INF),
        ..list("hits", Cutoff::Optional, "Relevant items in the top k", "count of relevant at r<=k", "never",
            "trec_eval num_rel_ret; ranx hits")
    }
    .example(SEARCH, "hits@3", 2.0),
    list("gmap", Cutoff::Optional, "Average precision where the worst queries weigh most",
        "exp(mean over lists of ln max(map, 0.00001)); per list, map", "no relevant item",
        "Robertson 2006; trec_eval gm_map")
    .example(UNEVEN, "gmap", 0.5),
    list("iprec11", Cutoff::Never, "Precision interpolated at the recalls 0, 0.1 ... 1, averaged",
        "mean over i of the largest precision at or below the floor(iR/10 + 0.9)-th relevant item, 0 if it was not retrieved",
        "no relevant item", "trec_eval 9 11pt_avg; trec_eval 10 rounds iR/10 instead")
    .example(UNEVEN, "iprec11", 0.625),
    Metric {
        needs: WITH_ITEMS,
        ..list("infap", Cutoff::Never, "Average precision inferred from a pool of which a sample is judged",
            "1/R sum(relevant at r) 1/r + (r-1)/r * P/(r-1) * (J + e)/(J + N + 2e): P pooled above, of which J judged relevant and N judged not; e = 0.00001. Pooled but not judged is a gain below 0; items without a judgment were not pooled",
            "no relevant item", "Yilmaz & Aslam 2006; trec_eval infAP")
    }
    .example(POOLED, "infap", 0.8125),
    Metric {
        higher_is_better: false,
        ..list("rbp.residual", Cutoff::Optional, "What rbp could still gain: the weight of what is not judged, and of what lies below",
            "(1-p) sum(not judged at r<=n) p^(r-1) + p^n, p = 0.8, n items of the top k", "never",
            "Moffat & Zobel 2008")
    }
    .example(SEARCH, "rbp.residual", 0.43008000000000013),
    list("judged", Cutoff::Optional, "Share of the shown top k that has a judgment",
        "judged items at r<=k / items at r<=k", "nothing shown", "ir_measures Judged@k")
    .example(SEARCH, "judged@5", 0.8),
    Metric {
        needs: SUBTOPIC,
        ..list("alpha_ndcg", Cutoff::Optional, "nDCG that pays less for each repetition of a subtopic",
            "sum(r<=k) sum(subtopics of a relevant item) (1-a)^(times seen above) / log2(r+1), a = 0.5, divided by the same of a greedy best order; subtopics are the category, one or a list",
            "no relevant item with a category", "Clarke et al. 2008; ndeval alpha-nDCG")
    }
    .example(SUBTOPICS, "alpha_ndcg", 0.8251055706872926),
    Metric {
        needs: SUBTOPIC,
        ..list("subtopic_recall", Cutoff::Optional, "Share of the subtopics that the top k covers",
            "subtopics of relevant items at r<=k / subtopics of all relevant items", "no relevant item with a category",
            "Zhai et al. 2003; ndeval strec")
    }
    .example(SUBTOPICS, "subtopic_recall@1", 0.3333333333333333),
];
