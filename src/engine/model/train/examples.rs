//! Labelled rows: as they come, as the model reads them, and what their targets mean.

use crate::engine::model::{ModelError, ModelErrorKind, Tokens};
use crate::util::cancel::Cancel;

use super::losses::Loss;

/// One labelled row.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The query of a pair, or the only text.
    pub query: String,
    pub text: Option<String>,
    /// The index of the class ([`Objective::Classes`]), a probability ([`Objective::Binary`]), or any
    /// finite value ([`Objective::Value`]).
    pub target: f64,
}

/// What is learnt, and with it how many outputs the model gets.
#[derive(Debug, Clone, PartialEq)]
pub enum Objective {
    /// One output per class (at least two), softmax cross-entropy.
    Classes(Vec<String>),
    /// One logit under this name, sigmoid cross-entropy: a cross-encoder that ranks. Figures call a
    /// row positive from 0.5 (logit 0) on.
    Binary(String),
    /// One value under this name, squared error: regression. Has no accuracy, precision, recall, F1.
    Value(String),
}

impl Objective {
    /// Names of the outputs, for `id2label`.
    pub fn outputs(&self) -> Vec<String> {
        match self {
            Objective::Classes(labels) => labels.clone(),
            Objective::Binary(label) | Objective::Value(label) => vec![label.clone()],
        }
    }

    /// Names of the classes that figures count; none for regression.
    pub fn classes(&self) -> Vec<String> {
        match self {
            Objective::Classes(labels) => labels.clone(),
            Objective::Binary(label) => vec![format!("not {label}"), label.clone()],
            Objective::Value(_) => Vec::new(),
        }
    }

    pub fn loss(&self) -> Loss {
        match self {
            Objective::Classes(_) => Loss::CrossEntropy,
            Objective::Binary(_) => Loss::BinaryCrossEntropy,
            Objective::Value(_) => Loss::SquaredError,
        }
    }

    /// The class that a target stands for, an index into [`Objective::classes`].
    pub fn class_of_target(&self, target: f64) -> Option<usize> {
        match self {
            Objective::Classes(_) => Some(target as usize),
            Objective::Binary(_) => Some(usize::from(target >= 0.5)),
            Objective::Value(_) => None,
        }
    }

    /// The class that a row of logits answers; the first of equals, `None` with a NaN.
    pub fn class_of_logits(&self, logits: &[f32]) -> Option<usize> {
        if logits.iter().any(|l| l.is_nan()) {
            return None;
        }
        match self {
            Objective::Classes(_) => {
                let best = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                logits.iter().position(|l| *l == best)
            }
            Objective::Binary(_) => logits.first().map(|l| usize::from(*l >= 0.0)),
            Objective::Value(_) => None,
        }
    }

    /// Too few or doubled classes, or a target that does not fit, as a sentence that names the row.
    pub fn check(&self, set: &str, rows: &[Example]) -> Result<(), ModelError> {
        let fits = |target: f64| match self {
            Objective::Classes(l) => target >= 0.0 && target.fract() == 0.0 && target < l.len() as f64,
            Objective::Binary(_) => (0.0..=1.0).contains(&target),
            Objective::Value(_) => target.is_finite(),
        };
        let wanted = match self {
            Objective::Classes(labels) => {
                if labels.len() < 2 {
                    return Err(usage(format!("a classifier needs at least 2 labels, not {}", labels.len()))
                        .hint("check the label column, or list `labels` in the cell"));
                }
                if let Some(double) = labels.iter().enumerate().find(|(i, l)| labels[..*i].contains(l)) {
                    return Err(usage(format!("label \"{}\" is listed twice", double.1)));
                }
                format!("a class index below {}", labels.len())
            }
            Objective::Binary(_) => "a number from 0 to 1".to_string(),
            Objective::Value(_) => "a finite number".to_string(),
        };
        match rows.iter().position(|row| !fits(row.target)) {
            None => Ok(()),
            Some(at) => {
                let target = rows.get(at).map_or(f64::NAN, |row| row.target);
                Err(usage(format!(
                    "row {} of the {set} rows has target {target}; it must be {wanted}",
                    at + 1
                )))
            }
        }
    }
}

pub(super) fn usage(message: String) -> ModelError {
    ModelError::new(ModelErrorKind::Usage, message)
}

/// A row as the model reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    pub ids: Vec<u32>,
    pub type_ids: Vec<u32>,
    pub target: f64,
    pub truncated: bool,
}

/// Tokenises rows, cut to the tokenizer's limit. Looks at `cancel` every few rows.
pub(super) fn encode(tokens: &Tokens, rows: &[Example], cancel: &Cancel) -> Result<Vec<Encoded>, ModelError> {
    let mut encoded = Vec::with_capacity(rows.len());
    for some in rows.chunks(256) {
        cancel.check()?;
        for row in some {
            let ids = tokens.ids(&row.query, row.text.as_deref())?;
            encoded.push(Encoded {
                ids: ids.ids,
                type_ids: ids.type_ids,
                target: row.target,
                truncated: ids.truncated,
            });
        }
    }
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(targets: &[f64]) -> Vec<Example> {
        targets.iter().map(|t| Example { query: "跑鞋".into(), text: None, target: *t }).collect()
    }

    #[test]
    fn targets_that_do_not_fit_are_named_by_row() {
        let classes = Objective::Classes(vec!["差".into(), "好".into()]);
        assert!(classes.check("train", &rows(&[0.0, 1.0])).is_ok());
        for wrong in [2.0, -1.0, 0.5, f64::NAN] {
            let error = classes.check("dev", &rows(&[0.0, wrong])).unwrap_err();
            assert!(error.message.contains("row 2 of the dev rows"), "{error}");
        }
        assert!(Objective::Binary("clicked".into()).check("train", &rows(&[0.3, 1.0])).is_ok());
        assert!(Objective::Binary("clicked".into()).check("train", &rows(&[1.1])).is_err());
        assert!(Objective::Value("grade".into()).check("train", &rows(&[f64::INFINITY])).is_err());
        assert!(Objective::Classes(vec!["a".into()]).check("train", &[]).is_err());
        assert!(Objective::Classes(vec!["a".into(), "a".into()]).check("train", &[]).is_err());
    }

    #[test]
    fn classes_from_logits() {
        let classes = Objective::Classes(vec!["a".into(), "b".into(), "c".into()]);
        assert_eq!(classes.class_of_logits(&[0.0, 2.0, 2.0]), Some(1));
        assert_eq!(classes.class_of_logits(&[0.0, f32::NAN, 2.0]), None);
        let binary = Objective::Binary("clicked".into());
        assert_eq!(binary.class_of_logits(&[-0.1]), Some(0));
        assert_eq!(binary.class_of_target(0.7), Some(1));
        assert_eq!(Objective::Value("v".into()).class_of_logits(&[1.0]), None);
    }
}
