//! Ratios of sums: means over lists, and rates over rows.

use super::Statistic;

/// sum of `numerator` / sum of `denominator` over the units.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ratio {
    pub numerator: Vec<f64>,
    pub denominator: Vec<f64>,
}

impl Ratio {
    /// The mean of values; NaN is no value and counts nowhere.
    pub fn mean(values: Vec<f64>) -> Self {
        let denominator = values.iter().map(|value| f64::from(u8::from(!value.is_nan()))).collect();
        let numerator = values.into_iter().map(|value| if value.is_nan() { 0.0 } else { value }).collect();
        Self { numerator, denominator }
    }

    /// Sums up units that belong together; `of[i]` in `0..units`.
    pub fn grouped(&self, of: &[u32], units: usize) -> Self {
        let mut sums = Self { numerator: vec![0.0; units], denominator: vec![0.0; units] };
        for (&unit, (n, d)) in of.iter().zip(self.numerator.iter().zip(&self.denominator)) {
            let unit = unit as usize;
            if let (Some(numerator), Some(denominator)) =
                (sums.numerator.get_mut(unit), sums.denominator.get_mut(unit))
            {
                *numerator += n;
                *denominator += d;
            }
        }
        sums
    }
}

fn divide(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator)
}

impl Statistic for Ratio {
    fn value(&self, weights: &[f64]) -> Option<f64> {
        let (mut numerator, mut denominator) = (0.0, 0.0);
        for (weight, (n, d)) in weights.iter().zip(self.numerator.iter().zip(&self.denominator)) {
            numerator += weight * n;
            denominator += weight * d;
        }
        divide(numerator, denominator)
    }

    /// One pass for all groups.
    fn by_label(&self, labels: &[u32], groups: usize) -> Vec<(Option<f64>, Option<f64>)> {
        let mut sums = vec![(0.0, 0.0); groups];
        let mut all = (0.0, 0.0);
        for (&label, (n, d)) in labels.iter().zip(self.numerator.iter().zip(&self.denominator)) {
            if let Some(sum) = sums.get_mut(label as usize) {
                *sum = (sum.0 + n, sum.1 + d);
            }
            all = (all.0 + n, all.1 + d);
        }
        let rest = |sum: (f64, f64)| divide(all.0 - sum.0, all.1 - sum.1);
        sums.into_iter().map(|sum| (divide(sum.0, sum.1), rest(sum))).collect()
    }

    fn leave_one_out(&self, _units: usize) -> Option<Vec<f64>> {
        let (numerator, denominator): (f64, f64) =
            (self.numerator.iter().sum(), self.denominator.iter().sum());
        let without = |(n, d): (&f64, &f64)| divide(numerator - n, denominator - d).unwrap_or(f64::NAN);
        Some(self.numerator.iter().zip(&self.denominator).map(without).collect())
    }

    fn as_ratio(&self) -> Option<&Ratio> {
        Some(self)
    }
}

/// 1 / sum of sizes: the seed text's `diversity.seed_sum`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inverse {
    pub sizes: Vec<f64>,
}

impl Statistic for Inverse {
    fn value(&self, weights: &[f64]) -> Option<f64> {
        divide(1.0, weights.iter().zip(&self.sizes).map(|(weight, size)| weight * size).sum())
    }
}

/// What is made of a ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Geometric mean of what the numerators are logarithms of.
    Exponential,
    Root,
}

/// A ratio, and what is made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shaped(pub Ratio, pub Shape);

impl Shaped {
    fn shape(&self, value: Option<f64>) -> Option<f64> {
        value.map(|value| match self.1 {
            Shape::Exponential => value.exp(),
            Shape::Root => value.sqrt(),
        })
    }
}

impl Statistic for Shaped {
    fn value(&self, weights: &[f64]) -> Option<f64> {
        self.shape(self.0.value(weights))
    }

    fn by_label(&self, labels: &[u32], groups: usize) -> Vec<(Option<f64>, Option<f64>)> {
        let pairs = self.0.by_label(labels, groups).into_iter();
        pairs.map(|(inside, outside)| (self.shape(inside), self.shape(outside))).collect()
    }
}
