//! What a model gives for an input: a cosine of two texts' vectors, or class logits; and the one
//! number that ranks.

use serde_json::Value;

use super::error::{ModelError, ModelErrorKind};
use super::pool::{Pooling, PoolingMode};

#[derive(Debug, Clone, PartialEq)]
pub enum Head {
    /// Bi-encoder: one vector per text; the score of a pair is the cosine.
    Embedding(Pooling),
    /// Cross-encoder or text classifier. With gains (one per label), the score is the expected gain.
    Classifier { labels: Vec<String>, gains: Option<Vec<f64>> },
}

impl Head {
    /// Class names; empty for embeddings.
    pub fn labels(&self) -> &[String] {
        match self {
            Head::Embedding(_) => &[],
            Head::Classifier { labels, .. } => labels,
        }
    }

    /// Whether only each input's first token counts in the end.
    pub fn reads_first_only(&self) -> bool {
        match self {
            Head::Embedding(pooling) => pooling.mode == PoolingMode::Cls,
            Head::Classifier { .. } => true,
        }
    }

    /// The class that is explained when none is named: the one of the highest gain, else the last
    /// (the only one, class 1 of two, the highest grade of n).
    pub fn default_target(&self) -> usize {
        match self {
            Head::Classifier { gains: Some(gains), .. } => {
                let best = gains.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                gains.iter().position(|&gain| gain == best).unwrap_or(0)
            }
            _ => self.labels().len().saturating_sub(1),
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
    /// - with gains: the expected gain under softmax, `sum_c gain_c p_c`;
    /// - 1 label (also regression): the logit;
    /// - 2 labels: logit of class 1 minus logit of class 0, the log-odds of class 1;
    /// - n labels: the expected class index under softmax, `sum_c c p_c`, so that graded labels in
    ///   ascending order rank by expected grade. For unordered classes read the per-class columns.
    pub fn score(&self, logits: &[f32]) -> f64 {
        match (self, logits) {
            (Head::Classifier { gains: Some(gains), .. }, _) => expected(logits, |c| gains.get(c).copied()),
            (_, [one]) => f64::from(*one),
            (_, [no, yes]) => f64::from(*yes) - f64::from(*no),
            (_, many) => expected(many, |class| Some(class as f64)),
        }
    }
}

/// The mean of a value per class under the softmax of the logits; NaN without logits.
fn expected(logits: &[f32], value: impl Fn(usize) -> Option<f64>) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut mean) = (0.0, 0.0);
    for (class, logit) in logits.iter().enumerate() {
        let weight = f64::from(logit - max).exp();
        sum += weight;
        mean += weight * value(class).unwrap_or(f64::NAN);
    }
    mean / sum
}

/// Gains per class, in the order of `labels`, from declared pairs of label and gain. A label is found
/// by its exact name, else whatever its case. Every class must have a gain: a forgotten one would
/// silently count as worthless.
pub fn gains(labels: &[String], declared: &[(String, f64)]) -> Result<Vec<f64>, ModelError> {
    let wrong = |what: String| {
        let error = ModelError::new(ModelErrorKind::Usage, what);
        Err(error
            .hint(format!("name each class once, with a number; the model's classes: {}", labels.join(", "))))
    };
    if labels.is_empty() {
        return Err(ModelError::new(
            ModelErrorKind::Usage,
            "gains were declared for a model without classes",
        )
        .hint("an embedding model's score is the cosine: leave `gains` out"));
    }
    let mut gains: Vec<Option<f64>> = vec![None; labels.len()];
    for (name, gain) in declared {
        let exact = labels.iter().position(|label| label == name);
        let at = exact.or_else(|| labels.iter().position(|l| l.to_lowercase() == name.to_lowercase()));
        match at.and_then(|at| gains.get_mut(at)) {
            Some(slot @ None) if gain.is_finite() => *slot = Some(*gain),
            Some(None) => return wrong(format!("the gain of {name} is not a finite number")),
            Some(Some(_)) => return wrong(format!("the gain of {name} is declared twice")),
            None => return wrong(format!("there is no class {name} to have a gain")),
        }
    }
    let missing: Vec<&str> = labels
        .iter()
        .zip(&gains)
        .filter(|(_, gain)| gain.is_none())
        .map(|(label, _)| label.as_str())
        .collect();
    if missing.is_empty() {
        Ok(gains.into_iter().flatten().collect())
    } else {
        wrong(format!("no gain is declared for {}", missing.join(", ")))
    }
}

