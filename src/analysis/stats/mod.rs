//! Statistics that do not cry wolf: intervals, resampling clustered by query, permutation and
//! randomisation tests, effect sizes, corrections for many tests. Plain Rust on plain numbers: no SQL, no thread, no clock.

mod adjust;
mod bootstrap;
mod effect;
mod gap;
mod interval;
mod jackknife;
mod normal;
mod permutation;
mod proportion;
mod quantile;
mod random;
mod resampled;
mod sign_flip;
mod statistic;
mod student;
mod tails;

pub use crate::terms::IntervalMethod;
pub use adjust::{benjamini_hochberg, benjamini_yekutieli, holm};
pub use bootstrap::{Resampling, bootstrap, resample};
pub use effect::{effect_size, minimum_detectable, power};
pub use gap::{GapInterval, Member, permuted_gap, widest_gap};
pub use interval::Interval;
pub use jackknife::acceleration;
pub use normal::{normal_cdf, normal_quantile};
pub use permutation::{GroupTest, Permutation, Strata, permute};
pub use proportion::wilson;
pub use quantile::quantile;
pub use random::Random;
pub use resampled::Resampled;
pub use sign_flip::{Paired, SignFlip, sign_flip};
pub use statistic::{
    Auc, AveragePrecision, Calibration, Concentration, Difference, Effective, Exposure, Inverse, Largest,
    Nothing, Ratio, Shape, Shaped, Statistic,
};
pub use student::{noncentral_t_cdf, t_quantile};
pub use tails::{pearson3_two_sided, student_two_sided};
