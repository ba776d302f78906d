//! What a model gives for an input: a cosine of two texts' vectors, or class logits; and the one
//! number that ranks.

use serde_json::Value;

use super::error::{ModelError, ModelErrorKind};
use super::pool::{Pooling, PoolingMode};

#[derive(Debug, Clone, PartialEq)]
pub enum Head {
    /// Bi-encoder: one vector per text; the score of a pair is how alike they are.
    Embedding(Pooling),
    /// Cross-encoder or text classifier.
    Classifier { labels: Vec<String>, ranking: Ranking },
}

/// How a row of logits becomes the one number that ranks rows.
#[derive(Debug, Clone, PartialEq)]
pub enum Ranking {
    /// One output (also regression): the logit.
    Logit,
    /// Two classes: the log-odds of this one.
    Odds(usize),
    /// The expected gain under softmax, `sum_c gain_c p_c`; one per class.
    Gains(Vec<f64>),
    /// Classes in no known order rank nothing: read the per-class columns, or declare gains.
    Unordered,
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

    /// The number that is explained for class `target` of a row of logits: with two classes the
    /// log-odds against the other one, else the class's own logit. NaN for a class that is not there.
    pub fn margin(logits: &[f32], target: usize) -> f64 {
        let of = logits.get(target).map_or(f64::NAN, |&logit| f64::from(logit));
        match logits {
            [no, yes] => of - f64::from(if target == 1 { *no } else { *yes }),
            _ => of,
        }
    }

    /// The one number of a row of logits, which ranks rows; `None` where classes have no order.
    pub fn score(&self, logits: &[f32]) -> Option<f64> {
        match self {
            Head::Embedding(_) => None,
            Head::Classifier { ranking, .. } => match ranking {
                Ranking::Logit => Some(logits.first().map_or(f64::NAN, |&logit| f64::from(logit))),
                Ranking::Odds(class) => Some(Self::margin(logits, *class)),
                Ranking::Gains(gains) => Some(expected(logits, gains)),
                Ranking::Unordered => None,
            },
        }
    }

    /// What is explained of a row of logits: a class, or without one what ranks.
    pub fn explained(&self, logits: &[f32], target: Option<usize>) -> f64 {
        match target {
            Some(class) => Self::margin(logits, class),
            None => self.score(logits).unwrap_or(f64::NAN),
        }
    }

    /// How alike two texts' vectors are, as the folder asks; NaN of a classifier.
    pub fn similarity(&self, a: &[f32], b: &[f32]) -> f64 {
        match self {
            Head::Embedding(pooling) => pooling.similarity.of(a, b),
            Head::Classifier { .. } => f64::NAN,
        }
    }
}

/// The mean of the gains under the softmax of the logits; NaN without logits.
fn expected(logits: &[f32], gains: &[f64]) -> f64 {
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let (mut sum, mut mean) = (0.0, 0.0);
    for (class, logit) in logits.iter().enumerate() {
        let weight = f64::from(logit - max).exp();
        sum += weight;
        mean += weight * gains.get(class).copied().unwrap_or(f64::NAN);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn classifier(labels: &[&str], ranking: Ranking) -> Head {
        Head::Classifier { labels: labels.iter().map(|l| l.to_string()).collect(), ranking }
    }

    #[test]
    fn one_number_per_row_of_logits() {
        let score = |ranking: Ranking, logits: &[f32]| classifier(&["any"], ranking).score(logits);
        assert_eq!(score(Ranking::Logit, &[2.5]), Some(2.5));
        assert_eq!(score(Ranking::Odds(1), &[1.0, 4.0]), Some(3.0));
        assert_eq!(score(Ranking::Odds(0), &[1.0, 4.0]), Some(-3.0));
        let grades = || Ranking::Gains(vec![0.0, 1.0, 2.0]);
        assert!((score(grades(), &[0.0, 0.0, 0.0]).unwrap() - 1.0).abs() < 1e-12);
        assert!(score(grades(), &[0.0, 0.0, 50.0]).unwrap() > 1.999);
        assert!(score(grades(), &[f32::NAN, 1.0, 2.0]).unwrap().is_nan());
        assert!(score(grades(), &[]).unwrap().is_nan() && score(Ranking::Logit, &[]).unwrap().is_nan());
        assert_eq!(score(Ranking::Unordered, &[1.0, 2.0, 3.0]), None);
    }

    #[test]
    fn declared_gains_are_weighed_by_probability() {
        let labels = ["Exact", "Substitute", "Complement", "Irrelevant"];
        let declared = [("irrelevant", 0.0), ("Exact", 1.0), ("Complement", 0.01), ("SUBSTITUTE", 0.1)];
        let declared: Vec<_> = declared.iter().map(|(l, g)| (l.to_string(), *g)).collect();
        let owned: Vec<String> = labels.iter().map(|l| l.to_string()).collect();
        let gains = gains(&owned, &declared).unwrap();
        assert_eq!(gains, [1.0, 0.1, 0.01, 0.0]);
        let head = classifier(&labels, Ranking::Gains(gains));
        let logits = [0.4f32.ln(), 0.3f32.ln(), 0.2f32.ln(), 0.1f32.ln()];
        assert!((head.score(&logits).unwrap() - (0.4 + 0.03 + 0.002)).abs() < 1e-7);
        // Two classes with gains are no log-odds.
        let two = classifier(&["a", "b"], Ranking::Gains(vec![2.0, 4.0]));
        assert!((two.score(&[0.0, 0.0]).unwrap() - 3.0).abs() < 1e-12);
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
        for (ranking, logits) in [
            (Ranking::Logit, &[2.5f32][..]),
            (Ranking::Odds(1), &[1.0, 4.0]),
            (Ranking::Gains(vec![0.0, 1.0, 2.0]), &[1.0, 4.0, 2.0]),
        ] {
            let head = classifier(&["a"], ranking);
            assert_eq!(Some(head.explained(logits, None)), head.score(logits));
        }
        let head = classifier(&["a", "b", "c"], Ranking::Gains(vec![0.0, 1.0, 2.0]));
        assert_eq!(head.explained(&[1.0, 4.0, 9.0], Some(2)), 9.0, "a class by its own logit");
        assert_eq!(Head::margin(&[1.0, 4.0], 0), -3.0);
        assert!(Head::margin(&[1.0, 4.0], 2).is_nan());
    }
}
