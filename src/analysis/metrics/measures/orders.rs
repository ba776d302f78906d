//! How alike two orders of the same rows are: rank-biased overlap, Kendall's tau-b, Jaccard of the
//! top. Ranks come from SQL.

use crate::analysis::Bindings;
use crate::analysis::metrics::columns::{floats, numbers};
use crate::analysis::metrics::prepared::Prepared;
use crate::analysis::metrics::values::{ByList, Values, listwise};
use crate::analysis::metrics::{AnalysisError, Empty, MetricId};

/// Weight of going one rank deeper, in rank-biased overlap.
const PERSISTENCE: f64 = 0.9;

/// An item with its two scores and ranks; NaN where an order lacks it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub score: f64,
    pub other: f64,
    pub rank: f64,
    pub other_rank: f64,
}

pub(super) fn measure(
    prepared: &mut Prepared<'_>,
    id: &MetricId,
    empty: Empty,
) -> Result<Values, AnalysisError> {
    prepared.extras()?;
    let batch = prepared.rows("metrics/two_orders", &Bindings::new())?;
    let scores = floats(&batch, "score")?.into_iter().zip(floats(&batch, "other")?);
    let ranks = floats(&batch, "rank")?.into_iter().zip(floats(&batch, "other_rank")?);
    let pairs = scores
        .zip(ranks)
        .map(|((score, other), (rank, other_rank))| Pair { score, other, rank, other_rank })
        .collect();
    let lists = prepared.lists.query.len();
    let pairs = ByList::new(lists, &numbers(&batch, "list")?, pairs);
    let k = id.cutoff.map_or(usize::MAX, |k| k as usize);
    let value = |list: usize| match id.metric.id {
        "kendall" => kendall(pairs.of(list)),
        "jaccard" => jaccard(pairs.of(list), k),
        _ => overlap(pairs.of(list), k),
    };
    Ok(listwise((0..lists).map(value).collect(), empty))
}

/// The lengths of the two lists, cut at `k`.
fn lengths(pairs: &[Pair], k: usize) -> (usize, usize) {
    let length = |of: &dyn Fn(&Pair) -> f64| pairs.iter().filter(|pair| !of(pair).is_nan()).count().min(k);
    (length(&|pair| pair.rank), length(&|pair| pair.other_rank))
}

/// Extrapolated rank-biased overlap of uneven lists (Webber et al. 2010, equation 32).
pub(super) fn overlap(pairs: &[Pair], k: usize) -> f64 {
    let (a, b) = lengths(pairs, k);
    let (short, long) = (a.min(b), a.max(b));
    if long == 0 {
        return f64::NAN;
    }
    // How many items both lists have seen by each depth: at the deeper of its two ranks, if within both.
    let mut seen = vec![0.0; long + 1];
    for pair in pairs {
        if pair.rank <= a as f64 && pair.other_rank <= b as f64 {
            let depth = pair.rank.max(pair.other_rank) as usize;
            if let Some(count) = seen.get_mut(depth) {
                *count += 1.0;
            }
        }
    }
    let p = PERSISTENCE;
    let (mut common, mut common_short, mut sum, mut weight) = (0.0, 0.0, 0.0, 1.0);
    for (depth, new) in seen.iter().enumerate().skip(1) {
        let d = depth as f64;
        weight *= p;
        common += new;
        sum += common / d * weight;
        if depth == short {
            common_short = common;
        }
        if depth > short && short > 0 {
            let s = short as f64;
            sum += common_short * (d - s) / (s * d) * weight;
        }
    }
    let at_short = if short > 0 { common_short / short as f64 } else { 0.0 };
    // Rounding must not carry identical lists above 1.
    ((1.0 - p) / p * sum + ((common - common_short) / long as f64 + at_short) * weight).min(1.0)
}

pub(super) fn jaccard(pairs: &[Pair], k: usize) -> f64 {
    let within = |rank: f64| rank <= k as f64;
    let both = pairs.iter().filter(|pair| within(pair.rank) && within(pair.other_rank)).count();
    let either = pairs.iter().filter(|pair| within(pair.rank) || within(pair.other_rank)).count();
    if either == 0 { f64::NAN } else { both as f64 / either as f64 }
}

