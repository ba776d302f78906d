//! What a model gives for an input: a cosine of two texts' vectors, or class logits; and the one
//! number that ranks.

use super::pool::Pooling;

#[derive(Debug, Clone, PartialEq)]
pub enum Head {
    /// Bi-encoder: one vector per text; the score of a pair is the cosine.
    Embedding(Pooling),
    /// Cross-encoder or text classifier.
    Classifier { labels: Vec<String> },
}

impl Head {
    /// Class names; empty for embeddings.
    pub fn labels(&self) -> &[String] {
        match self {
            Head::Embedding(_) => &[],
            Head::Classifier { labels } => labels,
        }
    }

    /// The number that is explained for class `target` of a row of logits: with two classes the
    /// log-odds against the other one (for class 1 that is [`Head::score`]), else the class's own
    /// logit. NaN for a class that is not there.
    pub fn margin(logits: &[f32], target: usize) -> f64 {
        let of = logits.get(target).map_or(f64::NAN, |&logit| f64::from(logit));
        match logits {
            [no, yes] => of - f64::from(if target == 1 { *no } else { *yes }),
            _ => of,
        }
    }

    /// The one number of a row of logits, which ranks rows:
    /// - 1 label: the logit;
    /// - 2 labels: logit of class 1 minus logit of class 0, the log-odds of class 1;
    /// - n labels: the expected class index under softmax, `sum_c c p_c`, so that graded labels in
    ///   ascending order rank by expected grade. For unordered classes read the per-class columns.
    pub fn score(logits: &[f32]) -> f64 {
        match logits {
            [] => f64::NAN,
            [one] => f64::from(*one),
            [no, yes] => f64::from(*yes) - f64::from(*no),
            many => {
                let max = many.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let weights = many.iter().map(|&l| f64::from(l - max).exp());
                let (mut sum, mut mean) = (0.0, 0.0);
                for (class, weight) in weights.enumerate() {
                    sum += weight;
                    mean += weight * class as f64;
                }
                mean / sum
            }
        }
    }
}

/// Cosine of two vectors of equal length; NaN where one has length 0.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let (mut dot, mut aa, mut bb) = (0f64, 0f64, 0f64);
    for (&x, &y) in a.iter().zip(b) {
        let (x, y) = (f64::from(x), f64::from(y));
        dot += x * y;
        aa += x * x;
        bb += y * y;
    }
    dot / (aa.sqrt() * bb.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_ranks_by_log_odds_and_expected_grade() {
        assert_eq!(Head::score(&[2.5]), 2.5);
        assert_eq!(Head::score(&[1.0, 4.0]), 3.0);
        assert!((Head::score(&[0.0, 0.0, 0.0]) - 1.0).abs() < 1e-12);
        assert!(Head::score(&[0.0, 0.0, 50.0]) > 1.999);
        assert!(Head::score(&[]).is_nan());
        assert!(Head::score(&[f32::NAN, 1.0, 2.0]).is_nan());
    }

    #[test]
    fn what_is_explained_is_what_ranks() {
        for logits in [&[2.5f32][..], &[1.0, 4.0]] {
            assert_eq!(Head::margin(logits, logits.len() - 1), Head::score(logits));
        }
        assert_eq!(Head::margin(&[1.0, 4.0], 0), -3.0);
        assert_eq!(Head::margin(&[1.0, 4.0, 9.0], 2), 9.0);
        assert!(Head::margin(&[1.0, 4.0], 2).is_nan());
    }

    #[test]
    fn cosine_of_a_zero_vector_is_not_a_number() {
        assert!((cosine(&[1.0, 1.0], &[2.0, 2.0]) - 1.0).abs() < 1e-12);
        assert!(cosine(&[0.0, 0.0], &[1.0, 0.0]).is_nan());
    }
}