/// The gains that a folder declares: `"recscope_gains": {"Exact": 1.0, ...}` in config.json.
pub fn folder_gains(value: &Value) -> Result<Vec<(String, f64)>, ModelError> {
    let wrong = || {
        ModelError::new(
            ModelErrorKind::Damaged,
            "config.json: \"recscope_gains\" is not an object of numbers",
        )
        .hint("write e.g. \"recscope_gains\": {\"Exact\": 1.0, \"Irrelevant\": 0.0}, or take the key out")
    };
    let map = value.as_object().ok_or_else(wrong)?;
    map.iter().map(|(label, gain)| Ok((label.clone(), gain.as_f64().ok_or_else(wrong)?))).collect()
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

    fn classifier(labels: &[&str], gains: Option<Vec<f64>>) -> Head {
        Head::Classifier { labels: labels.iter().map(|l| l.to_string()).collect(), gains }
    }

    #[test]
    fn score_ranks_by_log_odds_and_expected_grade() {
        let score = |logits: &[f32]| classifier(&["any"], None).score(logits);
        assert_eq!(score(&[2.5]), 2.5);
        assert_eq!(score(&[1.0, 4.0]), 3.0);
        assert!((score(&[0.0, 0.0, 0.0]) - 1.0).abs() < 1e-12);
        assert!(score(&[0.0, 0.0, 50.0]) > 1.999);
        assert!(score(&[]).is_nan());
        assert!(score(&[f32::NAN, 1.0, 2.0]).is_nan());
    }

    #[test]
    fn declared_gains_are_weighed_by_probability() {
        let labels = ["Exact", "Substitute", "Complement", "Irrelevant"];
        let declared: Vec<(String, f64)> =
            [("irrelevant", 0.0), ("Exact", 1.0), ("Complement", 0.01), ("Substitute", 0.1)]
                .map(|(l, g)| (l.to_string(), g))
                .to_vec();
        let names: Vec<String> = labels.iter().map(|l| l.to_string()).collect();
        let gains = gains(&names, &declared).unwrap();
        assert_eq!(gains, [1.0, 0.1, 0.01, 0.0]);
        let head = classifier(&labels, Some(gains));
        // softmax of ln 4, ln 3, ln 2, ln 1 is .4 .3 .2 .1
        let logits = [4f32.ln(), 3f32.ln(), 2f32.ln(), 0.0];
        assert!((head.score(&logits) - (0.4 + 0.03 + 0.002)).abs() < 1e-7);
        assert_eq!(head.default_target(), 0);
        assert_eq!(classifier(&labels, None).default_target(), 3);
        // Two classes with gains are no log-odds.
        assert!((classifier(&["a", "b"], Some(vec![2.0, 4.0])).score(&[0.0, 0.0]) - 3.0).abs() < 1e-12);
        assert!(head.score(&[]).is_nan());
    }

    #[test]
    fn gains_that_do_not_fit_the_classes_are_named() {
        let labels = ["good".to_string(), "bad".to_string()];
        let message = |declared: &[(&str, f64)]| {
            let declared: Vec<_> = declared.iter().map(|(l, g)| (l.to_string(), *g)).collect();
            gains(&labels, &declared).unwrap_err().message
        };
        assert!(message(&[("good", 1.0)]).contains("for bad"));
        assert!(message(&[("good", 1.0), ("Good", 2.0), ("bad", 0.0)]).contains("twice"));
        assert!(message(&[("god", 1.0)]).contains("no class god"));
        assert!(message(&[("good", f64::NAN)]).contains("finite"));
        assert!(gains(&[], &[]).is_err());
        assert!(folder_gains(&serde_json::json!({"a": "x"})).is_err());
        assert_eq!(folder_gains(&serde_json::json!({"a": 2})).unwrap(), [("a".to_string(), 2.0)]);
    }

    #[test]
    fn what_is_explained_is_what_ranks() {
        for logits in [&[2.5f32][..], &[1.0, 4.0]] {
            let head = classifier(&["a"], None);
            assert_eq!(Head::margin(logits, logits.len() - 1), head.score(logits));
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
