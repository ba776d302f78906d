//! The CELLS table: every kind with its keys, defaults, documentation and an example that a test
//! runs. Drives parsing (`values.rs`), help and docs (`help.rs`) and completion (`complete.rs`).

mod compare;
mod shared;
mod slices;

use super::Kind;
pub use super::keys::{KeyDef, KeyType};
use super::measure_keys::{CONVENTION, FURTHER_ROLES};
use super::policy_keys::POLICY;
use crate::terms::{Choice as _, ExplainMethod, TrainObjective};
use shared::{
    CHECK, COUNT, DEVICE, DTYPE, EMBED, FROM, GAIN, GAINS, INTERVAL, ITEM, LABEL, MAX_TOKENS, MEASURES,
    MODEL, ORDER, PAIR, PERMUTATIONS, POSITION, PREFIXES, PURCHASE, QUERY, RANK, RELEVANT_AT, SCORE, SEED,
    TEXT, TIES, TIME, USER, WHERE,
};

/// One kind of cell.
#[derive(Debug)]
pub struct CellDef {
    pub kind: Kind,
    /// Raised when the kind computes something else for the same text, so that what was kept is not shown.
    pub generation: u32,
    /// One line.
    pub summary: &'static str,
    /// What its result holds.
    pub result: &'static str,
    /// Keys of the TOML body in groups that kinds share; none for `sql` and reserved kinds.
    pub groups: &'static [&'static [KeyDef]],
    /// A whole cell body.
    pub example: &'static str,
}

impl CellDef {
    /// Keys of the TOML body; none for `sql` and reserved kinds.
    pub fn keys(&self) -> impl Iterator<Item = &'static KeyDef> {
        self.groups.iter().copied().flatten()
    }
}

/// The entry of a kind.
pub fn def(kind: Kind) -> &'static CellDef {
    CELLS.iter().find(|def| def.kind == kind).unwrap_or(&RESERVED)
}

/// Every kind's name, reserved ones included.
pub fn names() -> impl Iterator<Item = &'static str> {
    Kind::ALL.into_iter().map(Kind::name)
}

const RESERVED: CellDef = CellDef {
    kind: Kind::Chart,
    generation: 1,
    summary: "reserved for a later version; kept as it is, does not run",
    result: "",
    groups: &[],
    example: "",
};

