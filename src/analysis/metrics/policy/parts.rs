//! What a figure of this family is made of, list by list, in the form that intervals and tests need.

use crate::analysis::stats::{Effective, Largest, Nothing, Ratio, Statistic};

/// Which figure of the sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Figure {
    /// sum of `first` / sum of `second`
    Ratio,
    /// (sum of `first`)^2 / sum of `second`
    Effective,
    /// largest of `first`
    Largest,
}

/// Sums per list; all vectors are as long as there are lists.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PolicyParts {
    pub figure: Figure,
    pub first: Vec<f64>,
    pub second: Vec<f64>,
    /// Rows that forbid a value of whatever they belong to: support is missing.
    pub barred: Vec<f64>,
}

impl PolicyParts {
    /// The figure over the units that `unit[i]` names for the `i`-th of `members`.
    pub fn statistic(&self, members: &[u32], unit: &[u32], units: usize) -> Box<dyn Statistic> {
        let pick = |values: &[f64]| -> Vec<f64> {
            members.iter().map(|&list| values.get(list as usize).copied().unwrap_or(0.0)).collect()
        };
        if pick(&self.barred).iter().any(|&rows| rows > 0.0) {
            return Box::new(Nothing);
        }
        let first = pick(&self.first);
        if self.figure == Figure::Largest {
            let mut values = vec![f64::NEG_INFINITY; units];
            for (value, &unit) in first.into_iter().zip(unit) {
                if let Some(most) = values.get_mut(unit as usize) {
                    *most = most.max(value);
                }
            }
            return Box::new(Largest { values });
        }
        let sums = Ratio { numerator: first, denominator: pick(&self.second) }.grouped(unit, units);
        if self.figure == Figure::Ratio {
            return Box::new(sums);
        }
        Box::new(Effective { sums: sums.numerator, squares: sums.denominator })
    }

    /// Steps of work of computing the figure once.
    pub fn cost(&self) -> usize {
        self.first.len()
    }
}
