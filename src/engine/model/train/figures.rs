//! Accuracy, precision, recall and F1 from predicted and true classes. A class's ratio without a
//! denominator is `None`; in the averages over classes it is 0, as in scikit-learn. No tensors.

/// Figures over one labelled set. Macro averages are over the classes that occur or are predicted; one
/// that is never predicted has precision 0 there, one that never occurs recall 0 (scikit-learn's
/// `average="macro", zero_division=0`).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    pub accuracy: Option<f64>,
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub f1: Option<f64>,
    pub classes: Vec<ClassFigures>,
}

/// One class against the rest.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ClassFigures {
    pub label: String,
    /// Rows whose true class this is.
    pub support: u64,
    /// Rows predicted as this class.
    pub predicted: u64,
    /// Right among the predicted; `None` where nothing was predicted.
    pub precision: Option<f64>,
    /// Found among the true; `None` where there are none.
    pub recall: Option<f64>,
    /// 2 TP / (2 TP + FP + FN); `None` where the class neither occurs nor is predicted.
    pub f1: Option<f64>,
}

/// Figures from (predicted, true) class indices; indices at or past `labels` are ignored.
pub fn figures(labels: &[String], pairs: &[(usize, usize)]) -> Figures {
    let mut hits = vec![0u64; labels.len()];
    let (mut predicted, mut support) = (hits.clone(), hits.clone());
    let count = |counts: &mut Vec<u64>, at: usize| {
        if let Some(n) = counts.get_mut(at) {
            *n += 1;
        }
    };
    for (guess, truth) in pairs {
        count(&mut predicted, *guess);
        count(&mut support, *truth);
        if guess == truth {
            count(&mut hits, *guess);
        }
    }
    let counts = hits.iter().zip(&predicted).zip(&support);
    let classes: Vec<ClassFigures> = labels
        .iter()
        .zip(counts)
        .map(|(label, ((hits, predicted), support))| ClassFigures {
            label: label.clone(),
            support: *support,
            predicted: *predicted,
            precision: ratio(*hits, *predicted),
            recall: ratio(*hits, *support),
            f1: ratio(2 * hits, predicted + support),
        })
        .collect();
    Figures {
        accuracy: ratio(hits.iter().sum(), pairs.len() as u64),
        precision: mean(&classes, |class| class.precision),
        recall: mean(&classes, |class| class.recall),
        f1: mean(&classes, |class| class.f1),
        classes,
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn mean(classes: &[ClassFigures], value: impl Fn(&ClassFigures) -> Option<f64>) -> Option<f64> {
    let there = classes.iter().filter(|class| class.support > 0 || class.predicted > 0);
    let (sum, n) = there.fold((0.0, 0u64), |(sum, n), class| (sum + value(class).unwrap_or(0.0), n + 1));
    (n > 0).then(|| sum / n as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let labels = ["差", "好", "never"].map(String::from);
        // True 差: 3 rows, 2 found. True 好: 2 rows, 1 found, one 差 taken for 好.
        let found = figures(&labels, &[(0, 0), (0, 0), (1, 0), (1, 1), (0, 1)]);
        assert_eq!(found.accuracy, Some(0.6));
        assert_eq!(found.classes[0].precision, Some(2.0 / 3.0));
        assert_eq!(found.classes[1].recall, Some(0.5));
        assert_eq!(found.classes[2].f1, None);
        assert_eq!(found.f1, Some((4.0 / 6.0 + 0.5) / 2.0));
    }

    #[test]
    fn a_class_that_is_never_predicted_has_no_precision_but_an_f1_of_zero() {
        let found = figures(&["a".into(), "b".into()], &[(0, 0), (0, 1)]);
        assert_eq!(found.classes[1].precision, None);
        assert_eq!(found.classes[1].f1, Some(0.0));
        // sklearn.metrics.precision_score([0, 1], [0, 0], average="macro", zero_division=0)
        assert_eq!(found.precision, Some(0.25));
    }

    #[test]
    fn nothing_gives_nothing() {
        let found = figures(&["a".into()], &[]);
        assert_eq!((found.accuracy, found.precision, found.recall, found.f1), (None, None, None, None));
        assert_eq!(figures(&[], &[(3, 4)]).accuracy, Some(0.0));
    }
}
