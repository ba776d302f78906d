//! The result of an audit: groups worst first, figures for checks, and the Arrow form.
//! No computing here.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::{Disparity, FIGURES, Side, SideFigure};
use crate::analysis::stats::Interval;

/// What the evidence says about a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Status {
    /// Adjusted p <= 0.05, on the bad side of the rest.
    Worse,
    /// Adjusted p <= 0.05, on the good side of the rest.
    Better,
    /// No difference beyond chance was found.
    #[default]
    Level,
    /// Too few lists or rows to say anything; listed, not measured.
    BelowSupport,
    /// The metric does not exist here (no positives, say).
    NotAvailable,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Level => "level",
            Self::BelowSupport => "below support",
            Self::NotAvailable => "n/a",
        }
    }
}

/// One group of one slice.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupLine {
    pub side: Side,
    /// The column set.
    pub slice: Vec<String>,
    /// The group's values as text, `None` for NULL; as many as `slice`.
    pub group: Vec<Option<String>>,
    /// Support on the metric's own denominator.
    pub n: u64,
    pub value: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Value minus the value of all other rows.
    pub delta: Option<f64>,
    pub p: Option<f64>,
    /// Benjamini-Hochberg over every tested group of the table.
    pub p_adjusted: Option<f64>,
    pub status: Status,
    /// SQL predicate that selects the group's rows.
    pub predicate: String,
}

impl GroupLine {
    /// `segment*region`
    pub fn slice_name(&self) -> String {
        self.slice.join("*")
    }

