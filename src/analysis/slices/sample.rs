//! One half of the queries: units with a value, sorted by cluster, and their codes, a column per
//! attribute. Takes 32 bytes and one per attribute for each unit; nothing here grows with the slices.

use super::tally::{Tally, Totals, Unit};

/// A value of an attribute: which attribute, and its code (0 is "none of the values that are sliced by").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Item {
    pub attribute: u16,
    pub code: u8,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    pub units: Vec<Unit>,
    /// One column per attribute, as long as there are units.
    pub codes: Vec<Vec<u8>>,
    pub totals: Totals,
}

impl Sample {
    /// `units` carry x in the place of e; sorted by cluster.
    pub fn new(mut units: Vec<Unit>, codes: Vec<Vec<u8>>) -> Self {
        let totals = totals(&mut units);
        Self { units, codes, totals }
    }

    /// Whether each unit has all of these values. `into` is overwritten.
    pub fn members(&self, items: &[Item], into: &mut Vec<bool>) {
        into.clear();
        into.resize(self.units.len(), true);
        for item in items {
            let column = self.codes.get(usize::from(item.attribute)).map(Vec::as_slice).unwrap_or_default();
            for (is, &code) in into.iter_mut().zip(column) {
                *is &= code == item.code;
            }
        }
    }

    /// The sums of one slice.
    pub fn tally(&self, items: &[Item]) -> Tally {
        let mut is = Vec::new();
        self.members(items, &mut is);
        let mut tally = Tally::default();
        for (unit, _) in self.units.iter().zip(&is).filter(|(_, is)| **is) {
            tally.add(unit);
        }
        tally
    }
}

/// Turns x into e = x - ratio * w, fills in each cluster's sum, and sums up.
pub(super) fn totals(units: &mut [Unit]) -> Totals {
    let mut totals = Totals::default();
    let x: f64 = units.iter().map(|unit| unit.e).sum();
    totals.w = units.iter().map(|unit| unit.w).sum();
    totals.n = units.iter().map(|unit| f64::from(unit.n)).sum();
    totals.units = units.len() as f64;
    totals.ratio = if totals.w > 0.0 { x / totals.w } else { 0.0 };
    let all_or_nothing = units.iter().all(|unit| unit.e == 0.0 || unit.e == unit.w);
    for unit in units.iter_mut() {
        unit.e -= totals.ratio * unit.w;
        totals.square += unit.e * unit.e;
        totals.cube += unit.e * unit.e * unit.e;
    }
    totals.square /= totals.units.max(1.0);
    totals.cube /= totals.units.max(1.0);
    for cluster in units.chunk_by_mut(|a, b| a.cluster == b.cluster) {
        let sum: f64 = cluster.iter().map(|unit| unit.e).sum();
        cluster.iter_mut().for_each(|unit| unit.total = sum);
        totals.clusters += 1.0;
        totals.between += sum * sum;
    }
    totals.binary = all_or_nothing && totals.clusters == totals.units;
    totals
}

/// Units with their values and codes before they are split.
#[derive(Debug, Clone, Default)]
pub(super) struct Measured {
    pub x: Vec<f64>,
    pub w: Vec<f64>,
    pub n: Vec<f32>,
    /// Equal for units of one query or user.
    pub key: Vec<u64>,
    pub codes: Vec<Vec<u8>>,
}

