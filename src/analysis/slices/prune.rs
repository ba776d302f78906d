//! From many significant slices to the few that say something: the strongest first, and of the others
//! those that still diverge once the ones above are accounted for.
//!
//! A large divergence drags along whatever overlaps with it: the parts of its predicates, its subsets,
//! its cousins. A slice is *explained* by others when, within what they cover and outside of it alike, its
//! rows are like the remaining rows. Two things may explain it: a parent (one of its predicates less, or
//! two) that is significant itself, or the slices already reported.

use std::collections::HashSet;

use super::lattice::Found;
use super::sample::{Item, Sample};
use super::tally::own_spread;
use crate::analysis::stats::student_two_sided;
use crate::util::cancel::{Cancel, Cancelled};

/// What is reported, and why the rest is not.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Kept {
    /// The strongest first.
    pub slices: Vec<Found>,
    pub by_parent: u64,
    pub by_others: u64,
    /// Significant, but not looked at: enough was found, or there were too many.
    pub not_looked_at: u64,
}

/// Visits of units that pruning may cost.
const PATIENCE: usize = 1_000_000_000;

/// What decides which slices are reported.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bar {
    /// Slices to report at most.
    pub top: usize,
    pub alpha: f64,
    /// Slices that were tested, times the factor of the adjustment.
    pub family: f64,
}

/// `found` are the significant slices, the strongest first.
///
/// A slice stands on its own when p of its divergence, given the k slices reported so far, is at most
/// alpha (k + 1) / family: Benjamini-Hochberg as if its own shadows had not been tested. Without that, each
/// true slice brings a hundred significant shadows, and by their number five false ones pass. Held against
/// a parent, p must be at most alpha divided by the number of slices looked at (Bonferroni).
pub(super) fn prune(sample: &Sample, found: &[Found], bar: Bar, cancel: &Cancel) -> Result<Kept, Cancelled> {
    let affordable = (PATIENCE / (4 * sample.units.len().max(1))).clamp(200, 5_000);
    let looked = found.len().min(affordable);
    let against_parent = bar.alpha / looked.max(1) as f64;
    let significant: HashSet<Vec<Item>> = found.iter().map(|found| sorted(found.items())).collect();
    let mut kept = Kept { not_looked_at: (found.len() - looked) as u64, ..Kept::default() };
    let mut covered = vec![0u16; sample.units.len()];
    let (mut is, mut parent_is) = (Vec::new(), Vec::new());
    for (at, candidate) in found.iter().take(looked).enumerate() {
        cancel.check()?;
        if kept.slices.len() >= bar.top {
            kept.not_looked_at += (looked - at) as u64;
            break;
        }
        sample.members(candidate.items(), &mut is);
        let level = bar.alpha * (kept.slices.len() + 1) as f64 / bar.family.max(1.0);
        if !stands(sample, &is, &covered, level) {
            // A child of something reported is counted as such: that is what a reader looks for.
            let child = kept.slices.iter().any(|above| contains(candidate.items(), above.items()));
            *(if child { &mut kept.by_parent } else { &mut kept.by_others }) += 1;
            continue;
        }
        let parents = parts(candidate.items()).filter(|part| significant.contains(part));
        let mut explained = false;
        for parent in parents {
            sample.members(&parent, &mut parent_is);
            let within: Vec<u16> = parent_is.iter().map(|&is| u16::from(is)).collect();
            if !stands(sample, &is, &within, against_parent) {
                explained = true;
                break;
            }
        }
        if explained {
            kept.by_parent += 1;
            continue;
        }
        kept.slices.push(*candidate);
        let number = kept.slices.len() as u16;
        for (label, _) in covered.iter_mut().zip(&is).filter(|(label, is)| **is && **label == 0) {
            *label = number;
        }
    }
    Ok(kept)
}

fn sorted(items: &[Item]) -> Vec<Item> {
    let mut items = items.to_vec();
    items.sort_unstable();
    items
}

fn contains(items: &[Item], part: &[Item]) -> bool {
    part.iter().all(|item| items.contains(item))
}

/// Every proper part of the predicates that is not empty, sorted; the largest parts first.
fn parts(items: &[Item]) -> impl Iterator<Item = Vec<Item>> {
    let items = sorted(items);
    let mut parts: Vec<Vec<Item>> = (1..(1usize << items.len()) - 1)
        .map(|mask| {
            items.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, item)| *item).collect()
        })
        .collect();
    parts.sort_by_key(|part: &Vec<Item>| std::cmp::Reverse(part.len()));
    parts.into_iter()
}

#[derive(Debug, Clone, Copy, Default)]
struct Stratum {
    w: f64,
    e: f64,
    /// Share of w that lies in the slice.
    inside: f64,
}

/// Does the slice diverge from the other units of its strata, p <= `level`?
///
/// The sum over the slice of e minus its stratum's mean, with its spread over clusters, taken about the
/// hypothesis and turned into Student's t, as in `tally`.
fn stands(sample: &Sample, is: &[bool], strata: &[u16], level: f64) -> bool {
    let count = strata.iter().max().map_or(0, |&last| usize::from(last) + 1);
    let mut sums = vec![Stratum::default(); count];
    for ((unit, &is), &stratum) in sample.units.iter().zip(is).zip(strata) {
        if let Some(sum) = sums.get_mut(usize::from(stratum)) {
            sum.w += unit.w;
            sum.e += unit.e;
            sum.inside += if is { unit.w } else { 0.0 };
        }
    }
    for sum in &mut sums {
        let w = if sum.w > 0.0 { sum.w } else { 1.0 };
        *sum = Stratum { w, e: sum.e / w, inside: sum.inside / w };
    }
    let (mut size, mut square, mut witnesses) = (0.0, 0.0, 0u32);
    let (mut part, mut inside, mut last) = (0.0, false, u32::MAX);
    for ((unit, &is), &stratum) in sample.units.iter().zip(is).zip(strata) {
        if unit.cluster != last {
            square += part * part;
            witnesses += u32::from(inside);
            (part, inside, last) = (0.0, false, unit.cluster);
        }
        let Some(stratum) = sums.get(usize::from(stratum)) else { continue };
        // A stratum that lies in the slice as a whole has nobody to be compared with.
        if stratum.inside == 0.0 || stratum.inside >= 1.0 - 1e-12 {
            continue;
        }
        let e = unit.e - stratum.e * unit.w;
        part += (f64::from(u8::from(is)) - stratum.inside) * e;
        inside |= is;
        size += if is { e } else { 0.0 };
    }
    square += part * part;
    witnesses += u32::from(inside);
    let witnesses = f64::from(witnesses);
    if witnesses < 2.0 || square <= 0.0 {
        return false;
    }
    student_two_sided(own_spread(size / square.sqrt(), witnesses), witnesses - 1.0) <= level
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_proper_subsets() {
        let item = |attribute| Item { attribute, code: 1 };
        let of_three: Vec<usize> = parts(&[item(2), item(0), item(1)]).map(|part| part.len()).collect();
        assert_eq!(of_three, [2, 2, 2, 1, 1, 1]);
        assert_eq!(parts(&[item(0)]).count(), 0);
    }
}
