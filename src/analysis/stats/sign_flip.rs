//! The paired randomisation test: if two runs are alike, then on any query their results might as well
//! have traded places. Trade at random, and count how often chance alone makes as large a difference.

use super::{Random, Ratio, Statistic};
use crate::util::cancel::{Cancel, Cancelled};

/// Two runs over the same units (queries).
pub enum Paired<'a> {
    /// The figure is a ratio of sums over units, for both.
    Ratios { a: &'a Ratio, b: &'a Ratio },
    /// Any figure: a statistic over `2 * units` units, those of run `a` first.
    Joined { both: &'a dyn Statistic, units: usize },
}

/// What the test says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignFlip {
    /// (1 + as extreme) / (rounds + 1), two-sided.
    pub p: f64,
    /// Trades made beside the one that was observed.
    pub rounds: u32,
    /// Every possible trade was made, instead of a sample of them.
    pub exact: bool,
}

/// Tests `figure(b) - figure(a)` against 0 (Fisher 1935; for retrieval Smucker, Allan & Carterette 2007).
///
/// p = `(1 + #{|difference| >= |observed|}) / (rounds + 1)`, which keeps the test exact (Phipson & Smyth
/// 2010). Where the units that differ have at most `rounds` trades between them, each is made once and p
/// is that of the full enumeration. A trade after which a figure does not exist counts as extreme. `None`
/// where a figure does not exist as observed, or for 0 rounds. Swapping `a` and `b` gives the same p.
pub fn sign_flip(
    pair: &Paired<'_>,
    rounds: u32,
    mut random: Random,
    cancel: &Cancel,
) -> Result<Option<SignFlip>, Cancelled> {
    match pair {
        Paired::Ratios { a, b } => match Trades::of(a, b) {
            Some(trades) if rounds > 0 => Ok(Some(trades.test(rounds, &mut random, cancel)?)),
            _ => Ok(None),
        },
        Paired::Joined { both, units } => joined(*both, *units, rounds, &mut random, cancel),
    }
}

/// Sums of both runs, and what they gain and lose when a unit's results trade places.
struct Trades {
    a: (f64, f64),
    b: (f64, f64),
    /// b - a, of the units in which the runs differ.
    numerator: Vec<f64>,
    /// Empty where denominators never differ.
    denominator: Vec<f64>,
    /// Below this a difference between differences is rounding.
    near: f64,
}

impl Trades {
    fn of(a: &Ratio, b: &Ratio) -> Option<Self> {
        let sum =
            |ratio: &Ratio| -> (f64, f64) { (ratio.numerator.iter().sum(), ratio.denominator.iter().sum()) };
        let (sum_a, sum_b) = (sum(a), sum(b));
        let per_unit = a.numerator.iter().zip(&a.denominator).zip(b.numerator.iter().zip(&b.denominator));
        let gains = per_unit.map(|((na, da), (nb, db))| (nb - na, db - da));
        let (numerator, mut denominator): (Vec<f64>, Vec<f64>) =
            gains.filter(|gain| *gain != (0.0, 0.0)).unzip();
        if denominator.iter().all(|&gain| gain == 0.0) {
            denominator.clear();
        }
        let least = sum_a.1.min(sum_b.1);
        let near = 1e-12 * numerator.iter().map(|gain| gain.abs()).sum::<f64>() / least;
        (least > 0.0).then_some(Self { a: sum_a, b: sum_b, numerator, denominator, near })
    }

    /// |figure(b) - figure(a)| after the traded units' sums have changed sides; infinite where one does
    /// not exist.
    fn difference(&self, numerator: f64, denominator: f64) -> f64 {
        let (da, db) = (self.a.1 + denominator, self.b.1 - denominator);
        if da <= 0.0 || db <= 0.0 {
            return f64::INFINITY;
        }
        ((self.b.0 - numerator) / db - (self.a.0 + numerator) / da).abs()
    }

    fn test(&self, rounds: u32, random: &mut Random, cancel: &Cancel) -> Result<SignFlip, Cancelled> {
        let observed = self.difference(0.0, 0.0) - self.near;
        trade(self.numerator.len(), rounds, random, cancel, |bits| {
            let traded = |gains: &[f64]| if gains.is_empty() { 0.0 } else { picked(gains, bits) };
            self.difference(traded(&self.numerator), traded(&self.denominator)) >= observed
        })
    }
}

