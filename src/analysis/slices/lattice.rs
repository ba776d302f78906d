//! The walk over all combinations of attribute values, depth first: each node has the units of its slice
//! side by side, and counts those of every later attribute in one pass. Values below support end their
//! branch (a slice has no more units than any part of its predicates). No randomness, no output here.

use super::sample::{Item, Sample};
use super::tally::{Tally, Unit};
use crate::analysis::stats::normal_quantile;
use crate::util::cancel::{Cancel, Cancelled};

/// A slice that may turn out significant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    items: [Item; 3],
    depth: u8,
    pub p: f64,
    pub z: f64,
}

impl Found {
    /// In order of the walk; at least one.
    pub fn items(&self) -> &[Item] {
        self.items.get(..usize::from(self.depth)).unwrap_or_default()
    }
}

/// What the search is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub depth: usize,
    /// Least support on either side, in the searched half.
    pub least: f64,
    /// Slices with a larger p are counted, not kept.
    pub alpha: f64,
}

/// The outcome: how many slices were tested, and those with p <= alpha.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tested {
    pub slices: u64,
    /// Combinations that occur, but too rarely to be tested.
    pub below_support: u64,
    /// Combinations that are the same units as one of their parts: not tested again.
    pub same: u64,
    pub kept: Vec<Found>,
}

/// Slices remembered at most (40 MB). Beyond, those with the largest p are forgotten, which can only
/// make adjusted p larger.
const REMEMBERED: usize = 1 << 20;

/// Tries every combination. `progress(done, total)` counts work, in units looked at.
pub(super) fn search(
    sample: &Sample,
    bounds: Bounds,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Tested, Cancelled> {
    let mut walk = Walk::new(sample, bounds, cancel);
    let roots = walk.roots();
    let total: u64 = roots.iter().map(|root| root.work).sum();
    let mut done = 0;
    let mut node = Node::default();
    let mut levels: Vec<Level> = (1..bounds.depth).map(|_| Level::default()).collect();
    for root in &roots {
        progress(done, total);
        cancel.check()?;
        if root.work > 0 {
            let column = walk.column(root.place);
            node.fill(&sample.units, column, root.item.code);
            walk.below(&node, root.place, &mut vec![root.item], &mut levels)?;
        }
        done += root.work;
    }
    progress(total, total);
    Ok(walk.tested)
}

/// The units of a slice: their places in the sample, and themselves, side by side.
#[derive(Debug, Default)]
struct Node {
    places: Vec<u32>,
    units: Vec<Unit>,
}

impl Node {
    fn fill(&mut self, units: &[Unit], column: &[u8], code: u8) {
        self.places.clear();
        self.units.clear();
        for ((place, unit), _) in (0..).zip(units).zip(column).filter(|(_, found)| **found == code) {
            self.places.push(place);
            self.units.push(*unit);
        }
    }
}

/// What one level of the walk counts with and hands down; made once.
#[derive(Debug, Default)]
struct Level {
    counts: Counts,
    parts: Parts,
}

/// A single value, and what there is to do below it.
struct Root {
    item: Item,
    /// Of its attribute in the order of the walk.
    place: usize,
    work: u64,
}

struct Walk<'s> {
    sample: &'s Sample,
    bounds: Bounds,
    cancel: &'s Cancel,
    /// Attributes, those that cover the fewest units first: few units then meet many attributes.
    order: Vec<u16>,
    worth: f64,
    /// Kept below this p.
    cut: f64,
    tested: Tested,
}

impl<'s> Walk<'s> {
    fn new(sample: &'s Sample, bounds: Bounds, cancel: &'s Cancel) -> Self {
        let covered = |attribute: &u16| {
            let column = sample.codes.get(usize::from(*attribute)).map(Vec::as_slice).unwrap_or_default();
            column.iter().filter(|code| **code != 0).count()
        };
        let mut order: Vec<u16> = (0..sample.codes.len() as u16).collect();
        order.sort_by_cached_key(covered);
        // Student's tails are longer than the normal's: with a smaller t, p cannot be below alpha.
        let worth = normal_quantile(1.0 - bounds.alpha / 2.0).max(0.0);
        Self { sample, bounds, cancel, order, worth, cut: bounds.alpha, tested: Tested::default() }
    }