/// Tau-b in n log n (Knight 1966); NaN for fewer than two items or where all of one score are tied.
pub(super) fn kendall(pairs: &[Pair]) -> f64 {
    let known = pairs.iter().filter(|pair| !pair.score.is_nan() && !pair.other.is_nan());
    // + 0.0: -0.0 and 0.0 are tied.
    let mut scores: Vec<(f64, f64)> = known.map(|pair| (pair.score + 0.0, pair.other + 0.0)).collect();
    scores.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let n = scores.len() as f64;
    let all = n * (n - 1.0) / 2.0;
    let tied_score = tied(scores.iter().map(|pair| pair.0.to_bits()));
    let tied_both = tied(scores.iter().map(|pair| (pair.0.to_bits(), pair.1.to_bits())));
    let mut other: Vec<f64> = scores.into_iter().map(|pair| pair.1).collect();
    let opposite = inversions(&mut other);
    let tied_other = tied(other.iter().map(|other| other.to_bits()));
    let same = all - tied_score - tied_other + tied_both - opposite;
    let scale = ((all - tied_score) * (all - tied_other)).sqrt();
    if scale > 0.0 { (same - opposite) / scale } else { f64::NAN }
}

/// Pairs of equal neighbours' runs.
fn tied<T: PartialEq>(values: impl Iterator<Item = T>) -> f64 {
    let (mut before, mut run, mut pairs) = (None, 0.0, 0.0);
    for value in values {
        run = if before.as_ref() == Some(&value) { run + 1.0 } else { 0.0 };
        pairs += run;
        before = Some(value);
    }
    pairs
}

/// Sorts, and counts the pairs that stood in descending order.
fn inversions(values: &mut [f64]) -> f64 {
    let mut buffer = values.to_vec();
    let mut count = 0.0;
    let mut width = 1;
    while width < values.len() {
        for from in (0..values.len()).step_by(2 * width) {
            let middle = (from + width).min(values.len());
            let to = (from + 2 * width).min(values.len());
            let (mut left, mut right) = (from, middle);
            for slot in &mut buffer[from..to] {
                let take_left = left < middle && (right >= to || values[left] <= values[right]);
                if take_left {
                    *slot = values[left];
                    left += 1;
                } else {
                    *slot = values[right];
                    count += (middle - left) as f64;
                    right += 1;
                }
            }
        }
        values.copy_from_slice(&buffer);
        width *= 2;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(scores: &[(f64, f64)]) -> Vec<Pair> {
        let rank = |of: &dyn Fn(&(f64, f64)) -> f64, value: f64| {
            if value.is_nan() {
                f64::NAN
            } else {
                1.0 + scores.iter().filter(|pair| of(pair) > value).count() as f64
            }
        };
        let pair = |&(score, other): &(f64, f64)| Pair {
            score,
            other,
            rank: rank(&|pair| pair.0, score),
            other_rank: rank(&|pair| pair.1, other),
        };
        scores.iter().map(pair).collect()
    }

    #[test]
    fn ends_of_the_scales() {
        let same = pairs(&[(3.0, 3.0), (2.0, 2.0), (1.0, 1.0)]);
        let turned = pairs(&[(3.0, 1.0), (2.0, 2.0), (1.0, 3.0)]);
        let apart = pairs(&[(2.0, f64::NAN), (1.0, f64::NAN), (f64::NAN, 2.0), (f64::NAN, 1.0)]);
        assert!((overlap(&same, 9) - 1.0).abs() < 1e-12);
        assert_eq!((kendall(&same), kendall(&turned)), (1.0, -1.0));
        assert_eq!((overlap(&apart, 9), jaccard(&apart, 2)), (0.0, 0.0));
        assert!(overlap(&[], 9).is_nan() && jaccard(&[], 3).is_nan());
        assert!(kendall(&apart).is_nan() && kendall(&pairs(&[(1.0, 1.0), (1.0, 2.0)])).is_nan());
        let half = pairs(&[(2.0, f64::NAN), (1.0, f64::NAN)]);
        assert_eq!(overlap(&half, 9), 0.0, "an empty list agrees with nothing");
    }

    /// scipy.stats.kendalltau of the same numbers.
    #[test]
    fn tau_b_equals_counting_pairs() {
        let mut state = 7u64;
        let mut next = |most: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % most
        };
        for n in 2..40 {
            let scores: Vec<(f64, f64)> = (0..n).map(|_| (next(6) as f64, next(5) as f64)).collect();
            let (mut same, mut opposite, mut x, mut y) = (0.0, 0.0, 0.0, 0.0);
            for (i, a) in scores.iter().enumerate() {
                for b in &scores[i + 1..] {
                    let (dx, dy) = (a.0 - b.0, a.1 - b.1);
                    x += f64::from(u8::from(dx != 0.0));
                    y += f64::from(u8::from(dy != 0.0));
                    same += f64::from(u8::from(dx * dy > 0.0));
                    opposite += f64::from(u8::from(dx * dy < 0.0));
                }
            }
            let expected = (same - opposite) / f64::sqrt(x * y);
            let tau = kendall(&pairs(&scores));
            assert!(
                (tau - expected).abs() < 1e-12 || (tau.is_nan() && expected.is_nan()),
                "{tau} {expected}"
            );
        }
    }
}
