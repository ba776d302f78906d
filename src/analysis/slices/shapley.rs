//! How much each predicate of a slice contributes to its divergence: Shapley values over the predicates,
//! exact (there are at most three). After Pastor, de Alfaro & Baralis, *Looking for trouble* (SIGMOD 2021).

/// `of(mask)` is the divergence of the slice with the predicates of `mask` only; that of none is 0. The
/// contributions sum to `of(all)`.
pub(super) fn contributions(predicates: usize, of: impl Fn(usize) -> f64) -> Vec<f64> {
    let worth: Vec<f64> =
        (0..1usize << predicates).map(|mask| if mask == 0 { 0.0 } else { of(mask) }).collect();
    let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
    let at = |mask: usize| worth.get(mask).copied().unwrap_or_default();
    (0..predicates)
        .map(|player| {
            let without = (0..worth.len()).filter(|mask| mask >> player & 1 == 0);
            without
                .map(|mask| {
                    let size = mask.count_ones() as usize;
                    let weight = factorial(size) * factorial(predicates - size - 1) / factorial(predicates);
                    weight * (at(mask | 1 << player) - at(mask))
                })
                .sum()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_sum_up_and_share_fairly() {
        let worth = [0.0, -0.1, -0.02, -0.3, 0.01, -0.12, 0.0, -0.5];
        let shares = contributions(3, |mask| worth[mask]);
        assert!((shares.iter().sum::<f64>() + 0.5).abs() < 1e-15);
        // By hand: -0.1/3 + (-0.28 - 0.13)/6 - 0.5/3.
        assert!((shares[0] - (-0.1 / 3.0 + (-0.28 - 0.13) / 6.0 - 0.5 / 3.0)).abs() < 1e-15, "{shares:?}");
        assert_eq!(contributions(1, |_| 0.25), [0.25]);
        let equal = contributions(2, |mask| f64::from(mask.count_ones()));
        assert_eq!(equal, [1.0, 1.0]);
    }
}
