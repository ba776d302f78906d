//! Statistics against scipy and statsmodels figures, and the coverage that intervals promise.

use recscope::analysis::stats::{Random, Ratio, benjamini_hochberg, benjamini_yekutieli, bootstrap, wilson};
use recscope::util::cancel::Cancel;

use crate::metrics::golden;

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn wilson_and_false_discovery_rates_equal_the_goldens() {
    let Some(golden) = golden("stats_chorus.json") else { return };
    let mut largest = 0.0_f64;
    let mut check = |value: f64, expected: f64| {
        assert!((value - expected).abs() < 1e-9, "{value} is not {expected}");
        largest = largest.max((value - expected).abs());
    };
    for case in golden["stats"]["wilson"].as_array().unwrap() {
        let count = |name: &str| case[name].as_u64().unwrap();
        let (lower, upper) = wilson(count("k"), count("n"), case["alpha"].as_f64().unwrap()).unwrap();
        check(lower, case["lo"].as_f64().unwrap());
        check(upper, case["hi"].as_f64().unwrap());
    }
    let family = &golden["stats"]["bh"];
    let p = numbers(&family["p"]);
    for (value, expected) in benjamini_hochberg(&p).into_iter().zip(numbers(&family["adjusted"])) {
        check(value, expected);
    }
    for (value, expected) in benjamini_yekutieli(&p).into_iter().zip(numbers(&family["adjusted_by"])) {
        check(value, expected);
    }
    println!("largest difference {largest:e}");
    assert_eq!(wilson(0, 0, 0.05), None);
}

/// Queries differ in level, rows within a query are alike: rows resampled one by one would cover
/// about 80 % here; queries must cover about 95 %.
#[test]
fn clustered_intervals_cover_what_they_promise() {
    let mut random = Random::new(11);
    let mut normal = move || (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0;
    let (studies, mut covered) = (300, 0);
    for study in 0..studies {
        let (mut values, mut query) = (Vec::new(), Vec::new());
        for q in 0..40u32 {
            let level = normal();
            for _ in 0..5 {
                values.push(level + normal());
                query.push(q);
            }
        }
        let mean = Ratio::mean(values).grouped(&query, 40);
        let intervals = bootstrap(&[&mean], 40, 400, Random::new(study), &Cancel::new()).unwrap();
        let interval = intervals[0].unwrap();
        covered += u32::from(interval.lower <= 0.0 && 0.0 <= interval.upper);
    }
    let share = f64::from(covered) / studies as f64;
    println!("coverage {share}");
    assert!((0.90..=0.99).contains(&share), "{share}");
}

#[test]
fn intervals_are_absent_where_they_mean_nothing() {
    let one = Ratio::mean(vec![0.5]);
    assert_eq!(bootstrap(&[&one], 1, 100, Random::new(1), &Cancel::new()).unwrap(), [None]);
    let nothing = Ratio::mean(vec![f64::NAN; 4]);
    assert_eq!(bootstrap(&[&nothing], 4, 100, Random::new(1), &Cancel::new()).unwrap(), [None]);
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(bootstrap(&[&nothing], 4, 100, Random::new(1), &cancel).is_err());
}
