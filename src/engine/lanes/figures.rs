//! The figures of a finished cell that checks can name, in a form that outlives the run: they are
//! kept in the sidecar beside the rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::analysis::compare::{CompareLine, CompareTable};
use crate::analysis::fairness::{FIGURES, FairnessTable, Side};
use crate::analysis::metrics::{MetricId, MetricLine, MetricsTable};
use crate::analysis::slices::SlicesTable;
use crate::notebook::check::{Delta, Part, Term};
use crate::notebook::spec::Input;
use crate::protocol::TrainReport;
use crate::terms::quote_ident;

/// What figures of a fairness table's second side begin with.
pub(super) const OF_SUPPLIERS: &str = "supplier_";

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Figures {
    pub rows: Option<u64>,
    values: BTreeMap<String, Figure>,
}

/// A figure with its interval, and the rows behind it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Figure {
    pub value: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub n: Option<f64>,
    pub rows_sql: Option<String>,
    /// (level, lower, upper) of its interval at other levels than 0.95.
    #[serde(default)]
    pub bounds: Vec<(f64, f64, f64)>,
    /// Given items without a judgment, where the cell was asked for it.
    #[serde(default)]
    pub worst: Option<f64>,
    #[serde(default)]
    pub best: Option<f64>,
}

impl Figure {
    /// The interval at a level, if it was made.
    pub fn at(&self, level: f64) -> Option<(f64, f64)> {
        let near = |other: f64| (other - level).abs() < 1e-9;
        let kept = self.bounds.iter().find(|bounds| near(bounds.0)).map(|bounds| (bounds.1, bounds.2));
        kept.or_else(|| self.lower.zip(self.upper).filter(|_| near(0.95)))
    }
}

impl Figures {
    pub fn of_rows(rows: u64) -> Self {
        Self { rows: Some(rows), values: BTreeMap::new() }
    }

    pub fn of_metrics(table: &MetricsTable, input: &Input) -> Self {
        let mut figures = Self::of_rows(table.lines.len() as u64);
        for name in table.figures() {
            if let Some(line) = table.line(&name) {
                figures.values.insert(name, metric(line, input));
            }
        }
        figures
    }

    /// Figures of suppliers only where the table has that side.
    pub fn of_fairness(table: &FairnessTable, input: &Input) -> Self {
        let mut figures = Self::of_rows(table.lines.len() as u64);
        // Without that side they would be n/a for ever, and a check could not say why.
        let suppliers = table.sides.iter().any(|(side, _)| *side == Side::Suppliers);
        let names = FIGURES
            .iter()
            .map(|figure| figure.0)
            .filter(|name| suppliers || !name.starts_with(OF_SUPPLIERS))
            .chain(table.sides.iter().map(|(_, side)| side.metric.as_str()));
        for name in names {
            let line = table.line_of(name);
            let interval = table.interval(name);
            let figure = Figure {
                value: table.figure(name),
                n: line.map(|line| line.n as f64),
                rows_sql: line.map(|line| rows_sql(input, &line.predicate)),
                lower: interval.map(|interval| interval.lower),
                upper: interval.map(|interval| interval.upper),
                ..Figure::default()
            };
            figures.values.insert(name.to_owned(), figure);
        }
        figures
    }

    /// `worst_gap` is of the held-out half, and so is its n.
    pub fn of_slices(table: &SlicesTable, input: &Input) -> Self {
        let mut figures = Self::of_rows(table.lines.len() as u64);
        let names = SlicesTable::FIGURES.iter().copied().chain([table.metric.as_str()]);
        for name in names {
            let line = table.line_of(name);
            let n = line.map(|line| if name == "worst_gap" { line.held_out.n } else { line.n });
            let figure = Figure {
                value: table.figure(name),
                n: n.map(|n| n as f64),
                rows_sql: line.map(|line| rows_sql(input, &line.predicate)),
                ..Figure::default()
            };
            figures.values.insert(name.to_owned(), figure);
        }
        figures
    }