    /// `new*south`; NULL reads `NULL`.
    pub fn group_name(&self) -> String {
        let parts: Vec<&str> = self.group.iter().map(|part| part.as_deref().unwrap_or("NULL")).collect();
        parts.join("*")
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct FairnessTable {
    /// What each side that was asked for is measured by.
    pub sides: Vec<(Side, SideFigure)>,
    /// Users before suppliers, the worst first (largest difference to the rest in the bad direction); n/a,
    /// then below support, last.
    pub lines: Vec<GroupLine>,
    /// Per slice: how far its groups are apart, in the ways that have a name.
    pub disparities: Vec<Disparity>,
    /// Sentences a reader must see: what was permuted, what was left out.
    pub notes: Vec<String>,
}

impl FairnessTable {
    fn of(&self, side: Side) -> impl Iterator<Item = &GroupLine> {
        self.lines.iter().filter(move |line| line.side == side)
    }

    /// A figure for a check, by a name of [`FIGURES`] or a side's metric; `None` for n/a and unknown names.
    pub fn figure(&self, name: &str) -> Option<f64> {
        if let Some((_, figure)) = self.sides.iter().find(|(_, figure)| figure.metric == name.trim()) {
            return figure.overall;
        }
        let (side, name) = Side::of_figure(name);
        let figure = self.side(side)?;
        let values = || self.of(side).filter_map(|line| line.value);
        let least = |get: fn(&GroupLine) -> Option<f64>| self.of(side).filter_map(get).reduce(f64::min);
        let count = |status: Status| self.of(side).filter(|line| line.status == status).count() as f64;
        match name {
            "max_gap" => self.by_slice(side, |low, high| Some(high - low)).reduce(f64::max),
            "min_ratio" => self.by_slice(side, |low, high| (high > 0.0).then(|| low / high)).reduce(f64::min),
            "max_ratio" => self.by_slice(side, |low, high| (low > 0.0).then(|| high / low)).reduce(f64::max),
            "max_delta" => self.of(side).filter_map(|line| line.delta.map(f64::abs)).reduce(f64::max),
            "worst" => values().reduce(if figure.higher_is_better { f64::min } else { f64::max }),
            "best" => values().reduce(if figure.higher_is_better { f64::max } else { f64::min }),
            "p" => least(|line| line.p),
            "p_adjusted" => least(|line| line.p_adjusted),
            "groups" => Some(self.of(side).count() as f64),
            "worse" => Some(count(Status::Worse)),
            "below_support" => Some(count(Status::BelowSupport)),
            "overall" => figure.overall,
            other => self.disparity(side, other).and_then(|(disparity, part)| disparity.part(part)),
        }
    }

    /// The interval of a figure that is a disparity's.
    pub fn interval(&self, name: &str) -> Option<Interval> {
        let (side, name) = Side::of_figure(name);
        let name = match name {
            "max_gap" => "gap_difference",
            "min_ratio" => "gap_ratio",
            name => name,
        };
        match self.disparity(side, name)? {
            (disparity, "difference") => disparity.interval,
            (disparity, "ratio") => disparity.ratio_interval,
            _ => None,
        }
    }

    /// The disparity that a figure is of, in the slice where it is worst, and which part of it.
    fn disparity<'a>(&self, side: Side, figure: &'a str) -> Option<(&Disparity, &'a str)> {
        let part_of = |disparity: &&Disparity| {
            let part = figure.strip_prefix(disparity.name)?.strip_prefix('_')?;
            Disparity::PARTS.contains(&part).then_some(part)
        };
        let all = self
            .disparities
            .iter()
            .filter(|it| it.side == side)
            .filter_map(|it| Some((it, part_of(&it)?, it.part(part_of(&it)?)?)));
        let worse = |part: &str, a: f64, b: f64| if part == "difference" { a > b } else { a < b };
        let worst = all.reduce(|a, b| if worse(a.1, b.2, a.2) { b } else { a })?;
        Some((worst.0, worst.1))
    }

    /// The line behind a figure, for drill-down from a failed check.
    pub fn line_of(&self, name: &str) -> Option<&GroupLine> {
        let by_metric = self.sides.iter().find(|(_, figure)| figure.metric == name.trim());
        let (side, name) = by_metric.map_or_else(|| Side::of_figure(name), |(side, _)| (*side, "overall"));
        let measured = || self.of(side).filter(|line| line.value.is_some());
        match name {
            "p" | "p_adjusted" => measured()
                .filter(|line| line.p.is_some())
                .min_by(|a, b| a.p.unwrap_or(1.0).total_cmp(&b.p.unwrap_or(1.0))),
            "max_delta" => measured().max_by(|a, b| {
                let size = |line: &GroupLine| line.delta.unwrap_or(0.0).abs();
                size(a).total_cmp(&size(b))
            }),
            "below_support" => self.of(side).find(|line| line.status == Status::BelowSupport),
            name if FIGURES.iter().any(|figure| figure.0 == name) => measured().next(),
            _ => None,
        }
    }

    /// One figure per slice with at least two measured groups, from their lowest and highest values.
    fn by_slice<'a>(
        &'a self,
        side: Side,
        figure: impl Fn(f64, f64) -> Option<f64> + 'a,
    ) -> impl Iterator<Item = f64> + 'a {
        let mut ranges: Vec<(&[String], f64, f64, usize)> = Vec::new();
        for line in self.of(side) {
            let Some(value) = line.value else { continue };
            match ranges.iter_mut().find(|range| range.0 == line.slice) {
                Some(range) => *range = (range.0, range.1.min(value), range.2.max(value), range.3 + 1),
                None => ranges.push((&line.slice, value, value, 1)),
            }
        }
        ranges.into_iter().filter(|range| range.3 > 1).filter_map(move |range| figure(range.1, range.2))
    }

    /// Columns `slice, value_of, n, value, lower, upper, delta, p, p_adjusted, status, predicate`, of a
    /// two-sided audit `side, metric` before them; n/a is NULL.
    pub fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        let lines = &self.lines;
        let text = |get: fn(&GroupLine) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(lines.iter().map(get)))
        };
        let number = |get: fn(&GroupLine) -> Option<f64>| -> ArrayRef {
            Arc::new(lines.iter().map(get).collect::<Float64Array>())
        };
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("slice", text(GroupLine::slice_name)),
            ("value_of", text(GroupLine::group_name)),
            ("n", Arc::new(UInt64Array::from_iter_values(lines.iter().map(|line| line.n)))),
            ("value", number(|line| line.value)),
            ("lower", number(|line| line.lower)),
            ("upper", number(|line| line.upper)),
            ("delta", number(|line| line.delta)),
            ("p", number(|line| line.p)),
            ("p_adjusted", number(|line| line.p_adjusted)),
            ("status", text(|line| line.status.as_str().to_owned())),
            ("predicate", text(|line| line.predicate.clone())),
        ];
        if self.is_two_sided() {
            let metric = |line: &GroupLine| self.side(line.side).map(|side| side.metric.as_str());
            let metric = StringArray::from_iter(lines.iter().map(metric));
            columns.insert(0, ("metric", Arc::new(metric)));
            columns.insert(0, ("side", text(|line| line.side.as_str().to_owned())));
        }
        let field = |(name, column): &(&str, ArrayRef)| {
            Field::new(*name, column.data_type().clone(), column.data_type() == &DataType::Float64)
        };
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())
    }
}
