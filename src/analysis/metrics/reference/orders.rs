//! Agreement of two orders, from the definitions over sets and pairs.

use std::collections::BTreeSet;

/// Extrapolated rank-biased overlap (Webber et al. 2010, equation 32); NaN where both are empty.
pub fn overlap(a: &[String], b: &[String], p: f64) -> f64 {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let (s, l) = (short.len() as f64, long.len() as f64);
    if long.is_empty() {
        return f64::NAN;
    }
    let common = |depth: usize| {
        let set = |list: &[String]| list.iter().take(depth).cloned().collect::<BTreeSet<_>>();
        set(short).intersection(&set(long)).count() as f64
    };
    let mut sum = 0.0;
    for depth in 1..=long.len() {
        let d = depth as f64;
        sum += common(depth) / d * p.powi(depth as i32);
        if depth > short.len() && !short.is_empty() {
            sum += common(short.len()) * (d - s) / (s * d) * p.powi(depth as i32);
        }
    }
    let at_short = if short.is_empty() { 0.0 } else { common(short.len()) / s };
    let rest = (common(long.len()) - common(short.len())) / l + at_short;
    (1.0 - p) / p * sum + rest * p.powi(long.len() as i32)
}

/// Kendall's tau-b, pair by pair.
pub fn kendall(pairs: &[(f64, f64)]) -> f64 {
    let (mut same, mut x, mut y) = (0.0, 0.0_f64, 0.0);
    for (i, a) in pairs.iter().enumerate() {
        for b in pairs.iter().skip(i + 1) {
            let sign =
                |left: f64, right: f64| left.partial_cmp(&right).map_or(0.0, |order| order as i32 as f64);
            let (dx, dy) = (sign(a.0, b.0), sign(a.1, b.1));
            same += dx * dy;
            x += dx.abs();
            y += dy.abs();
        }
    }
    same / (x * y).sqrt()
}

pub fn jaccard(a: &[String], b: &[String], k: usize) -> f64 {
    let set = |list: &[String]| list.iter().take(k).cloned().collect::<BTreeSet<_>>();
    let (a, b) = (set(a), set(b));
    a.intersection(&b).count() as f64 / a.union(&b).count() as f64
}
