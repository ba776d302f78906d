//! The seed text's own formulas, kept under their own names beside the standard metrics. Each is
//! given the clicks of the shown items in order, and the clicks on items that were not shown.

/// Its definition of accuracy: clicked and shown / shown.
pub fn accuracy_list(clicked: &[bool]) -> f64 {
    hits(clicked) / clicked.len() as f64
}

/// Its worked example of accuracy: clicked and shown / clicked.
pub fn accuracy_example(clicked: &[bool], clicked_elsewhere: usize) -> f64 {
    hits(clicked) / (hits(clicked) + clicked_elsewhere as f64)
}

/// Diversity, first form: 1 / sum over lists of their length.
pub fn diversity_sum(lengths: &[usize]) -> f64 {
    1.0 / lengths.iter().sum::<usize>() as f64
}

/// Diversity, second form: mean over lists of 1 / length.
pub fn diversity_mean(lengths: &[usize]) -> f64 {
    lengths.iter().map(|&length| 1.0 / length as f64).sum::<f64>() / lengths.len() as f64
}

/// Relevance as its formula says: sum(IR) / sum(IR / log2(j + 1)).
pub fn relevance_literal(clicked: &[bool]) -> f64 {
    hits(clicked) / discounted(clicked)
}

/// Relevance as its worked example computes it: sum(IR / log2(j + 1)) / |R|.
pub fn relevance_example(clicked: &[bool]) -> f64 {
    discounted(clicked) / clicked.len() as f64
}

fn hits(clicked: &[bool]) -> f64 {
    clicked.iter().filter(|&&clicked| clicked).count() as f64
}

fn discounted(clicked: &[bool]) -> f64 {
    let ranks = clicked.iter().zip(1..).filter(|(clicked, _)| **clicked);
    ranks.map(|(_, rank)| 1.0 / f64::from(rank + 1).log2()).sum()
}