/// Every kind that runs.
pub static CELLS: [CellDef; 9] = [
    CellDef {
        kind: Kind::Sql,
        generation: 2,
        summary: "any SQL of DuckDB; other cells read its result by the cell's name",
        result: "the rows of the (last) statement",
        groups: &[],
        example: "SELECT query, count(*) AS shown, avg(clicked::INT) AS ctr\nFROM impressions\nGROUP BY query HAVING shown > 100\nORDER BY ctr LIMIT {{k}}\n",
    },
    CellDef {
        kind: Kind::Score,
        generation: 3,
        summary: "runs a model over rows: cross-encoder (`pair`), classifier (`text`) or cosine (`embed`)",
        result: "the input's columns and `<cell>_score` (and `<cell>_score_<label>` per class)",
        groups: &[&[
            FROM,
            WHERE,
            MODEL_REQUIRED,
            PAIR,
            TEXT,
            EMBED,
            PREFIXES,
            GAINS,
            DEVICE,
            DTYPE,
            MAX_TOKENS,
            KeyDef::new("batch_tokens", KeyType::Integer(64, 10_000_000), "8192", "tokens per batch")
                .default("by device"),
            ORDER,
            KeyDef::new("limit", KeyType::Integer(1, COUNT), "1000", "rows at most"),
        ]],
        example: "from  = \"impressions\"\nwhere = \"query IN (SELECT query FROM bad_queries)\"\nmodel = \"models/ms-marco-MiniLM-L-12-v2\"\npair  = [\"query\", \"title\"]\n",
    },
    CellDef {
        kind: Kind::Metrics,
        generation: 3,
        summary: "ranking, classification and business metrics, with n and interval",
        result: "`[by...], metric, value, lower, upper, n, n_na`; with `bounds` also `worst, best`, with `convention = \"all\"` first `convention`",
        groups: &[
            &[
                FROM,
                WHERE,
                KeyDef::new(
                    "show",
                    KeyType::Metrics,
                    "[\"ndcg@{{k}}\", \"mrr\"]",
                    "metric ids; `recscope docs metrics` lists them",
                )
                .default("[\"ndcg@10\", \"mrr\", \"precision@10\"]"),
                KeyDef::new(
                    "by",
                    KeyType::Columns,
                    "[\"region\"]",
                    "break down by these columns; the position gives rates by position",
                ),
            ],
            MEASURES,
            POLICY,
            FURTHER_ROLES,
            CONVENTION,
            &[INTERVAL, SEED, CHECK],
        ],
        example: "from  = \"rel\"\nquery = \"query\"\nitem  = \"item_id\"\nscore = \"rel_score\"\ngain  = \"grade\"\nshow  = [\"ndcg@{{k}}\", \"mrr\", \"precision@{{k}}\", \"diversity.seed_mean\"]\ncheck = [\"ndcg@10 >= 0.35\"]\n",
    },
    CellDef {
        kind: Kind::Fairness,
        generation: 3,
        summary: "one metric over slices and their intersections, with difference to the rest and adjusted p; a second one over suppliers",
        result: "`slice, value_of, n, value, lower, upper, delta, p, p_adjusted, status, predicate`; with `suppliers` first `side, metric`",
        groups: &[
            &[
                FROM,
                WHERE,
                KeyDef::new(
                    "slices",
                    KeyType::Slices,
                    "[\"segment\", \"segment*region\"]",
                    "columns, or intersections joined by `*`",
                )
                .required(),
                KeyDef::new("metric", KeyType::Metric, "\"ndcg@10\"", "metric id").required(),
                KeyDef::new(
                    "suppliers",
                    KeyType::Slices,
                    "[\"brand\"]",
                    "the other side: slices of items, in the same table",
                ),
                KeyDef::new(
                    "supplier_metric",
                    KeyType::Metric,
                    "\"exposure\"",
                    "what suppliers are measured by; their figures in checks are called `supplier_...`",
                )
                .default("\"exposure_per_utility\""),
                KeyDef::new(
                    "min_support",
                    KeyType::Integer(1, COUNT),
                    "50",
                    "groups with fewer (on the metric's own denominator) are listed, not tested",
                )
                .default("30"),
            ],
            MEASURES,
            POLICY,
            FURTHER_ROLES,
            &[PERMUTATIONS, SEED, CHECK],
        ],
        example: "from   = \"rel\"\nslices = [\"segment\", \"region\", \"segment*region\"]\nmetric = \"ndcg@10\"\nmin_support = 50\ncheck  = [\"max_gap <= 0.05 or p_adjusted > 0.05\"]\n",
    },
    slices::SLICES,
    compare::COMPARE,
    CellDef {
        kind: Kind::Explain,
        generation: 3,
        summary: "which words moved a row's score",
        result: "one row per word: `row, side, position, word, attribution, std_error`",
        groups: &[&[
            FROM,
            WHERE,
            ORDER,
            KeyDef::new("limit", KeyType::Integer(1, 10_000), "5", "rows to explain").default("5"),
            KeyDef::new(
                "method",
                KeyType::Choice(ExplainMethod::IDS),
                "\"integrated_gradients\"",
                "how words are credited",
            )
            .default("\"integrated_gradients\""),
            MODEL.default("that of the score cell above"),
            PAIR,
            TEXT,
            EMBED,
            PREFIXES.default("those of the score cell above"),
            KeyDef::new(
                "nodes",
                KeyType::Integer(1, 10_000),
                "32",
                "integration nodes to start from; raised until the gap is small",
            ),
            KeyDef::new(
                "target",
                KeyType::Text,
                "\"irrelevant\"",
                "class to explain, for models with several",
            ),
        ]],
        example: "from   = \"rel\"\nwhere  = \"clicked = false AND position <= 3\"\norder  = \"rel_score DESC\"\nlimit  = 5\nmethod = \"integrated_gradients\"\n",
    },
    CellDef {
        kind: Kind::Train,
        generation: 3,
        summary: "fine-tunes a classifier or a cross-encoder on labelled rows and writes a model folder",
        result: "one row per epoch: losses, seconds, rows per second, and on the dev rows accuracy and macro averages of precision, recall, F1",
        groups: &[&[
            FROM,
            WHERE,
            MODEL_REQUIRED,
            PAIR,
            TEXT,
            KeyDef::new("label", KeyType::Column, "\"grade\"", "column of the class").default("schema"),
            KeyDef::new("labels", KeyType::Texts, "[\"bad\", \"good\"]", "class names in order")
                .default("the distinct labels, sorted"),
            KeyDef::new(
                "objective",
                KeyType::Choice(TrainObjective::IDS),
                "\"binary\"",
                "what is learnt: classes, one logit (what ranks pairs) or one value; a model of one output keeps its head",
            )
            .default("\"by_model\""),
            KeyDef::new("out", KeyType::Path, "\"models/shoes-v1\"", "folder to write, below the notebook's")
                .required(),
            KeyDef::new("overwrite", KeyType::Flag, "true", "replace a model that this cell did not make")
                .default("false"),
            KeyDef::new(
                "dev",
                KeyType::ShareOrText,
                "0.1",
                "dev rows: a share (split by query), or an SQL predicate",
            )
            .default("0.1"),
            KeyDef::new("dev_from", KeyType::Relation, "\"judged_dev\"", "dev rows: another cell or source"),
            KeyDef::new("epochs", KeyType::Integer(1, 10_000), "3", "passes over the rows").default("3"),
            KeyDef::new("batch", KeyType::Integer(1, 100_000), "16", "rows per step").default("16"),
            KeyDef::new("learning_rate", KeyType::Number(0.0, 10.0), "2e-5", "peak rate").default("2e-5"),
            KeyDef::new("weight_decay", KeyType::Number(0.0, 10.0), "0.01", "decoupled, as in AdamW")
                .default("0.01"),
            KeyDef::new("warmup", KeyType::Number(0.0, 1.0), "0.1", "share of all steps before the peak")
                .default("0.1"),
            KeyDef::new(
                "clip",
                KeyType::Number(0.0, f64::MAX),
                "1.0",
                "largest norm of the gradient; 0 for none",
            )
            .default("1.0"),
            KeyDef::new("dropout", KeyType::Number(0.0, 0.99), "0.1", "share of activations dropped")
                .default("0.1"),
            KeyDef::new(
                "max_tokens",
                KeyType::Integer(3, 100_000),
                "128",
                "tokens per input, special ones included",
            )
            .default("128"),
            SEED,
            CHECK,
        ]],
        example: "from  = \"judged\"\nmodel = \"fixtures/tiny\"\npair  = [\"query\", \"title\"]\nlabel = \"relevant\"\nout   = \"models/shoes-v1\"\nepochs = 3\n",
    },
    CellDef {
        kind: Kind::Check,
        generation: 2,
        summary: "conditions over other cells' figures; fails a headless run",
        result: "no rows",
        groups: &[&[KeyDef::new(
            "check",
            KeyType::Checks,
            "[\"quality.ndcg@10 >= 0.35\", \"rows(bad_queries) < 10\"]",
            "conditions: figures compared with numbers, joined by and, or, ( )",
        )
        .required()]],
        example: "check = [\"quality.ndcg@10 >= 0.35\", \"rows(bad_queries) < 10\"]\n",
    },
];

