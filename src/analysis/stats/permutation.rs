//! The permutation test of "this group is like the rest": shuffle who belongs to which group, and
//! count how often chance alone makes as large a difference.

use super::{Random, Statistic};
use crate::util::cancel::{Cancel, Cancelled};

/// What may be exchanged with what.
#[derive(Debug, Clone, PartialEq)]
pub enum Strata {
    /// Every unit with every other.
    Free,
    /// Only units with the same stratum number.
    Within(Vec<u32>),
}

/// How to permute.
#[derive(Debug, Clone)]
pub struct Permutation {
    pub rounds: u32,
    pub strata: Strata,
    pub random: Random,
}

impl Permutation {
    /// What may trade places, found once.
    pub(super) fn blocks(&self) -> Blocks {
        blocks(&self.strata)
    }

    pub(super) fn shuffle(&mut self, labels: &mut [u32], within: &Blocks) {
        shuffle(labels, within, &mut self.random);
    }
}

/// One group against the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GroupTest {
    /// The statistic inside the group and over all other units.
    pub inside: Option<f64>,
    pub rest: Option<f64>,
    /// (1 + as extreme) / (rounds + 1), two-sided; `None` where either side has no value.
    pub p: Option<f64>,
}

/// Tests every group `0..groups` of `labels` (one label per unit) against its complement.
///
/// `(1 + #{|difference| >= observed}) / (rounds + 1)` keeps the test exact (Phipson & Smyth 2010). A
/// round in which a side has no value counts as extreme, which can only make p larger.
pub fn permute(
    statistic: &dyn Statistic,
    labels: &[u32],
    groups: usize,
    mut how: Permutation,
    cancel: &Cancel,
) -> Result<Vec<GroupTest>, Cancelled> {
    let observed = statistic.by_label(labels, groups);
    let mut tests: Vec<GroupTest> =
        observed.iter().map(|&(inside, rest)| GroupTest { inside, rest, p: None }).collect();
    if how.rounds == 0 {
        return Ok(tests);
    }
    let gaps: Vec<Option<f64>> = observed.iter().map(|&(inside, rest)| gap(inside, rest)).collect();
    let mut extreme = vec![0u32; groups];
    let mut shuffled = labels.to_vec();
    let blocks = blocks(&how.strata);
    for _ in 0..how.rounds {
        cancel.check()?;
        shuffle(&mut shuffled, &blocks, &mut how.random);
        for ((inside, rest), (count, observed)) in
            statistic.by_label(&shuffled, groups).into_iter().zip(extreme.iter_mut().zip(&gaps))
        {
            let Some(observed) = observed else { continue };
            // Sums in another order differ in the last bits; a tie must count as a tie.
            let as_large = |gap: f64| gap >= observed - 1e-12 * observed.max(1.0);
            *count += u32::from(gap(inside, rest).is_none_or(as_large));
        }
    }
    for ((test, count), observed) in tests.iter_mut().zip(extreme).zip(gaps) {
        test.p = observed.map(|_| f64::from(1 + count) / f64::from(how.rounds + 1));
    }
    Ok(tests)
}

fn gap(inside: Option<f64>, rest: Option<f64>) -> Option<f64> {
    Some((inside? - rest?).abs())
}

/// Positions that may trade places; blocks of one are of no use.
pub(super) enum Blocks {
    All,
    Some(Vec<Vec<usize>>),
}

fn blocks(strata: &Strata) -> Blocks {
    match strata {
        Strata::Free => Blocks::All,
        Strata::Within(of) => {
            let mut order: Vec<usize> = (0..of.len()).collect();
            order.sort_by_key(|&unit| of.get(unit));
            let runs = order.chunk_by(|a, b| of.get(*a) == of.get(*b));
            Blocks::Some(runs.filter(|run| run.len() > 1).map(<[usize]>::to_vec).collect())
        }
    }
}

fn shuffle(labels: &mut [u32], blocks: &Blocks, random: &mut Random) {
    match blocks {
        Blocks::All => random.shuffle(labels),
        Blocks::Some(blocks) => {
            for block in blocks {
                for i in (1..block.len()).rev() {
                    if let (Some(&a), Some(&b)) = (block.get(i), block.get(random.below(i + 1)))
                        && a.max(b) < labels.len()
                    {
                        labels.swap(a, b);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::stats::Ratio;

    fn p_of(values: Vec<f64>, labels: &[u32], strata: Strata) -> f64 {
        let statistic = Ratio::mean(values);
        let how = Permutation { rounds: 999, strata, random: Random::new(1) };
        permute(&statistic, labels, 2, how, &Cancel::new()).unwrap()[0].p.unwrap()
    }

    #[test]
    fn a_clear_difference_is_found_and_none_is_not() {
        let labels: Vec<u32> = (0..40).map(|i| i % 2).collect();
        assert!(p_of(labels.iter().map(|&l| f64::from(l)).collect(), &labels, Strata::Free) < 0.01);
        assert_eq!(p_of(vec![0.5; 40], &labels, Strata::Free), 1.0);
    }

    #[test]
    fn strata_hold_what_belongs_to_the_query() {
        // The value depends on the stratum only; labels follow it, so freely permuted it looks guilty.
        let strata: Vec<u32> = (0..40).map(|i| i / 20).collect();
        let labels: Vec<u32> = (0..40).map(|i| if i % 5 == 0 { 1 - i / 20 } else { i / 20 }).collect();
        let values: Vec<f64> = strata.iter().map(|&s| f64::from(s)).collect();
        assert!(p_of(values.clone(), &labels, Strata::Free) < 0.01);
        assert_eq!(p_of(values, &labels, Strata::Within(strata)), 1.0);
    }
}
