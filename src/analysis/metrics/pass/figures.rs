//! The formula of each metric on one list. What they mean and where they are from stands in METRICS;
//! NaN is n/a.

use super::Terms;
use super::list::List;

/// A metric of a list at a cut-off.
pub(super) type Figure = fn(&List, usize, &Terms) -> f64;

/// By the id of the catalogue.
pub(super) const FIGURES: &[(&str, Figure)] = &[
    ("ndcg", |list, k, _| ndcg(list, k, |gain| gain)),
    ("ndcg_exp", |list, k, _| ndcg(list, k, |gain| gain.exp2() - 1.0)),
    ("map", average_precision),
    ("mrr", reciprocal_rank),
    ("precision", |list, k, terms| hits(list, k, terms) / k as f64),
    ("recall", |list, k, terms| hits(list, k, terms) / of_relevant(list)),
    ("hit", |list, k, terms| f64::from(u8::from(hits(list, k, terms) > 0.0))),
    ("f1", |list, k, terms| 2.0 * hits(list, k, terms) / (k as f64 + list.relevant_items as f64)),
    ("err", expected_reciprocal_rank),
    ("rbp", rank_biased_precision),
    ("bpref", bpref),
    ("rprec", |list, _, terms| hits(list, list.relevant_items, terms) / of_relevant(list)),
];

fn top<'a>(list: &List<'a>, k: usize) -> &'a [f64] {
    list.shown.get(..k).unwrap_or(list.shown)
}

/// R as a divisor: without a relevant item there is no share of them.
fn of_relevant(list: &List) -> f64 {
    if list.relevant_items == 0 { f64::NAN } else { list.relevant_items as f64 }
}

// A gain that is not judged is NaN, and NaN is not >= anything.
fn hits(list: &List, k: usize, terms: &Terms) -> f64 {
    top(list, k).iter().filter(|&&gain| gain >= terms.relevant_at).count() as f64
}

fn ndcg(list: &List, k: usize, shape: impl Fn(f64) -> f64) -> f64 {
    let discounted = |gains: &[f64]| -> f64 {
        let terms = gains.iter().zip(list.discounts);
        let terms = terms.filter(|(gain, _)| **gain > 0.0).map(|(&gain, discount)| shape(gain) * discount);
        // Not `sum`: of nothing it is -0.0.
        terms.fold(0.0, |sum, term| sum + term)
    };
    let best = discounted(list.best.get(..k).unwrap_or(list.best));
    if best == 0.0 { f64::NAN } else { discounted(top(list, k)) / best }
}

fn average_precision(list: &List, k: usize, terms: &Terms) -> f64 {
    let (mut found, mut sum) = (0.0, 0.0);
    for (&gain, rank) in top(list, k).iter().zip(1u32..) {
        if gain >= terms.relevant_at {
            found += 1.0;
            sum += found / f64::from(rank);
        }
    }
    sum / of_relevant(list)
}

fn reciprocal_rank(list: &List, k: usize, terms: &Terms) -> f64 {
    let first = top(list, k).iter().position(|&gain| gain >= terms.relevant_at);
    first.map_or(0.0, |index| 1.0 / (index + 1) as f64)
}

fn expected_reciprocal_rank(list: &List, k: usize, terms: &Terms) -> f64 {
    let (mut reach, mut sum) = (1.0, 0.0);
    let certain = terms.top_gain.exp2();
    for (&gain, rank) in top(list, k).iter().zip(1u32..) {
        if gain > 0.0 {
            let stop = (gain.exp2() - 1.0) / certain;
            sum += reach * stop / f64::from(rank);
            reach *= 1.0 - stop;
        }
    }
    sum
}

fn rank_biased_precision(list: &List, k: usize, terms: &Terms) -> f64 {
    let (mut weight, mut sum) = (1.0 - terms.patience, 0.0);
    for &gain in top(list, k) {
        if gain >= terms.relevant_at {
            sum += weight;
        }
        weight *= terms.patience;
    }
    sum
}

fn bpref(list: &List, _: usize, terms: &Terms) -> f64 {
    // A negative grade says that nobody judged the item.
    let other = |&&gain: &&f64| gain >= 0.0 && gain < terms.relevant_at;
    let others = list.shown.iter().chain(list.missed).filter(other).count();
    let least = others.min(list.relevant_items) as f64;
    let (mut above, mut sum) = (0usize, 0.0);
    for gain in list.shown {
        if *gain >= terms.relevant_at {
            sum += if above == 0 { 1.0 } else { 1.0 - above.min(list.relevant_items) as f64 / least };
        } else if other(&gain) {
            above += 1;
        }
    }
    sum / of_relevant(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::metrics::pass::list::Scratch;

    #[test]
    fn nothing_found_is_a_plain_zero() {
        let mut scratch = Scratch::new(3);
        let list = scratch.take(&[0.0, f64::NAN, 2.0], 2, 1.0);
        let terms = Terms { relevant_at: 1.0, top_gain: 4.0, patience: 0.8 };
        for (name, figure) in FIGURES {
            let value = figure(&list, 2, &terms);
            assert!(value == 0.0 && value.is_sign_positive(), "{name}: {value}");
        }
    }
}