    /// `from` gives a run's rows. Differences are named both ways round, with their metric and, the first
    /// metric's, without.
    pub fn of_comparison(table: &CompareTable, rows: u64, from: &dyn Fn(&str) -> Input) -> Self {
        let mut figures = Self::of_rows(rows);
        for name in CompareTable::FIGURES {
            let line = table.line_of(name);
            let figure = Figure {
                value: table.figure(name),
                n: line.map(|line| line.n as f64),
                rows_sql: line.map(|line| rows_sql(&from(&line.run), &line.predicate)),
                ..line.filter(|_| *name == "delta").map(difference).unwrap_or_default()
            };
            figures.values.insert((*name).to_owned(), figure);
        }
        let Some(baseline) = table.runs.first() else { return figures };
        for line in table.lines.iter().filter(|line| line.group.is_empty()) {
            let there =
                Figure { rows_sql: Some(rows_sql(&from(&line.run), &line.predicate)), ..difference(line) };
            let back = there.reversed();
            for (new, old, figure) in [(&line.run, baseline, there), (baseline, &line.run, back)] {
                let mut delta = Delta { new: new.clone(), old: old.clone(), metric: None };
                if table.metrics.first() == Some(&line.metric) {
                    figures.values.insert(delta.to_string().to_lowercase(), figure.clone());
                }
                delta.metric = Some(line.metric.clone());
                figures.values.insert(delta.to_string().to_lowercase(), figure);
            }
        }
        figures
    }

    /// Figures of the kept epoch.
    pub fn of_training(report: &TrainReport) -> Self {
        let mut figures = Self::of_rows(report.epochs.len() as u64);
        let Some(best) = report.epochs.iter().find(|epoch| epoch.epoch == report.best_epoch) else {
            return figures;
        };
        let n = Some(report.dev_rows as f64);
        let known = |value: f64| Some(value).filter(|v| v.is_finite());
        let values = [
            ("train_loss", known(best.train_loss)),
            ("dev_loss", known(best.dev_loss)),
            ("accuracy", known(best.accuracy)),
            ("precision", best.precision),
            ("recall", best.recall),
            ("f1", best.f1),
        ];
        for (name, value) in values {
            figures.values.insert(name.to_owned(), Figure { value, n, ..Figure::default() });
        }
        figures
    }

    /// The figure that a term names; metric ids are compared in their canonical form.
    pub fn get(&self, name: &str) -> Option<&Figure> {
        let canonical = || MetricId::parse(name).ok().map(|id| id.to_string());
        let found = self.values.get(name).or_else(|| self.values.get(&canonical()?));
        found.or_else(|| self.values.get(&name.to_lowercase()))
    }

    /// The number that a term means here; `None`: unknown or n/a.
    pub fn number(&self, term: &Term) -> Option<f64> {
        if term.part == Part::Rows {
            return self.rows.map(|rows| rows as f64);
        }
        let figure = self.get(&term.figure)?;
        match term.part {
            Part::Value => figure.value,
            Part::Lower => figure.lower,
            Part::Upper => figure.upper,
            Part::N => figure.n,
            Part::Worst => figure.worst,
            Part::Best => figure.best,
            Part::Rows => None,
            Part::LowerAt(level) => figure.at(level.share()).map(|(lower, _)| lower),
            Part::UpperAt(level) => figure.at(level.share()).map(|(_, upper)| upper),
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

fn metric(line: &MetricLine, input: &Input) -> Figure {
    Figure {
        value: line.value,
        lower: line.lower,
        upper: line.upper,
        n: Some(line.n as f64),
        rows_sql: Some(rows_sql(input, &line.predicate)),
        worst: line.worst,
        best: line.best,
        ..Figure::default()
    }
}

/// A difference between runs with its intervals.
fn difference(line: &CompareLine) -> Figure {
    Figure {
        value: line.delta,
        lower: line.lower,
        upper: line.upper,
        n: Some(line.n as f64),
        bounds: line.bounds.clone(),
        ..Figure::default()
    }
}

impl Figure {
    /// The same difference, seen from the other run.
    fn reversed(&self) -> Self {
        Self {
            value: self.value.map(|value| -value),
            lower: self.upper.map(|upper| -upper),
            upper: self.lower.map(|lower| -lower),
            bounds: self.bounds.iter().map(|(level, lower, upper)| (*level, -upper, -lower)).collect(),
            ..self.clone()
        }
    }
}

/// The rows behind a figure as SQL over the notebook's relations.
fn rows_sql(input: &Input, predicate: &str) -> String {
    let mut sql = format!("SELECT * FROM {}", quote_ident(&input.from));
    let all = ["", "TRUE", "true"].contains(&predicate.trim());
    match (&input.filter, all) {
        (Some(filter), true) => sql.push_str(&format!(" WHERE {filter}")),
        (Some(filter), false) => sql.push_str(&format!(" WHERE ({filter}) AND ({predicate})")),
        (None, false) => sql.push_str(&format!(" WHERE {predicate}")),
        (None, true) => {}
    }
    sql
}
