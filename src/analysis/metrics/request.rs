//! What a metrics computation is asked for. Mirrors `notebook::spec::MetricsSpec`, which analysis
//! may not import; `engine::lanes` converts. No SQL and no arithmetic here.

use crate::analysis::SqlValue;
use crate::terms::{IntervalMethod, Ties};

/// Which rows, and what their columns mean.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// A relation that the connection knows.
    pub from: String,
    /// SQL predicate over its columns; `$name` parameters in it take their values from `params`.
    pub filter: Option<String>,
    /// Values of the filter's `$name` parameters.
    pub params: Vec<(String, SqlValue)>,
    pub roles: Roles,
    /// Gain from which an item counts as relevant (1 in most judgments).
    pub relevant_at: f64,
    pub ties: Ties,
    /// What click logs tell beside the roles.
    pub policy: Policy,
    /// On what else metric libraries differ; the default is recscope's own.
    pub rules: Rules,
}

/// Columns of a log whose policy is known, for values under another policy and without position bias.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Policy {
    /// Probability with which the logging policy showed the row's item there, within (0, 1].
    pub propensity: Option<String>,
    /// Probability with which the policy to be valued would have shown it, within [0, 1].
    pub target: Option<String>,
    /// What a row brought; the label, else the gain, where no column is named.
    pub reward: Option<String>,
    /// A model's prediction of the reward of the shown item.
    pub q_logged: Option<String>,
    /// The model's expectation of the reward under the policy to be valued.
    pub q_target: Option<String>,
    /// Probability that the row's position was looked at, within (0, 1]; fitted where no column is named.
    pub examination: Option<String>,
    /// Largest importance weight; larger ones are cut to it. Above 0.
    pub clip: Option<f64>,
}

/// Column roles; `None` where neither the cell nor the schema names a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Roles {
    pub query: Option<String>,
    pub item: Option<String>,
    /// With a user, each (query, user) is a list of its own; the query stays the cluster.
    pub user: Option<String>,
    /// Rank shown, counted from 1. Orders lists where there is no score; breaks ties when logged.
    pub position: Option<String>,
    /// Higher is better. NULL: not retrieved; so is NaN, which is counted. Infinities are ranked as numbers.
    pub score: Option<String>,
    /// Binary outcome (clicked) or class.
    pub label: Option<String>,
    /// Graded relevance; NULL: not judged.
    pub gain: Option<String>,
    /// Bought (binary), for `purchase_rate` and `cvr`.
    pub purchase: Option<String>,
    /// Text columns, for intra-list diversity.
    pub text: Vec<String>,
    /// Money that a row brought, and what remained of it.
    pub revenue: Option<String>,
    pub margin: Option<String>,
    /// Category or subtopic of the item; a list of them is several.
    pub category: Option<String>,
    /// List of numbers.
    pub embedding: Option<String>,
    /// When the item was published, and when the row was shown.
    pub published: Option<String>,
    pub time: Option<String>,
    /// A second score of the same rows.
    pub other: Option<String>,
}

/// Conventions about rows and judgments, beside ties and empty values.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rules {
    pub gains: Gains,
    pub denominator: Denominator,
    pub missing: Missing,
    pub unjudged: Unjudged,
    pub duplicates: Duplicates,
    pub scores: Scores,
}

/// How a gain is read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Gains {
    /// As it stands; text that is no number is an error.
    #[default]
    Given,
    /// Cut to a whole number toward 0, as trec_eval and ranx do.
    Whole,
    /// 1 from `relevant_at` on, else 0.
    Binary,
    /// E, S, C, I (or exact, substitute, complement, irrelevant) as 1, these two, and 0; numbers as they stand.
    Esci { substitute: f64, complement: f64 },
}

/// What average precision with a cut-off is divided by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Denominator {
    /// R, the relevant items.
    #[default]
    Relevant,
    /// min(R, k).
    AtMostCutoff,
}

/// A judged query of which nothing was retrieved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Missing {
    /// Counts like any other: nothing was found.
    #[default]
    Counted,
    Dropped,
}

/// An item without a judgment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Unjudged {
    /// Gain 0.
    #[default]
    NotRelevant,
    /// Taken out before ranks are counted (condensed lists).
    Condensed,
    /// This gain; for bounds.
    Gain(f64),
}

/// The same item twice in a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// The best-ranked row stays.
    #[default]
    Best,
    /// The last row in order of appearance stays, as in a dict.
    Last,
    Refused,
}

/// In which precision scores are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Scores {
    /// As they are given, 64 bits.
    #[default]
    Double,
    /// 32 bits: scores that differ by less are tied.
    Single,
}

/// What a value that does not exist (no relevant item, say) does to a mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Empty {
    /// Left out of the mean and counted in `n_na`.
    #[default]
    NotAvailable,
    /// Counts as 0, as in trec_eval.
    Zero,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricsRequest {
    pub rows: Rows,
    /// Metric ids of the catalogue, e.g. `ndcg@10`.
    pub show: Vec<String>,
    /// Columns to break down by; empty for one line per metric.
    pub by: Vec<String>,
    pub empty: Empty,
    pub interval: IntervalMethod,
    /// Bootstrap resamples of queries; 0 for no interval.
    pub resamples: u32,
    pub seed: u64,
    /// Also return the value of each list (`MetricsTable::lists`).
    pub per_list: bool,
    /// Compute every metric by its statement in `queries/metrics`, also those that one pass over the
    /// rows computes faster. For tests and benches, which hold the two against each other.
    pub by_statements: bool,
    /// Also the worst and best values that unjudged items allow.
    pub bounds: bool,
}