/// The half that is searched, the half that is held out, and how many clusters there are in all. Half of
/// the clusters each, chosen by `seed` and key alone: the order of rows does not matter.
///
/// Where every attribute is the same throughout each cluster, a cluster becomes one unit.
pub(super) fn halves(measured: Measured, seed: u64) -> (Sample, Sample, usize) {
    let mut key: Vec<u64> = measured.key.iter().map(|&key| mix(key ^ mix(seed))).collect();
    let mut order: Vec<u32> = (0..key.len() as u32).collect();
    let of = |key: &[u64], unit: u32| key.get(unit as usize).copied().unwrap_or_default();
    order.sort_by_key(|&unit| (of(&key, unit), unit));
    key = order.iter().map(|&unit| of(&key, unit)).collect();
    let clusters = key.chunk_by(|a, b| a == b).count();
    let middle: usize = key.chunk_by(|a, b| a == b).take(clusters.div_ceil(2)).map(<[u64]>::len).sum();
    let mut number = 0;
    let numbers: Vec<u32> = key
        .iter()
        .zip(std::iter::once(&u64::MAX).chain(&key))
        .enumerate()
        .map(|(at, (key, before))| {
            number += u32::from(at > 0 && key != before);
            number
        })
        .collect();
    let at = |values: &[f64], unit: u32| values.get(unit as usize).copied().unwrap_or_default();
    let unit = |(&unit, &cluster): (&u32, &u32)| Unit {
        e: at(&measured.x, unit),
        w: at(&measured.w, unit),
        total: 0.0,
        n: measured.n.get(unit as usize).copied().unwrap_or_default(),
        cluster,
    };
    let mut units: Vec<Unit> = order.iter().zip(&numbers).map(unit).collect();
    drop((measured.x, measured.w, measured.n, numbers, key));
    let mut codes: Vec<Vec<u8>> = Vec::with_capacity(measured.codes.len());
    for column in measured.codes {
        codes
            .push(order.iter().map(|&unit| column.get(unit as usize).copied().unwrap_or_default()).collect());
    }
    drop(order);
    let cut = units.get(middle).map(|unit| unit.cluster).unwrap_or(u32::MAX);
    if units.len() > clusters && codes.iter().all(|column| constant(&units, column)) {
        collapse(&mut units, &mut codes);
    }
    let middle = units.partition_point(|unit| unit.cluster < cut);
    let held = Sample::new(units.split_off(middle), codes.iter_mut().map(|c| c.split_off(middle)).collect());
    (Sample::new(units, codes), held, clusters)
}

/// splitmix64's finaliser.
fn mix(key: u64) -> u64 {
    let mut z = key.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn constant(units: &[Unit], column: &[u8]) -> bool {
    let pairs = units.iter().zip(units.iter().skip(1)).zip(column.iter().zip(column.iter().skip(1)));
    pairs.into_iter().all(|((a, b), (x, y))| a.cluster != b.cluster || x == y)
}

fn collapse(units: &mut Vec<Unit>, codes: &mut [Vec<u8>]) {
    let mut first = Vec::new();
    let mut last = None;
    for unit in units.iter() {
        first.push(last != Some(unit.cluster));
        last = Some(unit.cluster);
    }
    for column in codes {
        let mut is_first = first.iter();
        column.retain(|_| is_first.next().copied().unwrap_or(false));
    }
    let mut sums: Vec<Unit> = Vec::with_capacity(first.iter().filter(|first| **first).count());
    for unit in units.iter() {
        match sums.last_mut().filter(|sum| sum.cluster == unit.cluster) {
            Some(sum) => {
                sum.e += unit.e;
                sum.w += unit.w;
                sum.n += unit.n;
            }
            None => sums.push(*unit),
        }
    }
    *units = sums;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(keys: &[u64], codes: &[u8]) -> Measured {
        let values = keys.len();
        Measured {
            x: (0..values).map(|i| i as f64).collect(),
            w: vec![1.0; values],
            n: vec![1.0; values],
            key: keys.to_vec(),
            codes: vec![codes.to_vec()],
        }
    }

    #[test]
    fn clusters_stay_together_and_halves_are_even() {
        let keys: Vec<u64> = (0..400).map(|i| i % 41).collect();
        let codes: Vec<u8> = (0..400).map(|i| (i % 3) as u8).collect();
        let (search, held, clusters) = halves(measured(&keys, &codes), 1);
        assert_eq!(clusters, 41);
        assert_eq!((search.totals.clusters, held.totals.clusters), (21.0, 20.0));
        assert_eq!(search.units.len() + held.units.len(), 400);
        let other = halves(measured(&keys, &codes), 2).0;
        assert_ne!(search.totals.ratio, other.totals.ratio, "another seed, another half");
    }

    #[test]
    fn constant_codes_make_a_cluster_one_unit() {
        let keys: Vec<u64> = (0..40).map(|i| i / 4).collect();
        let codes: Vec<u8> = (0..40).map(|i| (i / 8) as u8).collect();
        let (search, held, _) = halves(measured(&keys, &codes), 1);
        assert_eq!((search.units.len(), held.units.len()), (5, 5));
        assert_eq!(search.totals.n + held.totals.n, 40.0);
        let one = halves(measured(&[7; 5], &[1; 5]), 1);
        assert_eq!((one.0.units.len(), one.1.units.len(), one.2), (1, 0, 1));
    }
}
