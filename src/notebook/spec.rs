//! What each kind of cell asks for, as typed Rust. The TOML of a cell body becomes one of these;
//! `cells.rs` holds the table that drives parsing, help and completion.

use crate::terms::{Adjustment, Detail, ExplainMethod, IntervalMethod, Ties, TrainObjective};

/// A cell's request, roles already filled in from the front matter's `schema` where the cell is silent.
#[derive(Debug, Clone, PartialEq)]
pub enum CellSpec {
    Sql(SqlSpec),
    Score(ScoreSpec),
    Metrics(MetricsSpec),
    Fairness(FairnessSpec),
    Slices(SlicesSpec),
    Compare(CompareSpec),
    Explain(ExplainSpec),
    Train(TrainSpec),
    Check(CheckSpec),
}

impl CellSpec {
    /// Columns in a role of identity: those of the roles, and suppliers.
    pub fn id_columns(&self) -> Vec<String> {
        let (roles, suppliers): (&Roles, &[Vec<String>]) = match self {
            CellSpec::Metrics(spec) => (&spec.roles, &[]),
            CellSpec::Fairness(spec) => (&spec.roles, &spec.suppliers),
            CellSpec::Slices(spec) => (&spec.roles, &[]),
            CellSpec::Compare(spec) => (&spec.roles, &[]),
            CellSpec::Sql(_)
            | CellSpec::Score(_)
            | CellSpec::Explain(_)
            | CellSpec::Train(_)
            | CellSpec::Check(_) => return Vec::new(),
        };
        roles.ids().map(str::to_owned).chain(suppliers.iter().flatten().cloned()).collect()
    }
}

/// Which rows of which relation. Every cell that reads has one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    /// A cell or source name.
    pub from: String,
    /// SQL predicate over `from`'s columns; may hold `{{param}}`s, which are bound values.
    pub filter: Option<String>,
}

/// Column roles. `None`: neither the cell nor the schema names one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roles {
    pub query: Option<String>,
    pub item: Option<String>,
    pub user: Option<String>,
    /// Rank shown, counted from 1.
    pub position: Option<String>,
    /// Higher is better.
    pub score: Option<String>,
    /// Binary outcome (clicked, bought) or class label.
    pub label: Option<String>,
    /// Graded relevance.
    pub gain: Option<String>,
    /// Bought (binary), beside a label that says clicked.
    pub purchase: Option<String>,
    pub time: Option<String>,
    /// The logging policy's probability of the shown item.
    pub propensity: Option<String>,
    /// The new policy's probability of it.
    pub target: Option<String>,
    /// What a row brought; the label or gain if `None`.
    pub reward: Option<String>,
    /// A reward model's prediction for the shown item, and its expectation under the new policy.
    pub q_logged: Option<String>,
    pub q_target: Option<String>,
    /// Probability that the position was looked at; fitted to the clicks if `None`.
    pub examination: Option<String>,
    /// Largest importance weight: no column, but of the same family.
    pub clip: Option<f64>,
    /// Money that a row brought, and what remained of it.
    pub revenue: Option<String>,
    pub margin: Option<String>,
    /// The item's category, or a list of subtopics.
    pub category: Option<String>,
    /// A list of numbers.
    pub embedding: Option<String>,
    /// When the item was published.
    pub published: Option<String>,
    /// A second score of the same rows.
    pub other: Option<String>,
    pub text: Vec<String>,
}

impl Roles {
    /// Columns in a role of identity: they tell things apart, and nothing is counted with them.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        [&self.query, &self.item, &self.user].into_iter().flatten().map(String::as_str)
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct SqlSpec {
    /// As written, `{{param}}`s in place.
    pub sql: String,
}

/// The text that a model reads.
#[derive(Debug, Clone, PartialEq)]
pub enum TextInput {
    /// Cross-encoder: query column, title column.
    Pair(String, String),
    /// Classifier over one column.
    Text(String),
    /// Bi-encoder: cosine of the two columns' embeddings.
    Embed(String, String),
}

/// Result: every column of the input plus `<cell>_score` (`<cell>_score_<label>` per class as well).
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreSpec {
    pub input: Input,
    pub model: String,
    pub text: TextInput,
    /// `auto`, `cpu`, `metal`, `cuda:N`, `cuda:0,1`, `cuda:all`.
    pub device: Option<String>,
    /// `f32`, `f16`, `bf16`.
    pub dtype: Option<String>,
    /// Put before the query side's and the text side's texts (`embed`); the model's own prompts if
    /// `None`.
    pub prefixes: Option<(String, String)>,
    /// Gain per class name: the score is the expected gain.
    pub gains: Option<Vec<(String, f64)>>,
    /// Tokens per input, special ones included; the model's limit if `None`.
    pub max_tokens: Option<usize>,
    /// Tokens per batch.
    pub batch_tokens: Option<usize>,
    pub order: Option<String>,
    pub limit: Option<u64>,
}

/// Result columns: `[by...], metric, value, lower, upper, n, n_na`.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsSpec {
    pub input: Input,
    pub roles: Roles,
    /// Gain from which an item counts as relevant.
    pub relevant_at: f64,
    /// Metric ids, `{{param}}`s filled in.
    pub show: Vec<String>,
    /// Break down by these columns (one table, one line per value and metric).
    pub by: Vec<String>,
    pub ties: Ties,
    pub interval: IntervalMethod,
    /// A preset's name, or `all`; `None` for recscope's own rules with `ties`.
    pub convention: Option<String>,
    /// Also the worst and best values that unjudged items allow.
    pub bounds: bool,
    /// Bootstrap resamples; 0 for none.
    pub resamples: u32,
    pub seed: u64,
    pub checks: Vec<String>,
}