    fn column(&self, place: usize) -> &'s [u8] {
        let attribute = self.order.get(place).map_or(usize::MAX, |&attribute| usize::from(attribute));
        self.sample.codes.get(attribute).map(Vec::as_slice).unwrap_or_default()
    }

    /// Tests every single value; those to go on with.
    fn roots(&mut self) -> Vec<Root> {
        let mut roots = Vec::new();
        let mut counts = Counts::default();
        for place in 0..self.order.len() {
            counts.of(&self.sample.units, self.column(place).iter().copied());
            let later = (self.order.len() - place - 1) as u64;
            for (code, tally) in counts.found() {
                let item = Item { attribute: self.order.get(place).copied().unwrap_or_default(), code };
                if self.test(&[item], &tally, u32::MAX) {
                    let deeper = if self.bounds.depth > 2 { later * later.saturating_sub(1) / 2 } else { 0 };
                    let work = if self.bounds.depth > 1 { later + deeper } else { 0 };
                    roots.push(Root { item, place, work: work * u64::from(tally.units) });
                }
            }
        }
        roots
    }

    /// Everything below one node.
    fn below(
        &mut self,
        node: &Node,
        place: usize,
        items: &mut Vec<Item>,
        levels: &mut [Level],
    ) -> Result<(), Cancelled> {
        let Some((Level { counts, parts }, deeper)) = levels.split_first_mut() else { return Ok(()) };
        for later in place + 1..self.order.len() {
            self.cancel.check()?;
            let column = self.column(later);
            let codes = node.places.iter().map(|&at| column.get(at as usize).copied().unwrap_or_default());
            counts.of(&node.units, codes);
            let attribute = self.order.get(later).copied().unwrap_or_default();
            let mut on = Vec::new();
            for (code, tally) in counts.found() {
                items.push(Item { attribute, code });
                if self.test(items, &tally, node.units.len() as u32) && items.len() < self.bounds.depth {
                    on.push((code, tally.units));
                }
                items.pop();
            }
            if on.is_empty() || later + 1 == self.order.len() {
                continue;
            }
            parts.split(node, column, &on);
            for (part, &(code, _)) in parts.nodes.iter().zip(&on) {
                items.push(Item { attribute, code });
                self.below(part, later, items, deeper)?;
                items.pop();
            }
        }
        Ok(())
    }

    /// Tests one slice; whether its supersets are worth a look. `parent`: units of the slice without its
    /// last predicate.
    fn test(&mut self, items: &[Item], tally: &Tally, parent: u32) -> bool {
        if tally.n < self.bounds.least {
            self.tested.below_support += 1;
            return false;
        }
        if tally.units == parent {
            self.tested.same += 1;
            return false;
        }
        let totals = &self.sample.totals;
        if totals.n - tally.n < self.bounds.least {
            // Hardly anything lacks this value: added to other predicates, it would say nothing.
            self.tested.below_support += 1;
            return false;
        }
        let Some(evidence) = totals.judge(tally, self.worth) else { return false };
        self.tested.slices += 1;
        if evidence.p <= self.cut {
            self.keep(items, evidence.p, evidence.z);
        }
        true
    }

    fn keep(&mut self, items: &[Item], p: f64, z: f64) {
        let mut found = Found { items: [Item { attribute: 0, code: 0 }; 3], depth: 0, p, z };
        for (slot, item) in found.items.iter_mut().zip(items) {
            *slot = *item;
            found.depth += 1;
        }
        self.tested.kept.push(found);
        if self.tested.kept.len() >= REMEMBERED {
            let middle = REMEMBERED / 2;
            let (_, median, _) = self.tested.kept.select_nth_unstable_by(middle, |a, b| a.p.total_cmp(&b.p));
            self.cut = median.p;
            self.tested.kept.truncate(middle);
        }
    }
}

/// Sums by code; only what was touched is looked at and cleared.
#[derive(Debug)]
struct Counts {
    cells: [Tally; 256],
    touched: Vec<u8>,
}

impl Default for Counts {
    fn default() -> Self {
        Self { cells: [Tally::default(); 256], touched: Vec::with_capacity(256) }
    }
}

impl Counts {
    fn of(&mut self, units: &[Unit], codes: impl Iterator<Item = u8>) {
        for code in self.touched.drain(..) {
            if let Some(cell) = self.cells.get_mut(usize::from(code)) {
                *cell = Tally::default();
            }
        }
        for (unit, code) in units.iter().zip(codes) {
            if code == 0 {
                continue;
            }
            if let Some(cell) = self.cells.get_mut(usize::from(code)) {
                if cell.units == 0 {
                    self.touched.push(code);
                }
                cell.add(unit);
            }
        }
        self.touched.sort_unstable();
    }

    fn found(&self) -> Vec<(u8, Tally)> {
        let cell = |&code: &u8| Some((code, *self.cells.get(usize::from(code))?));
        self.touched.iter().filter_map(cell).collect()
    }
}

/// The children of a node for one attribute; their memory is used again for the next.
#[derive(Debug, Default)]
struct Parts {
    nodes: Vec<Node>,
}

