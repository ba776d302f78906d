//! Differences of two columns of scores, and how alike they rank.

/// Scores after against scores before, over the rows where both are finite numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ScoreDrift {
    /// Rows with both scores.
    pub rows: u64,
    /// Rows with one score only: what was lost (or came) altogether.
    pub unpaired: u64,
    /// Mean and largest absolute difference, in the scores' own unit; `None` without rows.
    pub mean: Option<f64>,
    pub largest: Option<f64>,
    /// See [`spearman`].
    pub spearman: Option<f64>,
}

/// Compares two columns of equal length.
pub fn score_drift(before: &[Option<f64>], after: &[Option<f64>]) -> ScoreDrift {
    let finite = |score: &Option<f64>| score.filter(|score| score.is_finite());
    let (mut a, mut b, mut unpaired) = (Vec::new(), Vec::new(), 0);
    for (before, after) in before.iter().zip(after) {
        match (finite(before), finite(after)) {
            (Some(before), Some(after)) => {
                a.push(before);
                b.push(after);
            }
            (None, None) => {}
            _ => unpaired += 1,
        }
    }
    let differences = || a.iter().zip(&b).map(|(a, b)| (a - b).abs());
    let some = !a.is_empty();
    ScoreDrift {
        rows: a.len() as u64,
        unpaired,
        mean: some.then(|| differences().sum::<f64>() / a.len() as f64),
        largest: some.then(|| differences().fold(0.0, f64::max)),
        spearman: spearman(&a, &b),
    }
}

/// Spearman's rank correlation, from -1 to 1: Pearson's of the ranks, equal values sharing their mean rank
/// (as scipy.stats.spearmanr). `None` with fewer than two pairs, or where all of a side are equal.
pub fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() != b.len() || a.len() < 2 {
        return None;
    }
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(&b) {
        let (x, y) = (x - mean, y - mean);
        (ab, aa, bb) = (ab + x * y, aa + x * x, bb + y * y);
    }
    (aa > 0.0 && bb > 0.0).then(|| (ab / (aa.sqrt() * bb.sqrt())).clamp(-1.0, 1.0))
}

/// Ranks from 1, equal values at the mean of their places.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let value = |at: usize| values.get(at).copied().unwrap_or(f64::NAN);
    order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for same in order.chunk_by(|a, b| value(*a) == value(*b)) {
        let rank = from as f64 + (same.len() as f64 + 1.0) / 2.0;
        for at in same {
            if let Some(slot) = ranks.get_mut(*at) {
                *slot = rank;
            }
        }
        from += same.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// scipy.stats.spearmanr of the same numbers (1.17).
    #[test]
    fn ties_share_their_mean_rank() {
        let a = [1.0, 2.0, 2.0, 3.0, 5.0, 5.0];
        let b = [2.0, 1.0, 4.0, 3.0, 6.0, 5.0];
        assert!((spearman(&a, &b).unwrap() - 0.794_461_346_55).abs() < 1e-9, "{:?}", spearman(&a, &b));
        assert_eq!(spearman(&[1.0, 2.0], &[1.0, 1.0]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
    }

    #[test]
    fn rows_without_a_number_are_counted_not_compared() {
        let before = [Some(1.0), Some(2.0), None, Some(f64::NAN), Some(4.0)];
        let after = [Some(1.5), None, None, Some(1.0), Some(3.0)];
        let drift = score_drift(&before, &after);
        assert_eq!((drift.rows, drift.unpaired), (2, 2));
        assert_eq!((drift.mean, drift.largest), (Some(0.75), Some(1.0)));
        assert_eq!(score_drift(&[None], &[None]), ScoreDrift::default());
    }

    proptest! {
        #[test]
        fn only_the_order_counts(values in prop::collection::vec(-50i32..50, 2..60)) {
            let a: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
            let up: Vec<f64> = a.iter().map(|v| v.powi(3) + 7.0).collect();
            let down: Vec<f64> = a.iter().map(|v| -v).collect();
            match spearman(&a, &a) {
                None => prop_assert!(a.iter().all(|v| *v == a[0])),
                Some(one) => {
                    prop_assert!((one - 1.0).abs() < 1e-12);
                    prop_assert!((spearman(&a, &up).unwrap() - 1.0).abs() < 1e-12);
                    prop_assert!((spearman(&a, &down).unwrap() + 1.0).abs() < 1e-12);
                }
            }
        }
    }
}
