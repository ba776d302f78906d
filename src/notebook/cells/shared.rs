//! Keys that several kinds of cells take: what is read, which columns play which role, chance, checks.

use super::{KeyDef, KeyType};
use crate::terms::{Choice as _, IntervalMethod, Ties};

pub(super) const COUNT: i64 = i64::MAX;

pub(super) const FROM: KeyDef =
    KeyDef::new("from", KeyType::Relation, "\"impressions\"", "cell or source to read").required();
pub(super) const WHERE: KeyDef =
    KeyDef::new("where", KeyType::Sql, "\"position <= {{k}}\"", "rows to take, an SQL predicate")
        .default("all rows");
pub(super) const ORDER: KeyDef =
    KeyDef::new("order", KeyType::Sql, "\"score DESC\"", "which rows first, as after ORDER BY");
pub(super) const QUERY: KeyDef = KeyDef::new(
    "query",
    KeyType::Column,
    "\"query\"",
    "column of the query, or whatever a list was made for",
)
.default("schema");
pub(super) const ITEM: KeyDef =
    KeyDef::new("item", KeyType::Column, "\"item_id\"", "column of the item's id").default("schema");
pub(super) const USER: KeyDef =
    KeyDef::new("user", KeyType::Column, "\"user_id\"", "column of the user").default("schema");
pub(super) const SCORE: KeyDef =
    KeyDef::new("score", KeyType::Column, "\"rel_score\"", "column to order by, higher is better")
        .default("schema");
pub(super) const RANK: KeyDef = KeyDef::new(
    "rank",
    KeyType::Column,
    "\"position\"",
    "column of the rank shown (from 1), instead of `score`",
)
.default("schema");
pub(super) const POSITION: KeyDef =
    KeyDef::new("position", KeyType::Column, "\"position\"", "the same as `rank`").default("schema");
pub(super) const GAIN: KeyDef =
    KeyDef::new("gain", KeyType::Column, "\"grade\"", "column of graded relevance").default("schema");
pub(super) const LABEL: KeyDef =
    KeyDef::new("label", KeyType::Column, "\"clicked\"", "column of the binary outcome, instead of `gain`")
        .default("schema");
pub(super) const PURCHASE: KeyDef =
    KeyDef::new("purchase", KeyType::Column, "\"purchased\"", "column of the purchase, beside `label`")
        .default("schema");
pub(super) const TIME: KeyDef =
    KeyDef::new("time", KeyType::Column, "\"ts\"", "column of the time").default("schema");
pub(super) const RELEVANT_AT: KeyDef = KeyDef::new(
    "relevant_at",
    KeyType::Number(f64::MIN, f64::MAX),
    "1",
    "gain from which an item counts as relevant",
)
.default("1");
pub(super) const TIES: KeyDef = KeyDef::new(
    "ties",
    KeyType::Choice(Ties::IDS),
    "\"docid\"",
    "how equal scores are ordered: by item id descending, as logged, or in every way (expected values)",
)
.default("\"docid\"");
pub(super) const RESAMPLES: KeyDef = KeyDef::new(
    "resamples",
    KeyType::Integer(0, 1_000_000),
    "1000",
    "bootstrap resamples (of queries) behind the interval; 0 for none",
)
.default("1000");
pub(super) const INTERVAL: KeyDef = KeyDef::new(
    "interval",
    KeyType::Choice(IntervalMethod::IDS),
    "\"bca\"",
    "how resamples become the 95 % interval: quantiles, or those corrected for bias and skewness (Efron \
     1987); with 30 queries either covers about 93 %, from 300 on 95 %",
)
.default("\"percentile\"");
pub(super) const SEED: KeyDef =
    KeyDef::new("seed", KeyType::Integer(0, COUNT), "42", "seed of all chance").default("42");
pub(super) const PERMUTATIONS: KeyDef =
    KeyDef::new("permutations", KeyType::Integer(0, 1_000_000), "1000", "permutations behind p; 0 for none")
        .default("1000");
pub(super) const CHECK: KeyDef = KeyDef::new(
    "check",
    KeyType::Checks,
    "[\"ndcg@10 >= 0.35\"]",
    "conditions on figures, joined by `and`, `or`, `unless`; lower(ndcg@10) is the end of its interval, \
     worst(ndcg@10) of its bounds given unjudged items; one that fails makes `recscope run` exit 1",
);
pub(super) const PAIR: KeyDef =
    KeyDef::new("pair", KeyType::Pair, "[\"query\", \"title\"]", "cross-encoder: query column, title column");
pub(super) const TEXT: KeyDef =
    KeyDef::new("text", KeyType::Column, "\"title\"", "classifier: the text column");
pub(super) const EMBED: KeyDef = KeyDef::new(
    "embed",
    KeyType::Pair,
    "[\"query\", \"title\"]",
    "bi-encoder: cosine of two columns' embeddings",
);
pub(super) const MODEL: KeyDef = KeyDef::new(
    "model",
    KeyType::Model,
    "\"models/ms-marco-MiniLM-L-12-v2\"",
    "model folder (Hugging Face layout, safetensors)",
);
pub(super) const PREFIXES: KeyDef = KeyDef::new(
    "prefixes",
    KeyType::Prefixes,
    "[\"query: \", \"passage: \"]",
    "with `embed`: put before the query's and the title's text, as E5 and BGE were trained",
)
.default("the model folder's prompts");
pub(super) const GAINS: KeyDef = KeyDef::new(
    "gains",
    KeyType::Numbers,
    "{ Exact = 1.0, Substitute = 0.1, Complement = 0.01, Irrelevant = 0.0 }",
    "gain of every class: the score is the expected gain",
)
.default("the class's number, or the log-odds of two");
pub(super) const DEVICE: KeyDef = KeyDef::new(
    "device",
    KeyType::Text,
    "\"auto\"",
    "`auto`, `cpu`, `metal`, `cuda:N`; several GPUs share the batches: `cuda:0,1`, `cuda:all`",
)
.default("\"auto\"");
pub(super) const DTYPE: KeyDef = KeyDef::new(
    "dtype",
    KeyType::Choice(&["f32", "f16", "bf16", "int8"]),
    "\"f32\"",
    "number type of the products: `int8` is faster on a CPU and a little less exact, `f16` and `bf16` are faster on a GPU",
)
.default("f16 on NVIDIA GPUs, int8 for a folder that holds int8, else f32");
pub(super) const MAX_TOKENS: KeyDef =
    KeyDef::new("max_tokens", KeyType::Integer(3, 100_000), "256", "tokens per input, special ones included")
        .default("the model's limit");

/// Which columns play which role, and how a figure is made of them: of every kind that measures.
pub(super) const MEASURES: &[KeyDef] =
    &[QUERY, ITEM, USER, SCORE, RANK, POSITION, GAIN, LABEL, PURCHASE, TIME, RELEVANT_AT, TIES, RESAMPLES];
