//! The entry of `compare` in the CELLS table.

use crate::terms::{Choice as _, Detail};

use super::{CHECK, CellDef, FROM, INTERVAL, KeyDef, KeyType, Kind, MEASURES, PERMUTATIONS, SEED, WHERE};

pub(super) const COMPARE: CellDef = CellDef {
    kind: Kind::Compare,
    generation: 2,
    summary: "two or more runs or models over the same queries: paired differences with interval, adjusted p, \
              effect size, wins and losses, and the queries that moved most",
    result: "`run, metric, slice, baseline, value, delta, lower, upper, p, p_adjusted, effect, mde, power, wins, \
             ties, losses, n, n_na, status, predicate`, `slice` being `all` or a group of `by`, `lower` and `upper` delta's; with `detail = \
             \"queries\"` `query, [user], run, metric, baseline, value, delta, baseline_top, top, predicate`; \
             with `detail = \"lists\"` `query, run, metric, delta, rank, baseline_item, baseline_gain, item, \
             gain, was, predicate`. Only lists that both runs have with a figure count (`n`), the others are \
             `n_na`. p: results trade places query by query, p = (1 + as extreme) / (permutations + 1); \
             p_adjusted: Holm over every test of the table. mde: the true difference found with power 0.8 at \
             0.05. A check names a difference as delta(new, old) or delta(new, old, metric); `at 0.95` \
             compares the end of its interval",
    groups: &[
        &[
            KeyDef { required: false, ..FROM },
            WHERE,
            KeyDef::new(
                "scores",
                KeyType::Columns,
                "[\"old_score\", \"new_score\"]",
                "columns of `from` to order by, the baseline first; the column of the rank counts from 1",
            ),
            KeyDef::new(
                "runs",
                KeyType::Relations,
                "[\"old_run\", \"new_run\"]",
                "instead of `from` and `scores`: cells or sources with the same columns, the baseline first",
            ),
            KeyDef::new(
                "show",
                KeyType::Metrics,
                "[\"ndcg@{{k}}\", \"mrr\"]",
                "metric ids, the one that decides first; `recscope docs metrics` lists them",
            )
            .default("[\"ndcg@10\", \"mrr\", \"precision@10\"]"),
            KeyDef::new(
                "by",
                KeyType::Columns,
                "[\"region\"]",
                "also in each group of these columns; tested in one family",
            ),
            KeyDef::new(
                "detail",
                KeyType::Choice(Detail::IDS),
                "\"queries\"",
                "which table: the comparison, the queries that moved most, or their lists side by side",
            )
            .default("\"summary\""),
            KeyDef::new(
                "top_queries",
                KeyType::Integer(1, 10_000),
                "20",
                "queries per run and metric in the details",
            )
            .default("20"),
            KeyDef::new(
                "detect",
                KeyType::Number(0.0, f64::MAX),
                "0.01",
                "the difference whose chance of being found is `power`",
            )
            .default("the one observed"),
        ],
        MEASURES,
        &[INTERVAL, PERMUTATIONS.default("10000"), SEED, CHECK],
    ],
    example: "from   = \"rel\"\nscores = [\"position\", \"rel_score\"]\nrank   = \"position\"\ngain   = \"grade\"\nshow   = [\"ndcg@{{k}}\", \"mrr\"]\nby     = [\"region\"]\ncheck  = [\"delta(rel_score, position) > 0 at 0.95\", \"max_loss <= 0.02\"]\n",
};
