//! Statistics of weighted units: what bootstrap and permutation need to know of a metric.

mod auc;
mod average_precision;
mod calibration;
mod difference;
mod effective;
mod exposure;
mod ratio;

pub use auc::Auc;
pub use average_precision::AveragePrecision;
pub use calibration::Calibration;
pub use difference::Difference;
pub use effective::{Effective, Largest, Nothing};
pub use exposure::{Concentration, Exposure};
pub use ratio::{Inverse, Ratio, Shape, Shaped};

/// A figure computed from units (queries, users, lists), each of which may count several times or
/// not at all.
pub trait Statistic {
    /// The figure with unit `i` counted `weights[i]` times (>= 0); `None` where it does not exist.
    fn value(&self, weights: &[f64]) -> Option<f64>;

    /// For each group `0..groups`: the figure over its units, and over all others.
    fn by_label(&self, labels: &[u32], groups: usize) -> Vec<(Option<f64>, Option<f64>)> {
        let pick = |wanted: &dyn Fn(u32) -> bool| -> Vec<f64> {
            labels.iter().map(|&label| f64::from(u8::from(wanted(label)))).collect()
        };
        let group = |g: usize| {
            let inside = self.value(&pick(&|label| label as usize == g));
            (inside, self.value(&pick(&|label| label as usize != g)))
        };
        (0..groups).map(group).collect()
    }

    /// The figure without unit 0, 1, ... in one pass, NaN where it does not exist then; `None` where there
    /// is no shorter way than computing it again for each unit.
    fn leave_one_out(&self, _units: usize) -> Option<Vec<f64>> {
        None
    }

    /// This figure as a ratio of sums over units, where it is one.
    fn as_ratio(&self) -> Option<&Ratio> {
        None
    }
}
