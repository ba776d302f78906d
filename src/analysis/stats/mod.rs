//! Statistics that do not cry wolf: intervals, resampling clustered by query, permutation tests,
//! corrections for many tests. Plain Rust on plain numbers: no SQL, no thread, no clock.

mod adjust;
mod bootstrap;
mod normal;
mod permutation;
mod proportion;
mod quantile;
mod random;
mod statistic;

pub use adjust::{benjamini_hochberg, benjamini_yekutieli};
pub use bootstrap::{Interval, bootstrap};
pub use normal::{normal_cdf, normal_quantile};
pub use permutation::{GroupTest, Permutation, Strata, permute};
pub use proportion::wilson;
pub use quantile::quantile;
pub use random::Random;
pub use statistic::{
    Auc, AveragePrecision, Calibration, Concentration, Exposure, Inverse, Ratio, Shape, Shaped, Statistic,
};
