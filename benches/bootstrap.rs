//! What chance costs: bootstrap intervals (percentile and BCa) and randomisation tests of one to five list
//! metrics over many queries, on one thread. Target: 1,000 resamples of 100,000 queries in 5 s.
//!
//! Arguments (after `--`): queries, default 100,000.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Instant;

use recscope::analysis::stats::{
    Difference, IntervalMethod, Paired, Random, Ratio, Resampling, Statistic, resample, sign_flip,
};
use recscope::util::cancel::Cancel;

const ROUNDS: u32 = 1000;

/// nDCG-like values; `holes` is the share of queries without one.
fn metric(queries: usize, seed: u64, holes: f64) -> Ratio {
    let mut random = Random::new(seed);
    let value = |_| if random.uniform() < holes { f64::NAN } else { random.uniform().sqrt() };
    Ratio::mean((0..queries).map(value).collect())
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let made = work();
    println!("  {what:<58} {:>7.2} s", began.elapsed().as_secs_f64());
    made
}

fn main() {
    let queries = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    println!("bootstrap: {ROUNDS} rounds over {queries} queries, one thread");
    for (holes, told) in [(0.0, "all queries have a value"), (0.1, "a tenth n/a")] {
        let metrics: Vec<Ratio> = (0..5).map(|seed| metric(queries, seed, holes)).collect();
        for count in [1, 5] {
            for method in [IntervalMethod::Percentile, IntervalMethod::Bca] {
                let statistics: Vec<&dyn Statistic> =
                    metrics.iter().take(count).map(|metric| metric as &dyn Statistic).collect();
                let how = Resampling { resamples: ROUNDS, method, random: Random::new(1) };
                timed(&format!("{count} metrics, {}, {told}", method.describe()), || {
                    resample(&statistics, queries, how, &Cancel::new()).unwrap()
                });
            }
        }
        let pair = Paired::Ratios { a: &metrics[0], b: &metrics[1] };
        timed(&format!("sign flips of one metric, {told}"), || {
            sign_flip(&pair, ROUNDS, Random::new(1), &Cancel::new()).unwrap()
        });
    }
    let (a, b) = (metric(queries, 1, 0.1), metric(queries, 2, 0.2));
    let difference = Difference { a: Box::new(a), b: Box::new(b) };
    let how = Resampling { resamples: ROUNDS, method: IntervalMethod::Percentile, random: Random::new(1) };
    timed("difference of two ratios that are not over the same queries", || {
        resample(&[&difference], queries, how, &Cancel::new()).unwrap()
    });
}
