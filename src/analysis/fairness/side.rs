//! The two sides of a market that an audit looks at: those who search, and those whose items are shown.

use super::{FairnessRequest, FairnessTable};
use crate::analysis::metrics::MetricId;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    #[default]
    Users,
    Suppliers,
}

impl Side {
    pub const ALL: [Self; 2] = [Self::Users, Self::Suppliers];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Suppliers => "suppliers",
        }
    }

    /// Whose a figure is, and what it is called there: those of suppliers begin with `supplier_`.
    pub(super) fn of_figure(name: &str) -> (Self, &str) {
        match name.trim().strip_prefix("supplier_") {
            Some(name) => (Self::Suppliers, name),
            None => (Self::Users, name.trim()),
        }
    }
}

/// What one side is measured by.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SideFigure {
    pub metric: String,
    pub higher_is_better: bool,
    /// The metric over all rows.
    pub overall: Option<f64>,
}

impl SideFigure {
    pub(super) fn new(id: &MetricId) -> Self {
        Self { metric: id.to_string(), higher_is_better: id.metric.higher_is_better, overall: None }
    }
}

impl FairnessRequest {
    /// A side's metric and its slices.
    pub(super) fn of(&self, side: Side) -> (&str, &[Vec<String>]) {
        match side {
            Side::Users => (&self.metric, &self.slices),
            Side::Suppliers => (&self.supplier_metric, &self.suppliers),
        }
    }
}

impl FairnessTable {
    pub fn side(&self, side: Side) -> Option<&SideFigure> {
        self.sides.iter().find(|(other, _)| *other == side).map(|(_, figure)| figure)
    }

    pub(super) fn side_mut(&mut self, side: Side) -> Option<&mut SideFigure> {
        self.sides.iter_mut().find(|(other, _)| *other == side).map(|(_, figure)| figure)
    }

    /// Whether more is better, by side.
    pub(super) fn directions(&self) -> impl Fn(Side) -> bool + use<> {
        let better = Side::ALL.map(|side| self.side(side).is_none_or(|figure| figure.higher_is_better));
        move |side| better[side as usize]
    }

    /// Are both sides looked at?
    pub fn is_two_sided(&self) -> bool {
        self.sides.len() > 1
    }
}