const MODEL_REQUIRED: KeyDef = MODEL.required();

#[cfg(test)]
mod tests {
    use super::super::{Notebook, Params};
    use super::*;
    use crate::terms::SqlValue;

    /// The table's examples, its values and its defaults are all read by the parser they document.
    #[test]
    fn every_example_is_read_without_a_fault() {
        let params = Params::new(&[("k".into(), SqlValue::Int(10))]);
        for def in &CELLS {
            let notebook = Notebook::parse(&format!("```{} x\n{}```\n", def.kind, def.example));
            let cell = notebook.cell("x").unwrap();
            let (spec, faults) = notebook.read_cell(cell, &params);
            assert!(spec.is_some() && faults.is_empty(), "{}: {faults:?}", def.kind);
            assert!(notebook.blocks().len() == 1, "{}", def.kind);
        }
    }

    #[test]
    fn every_key_value_and_default_is_of_its_type() {
        let params = Params::new(&[("k".into(), SqlValue::Int(10))]);
        for def in &CELLS {
            for key in def.keys() {
                let in_words = |text: &&str| text.starts_with(|c: char| c.is_alphabetic());
                for value in [Some(key.value), key.default.filter(|d| !in_words(d))].into_iter().flatten() {
                    let body = format!("{} = {value}\n", key.name);
                    let notebook = Notebook::parse(&format!("```{} x\n{body}```\n", def.kind));
                    let (_, faults) = notebook.read_cell(notebook.cell("x").unwrap(), &params);
                    let own: Vec<_> = faults
                        .iter()
                        .filter(|fault| {
                            fault.message.contains("takes") || fault.message.contains("has no key")
                        })
                        .collect();
                    assert!(own.is_empty(), "{} {body}: {own:?}", def.kind);
                }
            }
        }
    }

    #[test]
    fn every_ready_kind_is_in_the_table_once() {
        for kind in Kind::ALL {
            let count = CELLS.iter().filter(|def| def.kind == kind).count();
            assert_eq!(count, usize::from(kind.is_ready()), "{kind}");
        }
    }
}
