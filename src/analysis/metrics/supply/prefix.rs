//! FA*IR's test of a ranking: does every prefix hold as many of a group as chance would put there?
//! Zehlike et al. 2017: the table m(i), and the significance corrected for testing k prefixes at once.

/// Share of fair rankings that may fail.
pub const ALPHA: f64 = 0.1;
/// Prefixes beyond this are not tested: the correction costs k^2 per step.
pub(super) const LONGEST: usize = 1_000;

/// m(1..=k): the least number of the group that each prefix must hold, the `alpha` quantile of
/// Binomial(i, `share`), smallest m with P(X <= m) >= alpha.
pub fn least_counts(k: usize, share: f64, alpha: f64) -> Vec<u32> {
    let share = share.clamp(0.0, 1.0);
    let mut chance = vec![1.0];
    let mut table = Vec::with_capacity(k);
    for _ in 0..k {
        chance = longer(&chance, share);
        let mut below = 0.0;
        let quantile = chance.iter().position(|&p| {
            below += p;
            // Sums of products differ from the exact quantile in the last bits.
            below >= alpha * (1.0 - 1e-12)
        });
        table.push(quantile.unwrap_or(chance.len() - 1) as u32);
    }
    table
}

/// Chance of j of the group in a prefix that is one longer.
fn longer(chance: &[f64], share: f64) -> Vec<f64> {
    let mut next = vec![0.0; chance.len() + 1];
    for (j, p) in chance.iter().enumerate() {
        if let Some(slot) = next.get_mut(j) {
            *slot += p * (1.0 - share);
        }
        if let Some(slot) = next.get_mut(j + 1) {
            *slot += p * share;
        }
    }
    next
}

/// Chance that a fair ranking fails at one of the prefixes of `least`.
pub fn failure(least: &[u32], share: f64) -> f64 {
    let share = share.clamp(0.0, 1.0);
    let mut chance = vec![1.0];
    for &needed in least {
        chance = longer(&chance, share);
        chance.iter_mut().take(needed as usize).for_each(|p| *p = 0.0);
    }
    (1.0 - chance.iter().sum::<f64>()).max(0.0)
}

/// The largest significance per prefix at which k prefixes together fail in at most `alpha` of fair
/// rankings (bisection; the failure only rises with it).
pub fn adjusted_alpha(k: usize, share: f64, alpha: f64) -> f64 {
    let fails = |each: f64| failure(&least_counts(k, share, each), share);
    if fails(alpha) <= alpha {
        return alpha;
    }
    let (mut low, mut high) = (0.0, alpha);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        if fails(middle) <= alpha {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// Does every prefix up to `length` hold at least what the table asks? `places` ascend, from 1.
pub(super) fn passes(places: &[u32], length: u32, least: &[u32]) -> bool {
    let mut held = 0;
    (1..=length).zip(least).all(|(prefix, &needed)| {
        while places.get(held).is_some_and(|&place| place <= prefix) {
            held += 1;
        }
        held >= needed as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::stats::Random;

    /// Table 2 of the paper: alpha 0.1, no correction, k = 1..12.
    #[test]
    fn the_table_is_that_of_the_paper() {
        let rows: [(f64, [u32; 12]); 7] = [
            (0.1, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            (0.2, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]),
            (0.3, [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2]),
            (0.4, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3]),
            (0.5, [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 4]),
            (0.6, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
            (0.7, [0, 1, 1, 2, 2, 3, 3, 4, 5, 5, 6, 6]),
        ];
        for (share, expected) in rows {
            assert_eq!(least_counts(12, share, 0.1), expected, "{share}");
        }
    }

    #[test]
    fn fair_rankings_fail_as_seldom_as_promised() {
        let (k, share) = (40, 0.4);
        let each = adjusted_alpha(k, share, ALPHA);
        let table = least_counts(k, share, each);
        let exact = failure(&table, share);
        assert!(each < ALPHA && exact <= ALPHA && exact > 0.04, "{each} {exact}");
        assert!(failure(&least_counts(k, share, ALPHA), share) > 2.0 * ALPHA, "without the correction");
        let mut random = Random::new(3);
        let failed = (0..4_000).filter(|_| {
            let places: Vec<u32> = (1..=k as u32).filter(|_| random.uniform() < share).collect();
            !passes(&places, k as u32, &table)
        });
        let rate = failed.count() as f64 / 4_000.0;
        assert!((rate - exact).abs() < 0.02, "{rate} {exact}");
    }

    #[test]
    fn ends_of_the_scale() {
        assert_eq!(least_counts(3, 1.0, 0.1), [1, 2, 3]);
        assert_eq!(least_counts(3, 0.0, 0.1), [0, 0, 0]);
        assert!(passes(&[1, 3], 3, &[1, 1, 2]) && !passes(&[2, 3], 3, &[1, 1, 2]) && passes(&[], 0, &[1]));
    }
}