/// Result columns: `slice, value_of, n, value, lower, upper, delta, p, p_adjusted, status, predicate`, with
/// `suppliers` after `side, metric`,
/// where `slice` is the column set ("segment*region"), `value_of` the group ("new*south"),
/// `value` the metric there, `delta` its difference to the rest, and `predicate` the SQL that
/// selects the group's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct FairnessSpec {
    pub input: Input,
    pub roles: Roles,
    pub relevant_at: f64,
    pub ties: Ties,
    /// Each an intersection of one or more columns.
    pub slices: Vec<Vec<String>>,
    pub metric: String,
    /// The other side of the market; empty for none.
    pub suppliers: Vec<Vec<String>>,
    pub supplier_metric: String,
    /// On the metric's own denominator (queries, or rows for row metrics).
    pub min_support: u64,
    pub resamples: u32,
    pub permutations: u32,
    pub seed: u64,
    pub checks: Vec<String>,
}

/// Result: one row per slice that diverges; the columns are told in the CELLS table.
#[derive(Debug, Clone, PartialEq)]
pub struct SlicesSpec {
    pub input: Input,
    pub roles: Roles,
    pub relevant_at: f64,
    pub ties: Ties,
    pub metric: String,
    /// Columns to slice by; empty for every usable one.
    pub over: Vec<String>,
    /// Columns whose texts are described; empty for the query and the schema's texts.
    pub text: Vec<String>,
    /// 1 to 3.
    pub depth: usize,
    /// On the metric's own denominator.
    pub min_support: u64,
    pub top: usize,
    pub alpha: f64,
    pub adjust: Adjustment,
    pub seed: u64,
    pub checks: Vec<String>,
}

/// Result columns, by `detail`:
/// `run, metric, slice, baseline, value, delta, lower, upper, p, p_adjusted, effect, mde, power, wins, ties,
/// losses, n, n_na, status, predicate` where `lower` and `upper` are delta's;
/// `query, [user], run, metric, baseline, value, delta, baseline_top, top, predicate`;
/// `query, run, metric, delta, rank, baseline_item, baseline_gain, item, gain, was, predicate`.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareSpec {
    /// `from` is empty where runs are relations; the filter holds for each of them.
    pub input: Input,
    pub roles: Roles,
    pub runs: Compared,
    pub relevant_at: f64,
    pub ties: Ties,
    pub show: Vec<String>,
    pub by: Vec<String>,
    pub detail: Detail,
    /// Queries per run and metric, for the details.
    pub top_queries: usize,
    /// The difference whose chance of being found is the power; `None`: the one observed.
    pub detect: Option<f64>,
    pub interval: IntervalMethod,
    pub resamples: u32,
    pub permutations: u32,
    pub seed: u64,
    pub checks: Vec<String>,
}

/// What is compared; the first is the baseline.
#[derive(Debug, Clone, PartialEq)]
pub enum Compared {
    /// Score columns of one relation.
    Scores(Vec<String>),
    /// Relations with the same roles.
    Runs(Vec<String>),
}

impl Compared {
    pub fn names(&self) -> &[String] {
        match self {
            Self::Scores(names) | Self::Runs(names) => names,
        }
    }
}

/// Result: one row per word: `row, side, position, word, attribution, std_error`.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainSpec {
    pub input: Input,
    pub order: Option<String>,
    pub limit: u64,
    pub method: ExplainMethod,
    /// `None`: the model and text columns of the score cell that `from` is (or descends from).
    pub model: Option<String>,
    pub text: Option<TextInput>,
    /// As in a score cell; that of the score cell above if `None`.
    pub prefixes: Option<(String, String)>,
    /// Integration nodes to start from.
    pub nodes: Option<usize>,
    /// Class to explain, for models with several labels.
    pub target: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TrainSpec {
    pub input: Input,
    /// Dev rows: a predicate over `from`, or a share split by `seed`.
    pub dev: DevSplit,
    /// A model folder to start from, or a folder with only a `config.json` and a tokenizer (random start).
    pub model: String,
    pub text: TextInput,
    pub label: String,
    /// `None`: the distinct labels of the data, sorted.
    pub labels: Option<Vec<String>>,
    pub objective: TrainObjective,
    /// Folder to write, Hugging Face layout.
    pub out: String,
    /// A model folder there that this cell did not make is replaced.
    pub overwrite: bool,
    pub epochs: usize,
    pub batch: usize,
    pub learning_rate: f64,
    pub weight_decay: f64,
    /// Share of all steps.
    pub warmup: f64,
    pub clip: f64,
    pub dropout: f64,
    pub max_tokens: usize,
    pub seed: u64,
    pub checks: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum DevSplit {
    /// 0 < share < 1, split by query where there is a query role, so that no query is on both sides.
    Share(f64),
    Where(String),
    /// Another relation with the same columns.
    From(String),
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct CheckSpec {
    /// e.g. `quality.ndcg@10 >= 0.35`, `rows(bad_queries) < 10`.
    pub checks: Vec<String>,
}
