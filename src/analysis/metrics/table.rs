//! The result of a metrics computation: lines, figures for checks, and the Arrow form.
//! No computing here.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

/// One metric on one group of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricLine {
    /// Values of the `by` columns as text, `None` for NULL; empty without a breakdown.
    pub group: Vec<Option<String>>,
    /// Canonical id, e.g. `ndcg@10`.
    pub metric: String,
    /// `None`: n/a.
    pub value: Option<f64>,
    /// 95 % interval: queries resampled, or Wilson's for a proportion of rows without a query; `None`
    /// where not asked for or not defined.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// On the metric's own denominator: lists with a value, or rows.
    pub n: u64,
    /// Lists (or rows) for which the metric does not exist; left out of `value`.
    pub n_na: u64,
    pub higher_is_better: bool,
    /// The lowest and highest value that items without a judgment allow, over the lists of `value`;
    /// `None` where not asked for or not defined.
    pub worst: Option<f64>,
    pub best: Option<f64>,
    /// SQL predicate that selects the group's rows; `TRUE` without a breakdown.
    pub predicate: String,
}

/// Values list by list, in the order of `names`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListValues {
    /// Metric ids, as in the lines (query-level metrics only).
    pub metrics: Vec<String>,
    /// Query of each list, as text.
    pub queries: Vec<String>,
    /// `[metric][list]`; NaN where n/a.
    pub values: Vec<Vec<f64>>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricsTable {
    pub by: Vec<String>,
    /// By group in order of its values, then metrics in the order asked for.
    pub lines: Vec<MetricLine>,
    /// Sentences a reader must see: ties, duplicates, NaN scores, conventions applied.
    pub notes: Vec<String>,
    pub lists: Option<ListValues>,
    /// Were bounds asked for?
    pub bounds: bool,
}

impl MetricsTable {
    /// The line that a check on `metric` means: the only one, or with a breakdown the worst one.
    /// A line that is n/a decides before any other, so that a check never passes over it.
    pub fn line(&self, metric: &str) -> Option<&MetricLine> {
        let wanted = super::MetricId::parse(metric).map_or_else(|_| metric.to_owned(), |id| id.to_string());
        let mut lines = self.lines.iter().filter(|line| line.metric == wanted);
        let first = lines.next()?;
        Some(lines.fold(first, |worst, line| match (worst.value, line.value) {
            (None, _) => worst,
            (_, None) => line,
            (Some(a), Some(b)) if (b < a) == line.higher_is_better && a != b => line,
            _ => worst,
        }))
    }

    /// The figure named in a check: `ndcg@10`, `lower(ndcg@10)`, `upper(..)`, `n(..)`, `n_na(..)`.
    /// `None` for an unknown name and for n/a; [`MetricsTable::line`] tells the two apart.
    pub fn figure(&self, name: &str) -> Option<f64> {
        let name = name.trim();
        if let Some((function, inner)) = name.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
            let line = self.line(inner.trim())?;
            return match function.trim() {
                "lower" => line.lower,
                "upper" => line.upper,
                "n" => Some(line.n as f64),
                "n_na" => Some(line.n_na as f64),
                "worst" => line.worst,
                "best" => line.best,
                _ => None,
            };
        }
        self.line(name)?.value
    }

    /// Names that [`MetricsTable::figure`] knows, for suggestions.
    pub fn figures(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for line in &self.lines {
            if !names.contains(&line.metric) {
                names.push(line.metric.clone());
            }
        }
        names
    }

    /// Columns `[by...], metric, value, lower, upper, n, n_na`, with bounds also `worst, best`; n/a is NULL.
    pub fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        let mut fields = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for (index, name) in self.by.iter().enumerate() {
            fields.push(Field::new(name, DataType::Utf8, true));
            let values = self.lines.iter().map(|line| line.group.get(index).cloned().flatten());
            columns.push(Arc::new(values.collect::<StringArray>()));
        }
        let lines = &self.lines;
        fields.push(Field::new("metric", DataType::Utf8, false));
        columns.push(Arc::new(StringArray::from_iter_values(lines.iter().map(|line| &line.metric))));
        type Get = fn(&MetricLine) -> Option<f64>;
        let figures: [(&str, Get); 3] =
            [("value", |line| line.value), ("lower", |line| line.lower), ("upper", |line| line.upper)];
        for (name, get) in figures {
            fields.push(Field::new(name, DataType::Float64, true));
            columns.push(Arc::new(lines.iter().map(get).collect::<Float64Array>()));
        }
        fields.push(Field::new("n", DataType::UInt64, false));
        columns.push(Arc::new(UInt64Array::from_iter_values(lines.iter().map(|line| line.n))));
        fields.push(Field::new("n_na", DataType::UInt64, false));
        columns.push(Arc::new(UInt64Array::from_iter_values(lines.iter().map(|line| line.n_na))));
        let bounds: [(&str, Get); 2] = [("worst", |line| line.worst), ("best", |line| line.best)];
        for (name, get) in bounds.into_iter().filter(|_| self.bounds) {
            fields.push(Field::new(name, DataType::Float64, true));
            columns.push(Arc::new(lines.iter().map(get).collect::<Float64Array>()));
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
    }
}
