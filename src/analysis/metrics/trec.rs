//! TREC_EVAL: every measure of trec_eval by its own name: which of ours it is, or why it is left out. It
//! drives the names that `--measures` and `show` take beside ours, `recscope docs metrics`, and tests.

/// One measure, as trec_eval 9 and 10 call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrecMeasure {
    /// Without a cut-off.
    pub name: &'static str,
    pub ours: Ours,
}

/// What stands for it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ours {
    /// The same under this id.
    Whole(&'static str),
    /// The same at a cut-off: `P_10` is `precision@10`.
    Cut(&'static str),
    /// It is left out, because.
    None(&'static str),
}

const BOOKKEEPING: &str = "a count of the files, not a measure of the run; `n`, `n/a` and the notes tell how many queries and rows counted";
const SETS: &str =
    "for sets without an order; the whole run is one with precision@K and recall@K at its length";
const PREFS: &str = "of preferences between pairs of documents, whose files are not read";
const AVERAGED: &str = "of several assessors' judgments of one document, whose files are not read";
const PARAMETERS: &str = "has parameters that its name does not tell; write it as SQL over the judged rows";

pub const TREC_EVAL: &[TrecMeasure] = &[
    of("map", Ours::Whole("map")),
    of("gm_map", Ours::Whole("gmap")),
    of("Rprec", Ours::Whole("rprec")),
    of("bpref", Ours::Whole("bpref")),
    of("recip_rank", Ours::Whole("mrr")),
    of("11pt_avg", Ours::Whole("iprec11")),
    of("infAP", Ours::Whole("infap")),
    of("ndcg", Ours::Whole("ndcg")),
    of("num_rel_ret", Ours::Whole("hits")),
    of("rbp", Ours::None("its persistence is 0.9 by default; `rbp` here has 0.8 (Moffat & Zobel 2008)")),
    of("rbp_resid", Ours::None("its persistence is 0.9 by default; `rbp.residual` here has 0.8")),
    of("P", Ours::Cut("precision")),
    of("recall", Ours::Cut("recall")),
    of("ndcg_cut", Ours::Cut("ndcg")),
    of("map_cut", Ours::Cut("map")),
    of("success", Ours::Cut("hit")),
    of("unjudged", Ours::None("one minus `judged@K` where the run is that long, which is here")),
    of("runid", Ours::None("the run's tag, not a number")),
    of("num_q", Ours::None(BOOKKEEPING)),
    of("num_ret", Ours::None(BOOKKEEPING)),
    of("num_rel", Ours::None(BOOKKEEPING)),
    of("num_nonrel_judged_ret", Ours::None(BOOKKEEPING)),
    of("relstring", Ours::None("a string of grades, not a number; the rows behind a query show them")),
    of("iprec_at_recall", Ours::None("eleven numbers of a curve; their mean, 11pt_avg, is `iprec11`")),
    of("gm_bpref", Ours::None("a geometric mean; bpref's values per query are in --per-query")),
    of("Rprec_mult", Ours::None(PARAMETERS)),
    of("utility", Ours::None(PARAMETERS)),
    of(
        "relative_P",
        Ours::None(
            "precision over the best possible at the cut-off; recall@K where R <= K, precision@K else",
        ),
    ),
    of(
        "ndcg_rel",
        Ours::None("nDCG averaged over cut-offs at relevant documents; experimental in trec_eval"),
    ),
    of("Rndcg", Ours::None("nDCG averaged over cut-offs at levels of gain; experimental in trec_eval")),
    of("G", Ours::None("a normalised gain of trec_eval's own; experimental there")),
    of("binG", Ours::None("a normalised gain of trec_eval's own; experimental there")),
    of(
        "yaap",
        Ours::None(
            "a smoothed average precision (Robertson 2012) without a place in reports so far; `map` and `gmap` are here",
        ),
    ),
    of("set_P", Ours::None(SETS)),
    of("set_recall", Ours::None(SETS)),
    of("set_relative_P", Ours::None(SETS)),
    of("set_map", Ours::None(SETS)),
    of("set_F", Ours::None(SETS)),
    of("map_avgjg", Ours::None(AVERAGED)),
    of("P_avgjg", Ours::None(AVERAGED)),
    of("Rprec_mult_avgjg", Ours::None(AVERAGED)),
    of("prefs_num_prefs_poss", Ours::None(PREFS)),
    of("prefs_num_prefs_ful", Ours::None(PREFS)),
    of("prefs_num_prefs_ful_ret", Ours::None(PREFS)),
    of("prefs_simp", Ours::None(PREFS)),
    of("prefs_pair", Ours::None(PREFS)),
    of("prefs_avgjg", Ours::None(PREFS)),
    of("prefs_avgjg_Rnonrel", Ours::None(PREFS)),
    of("prefs_simp_ret", Ours::None(PREFS)),
    of("prefs_pair_ret", Ours::None(PREFS)),
    of("prefs_avgjg_ret", Ours::None(PREFS)),
    of("prefs_avgjg_Rnonrel_ret", Ours::None(PREFS)),
    of("prefs_simp_imp", Ours::None(PREFS)),
    of("prefs_pair_imp", Ours::None(PREFS)),
    of("prefs_avgjg_imp", Ours::None(PREFS)),
];

const fn of(name: &'static str, ours: Ours) -> TrecMeasure {
    TrecMeasure { name, ours }
}

/// Our id for a measure as trec_eval writes it (`P_10`, `P.10`, `recip_rank`), or why there is none. `None`:
/// it is none of trec_eval's names.
pub fn of_trec(text: &str) -> Option<Result<String, &'static str>> {
    let text = text.trim();
    // `P.5,10` is two measures there, which are asked for one by one here.
    let (name, cutoff) = match text.rsplit_once(['_', '.']) {
        Some((name, digits)) if digits.parse::<u32>().is_ok() => (name, Some(digits)),
        _ => (text, None),
    };
    let measure = TREC_EVAL.iter().find(|measure| measure.name == name)?;
    match (measure.ours, cutoff) {
        (Ours::Whole(id), None) => Some(Ok(id.to_owned())),
        (Ours::Cut(id), Some(k)) => Some(Ok(format!("{id}@{k}"))),
        (Ours::Whole(_), Some(_)) => None,
        // Without one, trec_eval takes several.
        (Ours::Cut(id), None) => (id != name).then_some(Err("write the cut-off: P_10, ndcg_cut_10")),
        (Ours::None(why), _) => Some(Err(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::metrics::MetricId;

    #[test]
    fn every_name_stands_for_a_metric_or_says_why_not() {
        for measure in TREC_EVAL {
            match measure.ours {
                Ours::Whole(id) => assert!(MetricId::parse(id).is_ok(), "{id}"),
                Ours::Cut(id) => assert!(MetricId::parse(&format!("{id}@3")).is_ok(), "{id}"),
                Ours::None(why) => assert!(why.len() > 15, "{}", measure.name),
            }
        }
        let id = |text: &str| MetricId::parse(text).unwrap().to_string();
        assert_eq!([id("P_10"), id("P.5"), id("ndcg_cut_20")], ["precision@10", "precision@5", "ndcg@20"]);
        assert_eq!([id("recip_rank"), id("Rprec"), id("recall")], ["mrr", "rprec", "recall"]);
        assert_eq!([id("success_1"), id("map_cut.100"), id("11pt_avg")], ["hit@1", "map@100", "iprec11"]);
        let why = MetricId::parse("set_F").unwrap_err();
        assert!(why.to_string().contains("left out") && why.to_string().contains("sets"), "{why}");
        assert!(of_trec("ndgc_cut_10").is_none() && of_trec("accuracy").is_none());
    }
}
