//! Corrections for many tests: the false discovery rate and the family-wise error rate.

/// Benjamini-Hochberg adjusted p-values, in the order given (valid for independent or positively
/// dependent tests). NaN stays NaN and is not part of the family.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    step_up(p, 1.0)
}

/// Benjamini-Yekutieli adjusted p-values: valid under any dependence, at the price of a factor
/// `1 + 1/2 + ... + 1/m`.
pub fn benjamini_yekutieli(p: &[f64]) -> Vec<f64> {
    let tests = p.iter().filter(|p| !p.is_nan()).count();
    step_up(p, (1..=tests).map(|i| 1.0 / i as f64).sum())
}

/// Holm's step-down p-values, in the order given: the chance of even one false alarm in the family is at
/// most the level, under any dependence (Holm 1979). NaN stays NaN and is not part of the family.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = p.iter().copied().zip(0..).filter(|(p, _)| !p.is_nan()).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tests = order.len();
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut largest = 0.0_f64;
    for (rank, (p, index)) in order.into_iter().enumerate() {
        largest = largest.max(p * (tests - rank) as f64).min(1.0);
        if let Some(slot) = adjusted.get_mut(index) {
            *slot = largest;
        }
    }
    adjusted
}

/// min over j >= rank of p(j) * m * factor / j, capped at 1.
fn step_up(p: &[f64], factor: f64) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = p.iter().copied().zip(0..).filter(|(p, _)| !p.is_nan()).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tests = order.len() as f64;
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut least = 1.0_f64;
    for (rank, (p, index)) in order.into_iter().enumerate().rev() {
        least = least.min(p * tests * factor / (rank + 1) as f64);
        if let Some(slot) = adjusted.get_mut(index) {
            *slot = least;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_stay_and_order_is_kept() {
        let adjusted = benjamini_hochberg(&[0.04, f64::NAN, 0.01]);
        assert!((adjusted[0] - 0.04).abs() < 1e-15 && adjusted[1].is_nan());
        assert!((adjusted[2] - 0.02).abs() < 1e-15);
        assert!(benjamini_hochberg(&[]).is_empty() && holm(&[]).is_empty());
        let stepped = holm(&[0.04, f64::NAN, 0.01, 0.03]);
        assert!(stepped[1].is_nan() && (stepped[2] - 0.03).abs() < 1e-15);
        assert!((stepped[3] - 0.06).abs() < 1e-15 && (stepped[0] - 0.06).abs() < 1e-15, "{stepped:?}");
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    }
}
