//! Expected values where tied items may stand in any order (McSherry & Najork 2008). Groups of
//! equal scores come from SQL; the closed forms are here.

use super::{column_of, redivide, relevant_items};
use crate::analysis::metrics::columns::{floats, numbers};
use crate::analysis::metrics::prepared::Prepared;
use crate::analysis::metrics::rules::threshold;
use crate::analysis::metrics::values::{PATIENCE, Values, at, listwise};
use crate::analysis::metrics::{AnalysisError, Empty, Level, MetricId};
use crate::analysis::{Bindings, SqlValue};

/// Metrics with an expectation in closed form.
pub const EXPECTED: &[&str] = &[
    "ndcg",
    "ndcg_exp",
    "dcg",
    "dcg_exp",
    "precision",
    "recall",
    "hit",
    "hits",
    "f1",
    "mrr",
    "map",
    "rprec",
    "rbp",
];

pub(in crate::analysis::metrics) fn knows(id: &MetricId) -> bool {
    id.metric.level == Level::List && EXPECTED.contains(&id.metric.id)
}

/// Items that share a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Group {
    /// How many, and how many of them are relevant.
    pub items: f64,
    pub relevant: f64,
    /// Sum of their gains.
    pub gain: f64,
}

pub(super) fn measure(
    prepared: &mut Prepared<'_>,
    id: &MetricId,
    empty: Empty,
) -> Result<Values, AnalysisError> {
    let relevant = relevant_items(prepared)?;
    let ideal = match id.metric.id {
        "ndcg" | "ndcg_exp" => column_of(prepared, "metrics/ideal_gain", id.metric.id, &at(id))?,
        _ => Vec::new(),
    };
    let (rows, table) = (prepared.asked(), prepared.ranked_from());
    let bindings =
        Bindings::new().ident("rows", table).value("relevant_at", SqlValue::Float(threshold(rows)));
    let batch = prepared.rows("metrics/tie_groups", &bindings)?;
    let gain = if id.metric.id.ends_with("_exp") { "exponential" } else { "linear" };
    let (items, hits, gains) = (floats(&batch, "items")?, floats(&batch, "relevant")?, floats(&batch, gain)?);
    let groups: Vec<Group> = items
        .into_iter()
        .zip(hits)
        .zip(gains)
        .map(|((items, relevant), gain)| Group { items, relevant, gain })
        .collect();
    let list = numbers(&batch, "list")?;
    let of = |number: usize| {
        let from = list.partition_point(|&list| (list as usize) < number);
        let to = list.partition_point(|&list| list as usize <= number);
        groups.get(from..to).unwrap_or_default()
    };
    let mut values: Vec<f64> = relevant
        .iter()
        .enumerate()
        .map(|(number, &relevant)| {
            let ideal = ideal.get(number).copied().unwrap_or(f64::NAN);
            value(id, of(number), relevant, ideal)
        })
        .collect();
    redivide(prepared, id, &mut values)?;
    Ok(listwise(values, empty))
}

/// The expectation for one list; NaN where the metric does not exist.
fn value(id: &MetricId, groups: &[Group], relevant: f64, ideal: f64) -> f64 {
    let k = id.cutoff.map_or(f64::INFINITY, f64::from);
    let over = |sum: f64, divisor: f64| if divisor > 0.0 { sum / divisor } else { f64::NAN };
    match id.metric.id {
        "ndcg" | "ndcg_exp" => over(gained(groups, k), ideal),
        "dcg" | "dcg_exp" => gained(groups, k),
        "precision" => hits(groups, k) / k,
        "recall" => over(hits(groups, k), relevant),
        "hits" => hits(groups, k),
        "f1" => 2.0 * hits(groups, k) / (k + relevant),
        "rprec" => over(hits(groups, relevant), relevant),
        "hit" => hit(groups, k),
        "mrr" => reciprocal_rank(groups, k),
        "map" => over(precisions(groups, k), relevant),
        _ => rank_biased(groups, k),
    }
}

/// Groups with the number of items above them, as far as the cut-off reaches.
fn above(groups: &[Group], k: f64) -> impl Iterator<Item = (f64, Group)> + '_ {
    let start = |above: &mut f64, group: &Group| {
        let here = *above;
        *above += group.items;
        Some((here, *group))
    };
    groups.iter().scan(0.0, start).take_while(move |(above, _)| *above < k)
}

/// The ranks of a group's items within the cut-off.
fn ranks(above: f64, group: &Group, k: f64) -> impl Iterator<Item = f64> + use<> {
    let within = group.items.min(k - above) as u64;
    (1..=within).map(move |place| above + place as f64)
}

pub(super) fn gained(groups: &[Group], k: f64) -> f64 {
    let discounts = |(above, group): (f64, Group)| {
        let sum: f64 = ranks(above, &group, k).map(|rank| 1.0 / (rank + 1.0).log2()).sum();
        group.gain / group.items * sum
    };
    above(groups, k).map(discounts).sum()
}

pub(super) fn hits(groups: &[Group], k: f64) -> f64 {
    above(groups, k).map(|(above, group)| group.relevant / group.items * group.items.min(k - above)).sum()
}

/// 1 - the chance that no relevant item is in the top k.
pub(super) fn hit(groups: &[Group], k: f64) -> f64 {
    for (above, group) in above(groups, k) {
        if group.relevant > 0.0 {
            let places = group.items.min(k - above) as u64;
            let mut none = 1.0;
            for taken in 0..places {
                none *= (group.items - group.relevant - taken as f64).max(0.0) / (group.items - taken as f64);
                if none <= 0.0 {
                    return 1.0;
                }
            }
            if above + group.items > k {
                return 1.0 - none;
            }
            return 1.0;
        }
    }
    0.0
}

