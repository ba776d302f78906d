//! The result of a search: slices, the strongest evidence first, figures for checks, and the Arrow form.
//! No computing here.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

/// What the held-out half says of a slice that the search found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SliceStatus {
    /// Confirmed, on the bad side of the rest.
    Worse,
    /// Confirmed, on the good side of the rest.
    Better,
    /// The held-out half does not show it beyond chance.
    #[default]
    NotConfirmed,
    /// Too few of its lists or rows are held out to tell.
    TooFew,
}

impl SliceStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::NotConfirmed => "not confirmed",
            Self::TooFew => "too few held out",
        }
    }
}

/// The slice on the half of the queries that the search has not seen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HeldOut {
    /// Support there.
    pub n: u64,
    pub value: Option<f64>,
    /// Value minus the rest's.
    pub divergence: Option<f64>,
    /// Holm-adjusted over the slices of the table.
    pub p: Option<f64>,
}

/// One slice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SliceLine {
    /// Its predicates in words, e.g. `region = south`.
    pub predicates: Vec<String>,
    /// Lists or rows of the slice that have a value, in both halves.
    pub n: u64,
    /// Over both halves, as are `rest` and `divergence`: what a look at the rows gives.
    pub value: f64,
    pub rest: f64,
    /// `value - rest`.
    pub divergence: f64,
    /// The divergence in standard deviations of a single value (of a list, row or, where whole queries or
    /// users were compared, of those).
    pub effect: Option<f64>,
    /// The divergence in the half that was searched, and its p.
    pub searched: f64,
    pub p: f64,
    /// Over every slice that was tested.
    pub p_adjusted: f64,
    pub held_out: HeldOut,
    pub status: SliceStatus,
    /// Shapley values over `predicates`; they sum to `divergence`.
    pub contributions: Vec<f64>,
    /// SQL predicate that selects the slice's rows.
    pub predicate: String,
}

impl SliceLine {
    /// `region = south and words of query = 3`
    pub fn name(&self) -> String {
        self.predicates.join(" and ")
    }

    fn shares(&self) -> String {
        let share = |(words, share): (&String, &f64)| format!("{words}: {share:+.4}");
        self.predicates.iter().zip(&self.contributions).map(share).collect::<Vec<_>>().join("; ")
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct SlicesTable {
    pub metric: String,
    pub higher_is_better: bool,
    /// The metric over all rows; `None` where it has no value.
    pub overall: Option<f64>,
    /// The strongest evidence first.
    pub lines: Vec<SliceLine>,
    /// Slices that were tested: the family that p is adjusted over.
    pub tested: u64,
    /// Of them, significant after adjustment.
    pub significant: u64,
    /// Of those, explained by a parent or by another slice.
    pub pruned: u64,
    /// What a reader must know: how many were tested, what was left out, and why.
    pub notes: Vec<String>,
}

impl SlicesTable {
    /// Names that [`SlicesTable::figure`] knows.
    pub const FIGURES: &[&str] = &[
        "found",
        "confirmed",
        "worse",
        "worst_gap",
        "p_adjusted",
        "tested",
        "significant",
        "pruned",
        "overall",
    ];

    /// A figure for a check, `None` for n/a and unknown names.
    ///
    /// `found`: slices of the table. `confirmed`: those that the held-out half confirms; `worse`: those on
    /// the bad side. `worst_gap`: largest divergence among `worse`, measured on the held-out half (the
    /// searched half flatters it), as a positive number; 0 where slices were tested and none is worse.
    /// `p_adjusted`: smallest. `tested`, `significant`, `pruned`: counts. `overall` (or the metric's id):
    /// over all rows.
    pub fn figure(&self, name: &str) -> Option<f64> {
        let count = |is: fn(&SliceLine) -> bool| self.lines.iter().filter(|line| is(line)).count() as f64;
        let searched = self.tested > 0;
        match name.trim() {
            "found" => searched.then_some(self.lines.len() as f64),
            "confirmed" => searched
                .then(|| count(|line| matches!(line.status, SliceStatus::Worse | SliceStatus::Better))),
            "worse" => searched.then(|| count(|line| line.status == SliceStatus::Worse)),
            "worst_gap" => searched.then(|| self.worst().and_then(gap).unwrap_or(0.0)),
            "p_adjusted" => self.lines.iter().map(|line| line.p_adjusted).reduce(f64::min),
            "tested" => Some(self.tested as f64),
            "significant" => searched.then_some(self.significant as f64),
            "pruned" => searched.then_some(self.pruned as f64),
            "overall" => self.overall,
            other if other == self.metric => self.overall,
            _ => None,
        }
    }

    /// The line behind a figure, for drill-down from a failed check.
    pub fn line_of(&self, name: &str) -> Option<&SliceLine> {
        let confirmed = |line: &&SliceLine| matches!(line.status, SliceStatus::Worse | SliceStatus::Better);
        match name.trim() {
            "worst_gap" => self.worst(),
            "worse" => self.lines.iter().find(|line| line.status == SliceStatus::Worse),
            "confirmed" => self.lines.iter().find(confirmed),
            "found" => self.lines.first(),
            "p_adjusted" => self.lines.iter().min_by(|a, b| a.p_adjusted.total_cmp(&b.p_adjusted)),
            _ => None,
        }
    }

    fn worst(&self) -> Option<&SliceLine> {
        let worse = self.lines.iter().filter(|line| line.status == SliceStatus::Worse);
        worse.max_by(|a, b| gap(a).unwrap_or(0.0).total_cmp(&gap(b).unwrap_or(0.0)))
    }

    /// Columns `slice, n, value, rest, divergence, effect, p, p_adjusted, searched_divergence, held_n,
    /// held_value, held_divergence, held_p, status, contributions, predicate`; n/a is NULL.
    pub fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        let lines = &self.lines;
        let text = |get: fn(&SliceLine) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(lines.iter().map(get)))
        };
        let number = |get: fn(&SliceLine) -> Option<f64>| -> ArrayRef {
            Arc::new(lines.iter().map(get).collect::<Float64Array>())
        };
        let count = |get: fn(&SliceLine) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(lines.iter().map(get)))
        };
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("slice", text(SliceLine::name)),
            ("n", count(|line| line.n)),
            ("value", number(|line| Some(line.value))),
            ("rest", number(|line| Some(line.rest))),
            ("divergence", number(|line| Some(line.divergence))),
            ("effect", number(|line| line.effect)),
            ("p", number(|line| Some(line.p))),
            ("p_adjusted", number(|line| Some(line.p_adjusted))),
            ("searched_divergence", number(|line| Some(line.searched))),
            ("held_n", count(|line| line.held_out.n)),
            ("held_value", number(|line| line.held_out.value)),
            ("held_divergence", number(|line| line.held_out.divergence)),
            ("held_p", number(|line| line.held_out.p)),
            ("status", text(|line| line.status.as_str().to_owned())),
            ("contributions", text(SliceLine::shares)),
            ("predicate", text(|line| line.predicate.clone())),
        ];
        let field = |(name, column): &(&str, ArrayRef)| {
            Field::new(*name, column.data_type().clone(), column.data_type() == &DataType::Float64)
        };
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())
    }
}

fn gap(line: &SliceLine) -> Option<f64> {
    line.held_out.divergence.map(f64::abs)
}
