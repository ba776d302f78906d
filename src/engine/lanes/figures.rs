//! The figures of a finished cell that checks can name, in a form that outlives the run: they are
//! kept in the sidecar beside the rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::analysis::fairness::{FIGURES, FairnessTable};
use crate::analysis::metrics::{MetricId, MetricLine, MetricsTable};
use crate::engine::store::quote_ident;
use crate::notebook::check::{Part, Term};
use crate::notebook::spec::Input;
use crate::protocol::TrainReport;

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

    pub fn of_fairness(table: &FairnessTable, input: &Input) -> Self {
        let mut figures = Self::of_rows(table.lines.len() as u64);
        let names = FIGURES.iter().map(|figure| figure.0).chain([table.metric.as_str()]);
        for name in names {
            let line = table.line_of(name);
            let interval = table.interval(name);
            let figure = Figure {
                value: table.figure(name),
                n: line.map(|line| line.n as f64),
                rows_sql: line.map(|line| rows_sql(input, &line.predicate)),
                lower: interval.map(|interval| interval.lower),
                upper: interval.map(|interval| interval.upper),
            };
            figures.values.insert(name.to_owned(), figure);
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
        self.values.get(name).or_else(|| self.values.get(&canonical()?))
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
            Part::Rows => None,
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