/// Makes trades (a bit per unit), all of them where that is no more than `rounds`, and counts the extreme.
fn trade(
    units: usize,
    rounds: u32,
    random: &mut Random,
    cancel: &Cancel,
    mut extreme: impl FnMut(&[u64]) -> bool,
) -> Result<SignFlip, Cancelled> {
    let all = if units < 32 { (1_u64 << units) - 1 } else { u64::MAX };
    let exact = all <= u64::from(rounds);
    let rounds = if exact { all as u32 } else { rounds };
    let mut bits = vec![0_u64; units.div_ceil(64)];
    let mut as_large = 1_u32;
    for round in 1..=rounds {
        cancel.check()?;
        match bits.first_mut() {
            Some(word) if exact => *word = u64::from(round),
            _ => bits.iter_mut().for_each(|word| *word = random.next_u64()),
        }
        as_large += u32::from(extreme(&bits));
    }
    Ok(SignFlip { p: f64::from(as_large) / f64::from(rounds + 1), rounds, exact })
}

/// The sum of the values whose bit is set. Without branches: each bit is a mask over its value.
fn picked(values: &[f64], bits: &[u64]) -> f64 {
    let mut sums = [0.0_f64; 4];
    for (values, &word) in values.chunks(64).zip(bits) {
        let mut word = word;
        let (fours, rest) = values.as_chunks::<4>();
        for four in fours {
            for (sum, value) in sums.iter_mut().zip(four) {
                *sum += f64::from_bits(value.to_bits() & (word & 1).wrapping_neg());
                word >>= 1;
            }
        }
        for value in rest {
            sums[0] += f64::from_bits(value.to_bits() & (word & 1).wrapping_neg());
            word >>= 1;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

fn joined(
    both: &dyn Statistic,
    units: usize,
    rounds: u32,
    random: &mut Random,
    cancel: &Cancel,
) -> Result<Option<SignFlip>, Cancelled> {
    let mut weights = vec![0.0; 2 * units];
    let mut difference = |traded: &dyn Fn(usize) -> bool| -> Option<f64> {
        let mut side = |of_b: bool| {
            for (unit, weight) in weights.iter_mut().enumerate() {
                let from_b = unit >= units;
                let here = if traded(unit % units) { from_b != of_b } else { from_b == of_b };
                *weight = f64::from(u8::from(here));
            }
            both.value(&weights)
        };
        Some((side(true)? - side(false)?).abs())
    };
    if units == 0 || rounds == 0 {
        return Ok(None);
    }
    let Some(observed) = difference(&|_| false) else { return Ok(None) };
    let near = observed - 1e-12 * observed.max(1.0);
    let extreme = |bits: &[u64]| {
        let traded = |unit: usize| bits.get(unit / 64).is_some_and(|word| (word >> (unit % 64)) & 1 == 1);
        difference(&traded).is_none_or(|difference| difference >= near)
    };
    trade(units, rounds, random, cancel, extreme).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(a: &Ratio, b: &Ratio, rounds: u32) -> SignFlip {
        sign_flip(&Paired::Ratios { a, b }, rounds, Random::new(5), &Cancel::new()).unwrap().unwrap()
    }

    /// A ratio as a statistic over both runs' units.
    fn both(a: &Ratio, b: &Ratio) -> Ratio {
        let chain = |x: &[f64], y: &[f64]| x.iter().chain(y).copied().collect();
        Ratio {
            numerator: chain(&a.numerator, &b.numerator),
            denominator: chain(&a.denominator, &b.denominator),
        }
    }

    #[test]
    fn three_clear_wins_are_one_sign_pattern_of_four() {
        let (a, b) = (Ratio::mean(vec![0.0; 3]), Ratio::mean(vec![0.25, 0.5, 0.75]));
        assert_eq!(test(&a, &b, 100), SignFlip { p: 0.25, rounds: 7, exact: true });
        assert_eq!(test(&b, &a, 100).p, 0.25);
        assert_eq!(test(&a, &a, 100).p, 1.0);
        assert_eq!(sign_flip(&Paired::Ratios { a: &a, b: &b }, 0, Random::new(1), &Cancel::new()), Ok(None));
    }

    #[test]
    fn both_forms_agree_and_a_sample_is_near_the_enumeration() {
        let mut random = Random::new(8);
        let mut ratio = |units: usize| Ratio {
            numerator: (0..units).map(|_| random.below(5) as f64).collect(),
            denominator: (0..units).map(|_| 5.0 + random.below(3) as f64).collect(),
        };
        let (a, b) = (ratio(11), ratio(11));
        let exact = test(&a, &b, 5000);
        let joined_form = Paired::Joined { both: &both(&a, &b), units: 11 };
        let other = sign_flip(&joined_form, 5000, Random::new(5), &Cancel::new()).unwrap().unwrap();
        assert!(exact.exact && other.exact && (exact.p - other.p).abs() < 1e-12, "{exact:?} {other:?}");
        let sampled = test(&a, &b, 900);
        assert!(!sampled.exact && (sampled.p - exact.p).abs() < 0.05, "{sampled:?} {exact:?}");
    }
}
