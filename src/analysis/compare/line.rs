//! One metric of one run against the baseline, in one group of queries. No computing here.

/// What the evidence says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verdict {
    /// Adjusted p <= 0.05, for the better.
    Better,
    /// Adjusted p <= 0.05, for the worse.
    Worse,
    /// No difference beyond chance was found.
    #[default]
    Level,
    /// The metric does not exist in both runs.
    NotAvailable,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Level => "level",
            Self::NotAvailable => "n/a",
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompareLine {
    pub run: String,
    /// Canonical id, e.g. `ndcg@10`.
    pub metric: String,
    pub higher_is_better: bool,
    /// Values of the `by` columns as text, `None` for NULL; empty: all queries.
    pub group: Vec<Option<String>>,
    /// The baseline's and the run's figure over the pairs: lists that have one in both.
    pub baseline: Option<f64>,
    pub value: Option<f64>,
    /// value - baseline.
    pub delta: Option<f64>,
    /// 95 % interval of delta, queries resampled.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// (level, lower, upper) of delta, ascending; for checks.
    pub bounds: Vec<(f64, f64, f64)>,
    /// Two-sided, from trading the runs' results query by query.
    pub p: Option<f64>,
    /// Holm over every test of the table.
    pub p_adjusted: Option<f64>,
    /// Cohen's dz over queries.
    pub effect: Option<f64>,
    /// Smallest true difference found with power 0.8 at 0.05, in the metric's unit.
    pub mde: Option<f64>,
    /// Chance that the difference asked about is found at 0.05.
    pub power: Option<f64>,
    /// Queries for the better, equal, for the worse; `None` where a query has no figure of its own.
    pub wins: Option<u64>,
    pub ties: Option<u64>,
    pub losses: Option<u64>,
    /// Pairs: lists, or the run's rows for row metrics.
    pub n: u64,
    /// Lists that are no pair (missing in a run, or n/a in one); rows of the run without a figure.
    pub n_na: u64,
    pub status: Verdict,
    /// SQL predicate that selects the group's rows; `TRUE` for all queries.
    pub predicate: String,
}

impl CompareLine {
    /// `all`, `south`, `new*south`; NULL reads `NULL`.
    pub fn group_name(&self) -> String {
        if self.group.is_empty() {
            return "all".to_owned();
        }
        let parts: Vec<&str> = self.group.iter().map(|part| part.as_deref().unwrap_or("NULL")).collect();
        parts.join("*")
    }

    /// Delta with better upwards.
    pub fn gain(&self) -> Option<f64> {
        self.delta.map(|delta| if self.higher_is_better { delta } else { -delta })
    }
}
