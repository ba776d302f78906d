//! The result of a comparison: lines, figures for checks, and the Arrow form. No computing here.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray, UInt64Array};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::line::{CompareLine, Verdict};
use super::moved::{Moved, batch};
use crate::analysis::metrics::MetricId;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompareTable {
    /// Names; the first is the baseline.
    pub runs: Vec<String>,
    /// Canonical ids, in the order asked for.
    pub metrics: Vec<String>,
    pub by: Vec<String>,
    /// All queries first (by run, then metric), then by run, group and metric.
    pub lines: Vec<CompareLine>,
    /// Sentences a reader must see: what is left out, how intervals and p were made, which family.
    pub notes: Vec<String>,
    /// The queries that moved most, where asked for: by run and metric, the largest change first.
    pub moved: Vec<Moved>,
    /// Resamples and permutations made; fewer than asked for where there are many rows.
    pub resamples: u32,
    pub permutations: u32,
}

impl CompareTable {
    /// Names that [`CompareTable::figure`] knows.
    pub const FIGURES: &[&str] = &[
        "delta",
        "max_loss",
        "p",
        "p_adjusted",
        "effect",
        "mde",
        "power",
        "wins",
        "ties",
        "losses",
        "better",
        "worse",
    ];

    /// The line of a run and metric over all queries; the first metric for `None`.
    pub fn overall(&self, run: &str, metric: Option<&str>) -> Option<&CompareLine> {
        let metric = match metric {
            Some(text) => MetricId::parse(text).map_or_else(|_| text.to_owned(), |id| id.to_string()),
            None => self.metrics.first()?.clone(),
        };
        let mut lines = self.lines.iter().filter(|line| line.group.is_empty());
        lines.find(|line| line.run.eq_ignore_ascii_case(run) && line.metric == metric)
    }

    /// A figure for a check, `None` for n/a and unknown names.
    ///
    /// `delta`, `effect`, `mde`, `power`, `wins`, `ties`, `losses`: of the first metric over all queries,
    /// of several runs the one that does worst. `max_loss`: the largest change for the worse of any line
    /// that has the metric's unit of the first metric, 0 if there is none. `p`, `p_adjusted`: smallest.
    /// `better`, `worse`: lines with adjusted p <= 0.05.
    pub fn figure(&self, name: &str) -> Option<f64> {
        let least = |get: fn(&CompareLine) -> Option<f64>| self.lines.iter().filter_map(get).reduce(f64::min);
        let count = |status| self.lines.iter().filter(|line| line.status == status).count() as f64;
        let whole = |n: Option<u64>| n.map(|n| n as f64);
        match name.trim() {
            "p" => least(|line| line.p),
            "p_adjusted" => least(|line| line.p_adjusted),
            "better" => Some(count(Verdict::Better)),
            "worse" => Some(count(Verdict::Worse)),
            "max_loss" => self.worst(|_| true)?.gain().map(|gain| (-gain).max(0.0)),
            "delta" => self.main()?.delta,
            "effect" => self.main()?.effect,
            "mde" => self.main()?.mde,
            "power" => self.main()?.power,
            "wins" => whole(self.main()?.wins),
            "ties" => whole(self.main()?.ties),
            "losses" => whole(self.main()?.losses),
            _ => None,
        }
    }

    /// The line behind a figure, for drill-down from a failed check.
    pub fn line_of(&self, name: &str) -> Option<&CompareLine> {
        let least = |get: fn(&CompareLine) -> Option<f64>| {
            let tested = self.lines.iter().filter(|line| get(line).is_some());
            tested.min_by(|a, b| get(a).unwrap_or(1.0).total_cmp(&get(b).unwrap_or(1.0)))
        };
        match name.trim() {
            "p" => least(|line| line.p),
            "p_adjusted" => least(|line| line.p_adjusted),
            "better" => self.lines.iter().find(|line| line.status == Verdict::Better),
            "worse" => self.lines.iter().find(|line| line.status == Verdict::Worse),
            "max_loss" => self.worst(|_| true),
            name if Self::FIGURES.contains(&name) => self.main(),
            _ => None,
        }
    }

    /// The first metric over all queries, of the run that does worst.
    fn main(&self) -> Option<&CompareLine> {
        self.worst(|line| line.group.is_empty())
    }

    /// The worst change of the first metric; a line that is n/a decides before any other, so that a check
    /// never passes over it.
    fn worst(&self, wanted: impl Fn(&CompareLine) -> bool) -> Option<&CompareLine> {
        let first = self.metrics.first()?;
        let lines = self.lines.iter().filter(|line| &line.metric == first && wanted(line));
        lines.min_by(|a, b| {
            let gain = |line: &CompareLine| line.gain().unwrap_or(f64::NEG_INFINITY);
            gain(a).total_cmp(&gain(b))
        })
    }

    /// Columns `run, metric, slice, baseline, value, delta, lower, upper, p, p_adjusted, effect, mde, power,
    /// wins, ties, losses, n, n_na, status, predicate`; n/a is NULL. `lower` and `upper` are delta's.
    pub fn to_batch(&self) -> Result<RecordBatch, ArrowError> {
        let lines = &self.lines;
        let text = |get: fn(&CompareLine) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(lines.iter().map(get)))
        };
        let number = |get: fn(&CompareLine) -> Option<f64>| -> ArrayRef {
            Arc::new(lines.iter().map(get).collect::<Float64Array>())
        };
        let count = |get: fn(&CompareLine) -> Option<u64>| -> ArrayRef {
            Arc::new(lines.iter().map(get).collect::<UInt64Array>())
        };
        batch(vec![
            ("run", text(|line| line.run.clone())),
            ("metric", text(|line| line.metric.clone())),
            ("slice", text(CompareLine::group_name)),
            ("baseline", number(|line| line.baseline)),
            ("value", number(|line| line.value)),
            ("delta", number(|line| line.delta)),
            ("lower", number(|line| line.lower)),
            ("upper", number(|line| line.upper)),
            ("p", number(|line| line.p)),
            ("p_adjusted", number(|line| line.p_adjusted)),
            ("effect", number(|line| line.effect)),
            ("mde", number(|line| line.mde)),
            ("power", number(|line| line.power)),
            ("wins", count(|line| line.wins)),
            ("ties", count(|line| line.ties)),
            ("losses", count(|line| line.losses)),
            ("n", count(|line| Some(line.n))),
            ("n_na", count(|line| Some(line.n_na))),
            ("status", text(|line| line.status.as_str().to_owned())),
            ("predicate", text(|line| line.predicate.clone())),
        ])
    }
}
