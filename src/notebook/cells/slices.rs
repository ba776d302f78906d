//! The CELLS entry of `slices`.

use super::{
    CHECK, COUNT, CellDef, FROM, GAIN, ITEM, KeyDef, KeyType, Kind, LABEL, POSITION, PURCHASE, QUERY, RANK,
    RELEVANT_AT, SCORE, SEED, TIES, TIME, USER, WHERE,
};
use crate::notebook::policy_keys::PROPENSITY;
use crate::terms::{Adjustment, Choice as _};

pub(super) const SLICES: CellDef = CellDef {
    kind: Kind::Slices,
    generation: 2,
    summary: "searches every combination of up to three predicates for slices in which a metric diverges from the rest, and confirms them on queries that were held out",
    result: "`slice, n, value, rest, divergence, effect, p, p_adjusted, searched_divergence, held_n, held_value, held_divergence, held_p, status, contributions, predicate`, the strongest evidence first. `n`, `value`, `rest`, `divergence` and the contributions (Shapley values that sum to it) are over all rows, `p` is of the half of the queries that was searched, adjusted over every slice tested, `held_p` of the other half (Holm over the table). Figures for checks: `found confirmed worse worst_gap p_adjusted tested significant pruned overall`",
    groups: &[
        &[
            FROM,
            WHERE,
            KeyDef::new(
                "metric",
                KeyType::Metric,
                "\"ndcg@10\"",
                "metric id; one with a value per list (then slices are of queries) or a rate over rows",
            )
            .required(),
            KeyDef::new("over", KeyType::Columns, "[\"region\", \"price\"]", "columns to slice by")
                .default("every usable column that plays no role of outcome"),
            KeyDef::new(
                "text",
                KeyType::Columns,
                "[\"query\"]",
                "columns whose texts are described: words, characters, digits, script, frequent tokens",
            )
            .default("the query, and for rates the schema's texts"),
            KeyDef::new("depth", KeyType::Integer(1, 3), "2", "predicates of a slice at most").default("3"),
            KeyDef::new(
                "min_support",
                KeyType::Integer(2, COUNT),
                "100",
                "smaller slices (on the metric's own denominator) are not tested; half of it in each half",
            )
            .default("50"),
            KeyDef::new("top", KeyType::Integer(1, 10_000), "10", "slices to show at most").default("20"),
            KeyDef::new(
                "alpha",
                KeyType::Number(0.000_001, 0.5),
                "0.01",
                "level of the adjusted p and of the confirmation",
            )
            .default("0.05"),
            KeyDef::new(
                "adjust",
                KeyType::Choice(Adjustment::IDS),
                "\"by\"",
                "adjustment over all slices tested: Benjamini-Hochberg, or Benjamini-Yekutieli (any dependence, stricter)",
            )
            .default("\"bh\""),
        ],
        &[
            QUERY, ITEM, USER, SCORE, RANK, POSITION, GAIN, LABEL, PURCHASE, TIME, PROPENSITY, RELEVANT_AT,
            TIES,
        ],
        &[SEED, CHECK],
    ],
    example: "from   = \"rel\"\nmetric = \"ndcg@10\"\nover   = [\"segment\", \"region\", \"device\"]\ntext   = [\"query\"]\ndepth  = 3\ncheck  = [\"worst_gap <= 0.1\"]\n",
};