impl Parts {
    /// One node per value of `on`, in its order.
    fn split(&mut self, node: &Node, column: &[u8], on: &[(u8, u32)]) {
        let mut target = [usize::MAX; 256];
        if self.nodes.len() < on.len() {
            self.nodes.resize_with(on.len(), Node::default);
        }
        for (at, (&(code, units), part)) in on.iter().zip(&mut self.nodes).enumerate() {
            part.places.clear();
            part.units.clear();
            part.places.reserve(units as usize);
            part.units.reserve(units as usize);
            if let Some(slot) = target.get_mut(usize::from(code)) {
                *slot = at;
            }
        }
        for (&place, unit) in node.places.iter().zip(&node.units) {
            let code = column.get(place as usize).copied().unwrap_or_default();
            let at = target.get(usize::from(code)).copied().unwrap_or(usize::MAX);
            if let Some(part) = self.nodes.get_mut(at) {
                part.places.push(place);
                part.units.push(*unit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::stats::Random;

    fn sample(random: &mut Random, units: usize, values: &[u8], size: usize) -> Sample {
        let one = |random: &mut Random, at: usize| Unit {
            e: random.uniform(),
            w: 1.0,
            total: 0.0,
            n: 1.0,
            cluster: (at / size) as u32,
        };
        let rows: Vec<Unit> = (0..units).map(|at| one(random, at)).collect();
        let column = |random: &mut Random, values: u8| -> Vec<u8> {
            (0..units).map(|_| random.below(usize::from(values) + 1) as u8).collect()
        };
        let codes = values.iter().map(|&values| column(random, values)).collect();
        Sample::new(rows, codes)
    }

    /// Every combination of values of different attributes, at most three.
    fn combinations(values: &[u8]) -> Vec<Vec<Item>> {
        let mut all: Vec<Vec<Item>> = vec![vec![]];
        for (attribute, &values) in (0..).zip(values) {
            let longer: Vec<Vec<Item>> = all
                .iter()
                .filter(|items| items.len() < 3)
                .flat_map(|items| {
                    (1..=values).map(move |code| [items.as_slice(), &[Item { attribute, code }]].concat())
                })
                .collect();
            all.extend(longer);
        }
        all.retain(|items| !items.is_empty());
        all
    }

    /// The walk tests what enumeration tests, with the same p, for each depth and with repeated queries.
    #[test]
    fn the_walk_equals_enumeration() {
        for (seed, size) in [(1, 1), (2, 1), (3, 4)] {
            let mut random = Random::new(seed);
            let values = [3, 4, 2, 5];
            let sample = sample(&mut random, 300, &values, size);
            for depth in 1..=3 {
                let bounds = Bounds { depth, least: 6.0, alpha: 0.999 };
                let found = search(&sample, bounds, &Cancel::new(), &mut |_, _| {}).unwrap();
                let mut expected = Vec::new();
                let mut tested = 0;
                for items in combinations(&values).into_iter().filter(|items| items.len() <= depth) {
                    let tally = sample.tally(&items);
                    if tally.n < 6.0 || sample.totals.n - tally.n < 6.0 {
                        continue;
                    }
                    if let Some(evidence) = sample.totals.judge(&tally, 0.0) {
                        tested += 1;
                        expected.push((items, evidence.p));
                    }
                }
                assert_eq!((found.slices, found.same), (tested, 0));
                let mut got: Vec<(Vec<Item>, f64)> = found
                    .kept
                    .iter()
                    .map(|found| {
                        let mut items = found.items().to_vec();
                        items.sort();
                        (items, found.p)
                    })
                    .collect();
                got.sort_by(|a, b| a.0.cmp(&b.0));
                expected.retain(|(_, p)| *p <= 0.999);
                expected.sort_by(|a, b| a.0.cmp(&b.0));
                assert_eq!(got.len(), expected.len());
                for ((items, p), (wanted, wanted_p)) in got.iter().zip(&expected) {
                    assert_eq!(items, wanted);
                    assert!((p - wanted_p).abs() < 1e-9, "{p} {wanted_p}");
                }
            }
        }
    }

    #[test]
    fn a_predicate_that_changes_nothing_is_tested_once() {
        let mut random = Random::new(5);
        let mut sample = sample(&mut random, 200, &[2, 2], 1);
        let twin = sample.codes[0].clone();
        sample.codes.push(twin);
        let bounds = Bounds { depth: 2, least: 5.0, alpha: 0.05 };
        let found = search(&sample, bounds, &Cancel::new(), &mut |_, _| {}).unwrap();
        // 2 + 2 + 2 single values, 4 + 4 pairs with the middle attribute; the twins' 2 pairs are themselves.
        assert_eq!((found.slices, found.same), (14, 2));
    }

    #[test]
    fn a_cancelled_walk_stops() {
        let sample = sample(&mut Random::new(5), 200, &[2, 2], 1);
        let cancel = Cancel::new();
        cancel.cancel();
        let bounds = Bounds { depth: 2, least: 5.0, alpha: 0.05 };
        assert!(search(&sample, bounds, &cancel, &mut |_, _| {}).is_err());
    }
}
