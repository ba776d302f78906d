//! Classification metrics of (probability, label) rows; NaN for n/a. AUC takes any score.

/// true positives, false positives, false negatives, true negatives at p >= 0.5
pub fn confusion(rows: &[(f64, bool)]) -> [f64; 4] {
    let count = |predicted: bool, label: bool| {
        rows.iter().filter(|row| (row.0 >= 0.5) == predicted && row.1 == label).count() as f64
    };
    [count(true, true), count(true, false), count(false, true), count(false, false)]
}

fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 { f64::NAN } else { numerator / denominator }
}

pub fn accuracy(rows: &[(f64, bool)]) -> f64 {
    let [tp, _, _, tn] = confusion(rows);
    ratio(tp + tn, rows.len() as f64)
}

pub fn precision(rows: &[(f64, bool)]) -> f64 {
    let [tp, fp, _, _] = confusion(rows);
    ratio(tp, tp + fp)
}

pub fn recall(rows: &[(f64, bool)]) -> f64 {
    let [tp, _, missed, _] = confusion(rows);
    ratio(tp, tp + missed)
}

pub fn f1(rows: &[(f64, bool)]) -> f64 {
    let [tp, fp, missed, _] = confusion(rows);
    ratio(2.0 * tp, 2.0 * tp + fp + missed)
}

pub fn false_positive_rate(rows: &[(f64, bool)]) -> f64 {
    let [_, fp, _, tn] = confusion(rows);
    ratio(fp, fp + tn)
}

pub fn selection_rate(rows: &[(f64, bool)]) -> f64 {
    let [tp, fp, _, _] = confusion(rows);
    ratio(tp + fp, rows.len() as f64)
}

pub fn log_loss(rows: &[(f64, bool)]) -> f64 {
    let loss = |&(p, label): &(f64, bool)| {
        let p = p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        if label { -p.ln() } else { -(1.0 - p).ln() }
    };
    ratio(rows.iter().map(loss).sum(), rows.len() as f64)
}

pub fn brier(rows: &[(f64, bool)]) -> f64 {
    let error = |&(p, label): &(f64, bool)| (p - f64::from(u8::from(label))).powi(2);
    ratio(rows.iter().map(error).sum(), rows.len() as f64)
}

/// By counting pairs.
pub fn auc(rows: &[(f64, bool)]) -> f64 {
    let (mut ordered, mut pairs) = (0.0, 0.0);
    for positive in rows.iter().filter(|row| row.1) {
        for negative in rows.iter().filter(|row| !row.1) {
            pairs += 1.0;
            ordered += match positive.0.partial_cmp(&negative.0) {
                Some(std::cmp::Ordering::Greater) => 1.0,
                Some(std::cmp::Ordering::Equal) => 0.5,
                _ => 0.0,
            };
        }
    }
    ratio(ordered, pairs)
}

/// Expected calibration error over 15 equal-width, right-closed bins.
pub fn calibration_error(rows: &[(f64, bool)]) -> f64 {
    let bin = |p: f64| ((p * 15.0).ceil() - 1.0).max(0.0) as usize;
    let gap = |wanted: usize| {
        let inside = rows.iter().filter(|row| bin(row.0) == wanted);
        inside.map(|&(p, label)| p - f64::from(u8::from(label))).sum::<f64>().abs()
    };
    ratio((0..15).map(gap).sum(), rows.len() as f64)
}
