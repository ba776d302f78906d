//! How exposure spreads over a catalogue: coverage, Gini, entropy.

use super::Statistic;

/// Which figure of the exposures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concentration {
    /// Items shown / items of the catalogue.
    Coverage,
    /// 0 all items equally exposed, 1 one item gets everything (sample-corrected).
    Gini,
    /// Bits.
    Entropy,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Exposure {
    pub figure: Concentration,
    /// Items of the catalogue, shown or not.
    pub catalogue: usize,
    /// (unit, item number in `0..catalogue`, times shown)
    pub cells: Vec<(u32, u32, f64)>,
}

impl Statistic for Exposure {
    fn value(&self, weights: &[f64]) -> Option<f64> {
        let mut shown = vec![0.0_f64; self.catalogue];
        for &(unit, item, times) in &self.cells {
            if let Some(sum) = shown.get_mut(item as usize) {
                *sum += times * weights.get(unit as usize).copied().unwrap_or(0.0);
            }
        }
        let total: f64 = shown.iter().sum();
        let n = self.catalogue as f64;
        match self.figure {
            Concentration::Coverage if self.catalogue == 0 => None,
            Concentration::Coverage => Some(shown.iter().filter(|&&times| times > 0.0).count() as f64 / n),
            _ if total <= 0.0 => None,
            Concentration::Entropy => {
                let bits =
                    |times: &f64| if *times > 0.0 { times / total * (total / times).log2() } else { 0.0 };
                Some(shown.iter().map(bits).sum())
            }
            Concentration::Gini if self.catalogue < 2 => None,
            Concentration::Gini => {
                shown.sort_by(f64::total_cmp);
                let rank = |i: usize| 2.0 * (i + 1) as f64 - n - 1.0;
                let sum: f64 = shown.iter().enumerate().map(|(i, times)| rank(i) * times).sum();
                Some(sum / ((n - 1.0) * total))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(figure: Concentration, times: &[f64]) -> Option<f64> {
        let cells = times.iter().zip(0..).map(|(&times, item)| (0, item, times)).collect();
        Exposure { figure, catalogue: times.len(), cells }.value(&[1.0])
    }

    #[test]
    fn ends_of_the_scales() {
        assert_eq!(of(Concentration::Coverage, &[3.0, 0.0, 1.0, 0.0]), Some(0.5));
        assert_eq!(of(Concentration::Gini, &[2.0; 4]), Some(0.0));
        assert_eq!(of(Concentration::Gini, &[0.0, 0.0, 0.0, 5.0]), Some(1.0));
        assert_eq!(of(Concentration::Entropy, &[2.0; 4]), Some(2.0));
        assert_eq!(of(Concentration::Entropy, &[0.0; 4]), None);
        assert_eq!(of(Concentration::Coverage, &[]), None);
    }
}
