//! Does the search keep its level where there is nothing to find, and find what is there? Simulated
//! samples with fixed seeds, without a database.

use super::Adjustment;
use super::discover::adjust;
use super::lattice::{Bounds, search};
use super::prune::{Bar, prune};
use super::sample::{Item, Measured, Sample, halves};
use crate::analysis::stats::Random;
use crate::util::cancel::Cancel;

const VALUES: [usize; 8] = [2, 3, 3, 4, 4, 5, 2, 3];
const BOUNDS: Bounds = Bounds { depth: 3, least: 10.0, alpha: 0.05 };

/// `clusters` queries of `size` rows. `value(random, codes, base)` gives a row's outcome; `base` is the
/// query's own level, 0..1. Attributes are drawn per query, or per row where `per_row`.
fn sample(
    seed: u64,
    (clusters, size): (usize, usize),
    per_row: bool,
    value: impl Fn(&mut Random, &[u8], f64) -> f64,
) -> Sample {
    let mut random = Random::new(seed);
    let mut measured = Measured { codes: vec![Vec::new(); VALUES.len()], ..Measured::default() };
    let draw = |random: &mut Random| -> Vec<u8> {
        VALUES.iter().map(|&values| 1 + random.below(values) as u8).collect()
    };
    for cluster in 0..clusters {
        let mut codes = draw(&mut random);
        let base = random.uniform();
        for _ in 0..size {
            if per_row {
                codes = draw(&mut random);
            }
            measured.x.push(value(&mut random, &codes, base));
            measured.w.push(1.0);
            measured.n.push(1.0);
            measured.key.push(cluster as u64);
            measured.codes.iter_mut().zip(&codes).for_each(|(column, &code)| column.push(code));
        }
    }
    // The half that is searched: what the other half says is not asked here.
    halves(measured, seed).0
}

/// Tables with at least one significant slice, and slices tested per table.
fn alarms(tables: u64, of: impl Fn(u64) -> Sample) -> (f64, u64) {
    let (mut alarms, mut tested) = (0, u64::MAX);
    for seed in 0..tables {
        let mut found = search(&of(seed), BOUNDS, &Cancel::new(), &mut |_, _| {}).unwrap();
        let adjusted = adjust(&mut found, Adjustment::Hochberg);
        alarms += u32::from(adjusted.first().is_some_and(|p| *p <= BOUNDS.alpha));
        tested = tested.min(found.slices);
    }
    (f64::from(alarms) / tables as f64, tested)
}

/// Hundreds of overlapping slices, nothing to find: at most 5 % of the tables have an alarm. Values per
/// query, rare clicks, and clicks of queries that differ, sliced by query and by row.
#[test]
fn null_data_raise_no_alarm() {
    let click = |random: &mut Random, rate: f64| f64::from(u8::from(random.uniform() < rate));
    type Case<'c> = (&'c str, Box<dyn Fn(u64) -> Sample + 'c>);
    let cases: [Case; 4] = [
        (
            "ndcg per query",
            Box::new(|seed| sample(seed, (1200, 1), false, |random, _, _| random.uniform().sqrt())),
        ),
        ("rare clicks", Box::new(|seed| sample(seed, (1600, 1), false, |random, _, _| click(random, 0.03)))),
        ("by query", Box::new(|seed| sample(seed, (600, 4), false, |random, _, base| click(random, base)))),
        ("by row", Box::new(|seed| sample(seed, (200, 6), true, |random, _, base| click(random, base)))),
    ];
    for (name, of) in &cases {
        let (rate, tested) = alarms(200, of);
        assert!(tested >= 740, "{name}: {tested}");
        assert!(rate <= 0.05, "{name}: {rate}");
    }
}

/// Slices that are noisier than the rest, at the same mean: permutation alone would cry wolf.
#[test]
fn noise_is_no_divergence() {
    let noisy = |random: &mut Random, codes: &[u8], _: f64| {
        let spread = if codes[5] == 1 { 1.0 } else { 0.1 };
        0.5 + spread * (random.uniform() - 0.5)
    };
    let (rate, _) = alarms(100, |seed| sample(seed, (1200, 1), false, noisy));
    assert!(rate <= 0.05, "{rate}");
}

/// A planted slice comes first, and its shadows (parents, children, cousins) go.
#[test]
fn a_planted_slice_is_what_is_left() {
    for (depth, planted) in [(2, &[(3u16, 2u8), (4, 1)][..]), (3, &[(2, 1), (3, 2), (6, 1)])] {
        let planted: Vec<Item> = planted.iter().map(|&(attribute, code)| Item { attribute, code }).collect();
        let value = |random: &mut Random, codes: &[u8], _: f64| {
            let inside = planted.iter().all(|item| codes[usize::from(item.attribute)] == item.code);
            random.uniform() - if inside { 0.5 } else { 0.0 }
        };
        let mut exact = 0;
        for seed in 0..10 {
            let sample = sample(seed, (6000, 1), false, value);
            let mut found = search(&sample, BOUNDS, &Cancel::new(), &mut |_, _| {}).unwrap();
            let adjusted = adjust(&mut found, Adjustment::Hochberg);
            let significant = adjusted.iter().take_while(|p| **p <= 0.05).count();
            let bar = Bar { top: 20, alpha: 0.05, family: found.slices as f64 };
            assert!(significant > 3, "it has shadows");
            let kept = prune(&sample, &found.kept[..significant], bar, &Cancel::new()).unwrap();
            let mut first = kept.slices[0].items().to_vec();
            first.sort();
            assert_eq!(first, planted, "depth {depth}, seed {seed}");
            assert_eq!(kept.slices.len() as u64 + kept.by_parent + kept.by_others, significant as u64);
            exact += u32::from(kept.slices.len() == 1);
        }
        // Of ten tables, one may hold a second slice by chance.
        assert!(exact >= 9, "depth {depth}: {exact}");
    }
}