/// Over the places that the first relevant item of the first group with one can take.
pub(super) fn reciprocal_rank(groups: &[Group], k: f64) -> f64 {
    let Some((above, group)) = above(groups, k).find(|(_, group)| group.relevant > 0.0) else { return 0.0 };
    let (mut none, mut sum) = (1.0, 0.0);
    for rank in ranks(above, &group, k) {
        let left = group.items - (rank - above - 1.0);
        sum += none * group.relevant / left / rank;
        none *= (left - group.relevant).max(0.0) / left;
        if none <= 0.0 {
            break;
        }
    }
    sum
}

/// sum over places of P(relevant here) * E(precision here | relevant here).
pub(super) fn precisions(groups: &[Group], k: f64) -> f64 {
    let (mut found, mut sum) = (0.0, 0.0);
    for (above, group) in above(groups, k) {
        let share = group.relevant / group.items;
        let others = if group.items > 1.0 { (group.relevant - 1.0) / (group.items - 1.0) } else { 0.0 };
        if group.relevant > 0.0 {
            for rank in ranks(above, &group, k) {
                let before = (rank - above - 1.0) * others;
                sum += share * (found + before + 1.0) / rank;
            }
        }
        found += group.relevant;
    }
    sum
}

pub(super) fn rank_biased(groups: &[Group], k: f64) -> f64 {
    let weight = |(above, group): (f64, Group)| {
        let sum: f64 = ranks(above, &group, k).map(|rank| PATIENCE.powf(rank - 1.0)).sum();
        group.relevant / group.items * sum
    };
    (1.0 - PATIENCE) * above(groups, k).map(weight).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every order of the items, tied ones next to each other in every way.
    fn orders(groups: &[Vec<(bool, f64)>]) -> Vec<Vec<(bool, f64)>> {
        fn permutations(items: &[(bool, f64)]) -> Vec<Vec<(bool, f64)>> {
            if items.is_empty() {
                return vec![Vec::new()];
            }
            let mut all = Vec::new();
            for first in 0..items.len() {
                let mut rest = items.to_vec();
                let item = rest.remove(first);
                for mut order in permutations(&rest) {
                    order.insert(0, item);
                    all.push(order);
                }
            }
            all
        }
        groups.iter().fold(vec![Vec::new()], |so_far, group| {
            let ways = permutations(group);
            so_far
                .iter()
                .flat_map(|head: &Vec<(bool, f64)>| {
                    ways.iter().map(move |tail| [head.as_slice(), tail].concat())
                })
                .collect()
        })
    }

    /// The closed forms equal the mean over all orders of ties, for every cut-off.
    #[test]
    fn closed_forms_equal_enumeration() {
        let (y, n) = (|gain: f64| (true, gain), (false, 0.0));
        let cases = [
            vec![vec![y(3.0), n, n, y(1.0)], vec![n], vec![y(2.0), n]],
            vec![vec![n, n], vec![y(1.0), y(2.0), y(3.0)], vec![n, y(1.0)]],
            vec![vec![n, n, n]],
            vec![vec![y(1.0), y(1.0)], vec![n, n, n, n]],
            vec![],
        ];
        for case in cases {
            let groups: Vec<Group> = case
                .iter()
                .map(|items| Group {
                    items: items.len() as f64,
                    relevant: items.iter().filter(|item| item.0).count() as f64,
                    gain: items.iter().map(|item| item.1).sum(),
                })
                .collect();
            let all = orders(&case);
            type Of<'a> = &'a dyn Fn(&[(bool, f64)]) -> f64;
            let mean = |of: Of| all.iter().map(|order| of(order)).sum::<f64>() / all.len() as f64;
            for k in 1..=9 {
                let cut =
                    |order: &[(bool, f64)]| order.iter().copied().take(k).enumerate().collect::<Vec<_>>();
                let agree = |value: f64, expected: f64, what: &str| {
                    assert!(
                        (value - expected).abs() < 1e-12,
                        "{what}@{k} {case:?}: {value} is not {expected}"
                    );
                };
                let limit = k as f64;
                agree(
                    hits(&groups, limit),
                    mean(&|o| cut(o).iter().filter(|(_, i)| i.0).count() as f64),
                    "hits",
                );
                agree(
                    hit(&groups, limit),
                    mean(&|o| f64::from(u8::from(cut(o).iter().any(|(_, i)| i.0)))),
                    "hit",
                );
                let first = |o: &[(bool, f64)]| {
                    cut(o).iter().find(|(_, i)| i.0).map_or(0.0, |(r, _)| 1.0 / (r + 1) as f64)
                };
                agree(reciprocal_rank(&groups, limit), mean(&first), "mrr");
                let dcg = |o: &[(bool, f64)]| cut(o).iter().map(|(r, i)| i.1 / ((r + 2) as f64).log2()).sum();
                agree(gained(&groups, limit), mean(&dcg), "dcg");
                let precise = |o: &[(bool, f64)]| {
                    let (mut found, mut sum) = (0.0, 0.0);
                    for (rank, item) in cut(o) {
                        if item.0 {
                            found += 1.0;
                            sum += found / (rank + 1) as f64;
                        }
                    }
                    sum
                };
                agree(precisions(&groups, limit), mean(&precise), "map");
                let patient = |o: &[(bool, f64)]| {
                    0.2 * cut(o).iter().filter(|(_, i)| i.0).map(|(r, _)| 0.8f64.powi(*r as i32)).sum::<f64>()
                };
                agree(rank_biased(&groups, limit), mean(&patient), "rbp");
            }
        }
    }
}
