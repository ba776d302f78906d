//! Ranking metrics of one list; `k = usize::MAX` for the whole list, NaN for n/a.

use super::{Ranked, Row};

fn gain(row: &Row) -> f64 {
    row.gain.unwrap_or(0.0).max(0.0)
}

/// A negative grade says that nobody judged the item (trec_eval: pooled, not judged).
pub(super) fn judged(row: &Row) -> bool {
    row.gain.is_some_and(|gain| gain >= 0.0)
}

fn relevant(row: &Row, at: f64) -> bool {
    row.gain.is_some_and(|gain| gain >= at)
}

/// R of the formulas.
pub fn relevant_items(list: &Ranked, at: f64) -> usize {
    list.all().filter(|row| relevant(row, at)).count()
}

fn hits(list: &Ranked, at: f64, k: usize) -> usize {
    list.shown.iter().take(k).filter(|row| relevant(row, at)).count()
}

fn discounted(gains: impl Iterator<Item = f64>) -> f64 {
    gains.zip(1..).map(|(gain, rank)| gain / f64::from(rank + 1).log2()).sum()
}

/// nDCG; `exponential` takes 2^g - 1 for g.
pub fn ndcg(list: &Ranked, k: usize, exponential: bool) -> f64 {
    let shape = |gain: f64| if exponential { gain.exp2() - 1.0 } else { gain };
    let mut best: Vec<f64> = list.all().map(gain).collect();
    best.sort_by(|a, b| b.total_cmp(a));
    let ideal = discounted(best.into_iter().take(k).map(shape));
    if ideal == 0.0 {
        return f64::NAN;
    }
    discounted(list.shown.iter().take(k).map(|row| shape(gain(row)))) / ideal
}

pub fn average_precision(list: &Ranked, at: f64, k: usize) -> f64 {
    let (mut found, mut sum) = (0.0, 0.0);
    for (row, rank) in list.shown.iter().take(k).zip(1..) {
        if relevant(row, at) {
            found += 1.0;
            sum += found / f64::from(rank);
        }
    }
    sum / zero_is_na(relevant_items(list, at))
}

pub fn reciprocal_rank(list: &Ranked, at: f64, k: usize) -> f64 {
    let first = list.shown.iter().take(k).position(|row| relevant(row, at));
    first.map_or(0.0, |index| 1.0 / (index + 1) as f64)
}

pub fn precision(list: &Ranked, at: f64, k: usize) -> f64 {
    hits(list, at, k) as f64 / k as f64
}

pub fn recall(list: &Ranked, at: f64, k: usize) -> f64 {
    hits(list, at, k) as f64 / zero_is_na(relevant_items(list, at))
}

pub fn hit(list: &Ranked, at: f64, k: usize) -> f64 {
    f64::from(u8::from(hits(list, at, k) > 0))
}

pub fn f1(list: &Ranked, at: f64, k: usize) -> f64 {
    2.0 * hits(list, at, k) as f64 / (k + relevant_items(list, at)) as f64
}

/// `top`: the grade m of the formula.
pub fn err(list: &Ranked, top: f64, k: usize) -> f64 {
    let (mut reach, mut sum) = (1.0, 0.0);
    for (row, rank) in list.shown.iter().take(k).zip(1..) {
        let stop = (gain(row).exp2() - 1.0) / top.exp2();
        sum += reach * stop / f64::from(rank);
        reach *= 1.0 - stop;
    }
    sum
}

pub fn rank_biased_precision(list: &Ranked, at: f64, patience: f64, k: usize) -> f64 {
    let rows = list.shown.iter().take(k).zip(0..);
    (1.0 - patience) * rows.filter(|(row, _)| relevant(row, at)).map(|(_, r)| patience.powi(r)).sum::<f64>()
}

pub fn bpref(list: &Ranked, at: f64) -> f64 {
    let relevant_items = relevant_items(list, at);
    let others = list.all().filter(|row| judged(row) && !relevant(row, at)).count();
    let (mut above, mut sum) = (0, 0.0);
    for row in &list.shown {
        if relevant(row, at) {
            let least = others.min(relevant_items);
            sum += if above == 0 { 1.0 } else { 1.0 - above.min(relevant_items) as f64 / least as f64 };
        } else if judged(row) {
            above += 1;
        }
    }
    sum / zero_is_na(relevant_items)
}

pub fn r_precision(list: &Ranked, at: f64) -> f64 {
    let relevant_items = relevant_items(list, at);
    hits(list, at, relevant_items) as f64 / zero_is_na(relevant_items)
}

fn zero_is_na(count: usize) -> f64 {
    if count == 0 { f64::NAN } else { count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shared worked example of the metric libraries: grades a3 b2 c0 d1, order c, b, a, x, d.
    #[test]
    fn the_worked_example() {
        let row = |(item, score, gain): (&str, f64, Option<f64>)| Row {
            item: item.into(),
            score: Some(score),
            gain,
            clicked: false,
        };
        let rows = [
            ("c", 5.0, Some(0.0)),
            ("b", 4.0, Some(2.0)),
            ("a", 3.0, Some(3.0)),
            ("x", 2.0, None),
            ("d", 1.0, Some(1.0)),
        ];
        let list = Ranked::new(&rows.map(row));
        let all = usize::MAX;
        let close = |value: f64, expected: f64, digits: i32| {
            assert!((value - expected).abs() < 0.5 * 10f64.powi(-digits), "{value} is not {expected}");
        };
        close(ndcg(&list, all, false), 0.6612, 4);
        // By hand: (2/log2(3) + 3/2) / (3 + 2/log2(3) + 1/2). Elsewhere printed as .5799960845, a slip.
        close(ndcg(&list, 3, false), 0.5799960085, 10);
        close(ndcg(&list, 3, true), 0.5741414090, 10);
        close(average_precision(&list, 1.0, all), 0.5889, 4);
        close(average_precision(&list, 1.0, 3), 0.3889, 4);
        close(reciprocal_rank(&list, 1.0, all), 0.5, 9);
        close(recall(&list, 1.0, 3), 0.6667, 4);
        close(err(&list, 4.0, 3), 0.21224, 5);
    }
}
