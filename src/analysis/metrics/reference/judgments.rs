//! Further ranking metrics of one list: sums, judged shares, residuals, interpolated and inferred
//! precision, subtopics.

use std::collections::BTreeSet;

use super::Ranked;
use super::ranking::{self, relevant_items};

fn top(list: &Ranked, k: usize) -> impl Iterator<Item = &super::Row> {
    list.shown.iter().take(k)
}

pub fn dcg(list: &Ranked, k: usize, exponential: bool) -> f64 {
    let shape = |gain: f64| if exponential { gain.exp2() - 1.0 } else { gain };
    let gains = top(list, k).map(|row| shape(row.gain.unwrap_or(0.0).max(0.0)));
    gains.zip(1..).map(|(gain, rank)| gain / f64::from(rank + 1).log2()).sum()
}

/// Share of the shown top k that has a judgment, which a negative grade is not; NaN where nothing is shown.
pub fn judged(list: &Ranked, k: usize) -> f64 {
    top(list, k).filter(|row| ranking::judged(row)).count() as f64 / top(list, k).count() as f64
}

/// Weight of what rank-biased precision does not know.
pub fn residual(list: &Ranked, patience: f64, k: usize) -> f64 {
    let unknown = top(list, k).zip(0..).filter(|(row, _)| !ranking::judged(row));
    let sum: f64 = unknown.map(|(_, rank)| patience.powi(rank)).sum();
    (1.0 - patience) * sum + patience.powi(top(list, k).count() as i32)
}

/// Precision interpolated at 11 levels of recall, averaged.
pub fn interpolated(list: &Ranked, at: f64) -> f64 {
    let relevant = relevant_items(list, at);
    let is = |row: &super::Row| row.gain.is_some_and(|gain| gain >= at);
    let precisions: Vec<(usize, f64)> = (1..=list.shown.len())
        .map(|depth| {
            let found = top(list, depth).filter(|row| is(row)).count();
            (found, found as f64 / depth as f64)
        })
        .collect();
    let level = |i: usize| {
        let needed = ((i as f64 / 10.0 * relevant as f64 + 0.9).floor() as usize).max(1);
        precisions.iter().filter(|(found, _)| *found >= needed).map(|(_, p)| *p).fold(0.0, f64::max)
    };
    if relevant == 0 { f64::NAN } else { (0..=10).map(level).sum::<f64>() / 11.0 }
}

/// Inferred average precision; a gain below 0 was pooled and not judged.
pub fn inferred(list: &Ranked, at: f64) -> f64 {
    let relevant = relevant_items(list, at);
    let (mut yes, mut no, mut open, mut sum) = (0.0, 0.0, 0.0, 0.0);
    for (row, rank) in list.shown.iter().zip(1..) {
        let rank = f64::from(rank);
        match row.gain {
            None => {}
            Some(gain) if gain >= at => {
                sum += if rank == 1.0 {
                    1.0
                } else {
                    let share: f64 = (yes + 1e-5) / (yes + no + 2e-5);
                    1.0 / rank + (rank - 1.0) / rank * ((yes + no + open) / (rank - 1.0)) * share
                };
                yes += 1.0;
            }
            Some(gain) if gain < 0.0 => open += 1.0,
            Some(_) => no += 1.0,
        }
    }
    if relevant == 0 { f64::NAN } else { sum / relevant as f64 }
}

/// alpha-nDCG with a = 1/2 over the subtopics that relevant items cover; the greedy order looks at
/// every item in every step; of several best ones it takes the last by id, as ndeval does.
pub fn alpha_ndcg(list: &Ranked, at: f64, k: usize, subtopics: &dyn Fn(&str) -> BTreeSet<String>) -> f64 {
    let is = |row: &&super::Row| row.gain.is_some_and(|gain| gain >= at);
    let mut all: Vec<(String, BTreeSet<String>)> =
        list.all().filter(is).map(|row| (row.item.clone(), subtopics(&row.item))).collect();
    all.retain(|(_, subtopics)| !subtopics.is_empty());
    all.sort();
    if all.is_empty() {
        return f64::NAN;
    }
    let mut seen: Vec<String> = Vec::new();
    let gain = |covered: &BTreeSet<String>, seen: &[String]| -> f64 {
        let times = |subtopic: &String| seen.iter().filter(|known| *known == subtopic).count();
        covered.iter().map(|subtopic| 0.5_f64.powi(times(subtopic) as i32)).sum()
    };
    let mut sum = 0.0;
    for (row, rank) in top(list, k).zip(1..).filter(|(row, _)| is(row)) {
        let covered = subtopics(&row.item);
        sum += gain(&covered, &seen) / f64::from(rank + 1).log2();
        seen.extend(covered);
    }
    let (mut ideal, mut rank) = (0.0, 1.0_f64);
    seen.clear();
    while !all.is_empty() && rank <= k as f64 {
        let mut best = 0;
        for (index, (_, covered)) in all.iter().enumerate() {
            if gain(covered, &seen) >= gain(&all[best].1, &seen) {
                best = index;
            }
        }
        let (_, covered) = all.remove(best);
        ideal += gain(&covered, &seen) / (rank + 1.0).log2();
        seen.extend(covered);
        rank += 1.0;
    }
    (sum / ideal).min(1.0)
}
